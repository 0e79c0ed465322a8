"""Evictions make a state better, or are not made: shares in ascending order grow with each, so none comes back."""

from pilotbase_estate.sharing.explaining import PoolScheduler
from tests.estate.sharing.pools_for_tests import MINUTE, Play, machines, pool, quota, resources

LONG = 86_400.0


def shares(desk: PoolScheduler) -> list[float]:
    return sorted(account.share for account in desk.books.accounts.values())


def test_who_is_above_its_guarantee_and_its_share_takes_from_nobody():
    """kueue 3779: A holds 250 of 300 with 150 promised; its 50 more and the best effort's 50 evicted each other."""
    quotas = (quota("a", guarantee=resources(cpu=150)), quota("b", guarantee=resources(cpu=150)), quota("best"))
    play = Play(pool(*quotas, nodes=(machines(cpu=300),)))
    play.submit("a", max_seconds=LONG, cpu=250)
    (kept,) = play.submit("best", max_seconds=LONG, cpu=50)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("a", max_seconds=LONG, cpu=50)
    play.wait(12 * 60 * MINUTE)
    assert not play.evictions and kept in play.running()


def eight_to_nothing(members: int) -> tuple[Play, str]:
    """kueue 7101: project 1 runs four gangs of two; project 2 asks for one gang."""
    play = Play(pool(quota("one"), quota("two"), nodes=(machines(cpu=8),)))
    play.submit("one", 4, max_seconds=LONG, members=2, cpu=1)
    play.settle()
    play.wait(20 * MINUTE)
    (gang,) = play.submit("two", max_seconds=LONG, members=members, cpu=1)
    play.settle()
    play.wait(6 * 60 * MINUTE)
    return play, gang


def test_a_gang_that_would_then_have_more_than_who_gave_evicts_nobody():
    for members in (6, 5):
        play, gang = eight_to_nothing(members)
        assert not play.evictions and gang not in play.running()


def test_a_gang_that_makes_shares_equal_evicts_once():
    play, gang = eight_to_nothing(4)
    assert gang in play.running() and len(play.evictions) == 2
    play, gang = eight_to_nothing(3)
    assert gang in play.running() and len(play.evictions) == 2, "8:0 becomes 4:3, and stays"


def test_two_that_each_fill_the_pool_do_not_take_turns():
    """One job each, as large as the pool: whoever runs, the other has nothing. That is not better, so nobody goes."""
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(cpu=8),), longest_job=10 * LONG))
    (first,) = play.submit("a", max_seconds=5 * LONG, cpu=8)
    play.settle()
    (second,) = play.submit("b", max_seconds=5 * LONG, cpu=8)
    play.wait(5 * LONG - 1)
    assert not play.evictions and play.running() == {first}
    play.wait(1)
    assert play.running() == {second}


def test_history_evicts_nobody():
    """Who had much lately is last in the order, and keeps what runs."""
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(cpu=2),), half_life=60))
    play.submit("a", max_seconds=LONG, cpu=1)
    play.submit("b", max_seconds=LONG, cpu=1)
    play.settle()
    play.submit("a", max_seconds=LONG, cpu=1)
    play.submit("b", max_seconds=LONG, cpu=1)
    play.wait(12 * 60 * MINUTE)
    assert not play.evictions


def test_each_eviction_for_a_fair_share_raises_the_least_share():
    """kueue 4165, 14543: the order in which jobs are chosen is the order in which they start."""
    play = Play(pool(quota("a"), quota("b", 2), quota("c", 3), nodes=(machines(3, cpu=8),)))
    play.submit("a", 12, max_seconds=LONG, cpu=2)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("b", 6, max_seconds=LONG, cpu=3)
    play.submit("c", 9, max_seconds=LONG, cpu=2)
    while True:
        before = shares(play.desk)
        decided = play.turn()
        if not decided.evictions:
            break
        assert shares(play.desk) > before
    assert not play.turn().starts


def test_nobody_is_evicted_before_its_minimum_time_for_a_share():
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(cpu=4),), minimum_run=600))
    play.submit("a", 4, max_seconds=LONG, cpu=1)
    play.settle()
    play.submit("b", 4, max_seconds=LONG, cpu=1)
    play.wait(599)
    assert not play.evictions and play.last.again_at == 600
    play.wait(1)
    assert (play.used("a"), play.used("b")) == (2, 2)


