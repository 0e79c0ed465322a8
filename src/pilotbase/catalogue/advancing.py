"""The only way a record moves: a step is checked, then written with its document, its log entry and its job.

Everything happens in one transaction: a step that is no longer allowed when it begins changes nothing. The change feed
then reports the new version of the record, and notices are made from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pilotbase.catalogue import effects
from pilotbase.catalogue.bars import Blocker, StepGuard, wrong_state
from pilotbase.catalogue.effects import AttemptsLeft, Move, Situation, require_separation, unlimited, with_duty
from pilotbase.catalogue.preconditions import require
from pilotbase.catalogue.records import StaleEditError, everything, load_record, record_of, steps_since
from pilotbase.catalogue.subjects import begin
from pilotbase.catalogue.writing import keep, write_record
from pilotbase.documents.base import LONGEST_NOTE, Document
from pilotbase.documents.certificate import spoken_reason
from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.lifecycles import (
    APPROVAL_DAYS,
    CONSENT_DAYS,
    LIFECYCLES,
    RETRIAL_DAYS,
    REVIEWER_DAYS,
    Transition,
    kind_moved,
    transition,
)
from pilotbase.documents.moments import day_end
from pilotbase.documents.permissions import Act, Grant, Relation, act_name, permitted
from pilotbase.documents.record import BROUGHT, ORDERED_ACTS, MadeScenario, Record, StepTaken, Waiting
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import NEW, PREPARED, CommissionState, DemandState
from pilotbase.documents.subjects import record_head
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace import jobs
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

__all__ = ["Move", "Possible", "StaleEditError", "advance", "advance_within", "possible_acts"]

NOTHING = Move()


@dataclass(frozen=True)
class Possible:
    """An act that the table and the state allow an actor; ``bar`` is any other obstacle to it."""

    act: Act
    bar: Blocker | None

    @property
    def obstacle(self) -> PilotbaseError | None:
        return self.bar.error if self.bar is not None else None


def advance(view: View, subject: str, act: Act, move: Move = NOTHING, attempts: AttemptsLeft = unlimited) -> Record:
    """Take the step ``act`` on the record of ``subject`` as the actor of ``view`` and return the record after it.

    Checks, in order: the actor sees the record; it is the version that the person saw; the table lets the actor act;
    the state allows it; what is handed in has the right kind; separation of duties; every need of the transition.
    A step already taken under the same ``move.key`` is not taken again.

    Raises:
        NotFoundError: there is no such record, or the actor may not see it.
        StaleEditError: others moved it since ``move.seen``; the error says who did what.
        ConflictError: a new record's name is already taken.
        RefusedError: the table or separation of duties does not allow it.
        BarredError: the state, a need or ``attempts`` does not allow it.
        InputError: what is handed in is wrong.
    """
    with view.transaction(act.value) as change:
        return advance_within(change, view, subject, act, move, attempts)


def advance_within(
    change: Transaction,
    view: View,
    subject: str,
    act: Act,
    move: Move,
    attempts: AttemptsLeft = unlimited,
) -> Record:
    """Take a step as `advance` does, within ``change``: together with its other steps, or not at all."""
    row = transition(act)
    here = view.within(change)
    base = everything(here)
    known = _taken_before(here, subject, move)
    if known is not None:
        return known
    before, head = _read(here, base, subject, row, move)
    at = Situation(base, view.actor, row, before, move, change.now, attempts)
    _require_permitted(at)
    _require_brought(at)
    require_separation(at.actor, row, before)
    for need in row.needs:
        require(need, at)
    record = _moved(at, effects.apply(at))
    _write(change, base, at, record, head)
    _take_up_demand(change, base, at)
    return record


def possible_acts(view: View, record: Record, attempts: AttemptsLeft = unlimited) -> list[Possible]:
    """Return what the actor of ``view`` may do to ``record`` now, with any obstacle that is known beforehand.

    For the buttons of a page: `advance` checks again.
    """
    judge = StepGuard(everything(view), view.store.clock(), attempts)
    return [
        Possible(row.act, judge.bar(record, row.act, view.actor))
        for row in LIFECYCLES[record.kind]
        if record.state in row.sources and permitted(row.act, view.actor, record.stands)
    ]


def _taken_before(view: View, subject: str, move: Move) -> Record | None:
    """Return the current record if it already contains this very step, because the first answer was lost."""
    record = record_of(view, subject) if move.key is not None else None
    return record if record is not None and any(step.key == move.key for step in record.history) else None


def _read(view: View, base: View, subject: str, row: Transition, move: Move) -> tuple[Record, Digest | None]:
    if NEW in row.sources:
        _require_kind(row, move)
        record = begin(base, subject, move.brings, NEW)
        # Only those who might use the name learn that it is taken.
        if permitted(row.act, view.actor, record.stands) and base.head(record_head(subject)) is not None:
            raise ConflictError("record.already_there", subject=subject)
        return record, None
    record, head = load_record(view, subject)
    if move.seen is not None and move.seen != head:
        steps = steps_since(view, move.seen, record)
        if steps:
            raise StaleEditError(subject, steps)
    return record, head


def _require_permitted(at: Situation) -> None:
    row, record = at.row, at.record
    if record.kind != kind_moved(row.act) or not permitted(row.act, at.actor, record.stands):
        raise RefusedError("record.not_permitted", act=act_name(row.act), organisation=at.actor.organisation)
    if record.state not in row.sources:
        raise wrong_state(record, row.act)


def _require_brought(at: Situation) -> None:
    _require_kind(at.row, at.move)
    if len(at.move.note) > LONGEST_NOTE:
        raise InputError("record.note_too_long", length=len(at.move.note), limit=LONGEST_NOTE)


def _require_kind(row: Transition, move: Move) -> None:
    wanted = BROUGHT[row.brings] if row.brings else type(None)
    if type(move.brings) is not wanted:
        raise InputError("record.wrong_part", act=act_name(row.act), wanted=row.brings or "–")


def _moved(at: Situation, record: Record) -> Record:
    state = at.row.target or record.state
    brought = at.move.brings
    step = StepTaken(
        act=at.row.act,
        state=state,
        organisation=at.actor.organisation,
        person=at.actor.person,
        at=at.now,
        note=at.move.note,
        reason=at.move.reason,
        document=brought.digest() if isinstance(brought, Document) else getattr(brought, "made", None),
        key=at.move.key,
    )
    moved = record.model_copy(
        update={
            "state": state,
            "since": at.now if state != at.record.state else record.since,
            "duties": with_duty(record.duties, at.actor, at.row),
            "history": (*record.history, step),
        }
    )
    return moved.model_copy(update={"waits": _waits(moved)})


def _write(change: Transaction, base: View, at: Situation, record: Record, head: Digest | None) -> None:
    change.vouch_for(*record.parties)
    brought = at.move.brings
    if isinstance(brought, Document):
        keep(change, brought, record)
    write_record(change, base, record, head)
    if at.row.stops:
        jobs.stop(change, record.subject, _why_stopped(at))
    if at.row.starts:
        jobs.enqueue(change, at.row.starts, record.subject, {**record.documents, "note": at.move.note})


def _take_up_demand(change: Transaction, base: View, at: Situation) -> None:
    """Take up the demand in words that a scenario names, unless it was taken up before."""
    scenario = at.move.brings
    demand = scenario.demand if isinstance(scenario, Scenario) else None
    if demand is not None and load_record(base, demand)[0].state == DemandState.OPEN:
        advance_within(change, base, demand, Act.DEMAND_TAKE_UP, Move(MadeScenario(scenario=at.record.subject)))


def _why_stopped(at: Situation) -> Text:
    if at.move.reason is not None:
        return at.move.reason
    if at.move.note:
        return text("record.stopped_because", organisation=at.actor.organisation, reason=spoken_reason(at.move.note))
    return text("record.stopped", organisation=at.actor.organisation)


def _waits(record: Record) -> tuple[Waiting, ...]:
    """Return the work that ``record`` waits for in its state, with open approvals, appeals and orders."""
    rows = (row for row in LIFECYCLES[record.kind] if record.state in row.sources)
    expected = [one for row in rows for one in _expected(record, row)]
    return (*expected, *_besides(record))


def _expected(record: Record, row: Transition) -> Iterator[Waiting]:
    if row.days is None:
        return
    due = record.since + timedelta(days=row.days)
    for grant in row.act.grants:
        yield from _addressed(record, row.act, grant, due)


def _addressed(record: Record, act: Act, grant: Grant, due: datetime) -> Iterator[Waiting]:
    if grant.relation is Relation.REVIEWER:
        for reviewer in record.reviewers:
            yield _waiting(record, act, grant.role, reviewer.organisation, due).model_copy(
                update={"person": reviewer.person}
            )
        return
    organisations = {
        Relation.OWNER: record.demand_owner,
        Relation.SUPPLIER: record.supplier,
        Relation.HOST: record.host,
    }
    yield _waiting(record, act, grant.role, organisations.get(grant.relation), due)


def _besides(record: Record) -> Iterator[Waiting]:
    if record.state in PREPARED and _lacks_approval(record):
        due = record.since + timedelta(days=APPROVAL_DAYS)
        yield _waiting(record, Act.APPROVAL_FILE, Role.DEMAND_OWNER, record.demand_owner, due)
    if record.state == CommissionState.PLAN_REVIEW and not record.reviewers:
        due = record.since + timedelta(days=REVIEWER_DAYS)
        yield _waiting(record, Act.REVIEWER_NAME, Role.OPERATOR, None, due)
    if record.state == CommissionState.CONSENT and record.payer is not None:
        role, payer = _payer(record)
        yield _waiting(record, Act.CONSENT_GIVE, role, payer, record.since + timedelta(days=CONSENT_DAYS))
    asked = record.asked_retrial
    if asked is not None:
        due = asked.at + timedelta(days=RETRIAL_DAYS)
        yield Waiting(act=Act.TRIAL_REPEAT, role=Role.OPERATOR, since=asked.at, due=due)
    for appeal in record.open_appeals:
        yield Waiting(act=Act.APPEAL_DECIDE, role=Role.OPERATOR, since=appeal.at, due=appeal.due)
    for order in record.open_orders:
        act, due = ORDERED_ACTS[order.kind], day_end(order.deadline)
        yield Waiting(act=act, role=Role.OPERATOR, since=order.at, due=due)


def _payer(record: Record) -> tuple[Role, str | None]:
    if record.payer == "demand_owner":
        return Role.DEMAND_OWNER, record.demand_owner
    return (Role.SUPPLIER, record.supplier) if record.payer == "supplier" else (Role.OPERATOR, None)


def _lacks_approval(record: Record) -> bool:
    return not set(record.approvals_needed) <= {approval.kind for approval in record.approvals}


def _waiting(record: Record, act: Act, role: Role, organisation: str | None, due: datetime) -> Waiting:
    return Waiting(act=act, role=role, organisation=organisation, since=record.since, due=due)
