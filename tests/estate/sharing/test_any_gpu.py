"""A job that takes a GPU of any kind: `gpu/any` in demands, limits and guarantees, where it is the sum of all kinds."""

import random
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pilotbase.documents.errors import RefusedError
from pilotbase_estate.documents.resources import Demand
from pilotbase_estate.documents.vocabularies import WaitReason
from pilotbase_estate.sharing.explaining import PoolScheduler, waits
from pilotbase_estate.sharing.impossible import FirstFit
from pilotbase_estate.sharing.jobs import QueuedJob
from tests.estate.sharing.pools_for_tests import MINUTE, Play, check, decide, machines, pool, quota, resources, vector

LONG = 86_400.0
KINDS = (machines(name="old", gpu_t4=2, cpu=16), machines(name="new", gpu_a100=2, cpu=16))


def test_it_runs_on_whatever_kind_is_free_and_holds_it():
    play = Play(pool(quota("a"), nodes=KINDS))
    play.submit("a", gpu_t4=2)
    (any_,) = play.submit("a", gpu_any=1)
    play.settle()
    assert play.desk.books.running[any_].nodes == ("new",)
    (two,) = play.submit("a", gpu_a100=2)
    play.settle()
    assert two not in play.running(), "one of the two is held, though nobody asked for it by name"
    why = waits(play.desk, play.now)[two]
    assert (why.reason, why.blocker) == (WaitReason.POOL_FULL, "gpu/a100 1")
    play.end(any_)
    play.settle()
    assert two in play.running()


def test_all_kinds_together_are_what_there_is():
    play = Play(pool(quota("a"), nodes=KINDS))
    jobs = play.submit("a", 5, max_seconds=1000, gpu_any=1)
    play.settle()
    assert play.running() == set(jobs[:4]) and play.used("a", "gpu/any") == 4
    why = waits(play.desk, play.now)[jobs[4]]
    assert (why.reason, why.blocker, why.starts) == (WaitReason.POOL_FULL, "gpu/any 1", 1000)


def test_a_limit_of_any_bounds_the_sum_of_all_kinds():
    play = Play(pool(quota("a", limit=resources(gpu_any=3, gpu_t4=1)), nodes=KINDS))
    (one,) = play.submit("a", gpu_t4=1)
    (more,) = play.submit("a", gpu_t4=1)
    (new,) = play.submit("a", gpu_a100=1)
    either, none = play.submit("a", 2, gpu_any=1)
    play.settle()
    assert play.running() == {one, new, either}
    why = waits(play.desk, play.now)
    assert (why[more].reason, why[more].blocker) == (WaitReason.ORGANISATION_LIMIT, "gpu/t4 1")
    assert (why[none].reason, why[none].blocker) == (WaitReason.ORGANISATION_LIMIT, "gpu/any 1")


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ({"gpu_any": 5}, "pool.larger_than_pool", "gpu/any: the job requests 5, but hall has 4 in total."),
        ({"gpu_any": 3}, "pool.larger_than_machine", "no machine of hall has that: the most is gpu/any 2."),
        ({"gpu_any": 2, "members": 3}, "pool.larger_than_pool", "gpu/any: the job requests 6"),
        ({"gpu_any": 0.5}, "pool.gpu_not_shared", "gpu/any: 0.5 is a share of a GPU"),
        ({"gpu_any": 2, "organisation": "small"}, "pool.larger_than_limit", "small may use at most 1"),
        ({"gpu_t4": 2, "organisation": "small"}, "pool.larger_than_limit", "gpu/any"),
        ({"gpu_any": 1, "preemptible": False}, "pool.firm_any_gpu", "accepts any kind of GPU"),
        ({"gpu_h100": 1}, "pool.larger_than_pool", "gpu/h100: the job requests 1, but hall has 0 in total."),
    ],
)
def test_what_could_never_run_is_told(asked, code, said):
    play = Play(pool(quota("a"), quota("small", limit=resources(gpu_any=1)), nodes=KINDS))
    with pytest.raises(RefusedError) as caught:
        play.submit(str(asked.pop("organisation", "a")), **asked)
    assert caught.value.code == code and said.lower() in caught.value.render("en").lower()
    assert caught.value.render("zh") != caught.value.render("en")


@pytest.mark.parametrize("amount", [-1, 1.5, "two"])
def test_no_gpu_is_negative_or_broken(amount):
    with pytest.raises(ValidationError, match="gpu/any"):
        TypeAdapter(Demand).validate_python({"gpu/any": amount})


