"""The backend's own counters beside our clock: the smaller is settled, and a node that reports the impossible is named.

A counter may well be below our clock times the amount requested: a job that waits for data computes nothing. It can't
be above it. Nor can the node's own time of a run be far from ours, in either direction, or a counter exceed what the
node declares to have. Each such case is a finding beside the settlement, which uses the smaller figure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pilotbase.documents.texts import Text, text
from pilotbase_estate.documents.resources import Vector, format_amount, missing
from pilotbase_estate.documents.voucher import WHOLE_RATE, MeteringTerms, Usage
from pilotbase_estate.vouchers.pricing import amounts_over

PIECES = ("calls", "tokens")
"""Counted in pieces, so no clock bounds them."""


@dataclass(frozen=True)
class MeterReading:
    """What a backend reports about an attempt, and what we know of it ourselves."""

    usage: Usage
    demand: Vector
    wall_ms: int
    """From its start to its end by our clock."""
    paid_ms: int
    """The part of it before the hold's deadline."""
    capacity: Vector | None = None
    """What its node declares to have; None: not known."""


@dataclass(frozen=True)
class Reconciled:
    """What is settled, and what disagrees."""

    settled: Mapping[str, int]
    findings: tuple[Text, ...]


def reconcile(reading: MeterReading, terms: MeteringTerms) -> Reconciled:
    """Return the smaller of counters and clock, for the part of the run that is paid, rounded down."""
    usage = reading.usage
    wall = min(reading.wall_ms, usage.wall_ms)
    bound = amounts_over(reading.demand, wall)
    counted = usage.counted
    smaller = {name: min(amount, bound.get(name, 0)) for name, amount in counted.items() if name not in PIECES}
    smaller |= {name: counted[name] for name in PIECES if name in counted}
    whole, paid = reading.wall_ms, min(reading.paid_ms, reading.wall_ms)
    settled = {name: amount * paid // whole if whole else 0 for name, amount in sorted(smaller.items())}
    return Reconciled(settled, tuple(_findings(reading, bound, terms)))


def _findings(reading: MeterReading, bound: Mapping[str, int], terms: MeteringTerms) -> Iterator[Text]:
    usage, ours = reading.usage, reading.wall_ms
    timed = {name: amount for name, amount in usage.counted.items() if name not in PIECES}
    if abs(usage.wall_ms - ours) > _let_pass(ours, terms):
        yield text("voucher.meter.wall", node=usage.node, said=usage.wall_ms, clock=ours)
    for name in sorted(reading.demand.keys() - timed.keys()):
        if reading.demand[name]:
            yield text("voucher.meter.missing", node=usage.node, dimension=name)
    for name, amount in sorted(timed.items()):
        most = bound.get(name, 0)
        if amount > most + _let_pass(most, terms):
            yield text("voucher.meter.beyond", node=usage.node, dimension=name, said=amount, clock=most)
    if reading.capacity is not None:
        yield from _of_capacity(reading, timed, reading.capacity, terms)


def _of_capacity(
    reading: MeterReading, timed: Mapping[str, int], capacity: Vector, terms: MeteringTerms
) -> Iterator[Text]:
    node = reading.usage.node
    for name in missing(reading.demand, capacity):
        asked, had = reading.demand[name], capacity.get(name, 0)
        spelled = {"asked": format_amount(name, asked), "had": format_amount(name, had)}
        yield text("voucher.meter.capacity", node=node, dimension=name, **spelled)
    possible = amounts_over(capacity, max(reading.wall_ms, reading.usage.wall_ms))
    for name, amount in sorted(timed.items()):
        most = possible.get(name, 0)
        if amount > most + _let_pass(most, terms):
            yield text("voucher.meter.impossible", node=node, dimension=name, said=amount, most=most)


def _let_pass(amount: int, terms: MeteringTerms) -> int:
    return max(amount * terms.tolerance // WHOLE_RATE, terms.tolerance_ms)
