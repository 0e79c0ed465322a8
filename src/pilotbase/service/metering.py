"""Metering: what was used of a service, by hour, key, version and end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from pilotbase.documents.vocabularies import CallEnd
from pilotbase.workspace import tables as tables
from pilotbase.workspace.store import View

_rows = tables.service_meters.c


@dataclass(frozen=True)
class MeterKey:
    """What is counted together."""

    service: str
    hour: datetime
    """The hour, in UTC, in which the calls ended."""
    key: str
    version: str
    """Digest of the application that answered; '': none, or an endpoint without one."""
    end: CallEnd


@dataclass(frozen=True)
class ServiceUsage:
    """How much there was."""

    calls: int = 0
    cases: int = 0
    tokens: int = 0
    microseconds: int = 0

    def __add__(self, other: ServiceUsage) -> ServiceUsage:
        return ServiceUsage(
            self.calls + other.calls,
            self.cases + other.cases,
            self.tokens + other.tokens,
            self.microseconds + other.microseconds,
        )


def add_up(items: Iterable[tuple[MeterKey, ServiceUsage]]) -> Mapping[MeterKey, ServiceUsage]:
    """Return the sum for each meter."""
    found: defaultdict[MeterKey, ServiceUsage] = defaultdict(ServiceUsage)
    for meter, usage in items:
        found[meter] = found[meter] + usage
    return found


def write_usage(connection: Connection, counted: Mapping[MeterKey, ServiceUsage]) -> None:
    """Add to the rows of the meters; the caller makes sure that nothing is counted twice."""
    for meter, usage in counted.items():
        here = [_rows[name] == value for name, value in vars(meter).items()]
        more = {_rows[name]: _rows[name] + value for name, value in vars(usage).items()}
        if connection.execute(update(tables.service_meters).where(*here).values(more)).rowcount == 0:
            connection.execute(insert(tables.service_meters).values({**vars(meter), **vars(usage)}))


def usage_of(view: View, service: str, days: int = 30) -> Mapping[MeterKey, ServiceUsage]:
    """Return what was used of a service in the last ``days``; the caller may look into the service."""
    since = view.store.clock() - timedelta(days=days)
    rows = select(tables.service_meters).where(_rows.service == service, _rows.hour >= since).order_by(_rows.hour)
    with view.reading() as connection:
        found = connection.execute(rows).all()
    return {
        MeterKey(row.service, row.hour, row.key, row.version, CallEnd(row.end)): ServiceUsage(
            row.calls, row.cases, row.tokens, row.microseconds
        )
        for row in found
    }
