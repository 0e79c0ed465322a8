"""Which milestones a record came by on the way from demand to use, read off its history."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Commission, Record, StepTaken
from pilotbase.documents.report import Report
from pilotbase.workspace.journeys import Journey, find_journey
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

_FIRST = {
    "demanded": (Act.SCENARIO_REGISTER,),
    "opened": (Act.SCENARIO_OPEN,),
    "proposed": (Act.COMMISSION_PROPOSE,),
    "agreed": (Act.COMMISSION_AGREE, Act.COMMISSION_CONCEDE),
    "frozen": (Act.PLAN_FROZEN,),
    "certified": (Act.CERTIFICATE_ISSUE,),
}
_LAST = {"reported": (Act.TRIAL_REPORT,), "accepted": (Act.ACCEPTANCE_GIVE,)}
"""Of several rounds the last one counts that came before the certificate: rectification is part of the trial."""


def journey_of(change: Transaction, base: View, record: Record) -> Journey | None:
    """Return the journey of a scenario or a trial after its newest step, None for other kinds of records.

    ``base`` must see every document.
    """
    if record.kind == "scenario":
        return Journey(record.subject, record.kind, milestones(record.history))
    if record.kind != "commission":
        return None
    scenario = find_journey(change, record.subjects["scenario"])
    price = base.load(record.documents["commission"], Commission).price
    return Journey(
        subject=record.subject,
        kind=record.kind,
        reached={**(scenario.reached if scenario else {}), **milestones(record.history)},
        verdict=_verdict(change, base, record),
        supplier=record.supplier or "",
        amount=int(Decimal(price.amount) * 100),
        currency=price.currency,
    )


def milestones(history: tuple[StepTaken, ...]) -> dict[str, datetime]:
    """Return milestone → when it was reached; nothing after the first certificate counts."""
    reached: dict[str, datetime] = {}
    for step in history:
        for milestone, acts in _FIRST.items():
            if step.act in acts:
                reached.setdefault(milestone, step.at)
        if "certified" not in reached:
            reached.update({milestone: step.at for milestone, acts in _LAST.items() if step.act in acts})
    return reached


def _verdict(change: Transaction, base: View, record: Record) -> str:
    if record.history[-1].act is Act.TRIAL_REPORT:
        return base.load(record.documents["report"], Report).verdict.value
    before = find_journey(change, record.subject)
    return before.verdict if before is not None else ""
