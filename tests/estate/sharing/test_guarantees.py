"""A guarantee is given back, always, within the minimum time; what peers got wrong about it stands by its thread."""

import pytest

from pilotbase_estate.documents.vocabularies import WaitReason
from pilotbase_estate.sharing.explaining import waits
from tests.estate.sharing.pools_for_tests import MINUTE, Play, machines, pool, quota, resources

LONG = 86_400.0


def seventy_thirty(**more: object) -> Play:
    quotas = (quota("a", guarantee=resources(cpu=70)), quota("b", guarantee=resources(cpu=30)))
    return Play(pool(*quotas, nodes=(machines(10, cpu=10),), **more))


def test_idle_guarantees_are_lent_and_given_back():
    play = seventy_thirty()
    play.submit("a", 100, max_seconds=LONG, cpu=1)
    play.settle()
    assert play.used("a") == 100, "what b leaves idle is lent"
    play.wait(20 * MINUTE)
    play.submit("b", 40, max_seconds=LONG, cpu=1)
    play.settle()
    assert (play.used("a"), play.used("b")) == (70, 30)
    assert len(play.evictions) == 30, "as many as were needed, no more"


def test_a_guarantee_is_back_after_the_minimum_time():
    play = seventy_thirty(minimum_run=600)
    play.submit("a", 100, max_seconds=LONG, cpu=1)
    play.settle()
    (claim,) = play.submit("b", max_seconds=LONG, cpu=10)
    play.settle()
    waiting = waits(play.desk, play.now)[claim]
    assert (waiting.reason, waiting.starts, waiting.blocker) == (WaitReason.RECLAIMING, 600, "a")
    assert play.last.again_at == 600
    play.wait(599)
    assert play.used("b") == 0
    play.wait(1)
    assert play.running("b") == {claim} and play.started[claim] == 600


def test_no_new_borrower_starts_while_a_guarantee_is_being_restored():
    """Else each brings a minimum time of its own and the guarantee waits for ever."""
    play = seventy_thirty(minimum_run=600)
    play.submit("a", 95, max_seconds=LONG, cpu=1)
    play.settle()
    (claim,) = play.submit("b", max_seconds=LONG, members=3, cpu=10)
    play.settle()
    for _ in range(10):
        play.wait(60)
        (short,) = play.submit("a", max_seconds=30, cpu=1)
        (long,) = play.submit("a", max_seconds=LONG, cpu=1)
        play.settle()
        if play.now < 570:
            assert short in play.started and long not in play.started, play.now
    assert play.started[claim] == 600


def test_the_youngest_of_who_has_most_goes_first():
    quotas = (quota("a", guarantee=resources(cpu=4)), quota("b"), quota("c"))
    play = Play(pool(*quotas, nodes=(machines(cpu=12),)))
    old = play.submit("b", 4, max_seconds=LONG, cpu=1)
    play.settle()
    play.wait(20 * MINUTE)
    young = play.submit("b", 4, max_seconds=LONG, cpu=1)
    few = play.submit("c", 4, max_seconds=LONG, cpu=1)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("a", max_seconds=LONG, cpu=3)
    play.settle()
    assert set(play.evictions) < set(young) and play.running("b") > set(old) and play.running("c") == set(few)
    assert len(play.evictions) == 3


def test_whoever_is_evicted_comes_back_to_its_place():
    play = seventy_thirty()
    first = play.submit("a", 100, max_seconds=LONG, cpu=1)
    play.settle()
    play.wait(20 * MINUTE)
    later = play.submit("a", 5, max_seconds=LONG, cpu=1)
    (claim,) = play.submit("b", max_seconds=LONG, members=3, cpu=10)
    play.settle()
    play.end(claim)
    play.settle()
    assert play.running("a") == set(first) and not play.running("a") & set(later)


def test_what_may_not_be_evicted_never_runs_on_what_is_lent():
    play = seventy_thirty()
    play.submit("a", 20, max_seconds=LONG, preemptible=False, cpu=5)
    play.settle()
    assert play.used("a") == 70
    reason = next(iter(waits(play.desk, play.now).values()))
    assert (reason.reason, reason.blocker) == (WaitReason.PROMISED, "cpu 5")
    play.submit("b", 30, max_seconds=LONG, cpu=1)
    play.settle()
    assert play.used("b") == 30 and not play.evictions


def test_fair_sharing_does_not_stop_a_guarantee_from_being_reclaimed():
    """kueue 6577: whatever the weights and the shares, what is within the guarantee comes back."""
    quotas = (quota("a", guarantee=resources(gpu_t4=5)), quota("b", weight=1000))
    play = Play(pool(*quotas, nodes=(machines(gpu_t4=10),)))
    play.submit("b", 10, max_seconds=LONG, gpu_t4=1)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("a", 5, max_seconds=LONG, gpu_t4=1)
    play.settle()
    assert (play.used("a", "gpu/t4"), play.used("b", "gpu/t4")) == (5, 5)


