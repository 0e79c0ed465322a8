"""Every job that waits has one reason, a blocker, a place and an estimate."""

from pilotbase.documents.texts import LANGUAGES, Text
from pilotbase_estate.documents.vocabularies import WaitReason
from pilotbase_estate.sharing.explaining import waits
from tests.estate.sharing.pools_for_tests import Play, machines, pool, quota


def test_the_pool_is_full_and_others_stand_behind():
    play = Play(pool(quota("a"), nodes=(machines(cpu=4),)))
    play.submit("a", 4, max_seconds=1000, cpu=1)
    first, second, third = play.submit("a", 3, max_seconds=1000, cpu=2)
    play.settle()
    why = waits(play.desk, play.now)
    assert (why[first].reason, why[first].blocker, why[first].position) == (WaitReason.POOL_FULL, "cpu 2", 1)
    assert (why[second].reason, why[second].blocker, why[second].position) == (WaitReason.BEHIND, first, 2)
    assert [why[name].starts for name in (first, second, third)] == [1000, 1000, 2000]


def test_the_estimate_of_the_first_holds():
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(2, cpu=4),)))
    play.submit("a", 8, max_seconds=1000, cpu=1)
    play.settle()
    (gang,) = play.submit("b", max_seconds=500, members=2, cpu=4)
    play.settle()
    told = waits(play.desk, play.now)[gang].starts
    play.wait(1000)
    assert play.started[gang] == told == 1000


def test_enough_in_all_and_nowhere_enough():
    play = Play(pool(quota("a"), nodes=(machines(2, cpu=4),)))
    play.submit("a", 2, max_seconds=1000, members=1, cpu=3)
    play.settle()
    (waiting,) = play.submit("a", max_seconds=1000, cpu=2)
    play.settle()
    why = waits(play.desk, play.now)[waiting]
    assert (why.reason, why.blocker) == (WaitReason.FRAGMENTED, "node-1: cpu 1")


def test_what_would_delay_the_first_names_it():
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(cpu=10),)))
    play.submit("a", max_seconds=1000, cpu=8)
    play.settle()
    (large,) = play.submit("b", max_seconds=1000, cpu=10)
    play.settle()
    (long,) = play.submit("a", max_seconds=2000, cpu=1)
    play.settle()
    why = waits(play.desk, play.now)[long]
    assert (why.reason, why.blocker) == (WaitReason.RESERVED, large)


def test_whose_turn_it_is():
    play = Play(pool(quota("a"), quota("b"), nodes=(machines(cpu=4),)))
    play.submit("a", max_seconds=1000, cpu=4)
    play.settle()
    (theirs,) = play.submit("b", max_seconds=1000, cpu=4)
    (mine,) = play.submit("a", max_seconds=1000, cpu=4)
    play.settle()
    why = waits(play.desk, play.now)
    assert why[theirs].reason is WaitReason.POOL_FULL
    assert (why[mine].reason, why[mine].blocker) == (WaitReason.TURN, "b")


def test_every_reason_has_its_words():
    for reason in WaitReason:
        said = [Text(code=f"pool.wait.{reason}").render(language) for language in LANGUAGES]
        assert all(said) and len(set(said)) == len(LANGUAGES)
