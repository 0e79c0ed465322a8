"""From the journals of desks into the store: metering rows, and observations for whoever watches. Nothing twice.

How far a journal has been taken in stands in the transaction that counts it. Observations are handed over before it,
so that none is lost; handed over again after a crash they have the same batch ids.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pydantic
from sqlalchemy import Connection, delete

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.observation import ObservationBatch, Scalar
from pilotbase.documents.vocabularies import CallEnd
from pilotbase.service import budgets, journal
from pilotbase.service.calls import NOTHING, Cost
from pilotbase.service.journal import Fields, JournalRecord, settle_up, taken_in
from pilotbase.service.releases import take_outcomes
from pilotbase.service.terms import MeterKey, ServiceUsage, add_up, write_usage
from pilotbase.workspace import tables as tables
from pilotbase.workspace.columns import set_row
from pilotbase.workspace.store import View

Take = Callable[[Sequence[ObservationBatch]], None]
"""Takes observations into the watch; what it has been given before, by batch id, changes nothing."""
CHUNK_BYTES = 1 << 20
DONE = -1
_log = logging.getLogger("pilotbase.service")


@dataclass(frozen=True)
class Drained:
    """What one round has taken in."""

    calls: int = 0
    batches: int = 0
    unfit: int = 0
    """Records that were damaged, or held no observation that fits: counted, and left out."""

    def __add__(self, other: Drained) -> Drained:
        return Drained(self.calls + other.calls, self.batches + other.batches, self.unfit + other.unfit)


def drain(view: View, folder: Path, take: Take = lambda _: None) -> Drained:
    """Take in what the journals under ``folder`` hold by now, and clear away those whose desks have ended.

    Raises:
        PilotbaseError: of the first journal that could not be taken in, once all others were; what was taken in stays
            so, the rest is taken in next time.
    """
    found, failures = Drained(), []
    for desk in journal.desks(folder):
        try:
            found = found + _drain_desk(view, folder, desk, take)
        except PilotbaseError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return found


def expire_allotments(view: View) -> int:
    """Count as used what desks hold that nobody has heard of for a day: their journals are lost, or far away."""
    with view.store.database.write() as connection:
        return budgets.expire(connection, view.store.clock())


def _drain_desk(view: View, folder: Path, desk: str, take: Take) -> Drained:
    with journal.reading(folder, desk) as its:
        if its == "gone":
            return Drained()
        found = _drain_segments(view, folder, desk, take)
        if its == "living":
            with view.store.database.write() as connection:
                budgets.renew(connection, desk, view.store.clock())
            return found
        return found + _finish(view, folder, desk)


def _drain_segments(view: View, folder: Path, desk: str, take: Take) -> Drained:
    found = Drained()
    with view.store.database.read() as connection:
        segment, place = taken_in(connection, desk)
    there = journal.segments(folder, desk)
    for number in [] if segment == DONE else there:
        if number >= segment:
            start = place if number == segment else 0
            found = found + _drain_segment(view, folder, desk, take, (number, start))
        if number != there[-1]:
            journal.drop_segment(folder, desk, number)
    return found


def _drain_segment(view: View, folder: Path, desk: str, take: Take, place: tuple[int, int]) -> Drained:
    found = Drained()
    while lines := list(journal.read_lines(folder, desk, *place, CHUNK_BYTES)):
        batches, unfit = _observations(desk, lines)
        if batches:
            take(batches)
        settled = sum("settled" in line.fields for line in lines)
        place = (lines[-1].segment, lines[-1].end)
        now = view.store.clock()
        with view.store.database.write() as connection:
            write_usage(connection, add_up(_metered(line.fields) for line in lines if "used" in line.fields))
            take_outcomes(connection, (line.fields["release"] for line in lines if "release" in line.fields))
            for hold in journal.holds_in((line.fields for line in lines), "charged"):
                budgets.account_for(connection, desk, hold.account, hold.cost, now)
            _move(connection, desk, place)
        found = found + Drained(settled, len(batches), unfit)
    return found


def _finish(view: View, folder: Path, desk: str) -> Drained:
    """Close the account of a desk that has ended: open calls cost what was reserved, and its journal goes."""
    if not journal.segments(folder, desk):
        journal.drop_journal(folder, desk)
        return Drained()
    settle_up(view, folder, desk)
    now = view.store.clock()
    lost = list(journal.open_calls(folder, desk).values())
    used = [(_meter(one, now), _used(_held(one), 0)) for one in lost]
    with view.store.database.write() as connection:
        if taken_in(connection, desk)[0] != DONE:
            write_usage(connection, add_up(used))
            budgets.count_as_used(connection, desk)
            _move(connection, desk, (DONE, 0))
    journal.drop_journal(folder, desk)
    with view.store.database.write() as connection:
        connection.execute(delete(tables.service_journals).where(tables.service_journals.c.desk == desk))
    return Drained(calls=len(lost))


def _move(connection: Connection, desk: str, place: tuple[int, int]) -> None:
    set_row(connection, tables.service_journals, {"desk": desk}, {"segment": place[0], "place": place[1]})


def _metered(fields: Fields) -> tuple[MeterKey, ServiceUsage]:
    used, meter = journal.cost_in(fields, "used"), _meter(fields, _moment(fields))
    if "observed" in fields:  # its calls were counted as they settled
        return meter, ServiceUsage(tokens=used.tokens, billionths=used.billionths)
    microseconds = round(float(fields.get("milliseconds", 0)) * 1000)
    return meter, _used(used, len(fields.get("ids", ())), microseconds)


def _held(fields: Fields) -> Cost:
    """Return what was reserved for a call that nobody settled."""
    return sum((hold.cost for hold in journal.holds_in([fields], "held")), start=NOTHING)


def _used(cost: Cost, cases: int, microseconds: int = 0) -> ServiceUsage:
    """Return what one call has used."""
    return ServiceUsage(1, cases, cost.tokens, microseconds, cost.billionths)


def _meter(fields: Fields, at: datetime) -> MeterKey:
    end = CallEnd(fields.get("end", CallEnd.FAILED))
    hour = at.replace(minute=0, second=0, microsecond=0)
    return MeterKey(fields["service"], hour, fields["key"], fields.get("version") or "", end)


def _moment(fields: Fields) -> datetime:
    return datetime.fromisoformat(fields["at"]).astimezone(UTC)


def _observations(desk: str, lines: Sequence[JournalRecord]) -> tuple[list[ObservationBatch], int]:
    batches, unfit = [], 0
    for fields in (line.fields for line in lines):
        if not fields:
            unfit += 1
        elif fields.get("ids"):
            try:
                batches.append(_observation(desk, fields))
            except pydantic.ValidationError as error:
                unfit += 1
                _log.warning("an observation of %s is left out: %s", fields["service"], error.errors()[0]["msg"])
    return batches, unfit


def _observation(desk: str, fields: Fields) -> ObservationBatch:
    return ObservationBatch(
        service=fields["service"],
        batch=f"{desk}.{fields.get('settled') or fields['observed']}",
        at=_moment(fields),
        version=fields["version"],
        end=fields["end"],
        milliseconds=fields["milliseconds"],
        ids=tuple(fields["ids"]),
        inputs={name: tuple(_finite(column)) for name, column in fields["inputs"].items()},
        answers=tuple(_finite(fields["answers"])),
    )


def _finite(column: Sequence[Scalar]) -> Iterator[Scalar]:
    """Yield the values of a column; what is no number, such as NaN in a tensor, is missing."""
    return (None if isinstance(value, float) and not math.isfinite(value) else value for value in column)