def test_more_of_any_is_not_promised_than_there_is_of_all_kinds():
    with pytest.raises(ValidationError):
        pool(quota("a", guarantee=resources(gpu_t4=2)), quota("b", guarantee=resources(gpu_any=3)), nodes=KINDS)
    pool(quota("a", guarantee=resources(gpu_t4=2)), quota("b", guarantee=resources(gpu_any=2)), nodes=KINDS)
    with pytest.raises(ValidationError):
        pool(quota("a", guarantee=resources(gpu_t4=2), limit=resources(gpu_any=1)), nodes=KINDS)


def test_a_guarantee_of_any_is_given_back_from_whatever_kind_is_lent():
    play = Play(pool(quota("a", guarantee=resources(gpu_any=3)), quota("b"), nodes=KINDS))
    play.submit("b", 4, max_seconds=LONG, gpu_any=1)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("a", 2, max_seconds=LONG, gpu_any=1)
    play.submit("a", max_seconds=LONG, gpu_a100=1)
    play.settle()
    assert (play.used("a", "gpu/any"), play.used("b", "gpu/any"), len(play.evictions)) == (3, 1, 3)


def test_who_takes_any_gives_back_the_kind_that_is_promised_to_another():
    """Its own guarantee is of any: it goes on where the kind is nobody's."""
    quotas = (quota("a", guarantee=resources(gpu_any=2)), quota("b", guarantee=resources(gpu_t4=2)))
    play = Play(pool(*quotas, nodes=KINDS))
    jobs = play.submit("a", 2, max_seconds=LONG, gpu_any=1)
    play.settle()
    play.wait(20 * MINUTE)
    (claim,) = play.submit("b", max_seconds=LONG, gpu_t4=2)
    play.settle()
    assert play.running() == {claim, *jobs}
    play.wait(LONG)


def test_a_guarantee_of_a_kind_claims_no_other_kind():
    play = Play(pool(quota("a", guarantee=resources(gpu_t4=2)), quota("b"), nodes=KINDS))
    kept = play.submit("b", 2, max_seconds=LONG, gpu_a100=1)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("a", max_seconds=LONG, gpu_a100=2)
    play.settle()
    assert play.running("b") == set(kept) and not play.evictions


def test_another_kind_for_good_comes_out_of_what_is_promised_to_nobody():
    """Two of four are a's by kind, the other two b's, whatever kind they are: none is left that a could keep."""
    quotas = (quota("a", guarantee=resources(gpu_t4=2)), quota("b", guarantee=resources(gpu_any=2)))
    play = Play(pool(*quotas, nodes=KINDS))
    with pytest.raises(RefusedError) as caught:
        play.submit("a", preemptible=False, gpu_a100=1)
    assert caught.value.code == "pool.never_firm" and "gpu/any 0" in caught.value.render("en")
    play.submit("a", preemptible=False, gpu_t4=2)
    play.submit("b", preemptible=False, gpu_a100=2)
    play.settle()
    assert len(play.running()) == 2


def test_a_guarantee_of_a_kind_serves_who_takes_any():
    play = Play(pool(quota("a", guarantee=resources(gpu_t4=2)), quota("b"), nodes=KINDS))
    play.submit("b", 4, max_seconds=LONG, gpu_any=1)
    play.settle()
    play.wait(20 * MINUTE)
    play.submit("a", 2, max_seconds=LONG, gpu_any=1)
    play.settle()
    assert play.used("a", "gpu/any") == 2


def test_a_machine_of_several_kinds_gives_no_gpu_twice():
    play = Play(pool(quota("a"), nodes=(machines(gpu_t4=1, gpu_a100=1),)))
    play.submit("a", 2, gpu_any=1)
    (named,) = play.submit("a", gpu_t4=1)
    play.settle()
    assert len(play.running()) == 2 and named not in play.running()


AMOUNT = st.integers(0, 2)


@pytest.mark.prove
@given(
    guarantees=st.tuples(*[st.tuples(AMOUNT, AMOUNT, AMOUNT)] * 3),
    capped=st.booleans(),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=10, deadline=None)
def test_whatever_comes_nothing_is_promised_twice(guarantees, capped, seed):
    """Capacity by kind and in sum, limits, the invariant of lending by kind; a new desk says the same; all end."""
    play_for(guarantees, capped, seed, 25)


