"""Journals: nothing that was written is lost, nothing is counted twice, whatever is killed or full."""

import errno
import os
from datetime import timedelta

import pytest

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.vocabularies import CallEnd
from pilotbase.service import journal
from pilotbase.service.budgets import spending_of
from pilotbase.service.calls import Cost
from pilotbase.service.desk import CallDispatcher
from pilotbase.service.draining import drain, expire_allotments
from pilotbase.service.terms import usage_of
from pilotbase.workspace.failures import DiskFullError
from tests.service.services_for_tests import Served, digest


@pytest.fixture
def secret(served: Served) -> str:
    served.serve()
    return served.key(served.budget(calls=1000, tokens=100_000))


def abandon(desk: CallDispatcher) -> None:
    """Leave a desk as kill -9 leaves it: its lock is free, nothing was given back."""
    desk._journal.close()
    desk._known.close()


def used(served: Served) -> Cost:
    (spending,) = spending_of(served.view, "milling")
    return spending.used


def counted(served: Served) -> dict[str, tuple[int, int, int]]:
    """End → calls, cases, tokens."""
    found: dict[str, tuple[int, int, int]] = {}
    for meter, usage in usage_of(served.view, "milling").items():
        before = found.get(meter.end.value, (0, 0, 0))
        found[meter.end.value] = (before[0] + usage.calls, before[1] + usage.cases, before[2] + usage.tokens)
    return found


def test_calls_are_metered_and_their_cases_handed_over_once(served: Served, secret: str) -> None:
    taken = []
    with served.desk() as desk:
        for number in range(3):
            admission = desk.admit(secret, "milling", Cost(1, 100))
            desk.settle(admission, Cost(1, 40), served.observed(f"{number}/0", f"{number}/1"))
        desk.settle(desk.admit(secret, "milling", Cost(1, 100)), Cost(1, 7))
        assert drain(served.view, served.journals, taken.extend).calls == 4
        assert drain(served.view, served.journals, taken.extend).calls == 0
    assert counted(served) == {"answered": (3, 6, 120), "failed": (1, 0, 7)}
    assert [batch.ids for batch in taken] == [(f"{number}/0", f"{number}/1") for number in range(3)]
    assert {batch.version for batch in taken} == {digest("folder 1.0.0")}
    assert len({batch.batch for batch in taken}) == 3
    drain(served.view, served.journals, taken.extend)
    assert len(taken) == 3
    assert list(served.journals.iterdir()) == []
    assert served.gone() == used(served) == Cost(4, 127)


def test_a_drain_that_was_killed_before_it_counted_hands_over_the_same_batches(served: Served, secret: str) -> None:
    first, second = [], []

    def killed(batches) -> None:
        first.extend(batches)
        raise KeyboardInterrupt

    with served.desk() as desk:
        desk.settle(desk.admit(secret, "milling", Cost()), Cost(), served.observed("a"))
        with pytest.raises(KeyboardInterrupt):
            drain(served.view, served.journals, killed)
        drain(served.view, served.journals, second.extend)
    assert first == second
    assert counted(served) == {"answered": (1, 1, 0)}


def test_a_journal_that_cannot_be_taken_in_holds_up_no_other(served: Served, secret: str) -> None:
    with served.desk() as one, served.desk() as other:
        for desk in (one, other):
            desk.settle(desk.admit(secret, "milling", Cost()), Cost(), served.observed("a"))

        def choosy(batches) -> None:
            if any(batch.batch.startswith(min(one.identity, other.identity)) for batch in batches):
                raise PilotbaseError("service.stopped", service="milling", reason="x")

        with pytest.raises(PilotbaseError):
            drain(served.view, served.journals, choosy)
        assert counted(served) == {"answered": (1, 1, 0)}
        drain(served.view, served.journals)
    assert counted(served) == {"answered": (2, 2, 0)}


def test_what_a_killed_desk_held_goes_back_but_for_its_calls(served: Served, secret: str) -> None:
    desk = CallDispatcher.open(served.view, served.journals)
    desk.settle(desk.admit(secret, "milling", Cost(1, 100)), Cost(1, 60), served.observed("a"))
    for _ in range(2):
        desk.admit(secret, "milling", Cost(1, 100))
    abandon(desk)
    assert served.gone().calls > 3
    with served.desk():  # whoever opens next settles up, worker or not
        assert served.gone() == Cost(3, 260)
        assert journal.recover(served.view, served.journals) == 1
        assert served.gone() == Cost(3, 260)
    drain(served.view, served.journals)
    assert served.gone() == used(served) == Cost(3, 260)
    assert counted(served) == {"answered": (1, 1, 60), "failed": (2, 0, 200)}


