"""Who may go before one that waits: those who do not delay it."""

from pilotbase_estate.documents.vocabularies import WaitReason
from pilotbase_estate.sharing.explaining import waits
from tests.estate.sharing.pools_for_tests import MINUTE, Play, machines, pool, quota, resources, window

LONG = 86_400.0


def test_a_small_job_passes_only_where_it_does_not_delay_the_first():
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(cpu=10),)))
    play.submit("a", max_seconds=1000, cpu=8)
    play.settle()
    (large,) = play.submit("b", max_seconds=1000, cpu=9)
    play.settle()
    (short,) = play.submit("a", max_seconds=900, cpu=1)
    (long,) = play.submit("a", max_seconds=1100, cpu=1)
    (longer,) = play.submit("a", max_seconds=1100, cpu=1)
    play.settle()
    assert {short, long} <= play.running() and longer not in play.running(), "one core is left beside it, for good"
    why = waits(play.desk, play.now)
    assert why[large].starts == 1000
    play.wait(1000)
    assert play.started[large] == 1000


def test_what_was_told_the_first_is_kept_when_jobs_end_early():
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(cpu=10),)))
    early, late = play.submit("a", 2, max_seconds=1000, cpu=4)
    play.settle()
    (large,) = play.submit("b", max_seconds=1000, cpu=10)
    play.settle()
    play.wait(100)
    play.end(early)
    play.submit("a", 4, max_seconds=901, cpu=1)
    play.submit("a", 4, max_seconds=900, cpu=1)
    play.settle()
    assert len(play.running("a")) == 5, "the four that end in time"
    play.wait(900)
    assert play.started[large] == 1000 and late not in play.running()


def test_what_ends_early_makes_room_for_others_until_the_time_that_was_told():
    """A promise that moved forward with every early end would keep machines idle for nothing."""
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(cpu=9),)))
    _, *early = [play.submit("a", max_seconds=length, cpu=3)[0] for length in (600, 1000, 1000)]
    play.settle()
    (large,) = play.submit("b", max_seconds=1000, cpu=9)
    play.settle()
    play.wait(100)
    play.end(*early)
    (short,) = play.submit("a", max_seconds=800, cpu=1)
    play.settle()
    assert short in play.running()
    play.wait(900)
    assert play.started[large] == 900


def test_a_stream_of_small_jobs_does_not_starve_a_large_one():
    play = Play(pool(quota("small", 10), quota("large"), nodes=(machines(cpu=10),)))
    for number in range(10):
        play.submit("small", max_seconds=1000 + 10 * number, cpu=1)
    play.settle()
    (large,) = play.submit("large", max_seconds=1000, cpu=10)
    for _ in range(100):
        play.submit("small", max_seconds=1000, cpu=1)
        play.wait(25)
    assert play.started[large] <= 1100


def test_a_gang_starts_whole_or_not_at_all():
    """dstack 2221: many members were put on too small a fleet, and some waited on the others for ever."""
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(4, gpu_t4=4),)))
    play.submit("b", 3, max_seconds=1000, gpu_t4=4)
    play.settle()
    (gang,) = play.submit("a", max_seconds=1000, members=8, gpu_t4=1)
    play.settle()
    assert play.used("a", "gpu/t4") == 0
    play.wait(1000)
    assert play.running("a") == {gang} and len(play.desk.books.running[gang].nodes) == 8


def test_the_first_come_is_the_first_served_in_an_organisation():
    """skypilot 5493: jobs that waited were started in no order."""
    play = Play(pool(quota("a"), nodes=(machines(cpu=1),)))
    names = []
    for _ in range(5):
        names += play.submit("a", max_seconds=100, cpu=1)
        play.wait(1)
    play.wait(500)
    assert sorted(names, key=play.started.__getitem__) == names


def test_a_priority_is_worth_so_much_waiting_and_no_more():
    """However many urgent jobs come, after one step for each level nobody passes any more."""
    play = Play(pool(quota("a"), nodes=(machines(cpu=1),), priority_step=1000))
    play.submit("a", max_seconds=500, cpu=1)
    play.settle()
    (patient,) = play.submit("a", max_seconds=500, cpu=1)
    for _ in range(20):
        play.submit("a", max_seconds=500, priority=1, cpu=1)
        play.wait(250)
    assert 1000 <= play.started[patient] <= 2500


def test_nothing_runs_into_a_maintenance_window():
    play = Play(pool(quota("a"), nodes=(machines(cpu=4),), maintenance=(window(3600, 7200),)))
    (short,) = play.submit("a", max_seconds=3600, cpu=1)
    (long,) = play.submit("a", max_seconds=3601, cpu=1)
    play.settle()
    assert play.running() == {short}
    why = waits(play.desk, play.now)[long]
    assert (why.reason, why.blocker, why.starts) == (WaitReason.MAINTENANCE, "node", 7200)
    assert play.last.again_at is not None and play.last.again_at <= 7200
    play.wait(7200)
    assert play.started[long] == 7200


def test_a_window_closes_the_machines_that_it_names_only():
    nodes = (machines(cpu=4, name="old"), machines(cpu=4, name="new"))
    play = Play(pool(quota("a"), nodes=nodes, maintenance=(window(600, 1200, "old"),)))
    play.submit("a", 8, max_seconds=1000, cpu=1)
    play.settle()
    assert {one.nodes for one in play.desk.books.running.values()} == {("new",)}


def test_a_job_runs_where_its_labels_are():
    nodes = (machines(cpu=4, name="hall-1", labels={"zone": "a"}), machines(cpu=4, name="hall-2", labels={"zone": "b"}))
    play = Play(pool(quota("a"), nodes=nodes))
    play.submit("a", 5, max_seconds=1000, labels={"zone": "b"}, cpu=1)
    play.settle()
    assert [one.nodes for one in play.desk.books.running.values()] == [("hall-2",)] * 4


def test_a_small_job_of_the_guarantee_does_not_delay_a_larger_one_of_it():
    quotas = (quota("a", guarantee=resources(cpu=4)), quota("b", guarantee=resources(cpu=4)))
    play = Play(pool(*quotas, nodes=(machines(cpu=8),)))
    play.submit("a", 3, max_seconds=1000, cpu=1)
    play.submit("b", 4, max_seconds=LONG, preemptible=False, cpu=1)
    play.settle()
    (large,) = play.submit("a", max_seconds=1000, cpu=4)
    (long,) = play.submit("a", max_seconds=2000, cpu=1)
    (short,) = play.submit("a", max_seconds=900, cpu=1)
    play.settle()
    assert short in play.running() and long not in play.running()
    play.wait(20 * MINUTE)
    assert play.started[large] == 1000
