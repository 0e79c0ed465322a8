"""What came of batches: added up, and counted, so that nothing that is refused, late or repeated disappears."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, insert, select, update

from pilotbase.documents.observation import Refusal, Taken
from pilotbase.documents.texts import text
from pilotbase.workspace import watch_tables as tables

_rows = tables.watch_counts.c


class Counted(StrEnum):
    """What is counted; names: text ``counted.<value>``."""

    FUTURE = "future"
    """Batches said to be observed later than now."""
    BATCH_DIFFERS = "batch_differs"
    CASE_DIFFERS = "case_differs"
    UNREAD_LABEL = "unread_label"
    """Batches of labels of which one is no class (no number) of the service's contract."""
    UNREAD_ANSWER = "unread_answer"
    """Answers that are no class (no number) of the service's contract: they count as abstentions."""
    REPEATED = "repeated"
    REPEATED_CASE = "repeated_case"
    LATE_CASE = "late_case"
    LATE_LABEL = "late_label"
    UNKNOWN_LABEL = "unknown_label"


@dataclass(frozen=True)
class EventCount:
    """How often something happened, and when last."""

    what: Counted
    count: int
    last_at: datetime


def count(connection: Connection, service: str, amounts: Mapping[Counted, int], now: datetime) -> None:
    """Add to the counts of a service; nothing is written of what is zero."""
    for what, amount in amounts.items():
        if not amount:
            continue
        here = (_rows.service == service, _rows.what == what.value)
        added = {"count": _rows["count"] + amount, "last_at": now}
        if connection.execute(update(tables.watch_counts).where(*here).values(added)).rowcount == 0:
            first = {"service": service, "what": what.value, "count": amount, "last_at": now}
            connection.execute(insert(tables.watch_counts).values(first))


def counts_of(connection: Connection, service: str) -> list[EventCount]:
    """Return what was counted of a service, in the order of `Counted`."""
    rows = select(_rows.what, _rows["count"].label("amount"), _rows.last_at).where(_rows.service == service)
    found = {row.what: EventCount(Counted(row.what), row.amount, row.last_at) for row in connection.execute(rows)}
    return [found[what] for what in Counted if what in found]


def with_amounts(taken: Taken, amounts: Mapping[str, int]) -> Taken:
    """Return ``taken`` with so much more in the fields that ``amounts`` names."""
    return taken.model_copy(update={name: getattr(taken, name) + amount for name, amount in amounts.items()})


def with_refusal(taken: Taken, batch: str, what: Counted, **params: object) -> Taken:
    """Return ``taken`` with one more batch that was refused, and why."""
    refusal = Refusal(batch=batch, reason=text(f"observation.{what}", batch=batch, **params))
    return taken.model_copy(update={"refused": (*taken.refused, refusal)})


def refused_for(taken: Taken, what: Counted) -> int:
    """Return how many batches were refused for one reason."""
    return sum(refusal.reason.code == f"observation.{what}" for refusal in taken.refused)


def sum_of(found: Iterable[Taken]) -> Taken:
    """Return everything together."""
    total = Taken()
    for one in found:
        amounts = {name: value for name, value in one if isinstance(value, int)}
        total = with_amounts(total, amounts).model_copy(update={"refused": (*total.refused, *one.refused)})
    return total