def test_nothing_comes_back_of_what_a_machine_that_stopped_may_have_lost(
    served: Served, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = CallDispatcher.open(served.view, served.journals)
    desk.admit(secret, "milling", Cost(1, 100))
    abandon(desk)
    held = served.gone()
    monkeypatch.setattr(journal, "boot", lambda: "another")
    journal.recover(served.view, served.journals)
    drain(served.view, served.journals)
    assert served.gone() == used(served) == held


def test_a_full_disk_refuses_calls_and_loses_none(served: Served, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write, room = os.write, [10]

    def full(file: int, data: bytes) -> int:
        if len(data) <= 10:
            return write(file, data)
        if room[0]:
            room[0] -= 10
            return write(file, data[:10])
        raise OSError(errno.ENOSPC, "full")

    with served.desk() as desk:
        admission = desk.admit(secret, "milling", Cost())
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(DiskFullError) as caught:
            desk.admit(secret, "milling", Cost())
        assert caught.value.code == "service.journal_full"
        with pytest.raises(DiskFullError):
            desk.settle(admission, Cost(), served.observed("a"))
        monkeypatch.undo()
        desk.settle(admission, Cost(), served.observed("a"))
        desk.settle(desk.admit(secret, "milling", Cost()), Cost(), served.observed("b"))
    assert drain(served.view, served.journals).unfit == 0
    assert counted(served) == {"answered": (2, 2, 0)}
    assert served.gone() == Cost(2, 0)


def test_a_call_that_could_not_be_written_down_costs_nothing(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    served.serve()
    secret = served.key(served.budget(calls=1))

    def full(*_) -> int:
        raise OSError(errno.ENOSPC, "full")

    with served.desk() as desk:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(DiskFullError):
            desk.admit(secret, "milling", Cost())
        monkeypatch.undo()
        desk.settle(desk.admit(secret, "milling", Cost()), Cost())


def test_segments_follow_each_other_and_go_when_they_are_taken_in(
    served: Served, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SEGMENT_BYTES", 2000)
    desk = CallDispatcher.open(served.view, served.journals)
    left_open = desk.admit(secret, "milling", Cost(1, 5))
    for number in range(50):
        desk.settle(desk.admit(secret, "milling", Cost(1, 10)), Cost(1, 2), served.observed(str(number)))
        if number == 20:
            drain(served.view, served.journals)
            assert len(journal.segments(served.journals, desk.identity)) == 1
    assert len(journal.segments(served.journals, desk.identity)) > 2
    abandon(desk)
    drain(served.view, served.journals)
    assert served.gone() == Cost(51, 105)
    assert counted(served) == {"answered": (50, 50, 100), "failed": (1, 0, 5)}
    assert left_open.number == 1


def test_a_torn_or_damaged_line_costs_itself_only(served: Served, secret: str) -> None:
    desk = CallDispatcher.open(served.view, served.journals)
    desk.settle(desk.admit(secret, "milling", Cost()), Cost(), served.observed("a"))
    abandon(desk)
    (segment,) = (served.journals / desk.identity).glob("*.jsonl")
    with segment.open("ab") as stream:
        stream.write(b'00000000 {"settled":9}\n8f3a2b1c {"sett')
    assert drain(served.view, served.journals).unfit == 1
    assert counted(served) == {"answered": (1, 1, 0)}


def test_an_observation_that_does_not_fit_is_left_out_and_counted(served: Served, secret: str) -> None:
    taken = []
    with served.desk() as desk:
        desk.settle(desk.admit(secret, "milling", Cost()), Cost(), served.observed("not an id", "b"))
        odd = served.observed("c")
        odd.inputs["torque"][0] = float("nan")
        desk.settle(desk.admit(secret, "milling", Cost()), Cost(), odd)
        assert drain(served.view, served.journals, taken.extend).unfit == 1
    assert [batch.inputs for batch in taken] == [{"torque": (None,)}]
    assert counted(served) == {"answered": (2, 3, 0)}


def test_allotments_of_a_desk_that_is_silent_for_a_day_count_as_used(served: Served, secret: str, clock) -> None:
    desk = CallDispatcher.open(served.view, served.journals)
    desk.admit(secret, "milling", Cost(1, 100))
    held = served.gone()
    clock.step(timedelta(hours=23).total_seconds())
    drain(served.view, served.journals)  # it lives, and its journal can be seen
    clock.step(timedelta(hours=23).total_seconds())
    assert expire_allotments(served.view) == 0
    clock.step(timedelta(hours=2).total_seconds())
    assert expire_allotments(served.view) == 1
    assert served.gone() == used(served) == held
    desk.admit(secret, "milling", Cost(1, held.tokens - 50))  # it lives after all, and takes an allotment anew
    desk.close()
    assert served.gone() == Cost(held.calls, held.tokens + 50)  # what was counted as used stays so


def test_a_call_that_ended_otherwise_is_counted_so(served: Served, secret: str) -> None:
    with served.desk() as desk:
        for end in CallEnd:
            desk.settle(desk.admit(secret, "milling", Cost()), Cost(), served.observed("x", end=end))
    drain(served.view, served.journals)
    assert counted(served) == {end.value: (1, 1, 0) for end in CallEnd}


def test_the_last_desk_that_closes_gives_everything_back(served: Served, secret: str) -> None:
    with served.desk() as one, served.desk() as other:
        one.settle(one.admit(secret, "milling", Cost(1, 10)), Cost(1, 10))
        other.settle(other.admit(secret, "milling", Cost(1, 10)), Cost(1, 0))
    assert served.gone() == Cost(2, 10)
    with pytest.raises(PilotbaseError), served.desk() as desk:
        desk.admit(secret, "milling", Cost(1, 100_000))
