"""Several gateway processes on one budget, and processes that are killed at every step: never overspent, never lost."""

import os
import random
import select
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from pilotbase.documents.errors import PilotbaseError
from pilotbase.service import budgets
from pilotbase.service.budgets import spending_of
from pilotbase.service.calls import Cost
from pilotbase.service.desk import CallDispatcher
from pilotbase.service.draining import drain
from pilotbase.service.journal import Journal
from pilotbase.service.terms import usage_of
from tests.service.services_for_tests import Served

STEPS = {
    "lease": (budgets, "lease"),
    "reserve": (Journal, "reserve"),
    "settle": (Journal, "settle"),
    "give back": (budgets, "give_back"),
}
"""Where a process is killed: before or after each of these."""


def in_a_process(work: Callable[[], None]) -> int:
    """Run ``work`` in a child; return its number. It never comes back into the tests."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def counted(served: Served) -> tuple[int, int]:
    """Calls that were settled with an answer, and calls that were not."""
    found = usage_of(served.view, "milling")
    answered = sum(usage.calls for meter, usage in found.items() if meter.end == "answered")
    return answered, sum(usage.calls for usage in found.values()) - answered


def spend(served: Served, secret: str, calls: int, told: Path, tokens: int = 10) -> None:
    """Call as long as the budget reaches; write down every call that is acknowledged."""
    desk = CallDispatcher.open(served.view, served.journals)
    with told.open("ab", buffering=0) as acknowledged:
        for _ in range(calls):
            try:
                admission = desk.admit(secret, "milling", Cost(1, tokens))
            except PilotbaseError as error:
                # what other desks hold may come back, until their journals are taken in
                assert error.code in ("service.budget_spent", "service.budget_held")
                break
            desk.settle(admission, Cost(1, tokens), served.observed("a"))
            acknowledged.write(b".")
    desk.close()


def test_processes_never_overspend_and_use_all_there_is(any_served: Served, tmp_path: Path) -> None:
    any_served.serve()
    secret = any_served.key(any_served.budget(calls=90))
    told = tmp_path / "told"
    children = [in_a_process(lambda: spend(any_served, secret, 60, told)) for _ in range(4)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    spend(any_served, secret, 60, told)  # what the others gave back
    assert told.stat().st_size == 90
    drain(any_served.view, any_served.journals)
    assert any_served.gone() == Cost(90, 0)
    assert counted(any_served) == (90, 0)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_every_step(
    served: Served, tmp_path: Path, step: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.serve()
    secret = served.key(served.budget(calls=40))
    told = tmp_path / "told"

    def killed() -> None:
        _die_at(monkeypatch, step, after, 1 if step == "give back" else 3)
        spend(served, secret, 40 if step == "lease" else 7, told)

    assert os.waitpid(in_a_process(killed), 0)[1] == signal.SIGKILL
    spend(served, secret, 100, tmp_path / "rest")
    drain(served.view, served.journals)
    acknowledged = told.stat().st_size + (tmp_path / "rest").stat().st_size
    answered, lost = counted(served)
    assert acknowledged <= answered <= acknowledged + 1  # one may have been written down and not told any more
    assert lost <= 1  # the reservation that was open
    assert answered + lost == 40
    assert served.gone() == Cost(40, 0)


def test_a_desk_that_is_killed_loses_no_exposure(any_served: Served) -> None:
    any_served.serve()
    secret = any_served.key(any_served.budget(calls=100))
    any_served.expose(cases=10)

    def killed() -> None:
        desk = CallDispatcher.open(any_served.view, any_served.journals)
        desk.settle(desk.admit(secret, "milling", Cost(), cases=lambda: 4), Cost(), any_served.observed("a"))
        desk.admit(secret, "milling", Cost(), cases=lambda: 3)
        _die()

    assert os.waitpid(in_a_process(killed), 0)[1] == signal.SIGKILL
    with any_served.desk() as desk:
        assert any_served.exposed() == 7, "what was asked and never settled counts"
        assert desk.admit(secret, "milling", Cost(), cases=lambda: 3).route
        with pytest.raises(PilotbaseError, match="used up"):
            desk.admit(secret, "milling", Cost())
    drain(any_served.view, any_served.journals)
    assert (any_served.exposed(), any_served.gone()) == (10, Cost(3, 0))


@pytest.mark.parametrize("at", ["take", "count", "clear"])
def test_a_drain_killed_at_every_step_counts_once(
    served: Served, tmp_path: Path, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.serve()
    secret = served.key(served.budget(calls=20))
    spend(served, secret, 5, tmp_path / "told")
    taken: list[str] = []

    def killed() -> None:
        import pilotbase.service.draining as draining

        victim = {"count": (draining, "write_usage"), "clear": (draining.journal, "drop_journal")}.get(at)
        if victim is not None:
            monkeypatch.setattr(*victim, lambda *_: _die())
        drain(served.view, served.journals, lambda _: _die() if at == "take" else None)

    assert os.waitpid(in_a_process(killed), 0)[1] == signal.SIGKILL
    for _ in range(2):
        drain(served.view, served.journals, lambda batches: taken.extend(one.batch for one in batches))
    assert counted(served) == (5, 0)
    assert len(taken) == len(set(taken)) == (0 if at == "clear" else 5)
    assert list(served.journals.iterdir()) == []


@pytest.mark.prove
def test_random_kills_of_many_processes(any_served: Served, tmp_path: Path) -> None:
    """Many processes with random budgets, killed at random moments, drained at random: the books agree."""
    chance = random.Random(5)
    any_served.serve()
    any_served.budget(calls=1500, tokens=30_000)
    secret = any_served.key("main")
    told = tmp_path / "told"
    for _ in range(60):
        costs = [chance.randrange(1, 60) for _ in range(3)]
        children = [in_a_process(partial(spend, any_served, secret, 60, told, tokens)) for tokens in costs]
        for child in children:
            if chance.random() < 0.7:
                select.select([], [], [], chance.random() / 10)
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        if chance.random() < 0.5:
            drain(any_served.view, any_served.journals)
        gone = any_served.gone()
        assert gone.calls <= 1500
        assert gone.tokens <= 30_000
    drain(any_served.view, any_served.journals)
    answered, lost = counted(any_served)
    assert told.stat().st_size <= answered
    (spending,) = spending_of(any_served.view, "milling")
    assert spending.held == Cost(0, 0)
    assert spending.used.calls == answered + lost
    tokens = sum(usage.tokens for usage in usage_of(any_served.view, "milling").values())
    assert spending.used.tokens == tokens


def _die_at(monkeypatch: pytest.MonkeyPatch, step: str, after: bool, times: int) -> None:
    owner, name = STEPS[step]
    real, left = getattr(owner, name), [times]

    def dying(*arguments):
        left[0] -= 1
        if left[0] == 0 and not after:
            _die()
        result = real(*arguments)
        if left[0] == 0:
            _die()
        return result

    monkeypatch.setattr(owner, name, dying)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
