"""What could never run is told when it is handed in: impossible is not waiting."""

import pytest

from pilotbase.documents.errors import RefusedError
from pilotbase_estate.documents.vocabularies import WaitReason
from pilotbase_estate.sharing.explaining import PoolScheduler, waits
from pilotbase_estate.sharing.impossible import FirstFit
from pilotbase_estate.sharing.jobs import Pending, PoolState, QueuedJob, Running
from tests.estate.sharing.pools_for_tests import Play, machines, pool, quota, resources, vector

SHARED = pool(
    quota("a", guarantee=resources(cpu=4), limit=resources(gpu_t4=6), person_limit=resources(gpu_t4=4)),
    quota("b", guarantee=resources(cpu=20)),
    nodes=(
        machines(3, cpu=8, memory="32 GiB", gpu_t4=2),
        machines(name="large", cpu=16, memory="64 GiB", labels={"zone": "hall-2"}),
    ),
    longest_job=3600,
)


def refused(**more: object) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        Play(SHARED).submit(str(more.pop("organisation", "a")), **more)
    assert caught.value.exit_code == 5
    return caught.value


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ({"cpu": 41}, "pool.larger_than_pool", "cpu: the job requests 41, but hall has 40 in total."),
        ({"gpu_h100": 1}, "pool.larger_than_pool", "gpu/h100: the job requests 1, but hall has 0 in total."),
        (
            {"cpu": 17},
            "pool.larger_than_machine",
            "Each member requests cpu 17, but no machine of hall has that: the most is cpu 16",
        ),
        (
            {"cpu": 10, "gpu_t4": 1},
            "pool.larger_than_machine",
            "Each member requests cpu 10, gpu/t4 1, but no machine of hall has that: the most is cpu 8.",
        ),
        (
            {"cpu": 5, "members": 7},
            "pool.too_large_a_gang",
            "7 members with cpu 5 each cannot run at the same time on the machines",
        ),
        ({"gpu_t4": 0.5}, "pool.gpu_not_shared", "gpu/t4: 0.5 is a share of a GPU, but hall does not share GPUs."),
        ({"gpu_t4": 2, "members": 3}, "pool.larger_than_person_limit", "one person of a may use at most 4 of hall."),
        (
            {"cpu": 1, "max_seconds": 7200},
            "pool.too_long",
            "The job requests 2 h, but jobs of hall may run for at most 1 h.",
        ),
        ({"cpu": 1, "labels": {"zone": "x"}}, "pool.no_machine_labelled", "No machine of hall has the labels zone: x."),
        ({"cpu": 1, "organisation": "nobody"}, "pool.no_quota", "Nobody has no quota in hall."),
        ({"cpu": 7, "members": 3, "preemptible": False}, "pool.never_firm", "unpromised capacity: cpu 20."),
    ],
)
def test_what_could_never_run_is_refused_with_its_reason(asked, code, said):
    error = refused(**asked)
    assert error.code == code and said.lower() in error.render("en").lower()
    assert error.render("zh") != error.render("en")


def test_beyond_the_limit_of_the_organisation():
    play = pool(quota("a", limit=resources(cpu=2)), nodes=(machines(cpu=8),))
    with pytest.raises(RefusedError) as caught:
        Play(play).submit("a", cpu=3)
    assert caught.value.code == "pool.larger_than_limit"


def test_shares_of_gpus_run_where_gpus_are_shared():
    play = Play(pool(quota("a"), nodes=(machines(gpu_t4=1),), shared_gpus=True))
    play.submit("a", 4, gpu_t4=0.25)
    play.settle()
    assert len(play.running()) == 4


def test_what_fits_exactly_is_taken():
    play = Play(SHARED)
    play.submit("b", max_seconds=3600, members=5, cpu=8)
    play.settle()
    assert play.used("b") == 40


def test_a_hair_less_than_a_whole_core_is_told_at_once():
    """Ray: nodes with 0.998 cores left let every job that asks for one core wait for ever, and said nothing."""
    with pytest.raises(RefusedError) as caught:
        Play(pool(quota("a"), nodes=(machines(4, cpu=0.998),))).submit("a", cpu=1)
    assert "the most is cpu 0.998" in caught.value.render("en")


def test_a_hair_that_others_hold_is_named_while_it_lacks():
    """The same trap by four small actors: the job waits for them, and says on which machine how much is lacking."""
    actors = tuple(
        Running(QueuedJob(f"actor-{node}", "a", "p", vector(cpu=0.001), 1000.0), (f"node-{node}",), 0.0)
        for node in range(1, 5)
    )
    shared = pool(quota("a"), nodes=(machines(4, cpu=1),))
    desk = PoolScheduler(
        shared, FirstFit(), PoolState(actors, (Pending(QueuedJob("whole", "a", "p", vector(cpu=1), 1000.0)),))
    )
    assert not desk.decide(60.0).starts
    why = waits(desk, 60.0)["whole"]
    assert (why.reason, why.blocker, why.starts) == (WaitReason.FRAGMENTED, "node-1: cpu 0.001", 1000)


def test_refusals_of_a_decision_from_a_state():
    jobs = (QueuedJob("ok", "a", "p", vector(cpu=1), 60.0), QueuedJob("never", "a", "p", vector(cpu=100), 60.0))
    desk = PoolScheduler(SHARED, FirstFit(), PoolState(pending=tuple(map(Pending, jobs))))
    assert [one.job for one in desk.decide(0.0).starts] == ["ok"]
    assert [(one.job, one.error.code) for one in desk.refusals] == [("never", "pool.larger_than_pool")]
