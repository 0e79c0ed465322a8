"""What a record waits for: whose turn it is, since when, until when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from pilotbase.documents.lifecycles import (
    APPROVAL_DAYS,
    CONSENT_DAYS,
    LIFECYCLES,
    RETRIAL_DAYS,
    REVIEWER_DAYS,
    Transition,
)
from pilotbase.documents.moments import day_end
from pilotbase.documents.permissions import PERMISSIONS, Act, Grant, Relation
from pilotbase.documents.record import ORDERED_ACTS, Record, Waiting
from pilotbase.documents.states import PREPARED, CommissionState
from pilotbase.documents.vocabularies import Role


def waiting(record: Record) -> tuple[Waiting, ...]:
    """Return the work that ``record`` waits for in its state, with open approvals, appeals and orders."""
    rows = (row for row in LIFECYCLES[record.kind] if record.state in row.sources)
    expected = [one for row in rows for one in _expected(record, row)]
    return (*expected, *_besides(record))


def _expected(record: Record, row: Transition) -> Iterator[Waiting]:
    if row.due is None:
        return
    due = record.since + timedelta(days=row.due.days)
    for grant in PERMISSIONS[row.act]:
        if grant.role is row.due.role:
            yield from _addressed(record, row.act, grant, due)


def _addressed(record: Record, act: Act, grant: Grant, due: datetime) -> Iterator[Waiting]:
    if grant.relation is Relation.REVIEWER:
        for reviewer in record.reviewers:
            yield _waiting(record, act, grant.role, reviewer.organisation, due).model_copy(
                update={"person": reviewer.person}
            )
        return
    organisations = {Relation.OWNER: record.demand_owner, Relation.SUPPLIER: record.supplier}
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