def test_a_higher_priority_makes_room_in_its_own_organisation_only():
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(cpu=4),)))
    low = play.submit("a", 2, max_seconds=LONG, cpu=1)
    other = play.submit("b", 2, max_seconds=LONG, cpu=1)
    play.settle()
    play.wait(20 * MINUTE)
    (urgent,) = play.submit("a", max_seconds=LONG, priority=5, cpu=2)
    evicted = play.turn().evictions
    assert play.running() == {urgent, *other}
    assert {one.job for one in evicted} == set(low)
    assert [(one.cause, one.by) for one in evicted] == [("own", urgent)] * 2


def test_a_higher_priority_never_takes_from_others():
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(cpu=4),)))
    play.submit("b", 2, max_seconds=LONG, cpu=2)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("a", max_seconds=LONG, priority=100, cpu=4)
    play.wait(20 * MINUTE)
    assert not play.evictions


def test_only_lower_priorities_make_room():
    play = Play(pool(quota("a"), nodes=(machines(cpu=2),)))
    play.submit("a", max_seconds=LONG, priority=0, cpu=1)
    play.submit("a", max_seconds=LONG, priority=10, cpu=1)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("a", max_seconds=LONG, priority=5, cpu=2)
    play.wait(20 * MINUTE)
    assert not play.evictions


def test_no_more_are_evicted_than_needed():
    """Small ones that were chosen first are spared when a larger one has to go anyway."""
    quotas = (quota("a", guarantee=resources(cpu=8)), quota("b"))
    play = Play(pool(*quotas, nodes=(machines(2, cpu=8),)))
    (large,) = play.submit("b", max_seconds=LONG, cpu=8)
    play.settle()
    play.wait(MINUTE)
    play.submit("b", 2, max_seconds=LONG, cpu=3)
    play.submit("b", preemptible=False, max_seconds=LONG, cpu=2)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("a", max_seconds=LONG, cpu=8)
    play.settle()
    assert play.evictions == [large], "the youngest would not make a whole machine free"


def test_who_evicts_and_why_is_told():
    quotas = (quota("a", guarantee=resources(cpu=2)), quota("b"))
    play = Play(pool(*quotas, nodes=(machines(cpu=2),)))
    (lent,) = play.submit("b", max_seconds=LONG, cpu=2)
    play.settle()
    play.wait(20 * MINUTE)
    (claim,) = play.submit("a", max_seconds=LONG, cpu=2)
    (evicted,) = play.turn().evictions
    assert (evicted.job, evicted.cause, evicted.by) == (lent, "reclaim", claim)


def test_what_is_free_already_counts_when_room_is_made():
    """One member finds a machine that is free, the other one the machine of the job that makes room."""
    play = Play(pool(quota("a"), nodes=(machines(2, cpu=4),)))
    (low,) = play.submit("a", max_seconds=LONG, cpu=4)
    play.settle()
    play.wait(20 * MINUTE)
    (urgent,) = play.submit("a", max_seconds=LONG, priority=1, members=2, cpu=4)
    play.settle()
    assert play.running() == {urgent} and play.evictions == [low]


def test_what_a_decision_starts_it_does_not_evict():
    """Without a minimum time, too. A small one is within the guarantee, the urgent gang beyond it wants its machine."""
    play = Play(pool(quota("a", guarantee=resources(cpu=4)), nodes=(machines(2, cpu=4),), minimum_run=0))
    play.submit("a", max_seconds=LONG, cpu=2)
    play.settle()
    play.wait(MINUTE)
    (small,) = play.submit("a", max_seconds=LONG, cpu=2)
    (urgent,) = play.submit("a", max_seconds=LONG, priority=1, members=2, cpu=3)
    decided = play.turn()
    assert [one.job for one in decided.starts] == [small] and not decided.evictions
    assert decided.again_at == play.now + 1
    play.wait(1)
    assert play.running() == {urgent} and small in play.evictions


def test_what_an_evicted_job_leaves_of_the_guarantee_goes_to_the_firm_one_that_takes_its_place():
    """Not to another of the organisation's jobs first: both would hold what is promised to another for good."""
    quotas = (quota("a", guarantee=resources(cpu=4), limit=resources(cpu=10)), quota("b", guarantee=resources(cpu=5)))
    play = Play(pool(*quotas, nodes=(machines(cpu=12),)))
    (low,) = play.submit("a", cpu=3, max_seconds=LONG)
    play.settle()
    (high,) = play.submit("a", cpu=4, priority=1, max_seconds=LONG)
    play.settle()
    play.wait(60 * MINUTE)
    (firm,) = play.submit("a", cpu=4, priority=2, preemptible=False, max_seconds=LONG)
    play.settle()
    assert play.running() == {high, firm} and play.evictions == [low]
    (claim,) = play.submit("b", cpu=5, max_seconds=LONG)
    play.settle()
    assert {firm, claim} <= play.running() and high not in play.running()
