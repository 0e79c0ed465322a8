"""What trials are estimated to take and cost, as finely as their readers may know it: on pages and by API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pilotbase.documents.api.trials import EstimateTold, SpanTold
from pilotbase.documents.estimate import Payer, RunEstimate, Span, format_price, format_time
from pilotbase.documents.quantities import format_digits
from pilotbase.documents.record import Record
from pilotbase.documents.states import CommissionState
from pilotbase.documents.vocabularies import Role
from pilotbase.worker.trials.consenting import seen_estimate
from pilotbase.workspace.store import View

_ROLES: Mapping[Payer, Role] = {
    "supplier": Role.SUPPLIER,
    "demand_owner": Role.DEMAND_OWNER,
    "base": Role.OPERATOR,
}


@dataclass(frozen=True)
class ShownEstimate:
    """An estimate in words; "" for what is not told."""

    told: EstimateTold
    time: str
    cost: str
    core_seconds: str
    memory_seconds: str
    share: int
    payer: Role | None
    """Whose decision it waits for."""


def estimate_told(view: View, record: Record) -> EstimateTold | None:
    """Return what the trial of a record is estimated at, until it has its report; None: nothing is known or told."""
    found = None if "report" in record.documents else seen_estimate(view, record)
    return None if found is None else _told(found, record)


def estimate_shown(view: View, record: Record) -> ShownEstimate | None:
    """Return the same in words."""
    found = None if "report" in record.documents else seen_estimate(view, record)
    if found is None:
        return None
    told = _told(found, record)
    return ShownEstimate(
        told=told,
        time=format_time(found.wall),
        cost=format_price(found.money, found.currency) if found.money is not None else "",
        core_seconds=_plain(found.cpu),
        memory_seconds=_plain(found.memory),
        share=round(100 * found.confidence),
        payer=_ROLES[record.payer] if told.held and record.payer is not None else None,
    )


def _told(found: RunEstimate, record: Record) -> EstimateTold:
    held = record.state == CommissionState.CONSENT
    return EstimateTold(
        held=held,
        payer=record.payer if held else None,
        limit=found.ceiling.spelled(),
        confidence=found.confidence,
        coarse=found.wall.expected is None,
        seconds=span_told(found.wall),
        core_seconds=span_told(found.cpu) if found.cpu is not None else None,
        mib_seconds=span_told(found.memory) if found.memory is not None else None,
        money=span_told(found.money) if found.money is not None else None,
        currency=found.currency,
    )


def span_told(found: Span) -> SpanTold:
    """Return a span as the API gives it."""
    return SpanTold(low=found.low, expected=found.expected, high=found.high)


def _plain(found: Span | None) -> str:
    if found is None or found.expected is None:
        return ""
    return f"{format_digits(found.expected)} ({format_digits(found.low)} – {format_digits(found.high)})"
