"""Shares as papers and peers work them out by hand."""

import pytest

from tests.estate.sharing.pools_for_tests import MINUTE, Play, machines, pool, quota, resources


def test_drf_example_of_the_paper():
    """Ghodsi et al., NSDI 2011, §4.1: 9 cores and 18 GB, A asks <1, 4>, B <3, 1>: three of A, two of B."""
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(cpu=9, memory="18 GiB"),)))
    play.submit("a", 10, cpu=1, memory="4 GiB")
    play.submit("b", 10, cpu=3, memory="1 GiB")
    play.settle()
    assert (len(play.running("a")), len(play.running("b"))) == (3, 2)
    shares = [play.desk.books.accounts[name].share for name in ("a", "b")]
    assert shares == [pytest.approx(2 / 3)] * 2


def test_equal_weights_share_three_hundred_gpus_equally():
    """Kueue KEP-1714, story 1."""
    play = Play(pool(quota("c1"), quota("c2"), nodes=(machines(gpu_t4=300),)))
    for name in ("c1", "c2"):
        play.submit(name, 300, gpu_t4=1)
    play.settle()
    assert (play.used("c1", "gpu/t4"), play.used("c2", "gpu/t4")) == (150, 150)


def test_weights_one_one_three_beside_one_of_five():
    """Kueue KEP-1714: inside the first half 30, 30 and 90."""
    play = Play(pool(quota("a"), quota("b"), quota("c", 3), quota("other", 5), nodes=(machines(gpu_t4=300),)))
    for name in ("a", "b", "c", "other"):
        play.submit(name, 300, gpu_t4=1)
    play.settle()
    assert [play.used(name, "gpu/t4") for name in ("a", "b", "c", "other")] == [30, 30, 90, 150]


def test_first_come_does_not_own_the_day():
    """kueue 1714: who submits at six in the morning has it all; after the minimum time it is shared by eviction."""
    play = Play(pool(quota("early"), quota("late"), nodes=(machines(cpu=10),), longest_job=86_400))
    play.submit("early", 20, max_seconds=86_400, cpu=1)
    play.settle()
    assert play.used("early") == 10
    play.wait(30 * MINUTE)
    play.submit("late", 20, max_seconds=86_400, cpu=1)
    play.settle()
    assert (play.used("early"), play.used("late")) == (5, 5)


def test_equal_split_does_not_wait_for_jobs_to_end():
    """KAI discussion 1763: reclaim recovers the fair share too, not the deserved quota only."""
    quotas = (quota("alice", guarantee=resources(gpu_t4=1)), quota("bob", guarantee=resources(gpu_t4=1)))
    play = Play(pool(*quotas, nodes=(machines(4, gpu_t4=4),), longest_job=86_400))
    play.submit("alice", 40, max_seconds=86_400, gpu_t4=1)
    play.settle()
    play.wait(30 * MINUTE)
    play.submit("bob", 40, max_seconds=86_400, gpu_t4=1)
    play.settle()
    assert (play.used("alice", "gpu/t4"), play.used("bob", "gpu/t4")) == (8, 8)


def test_what_was_held_lately_counts_half_after_a_half_life():
    """AWS Batch's share decay: past use fades, so who used much long ago stands like everybody else."""
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(cpu=4),), half_life=3600))
    play.submit("a", cpu=4, max_seconds=7200)
    play.settle()
    play.wait(7200)
    after = play.desk.books.accounts["a"].recent(play.now)
    assert after == pytest.approx(0.75), "two half-lives of all of it: 1 - 1/4"
    play.wait(3600)
    assert play.desk.books.accounts["a"].recent(play.now) == pytest.approx(after / 2)


def test_who_had_much_lately_waits_for_who_had_nothing():
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(cpu=4),)))
    play.submit("a", cpu=4, max_seconds=3600)
    play.settle()
    (mine,) = play.submit("a", cpu=4)
    (theirs,) = play.submit("b", cpu=4)
    play.wait(3600)
    assert play.running() == {theirs}
    play.wait(3600)
    assert play.running() == {mine}


def test_without_a_half_life_history_does_not_count():
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(cpu=4),), half_life=0))
    play.submit("a", cpu=4, max_seconds=3600)
    play.settle()
    (mine,) = play.submit("a", cpu=4)
    play.submit("b", cpu=4)
    play.wait(3600)
    assert play.running() == {mine}, "both hold nothing: by name"


def test_a_guarantee_on_gpus_alone_does_not_hide_who_grabs_all_cores():
    """pai 5503: what a guarantee does not name counts into the share from the first piece on."""
    play = Play(pool(quota("a", guarantee=resources(gpu_t4=2)), quota("b"), nodes=(machines(cpu=8, gpu_t4=2),)))
    play.submit("a", cpu=4, gpu_t4=1)
    play.settle()
    assert play.desk.books.accounts["a"].share == pytest.approx(0.5)