def test_a_full_pool_does_not_keep_claims_out():
    """volcano 4679: there is no gate before the one that reclaims."""
    quotas = (quota("a", guarantee=resources(gpu_h100=160)), quota("b", guarantee=resources(gpu_h100=160)))
    play = Play(pool(*quotas, nodes=(machines(40, gpu_h100=8),)))
    play.submit("b", 40, max_seconds=LONG, gpu_h100=8)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("a", 4, max_seconds=LONG, members=5, gpu_h100=8)
    play.settle()
    assert (play.used("a", "gpu/h100"), play.used("b", "gpu/h100")) == (160, 160)


def test_several_jobs_make_room_for_one():
    """volcano 4756: the set of victims is looked at as a whole, and is as small as will do."""
    quotas = (quota("a", guarantee=resources(gpu_t4=8)), quota("b"))
    play = Play(pool(*quotas, nodes=(machines(2, gpu_t4=8),)))
    play.submit("b", 16, max_seconds=LONG, gpu_t4=1)
    play.settle()
    play.wait(20 * MINUTE)
    (claim,) = play.submit("a", max_seconds=LONG, gpu_t4=8)
    play.settle()
    assert play.running("a") == {claim} and len(play.evictions) == 8


def test_a_guarantee_that_names_no_cores_brings_its_cores_along():
    """volcano 4658, kueue 4028: what a guarantee does not name is no reason against the claim."""
    quotas = (quota("a", guarantee=resources(gpu_a100=2)), quota("b"))
    play = Play(pool(*quotas, nodes=(machines(2, cpu=16, memory="64 GiB", gpu_a100=2),)))
    play.submit("b", 4, max_seconds=LONG, cpu=8, memory="32 GiB", gpu_a100=1)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("a", 2, max_seconds=LONG, cpu=4, memory="16 GiB", gpu_a100=1)
    play.settle()
    assert play.used("a", "gpu/a100") == 2


def test_a_guarantee_of_gpus_takes_no_cores_that_are_promised_to_another():
    """pai 5503: beside its GPUs it may keep what is promised to nobody; the rest is given back."""
    quotas = (quota("a", guarantee=resources(gpu_t4=4)), quota("b", guarantee=resources(cpu=12)))
    play = Play(pool(*quotas, nodes=(machines(cpu=16, gpu_t4=4),)))
    play.submit("a", 4, max_seconds=LONG, cpu=4, gpu_t4=1)
    play.settle()
    assert play.used("a") == 16
    play.wait(20 * MINUTE)
    play.submit("b", 12, max_seconds=LONG, cpu=1)
    play.settle()
    assert (play.used("a"), play.used("b")) == (4, 12)


def test_more_than_promised_of_one_dimension_does_not_block_another():
    """volcano 3990: only what a job asks for is compared."""
    quotas = (quota("a", guarantee=resources(cpu=4, gpu_t4=4)), quota("b"))
    play = Play(pool(*quotas, nodes=(machines(cpu=12, gpu_t4=4),)))
    play.submit("a", max_seconds=LONG, cpu=8)
    play.submit("b", 4, max_seconds=LONG, gpu_t4=1)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("a", 2, max_seconds=LONG, gpu_t4=2)
    play.settle()
    assert play.used("a", "gpu/t4") == 4


def test_who_is_promised_nothing_claims_nothing():
    """yunikorn-core 639: no guarantee at all is not a guarantee that is never used up."""
    quotas = (quota("a"), quota("b", guarantee=resources(cpu=4)))
    play = Play(pool(*quotas, nodes=(machines(cpu=4),)))
    play.submit("b", 4, max_seconds=LONG, cpu=1)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("a", max_seconds=LONG, cpu=1)
    play.settle()
    assert not play.evictions and play.used("b") == 4


def test_a_limit_is_no_guarantee():
    """yunikorn-core 636: who has a limit and no guarantee is protected by nothing."""
    quotas = (quota("a", guarantee=resources(cpu=4)), quota("b", limit=resources(cpu=4)))
    play = Play(pool(*quotas, nodes=(machines(cpu=4),)))
    play.submit("b", 4, max_seconds=LONG, cpu=1)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("a", max_seconds=LONG, cpu=4)
    play.settle()
    assert (play.used("a"), play.used("b")) == (4, 0)


