"""The obstacles to a step, which acts remove them and who may take those: for work lists, pages, notices and API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from pilotbase.catalogue.effects import AttemptsLeft, Move, Situation, require_separation, unlimited
from pilotbase.catalogue.preconditions import OF_WHAT_IS_BROUGHT, require
from pilotbase.catalogue.records import record_of
from pilotbase.documents.errors import BarredError, PilotbaseError
from pilotbase.documents.lifecycles import LIFECYCLES, Precondition, kind_moved, state_name, transition
from pilotbase.documents.permissions import Act, Grant, Relation, act_name
from pilotbase.documents.record import ORDERED_ACTS, Record, Waiting
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.store import View

WRONG_STATE = "record.wrong_state"
_OTHER_REVIEWER = (Act.REVIEWER_NAME,)
_END_AGREEMENT = (Act.AGREEMENT_REVOKE, Act.AGREEMENT_END)

REMEDIES: Mapping[Precondition, Mapping[str, tuple[Act, ...]]] = {
    Precondition.COMPLETE_SCENARIO: {"input.problems": (Act.SCENARIO_EDIT,)},
    Precondition.COMPLETE_DATASET: {"input.problems": (Act.DATASET_EDIT,)},
    Precondition.OPEN_SCENARIO: {"record.scenario_not_open": (Act.SCENARIO_OPEN, Act.SCENARIO_SUBMIT)},
    Precondition.SUBMITTED_APPLICATION: {
        "record.application_not_submitted": (Act.APPLICATION_SUBMIT, Act.COMMISSION_CANCEL),
        "record.other_version_needed": (Act.APPLICATION_EDIT, Act.COMMISSION_CANCEL),
    },
    Precondition.APPROVALS: {
        "record.approval_missing": (Act.APPROVAL_FILE,),
        "record.approval_expired": (Act.APPROVAL_FILE,),
    },
    Precondition.FREE_OF_INTEREST: {
        "record.interest_undeclared": (Act.INTEREST_DECLARE,),
        "record.interest_declared": _OTHER_REVIEWER,
        "record.interest_of_organisation": _OTHER_REVIEWER,
    },
    Precondition.OUTSIDE_REVIEWER: {"record.outside_reviewer_needed": _OTHER_REVIEWER},
    Precondition.APPROVER_FREE_OF_INTEREST: {"record.approver_has_interest": (Act.PLAN_RETURN,)},
    Precondition.ATTEMPT_LEFT: {
        "trial.no_attempts_left": (
            Act.SCENARIO_OPEN,
            Act.SCENARIO_SUBMIT,
            Act.SCENARIO_EDIT,
            Act.COMMISSION_CANCEL,
            Act.CERTIFICATE_REVOKE,
        ),
        "record.fresh_data_wait": (Act.PLAN_RETURN,),
    },
    Precondition.ACCEPTED_VERDICT: {"record.verdict_not_accept": (Act.ACCEPTANCE_REFUSE,)},
    Precondition.NO_OPEN_APPEAL: {"record.appeal_open": (Act.APPEAL_DECIDE,)},
    Precondition.NO_SUSPENSION_ORDERED: {"record.suspension_ordered": (Act.ORDER_LIFT,)},
    Precondition.PUBLISHED_DATASET: {
        "record.dataset_not_published": _END_AGREEMENT,
        "record.other_dataset_version": _END_AGREEMENT,
    },
}
"""Need → the code of its failure → the acts that remove it; the first that can be taken now counts."""
_WRONG_STATE = (Act.CERTIFICATE_SUSPEND, Act.ORDER_LIFT)
"""Only orders wait in a state that blocks them: the certificate is suspended first, or the order is lifted."""
_BY_CODE = {code: acts for ways in REMEDIES.values() for code, acts in ways.items() if code != "input.problems"}
_INCOMPLETE = tuple(act for ways in REMEDIES.values() for act in ways.get("input.problems", ()))
_DEEPEST = 3
"""A remedy may itself have an obstacle: after so many in a row, nobody is named."""


def remedies_of(code: str) -> tuple[Act, ...]:
    """Return the acts that may resolve ``code``, the likeliest first; empty if only time, or nothing, resolves it."""
    if code == WRONG_STATE:
        return _WRONG_STATE
    return _INCOMPLETE if code == "input.problems" else _BY_CODE.get(code, ())


def takers(act: Act) -> tuple[Grant, ...]:
    """Return who is asked to take ``act`` as a remedy: its parties; the operator if nobody else may."""
    people = [one for one in act.grants if one.relation is not Relation.MACHINE]
    parties = [one for one in people if one.relation in (Relation.OWNER, Relation.SUPPLIER)]
    return tuple(parties or people)


def _helped(role: Role) -> Iterator[Act]:
    for rows in LIFECYCLES.values():
        for row in rows:
            codes = [code for need in row.needs for code in REMEDIES.get(need, ())]
            codes += [WRONG_STATE] if row.act in ORDERED_ACTS.values() else []
            if any(one.role is role for code in codes for act in remedies_of(code) for one in takers(act)):
                yield row.act


HELPED: Mapping[Role, frozenset[Act]] = {role: frozenset(_helped(role)) for role in Role}
"""Role → the acts of others that it may be able to unblock."""


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
