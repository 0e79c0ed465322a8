"""Which acts on records an actor may do now, and doing them: what states and hidden data still permit."""

from __future__ import annotations

from datetime import datetime

from pilotbase.catalogue.advancing import Possible, advance, possible_acts
from pilotbase.catalogue.bars import StepGuard
from pilotbase.catalogue.effects import AttemptsLeft, Move, scenario_to_try
from pilotbase.catalogue.my_work import MyWork, my_work
from pilotbase.catalogue.records import everything, load_record
from pilotbase.documents.errors import BarredError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.lifecycles import Precondition, transition
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.worker.base import Base
from pilotbase.workspace.store import View


def take(base: Base, view: View, subject: str, act: Act, move: Move) -> Record:
    """Take a step that a person requests; raises as `advance`, also if the hidden data allow no further attempt."""
    refused: BarredError | None = None
    if Precondition.ATTEMPT_LEFT in transition(act).needs:
        # Looked up before the transaction: the vault reads over a connection of its own.
        try:
            attempts_left(base)(everything(view), load_record(view, subject)[0], act)
        except BarredError as error:
            refused = error

    def attempts(_base: View, _record: Record, _act: Act) -> None:
        if refused is not None:
            raise refused

    return advance(view, subject, act, move, attempts)


def acts_on(base: Base, view: View, record: Record) -> list[Possible]:
    """Return what the actor of ``view`` may do to ``record`` now, each with the known reasons against it."""
    return possible_acts(view, record, attempts_left(base))


def work_of(base: Base, view: View) -> MyWork:
    """Return what the actor of ``view`` can do now, and what waits for them until others act."""
    return my_work(view, attempts_left(base))


def judge_of(base: Base, now: datetime) -> StepGuard:
    """Return a function that gives the blockers of any record of the base."""
    return StepGuard(base.lab.view, now, attempts_left(base))


def attempts_left(base: Base) -> AttemptsLeft:
    """Return a function that says whether a trial's hidden data allow another attempt; looks each version up once."""
    known: dict[Digest, BarredError | None] = {}

    def require(view: View, record: Record, act: Act) -> None:
        newest, tried = scenario_to_try(view, record), record.documents["scenario"]
        wanted = tried if act is Act.PLAN_FREEZE else newest
        if wanted not in known:
            from pilotbase.worker.trials.hidden_budgets import why_none_left

            known[wanted] = why_none_left(base, wanted)
        refused = known[wanted]
        if refused is not None:
            raise BarredError("record.fresh_data_wait") if newest != wanted else refused

    return require