@pytest.mark.prove
@given(
    guarantees=st.tuples(*[st.tuples(AMOUNT, AMOUNT, AMOUNT)] * 3), capped=st.booleans(), seed=st.integers(0, 10_000)
)
@settings(max_examples=400, deadline=None)
def test_whatever_comes_at_length(guarantees, capped, seed):
    play_for(guarantees, capped, seed, 120)


def play_for(guarantees, capped: bool, seed: int, turns: int) -> None:
    generator, numbers = random.Random(seed), count(1)
    left, quotas = {"gpu_t4": 4, "gpu_a100": 4, "gpu_any": 8}, []
    for name, (old, new, more) in zip("abc", guarantees, strict=True):
        old = min(old, left["gpu_t4"], left["gpu_any"])
        new = min(new, left["gpu_a100"], left["gpu_any"] - old)
        any_ = min(max(old + new, more), left["gpu_any"])
        left = {"gpu_t4": left["gpu_t4"] - old, "gpu_a100": left["gpu_a100"] - new, "gpu_any": left["gpu_any"] - any_}
        limit = resources(gpu_any=6) if capped else resources()
        quotas.append(quota(name, guarantee=resources(gpu_t4=old, gpu_a100=new, gpu_any=any_), limit=limit))
    nodes = (machines(2, name="old", cpu=8, gpu_t4=2), machines(2, name="new", cpu=8, gpu_a100=2))
    shared = pool(*quotas, nodes=nodes, minimum_run=300, longest_job=7200, evictions_at_most=2)
    desk, now = PoolScheduler(shared, FirstFit()), 0.0
    for turn in range(turns + 400):
        for _ in range(generator.choice((0, 1, 1, 3)) if turn < turns else 0):
            kind = generator.choice(("gpu_t4", "gpu_a100", "gpu_any", "gpu_any"))
            demand = vector(cpu=generator.randint(1, 4), **{kind: generator.randint(1, 2)})
            about = generator.choice((300.0, 1800.0, 7200.0)), generator.choice((1, 1, 2)), generator.choice((0, 0, 1))
            firm = kind != "gpu_any" and generator.random() < 0.2
            try:
                desk.submit(QueuedJob(f"j{next(numbers)}", generator.choice("abc"), "p", demand, *about, now, not firm))
            except RefusedError:
                continue
        afresh = decide(shared, desk.state(now), now, FirstFit())
        decided = desk.decide(now)
        assert (decided.starts, decided.evictions) == (afresh.starts, afresh.evictions)
        check(desk)
        if turn >= turns and not desk.waiting:
            return
        ends = [one.ends for one in desk.books.running.values()]
        now = min([now + 300.0, *ends, *([decided.again_at] if decided.again_at else [])])
        for running in list(desk.books.running.values()):
            if running.ends <= now or generator.random() < 0.03:
                desk.end(running.job.name, now)
    raise AssertionError("a job waits for ever")


@pytest.mark.parametrize(("share", "start"), [(0.6, 2), (0.5, 4), (0.4, 4), (0.2, 8)])
@pytest.mark.parametrize("kind", ["gpu_t4", "gpu_any"])
def test_shares_of_gpus_lie_on_one_card_each(kind, share, start):
    """Two cards: what two halves of different cards would add up to is no GPU."""
    play = Play(pool(quota("a"), nodes=(machines(name="old", gpu_t4=2, cpu=16),), shared_gpus=True))
    jobs = play.submit("a", 9, **{kind: share})
    play.settle()
    assert play.running() == set(jobs[:start])
    assert waits(play.desk, play.now)[jobs[start]].reason is WaitReason.POOL_FULL
    used = play.used("a", "gpu/any")
    assert used == pytest.approx(share * start), "the organisation is charged what it asked for"


def test_a_share_goes_beside_another_on_a_card_that_has_room_for_both():
    play = Play(pool(quota("a"), nodes=(machines(name="old", gpu_t4=2, cpu=16),), shared_gpus=True))
    (large,) = play.submit("a", gpu_t4=0.6)
    small = play.submit("a", 2, gpu_t4=0.4)
    (whole,) = play.submit("a", gpu_t4=1)
    play.settle()
    assert play.running() == {large, *small} and whole not in play.running()
    for job in small:
        play.end(job)
    play.settle()
    assert whole in play.running()
