"""Limits cap: an organisation's, what is borrowed included, and each person's."""

from pilotbase_estate.documents.vocabularies import WaitReason
from pilotbase_estate.sharing.explaining import waits
from pilotbase_estate.sharing.jobs import QueuedJob
from tests.estate.sharing.pools_for_tests import MINUTE, Play, machines, pool, quota, resources, vector

LONG = 86_400.0


def test_borrowing_ends_at_the_limit():
    play = Play(pool(quota("a", limit=resources(cpu=6)), nodes=(machines(cpu=10, memory="10 GiB"),)))
    play.submit("a", 10, max_seconds=LONG, cpu=1, memory="1 GiB")
    play.settle()
    assert play.used("a") == 6
    why = next(iter(waits(play.desk, play.now).values()))
    assert (why.reason, why.blocker, why.starts) == (WaitReason.ORGANISATION_LIMIT, "cpu 1", LONG)


def test_a_deep_backlog_of_one_person_does_not_starve_the_others():
    """OSMO 220: one pool, one quota, and a colleague's hundred urgent jobs."""
    play = Play(pool(quota("a", person_limit=resources(gpu_t4=4)), nodes=(machines(gpu_t4=8),)))
    urgent = play.submit("a", 100, person="first", priority=100, max_seconds=LONG, gpu_t4=1)
    mine = play.submit("a", 2, person="second", max_seconds=LONG, gpu_t4=1)
    play.settle()
    assert play.running() == {*urgent[:4], *mine}
    why = waits(play.desk, play.now)[urgent[4]]
    assert (why.reason, why.blocker, why.position) == (WaitReason.PERSON_LIMIT, "gpu/t4 1", 1)


def test_a_larger_job_is_not_overtaken_for_ever_at_a_limit():
    play = Play(pool(quota("a", limit=resources(cpu=4)), nodes=(machines(cpu=10),)))
    for number in range(4):
        play.submit("a", max_seconds=1000 + number, cpu=1)
    play.settle()
    (large,) = play.submit("a", max_seconds=1000, cpu=4)
    for _ in range(40):
        play.submit("a", max_seconds=1000, cpu=1)
        play.wait(50)
    assert play.started[large] == 1003


def test_a_limit_below_what_is_held_stops_nothing():
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(cpu=10),)))
    play.submit("a", 8, max_seconds=1000, cpu=1)
    play.settle()
    smaller = pool(
        quota("a", limit=resources(cpu=3)), quota("b", guarantee=resources(cpu=7)), nodes=(machines(cpu=10),)
    )
    after = Play(smaller)
    after.desk = type(after.desk)(smaller, after.desk.placer, play.desk.state(play.now), play.now)
    after.desk.submit(_job(play, "a", cpu=1))
    assert not after.desk.decide(play.now).starts
    assert after.desk.books.accounts["a"].used["cpu"] == 8000


def test_who_lost_its_quota_keeps_what_runs():
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(cpu=10),)))
    (kept,) = play.submit("a", max_seconds=1000, cpu=8)
    play.settle()
    without = pool(quota("b"), nodes=(machines(cpu=10),))
    desk = type(play.desk)(without, play.desk.placer, play.desk.state(play.now), play.now)
    desk.decide(play.now + MINUTE)
    assert kept in desk.books.running
    assert desk.end(kept, play.now + 2 * MINUTE).job.name == kept


def _job(play: Play, organisation: str, **demand: object):
    return QueuedJob("late", organisation, "p", vector(**demand), 100.0, submitted=play.now)
