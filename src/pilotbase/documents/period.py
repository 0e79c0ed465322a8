"""Period report 期报: what a base did in a year, half-year, quarter or month, with the records behind each figure.

Its digest is that of its canonical JSON: whoever holds the file recomputes it, and every figure from the records.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Literal

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.base import Document, Moment, Note, Part
from pilotbase.documents.hashes import Digest
from pilotbase.documents.moments import format_minute
from pilotbase.documents.subjects import Subject

PeriodName = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}(-(H[12]|Q[1-4]|0[1-9]|1[0-2]))?$")]
"""A year, a half-year, a quarter or a month: ``2026``, ``2026-H1``, ``2026-Q3``, ``2026-11``."""
Offset = Annotated[str, StringConstraints(pattern=r"^[+-](0[0-9]|1[0-4]):(00|15|30|45)$")]
"""The zone in which the days of a base end, as its distance from UTC."""
CHINA = "+08:00"
Unit = Literal["records", "organisations", "days"]
StatedFigure = Literal["income", "cost", "staff", "accidents", "equipment_hours"]
"""What no record shows: the operator states it; names: text ``period.stated.<value>``."""
_MONTHS = {"H": 6, "Q": 3}


class CountedRecord(Part):
    """A scenario, a trial or a service as it stood at the end of the period."""

    subject: Subject
    kind: Literal["scenario", "commission", "service", "endpoint"]
    state: str
    owner: str
    supplier: str = ""
    application: str = ""
    scenario: str = ""
    sector: str = ""
    action: str = ""
    supports: tuple[str, ...] = ()
    verdict: str = ""
    reached: dict[str, Moment] = pydantic.Field(default_factory=dict)
    """Milestone → when it was reached."""

    @property
    def reached_in_order(self) -> list[tuple[str, datetime]]:
        """Return the milestones in the order in which they were reached."""
        return sorted(self.reached.items(), key=lambda one: one[1])


class CountedFigure(Part):
    """One figure: counted in the period, and from the beginning of the base to the end of the period."""

    figure: str
    version: int
    """Of its definition: figures of two versions are not compared."""
    unit: Unit
    in_period: float | None = None
    so_far: float | None = None


class PeriodReport(Document):
    """The closed account of one period."""

    document: Literal["period-report/1"] = "period-report/1"
    base: str
    """The name of the base's log."""
    period: PeriodName
    offset: Offset
    start: Moment
    end: Moment
    """Where the next period begins."""
    log_size: int = pydantic.Field(ge=0)
    log_root: str
    """Root of the log, in hex, when the period was closed."""
    figures: tuple[CountedFigure, ...]
    stated: dict[StatedFigure, float] = pydantic.Field(default_factory=dict)
    note: Note = ""
    records: tuple[CountedRecord, ...] = ()


class PeriodClosing(Document):
    """That a period was closed: the digest is what anybody may compare, the report itself is not public."""

    document: Literal["period-closing/1"] = "period-closing/1"
    period: PeriodName
    report: Digest
    at: Moment
    signed_at: Moment | None = None
    """When a second person has signed it."""


class PeriodSignature(Document):
    """That a person answers for a report: who closed it, then a second one."""

    document: Literal["period-signature/1"] = "period-signature/1"
    period: PeriodName
    report: Digest
    person: str | None = None
    """Opaque identifier; None: on the base's own command line."""
    at: Moment


def edges_of(period: str, offset: str) -> tuple[datetime, datetime]:
    """Return when a period begins and when the next one does, in UTC: days end at midnight of ``offset``."""
    year, _, part = period.partition("-")
    months = 12 if not part else _MONTHS.get(part[0], 1)
    first = 1 if not part else (int(part[1:]) - 1) * months + 1 if part[0] in _MONTHS else int(part)
    until = int(year) * 12 + first - 1 + months
    zone = zone_of(offset)
    edges = datetime(int(year), first, 1, tzinfo=zone), datetime(until // 12, until % 12 + 1, 1, tzinfo=zone)
    return edges[0].astimezone(UTC), edges[1].astimezone(UTC)


def zone_of(offset: str) -> timezone:
    """Return the zone at a distance from UTC such as ``+08:00``."""
    hours, minutes = offset[1:].split(":")
    away = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-away if offset.startswith("-") else away)


def format_edge(moment: datetime, offset: str) -> str:
    """Return a moment in the base's zone and in UTC: ``2026-07-01 00:00 +08:00 (2026-06-30 16:00 UTC)``."""
    there = moment.astimezone(zone_of(offset)).replace(tzinfo=UTC)  # its clock, as if it were that of UTC
    return f"{format_minute(there, zone=False)} {offset} ({format_minute(moment)})"