def test_what_nobody_promised_does_not_break_a_claim():
    """yunikorn-core 527: a dimension that came to every request (pods=1) made claims be no claims."""
    quotas = (quota("a", guarantee=resources(cpu=4)), quota("b"))
    play = Play(pool(*quotas, nodes=(machines(cpu=4, licence_seat=100),)))
    play.submit("b", 4, max_seconds=LONG, cpu=1, licence_seat=1)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("a", 4, max_seconds=LONG, cpu=1, licence_seat=1)
    play.settle()
    assert play.used("a") == 4


def test_a_hundred_claims_at_once_get_exactly_their_guarantee():
    """yunikorn 2270: and not a few of them, differently each time."""
    quotas = (quota("a", guarantee=resources(gpu_t4=100)), quota("b"))
    play = Play(pool(*quotas, nodes=(machines(gpu_t4=300),)))
    play.submit("b", 600, max_seconds=LONG, gpu_t4=1)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("a", 100, max_seconds=LONG, gpu_t4=1)
    play.turn()
    assert (play.used("a", "gpu/t4"), play.used("b", "gpu/t4")) == (100, 200)


@pytest.mark.parametrize("cap", [0, 1, 3])
def test_a_job_that_was_evicted_often_enough_waits_for_what_nobody_takes(cap):
    """kueue 7101: one workload was evicted 33 times. And the guarantee comes back all the same."""
    quotas = (quota("a", guarantee=resources(cpu=6)), quota("b", guarantee=resources(cpu=2)), quota("c"))
    play = Play(pool(*quotas, nodes=(machines(cpu=10),), evictions_at_most=cap, minimum_run=60))
    (firm,) = play.submit("c", max_seconds=LONG, preemptible=False, cpu=1)
    play.settle()
    (job,) = play.submit("b", max_seconds=LONG, cpu=4)
    for _ in range(cap + 2):
        play.settle()
        play.wait(120)
        play.submit("a", 6, max_seconds=120, cpu=1)
        play.settle()
        assert play.used("a") == 6, "nobody's cap holds a guarantee back"
        play.wait(240)
    assert play.evictions.count(job) == cap and job not in play.running()
    assert waits(play.desk, play.now)[job].reason is WaitReason.PROMISED
    play.end(firm)
    play.submit("a", 6, max_seconds=120, cpu=1)
    play.wait(600)
    assert job in play.running() and play.evictions.count(job) == cap


def test_who_is_promised_cores_claims_no_gpus():
    """As it is with no guarantee at all, so with one that names nothing of what is asked for."""
    quotas = (quota("a", guarantee=resources(cpu=4)), quota("b"))
    play = Play(pool(*quotas, nodes=(machines(cpu=4, gpu_t4=4),)))
    play.submit("b", max_seconds=LONG, gpu_t4=4)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("a", max_seconds=LONG, gpu_t4=4)
    play.wait(20 * MINUTE)
    assert not play.evictions


def test_what_comes_within_the_guarantee_is_protected_from_then_on():
    """Borrowed when it started; since the organisation's other job ended it is its own, and nobody's claim takes it."""
    quotas = (quota("a", guarantee=resources(cpu=4)), quota("b", guarantee=resources(cpu=4)))
    nodes = (machines(name="one", cpu=4, labels={"hall": "1"}), machines(name="two", cpu=4, labels={"hall": "2"}))
    play = Play(pool(*quotas, nodes=nodes))
    (first,) = play.submit("a", max_seconds=LONG, labels={"hall": "2"}, cpu=3)
    play.settle()
    play.submit("a", max_seconds=LONG, labels={"hall": "1"}, cpu=3)
    play.settle()
    play.wait(20 * MINUTE)
    play.end(first)
    (claim,) = play.submit("b", max_seconds=LONG, labels={"hall": "1"}, cpu=4)
    play.settle()
    assert not play.evictions
    assert waits(play.desk, play.now)[claim].reason is WaitReason.FRAGMENTED


def test_who_could_never_run_without_borrowing_goes_on_giving_back():
    """Else a large job would hold a guarantee for as long as it likes, once it was evicted often enough."""
    quotas = (quota("a", guarantee=resources(cpu=8)), quota("b", guarantee=resources(cpu=2)))
    play = Play(pool(*quotas, nodes=(machines(cpu=10),), evictions_at_most=1, minimum_run=60))
    (job,) = play.submit("b", max_seconds=LONG, cpu=10)
    for _ in range(4):
        play.settle()
        play.wait(120)
        assert job in play.running()
        play.submit("a", 8, max_seconds=60, cpu=1)
        play.settle()
        assert play.used("a") == 8
        play.wait(120)
    assert play.evictions.count(job) == 4
