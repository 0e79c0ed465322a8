"""The obstacles to a step, and who can remove them; used for people's work, pages, notices and the API alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pilotbase.catalogue.effects import AttemptsLeft, Move, Situation, require_separation, unlimited
from pilotbase.catalogue.preconditions import OF_WHAT_IS_BROUGHT, require
from pilotbase.catalogue.records import record_of
from pilotbase.documents.errors import BarredError, PilotbaseError
from pilotbase.documents.lifecycles import kind_moved, state_name, transition
from pilotbase.documents.permissions import Act, Grant, Relation, act_name
from pilotbase.documents.record import Record, Waiting
from pilotbase.documents.remedies import WRONG_STATE, remedies_of, takers
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.store import View

_DEEPEST = 3
"""A remedy may itself have an obstacle: after so many in a row, nobody is named."""


@dataclass(frozen=True)
class Remedy:
    """An act that removes another act's obstacle, and who may take it; an empty organisation or person means any."""

    act: Act
    record: Record
    role: Role
    organisation: str = ""
    person: str = ""

    @property
    def subject(self) -> str:
        return self.record.subject

    def is_for(self, actor: Actor) -> bool:
        """Return whether ``actor`` may take it."""
        mine = self.organisation in ("", actor.organisation) and self.person in ("", actor.person)
        return mine and self.role in actor.roles


@dataclass(frozen=True)
class Blocker:
    """An obstacle to a step and its remedies; none if another person must take the step, or only time helps."""

    error: PilotbaseError
    remedies: tuple[Remedy, ...] = ()


@dataclass(frozen=True)
class StepGuard:
    """Finds the obstacles to steps before anything is handed in; ``base`` sees every document."""

    base: View
    now: datetime
    attempts: AttemptsLeft = unlimited

    def bar(self, record: Record, act: Act, actor: Actor) -> Blocker | None:
        """Return what keeps this very person from ``act``, which the table allows them; None if nothing does."""
        bar = self._bar(record, act, actor)
        if bar is not None:
            return bar
        try:
            require_separation(actor, transition(act), record)
        except PilotbaseError as error:
            return Blocker(error)
        return None

    def bar_of_wait(self, record: Record, wait: Waiting) -> Blocker | None:
        """Return what keeps work waiting, whichever of the people it waits for would do it."""
        return self._bar(record, Act(wait.act), _whoever(record, wait.role, wait.organisation or "", wait.person))

    def _bar(self, record: Record, act: Act, actor: Actor, depth: int = 0) -> Blocker | None:
        error = self._needs(record, act, actor)
        if error is None:
            return None
        return Blocker(error, tuple(self._remedies(record, error.code, actor, depth)) if depth < _DEEPEST else ())

    def _needs(self, record: Record, act: Act, actor: Actor) -> PilotbaseError | None:
        row = transition(act)
        if record.state not in row.sources:
            return wrong_state(record, act)
        at = Situation(self.base, actor, row, record, Move(), self.now, self.attempts)
        try:
            for need in row.needs:
                if need not in OF_WHAT_IS_BROUGHT:
                    require(need, at)
        except PilotbaseError as error:
            return error
        return None

    def _remedies(self, record: Record, code: str, barred: Actor, depth: int) -> Iterator[Remedy]:
        """Yield who may take the first remedy possible now; if it has an obstacle, yield that one's remedies."""
        for act in remedies_of(code):
            target = self._target(record, act)
            if target is None:
                continue
            found = [one for grant in takers(act) for one in _of_grant(act, target, grant, barred)]
            bar = self._bar(target, act, _whoever(target, Role.OPERATOR, "", None), depth + 1) if found else None
            if bar is None and found:
                yield from found
                return
            if bar is not None and bar.error.code != WRONG_STATE and bar.remedies:
                yield from bar.remedies
                return

    def _target(self, record: Record, act: Act) -> Record | None:
        kind = kind_moved(act)
        if kind == record.kind:
            return record
        subject = record.subjects.get(kind)
        return record_of(self.base, subject) if subject is not None else None


def wrong_state(record: Record, act: Act) -> BarredError:
    """Return the error that ``record`` is in no state from which ``act`` is possible."""
    state = state_name(record.kind, record.state)
    return BarredError("record.wrong_state", act=act_name(act), subject=record.subject, state=state)


def _of_grant(act: Act, target: Record, grant: Grant, barred: Actor) -> Iterator[Remedy]:
    if grant.relation is Relation.REVIEWER:
        for one in target.reviewers:
            if barred.person in (None, one.person) or act is not Act.INTEREST_DECLARE:
                yield Remedy(act, target, grant.role, one.organisation, one.person)
        return
    organisations = {Relation.OWNER: target.demand_owner, Relation.SUPPLIER: target.supplier}
    yield Remedy(act, target, grant.role, organisations.get(grant.relation) or "")


def _whoever(record: Record, role: Role, organisation: str, person: str | None) -> Actor:
    """Return a stand-in for the people meant, for needs that look at an organisation or a named reviewer."""
    return Actor(organisation or record.owner, frozenset({role}), person)
