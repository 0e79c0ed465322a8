"""A hold settled on metered use: the use is billed, the voucher pays its share of it, the rest goes back.

If a voucher expires or is revoked between hold and settlement, its hold still pays the same: the hold was made in time.
Work after the hold's own deadline is not paid: of a run that crosses it, the part before it by our clock is paid, in
every dimension. A hold that nobody settled in time has been released: its settlement says so, and pays nothing.

Calls of services, paid by voucher: a closed hour is held and settled in one step, from its meters.

The job is the hour (``service:NAME@2027-03-01T09``). Calls that a desk accounts for after their hour are an attempt of
their own. However often an hour is settled, each call is paid once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.estimate import PriceList
from pilotbase.documents.texts import Text, text
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction
from pilotbase_estate.documents.resources import Vector, format_amount, missing
from pilotbase_estate.documents.voucher import (
    WHOLE_RATE,
    MeteringTerms,
    Settlement,
    Usage,
    UsageSheet,
    VoucherHold,
    VoucherRules,
)
from pilotbase_estate.vouchers import rows
from pilotbase_estate.vouchers.ledger import (
    VoucherOrder,
    account_back,
    hold,
    require_use,
    require_valid,
    require_voucher,
)
from pilotbase_estate.vouchers.rows import Payer, UseRow
from pilotbase_estate.vouchers.rules import Bill, Ties, amounts_over, below_minimum, bill, uncounted
from pilotbase_estate.vouchers.wallet import Movement, move, pocket, prices_of, year_counter


def settle(here: View, change: Transaction, sheet: UsageSheet) -> Settlement:
    """Settle a hold and return what was used, its cost, and what the voucher pays; a repeated call returns the same.

    Raises:
        RefusedError: the actor is not the operator.
        NotFoundError: no voucher pays this attempt.
        ConflictError: it was settled before on other usage, or its hold was released.
    """
    change.require_operator()
    use = require_use(change, sheet.job, sheet.attempt)
    if use.settlement:
        return _settled_before(here, use, sheet)
    if use.state == "released":
        raise ConflictError("voucher.released", job=use.job, attempt=use.attempt)
    hold = here.load(use.hold, VoucherHold)
    rules = here.load(hold.rules, VoucherRules)
    found = settlement_of(hold, rules, here.load(hold.prices, PriceList), sheet, use.state == "held")
    found = found.model_copy(update={"settled_at": change.now})
    digest = change.put(found, parties(use.supplier), owner=use.organisation, fields={"job": use.job})
    if use.state == "lapsed":
        rows.end_use(change.connection, use, "lapsed", 0, digest)
        return found
    held, used = (pocket(use.organisation, use.voucher, name) for name in ("held", "used"))
    amounts = {held: -use.held, used: found.subsidy}
    back = account_back(change, rules, use)
    amounts[back] = use.held - found.subsidy
    move(change, Movement("settle", rules, use.voucher, amounts, use.job, use.attempt))
    change.add(year_counter(use.organisation, rules.name, use.year), found.subsidy - use.held)
    rows.end_use(change.connection, use, "settled", found.subsidy, digest)
    return found


def settlement_of(
    hold: VoucherHold, rules: VoucherRules, prices: PriceList, sheet: UsageSheet, stands: bool
) -> Settlement:
    """Return the settlement of an attempt under a hold; an auditor recomputes it with this very function.

    ``stands``: the hold was not released before. ``settled_at`` is the end of the attempt, until the caller corrects
    it.
    """
    wall = _milliseconds(sheet.ended_at - sheet.started_at)
    paid = min(wall, max(_milliseconds(hold.deadline - sheet.started_at), 0))
    capacity = None if sheet.capacity is None else sheet.capacity.vector
    reading = MeterReading(sheet.usage, hold.demand.vector, wall, paid, capacity)
    measured = reconcile(reading, rules.metering)
    billed = bill(prices, measured.settled, rules)
    share = rules.share(billed.counted)
    subsidy = min(share, hold.held) if stands else 0
    return filled(
        Settlement,
        sheet,
        voucher=hold.voucher,
        hold=hold.digest(),
        organisation=hold.organisation,
        supplier=hold.supplier,
        settled_at=sheet.ended_at,
        settled=measured.settled,
        findings=measured.findings,
        lines=billed.lines,
        cost=billed.cost,
        counted=billed.counted,
        subsidy=subsidy,
        reason=_reason(billed, rules, share - subsidy, stands, paid < wall),
    )


def _settled_before(here: View, use: UseRow, sheet: UsageSheet) -> Settlement:
    found = here.load(use.settlement, Settlement)
    before = (found.started_at, found.ended_at, found.usage, found.capacity)
    if before != (sheet.started_at, sheet.ended_at, sheet.usage, sheet.capacity):
        raise ConflictError("voucher.settled_otherwise", job=use.job, attempt=use.attempt)
    return found


def _reason(billed: Bill, rules: VoucherRules, short: int, stands: bool, cut: bool) -> Text | None:
    if not stands:
        return text("voucher.pays.lapsed")
    unmet = uncounted(rules, billed.cost, billed.counted) or below_minimum(rules, billed.counted)
    if unmet is not None:
        return unmet
    if short:
        return text("voucher.pays.as_held", short=rules.spell(short))
    return text("voucher.pays.until_deadline") if cut else None


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


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


HOUR = timedelta(hours=1)
GATEWAY = "gateway"


@dataclass(frozen=True)
class HourOfCalls:
    """All that a service's meters show for one hour by now."""

    service: str
    begins: datetime
    calls: int
    tokens: int


def let_pay(view: View, service: str, organisation: str, voucher: str, pool: str) -> Payer:
    """Let a voucher pay the calls of a service of ``organisation`` from this hour on, at the prices of a pool.

    The actor is the organisation, or the operator; the caller must know that the service is the organisation's.

    Raises:
        NotFoundError: there is no such voucher for this actor, or the pool has no prices.
        RefusedError: the voucher is another organisation's, or over.
    """
    with view.transaction("voucher.calls_paid") as change:
        here = view.within(change)
        row = require_voucher(here, change, voucher)
        if row.organisation != organisation or not change.actor.may_write_for(organisation):
            raise RefusedError("voucher.foreign_service", voucher=voucher, service=service, organisation=organisation)
        require_valid(row, here.load(row.rules, VoucherRules), change.now)
        prices_of(here, pool)
        payer = Payer(service, voucher, pool, hour_of(change.now))
        rows.set_payer(change.connection, payer)
        change.record("voucher.pays_calls", [f"service:{service}", f"voucher:{voucher}"], {"pool": pool})
    return payer


def settle_calls(view: View, payer: Payer, hour: HourOfCalls, ties: Ties) -> Settlement | None:
    """Settle the part of a closed hour's calls that is not settled yet, and return it; None: nothing is left.

    Raises:
        RefusedError: the actor is not the operator, or the voucher does not pay.
    """
    with view.transaction("voucher.calls_settled") as change:
        return _settle(view.within(change), change, payer, hour, ties)


def job_of(service: str, begins: datetime) -> str:
    """Return the job name of an hour of a service's calls."""
    return f"service:{service}@{begins:%Y-%m-%dT%H}"


def hour_of(moment: datetime) -> datetime:
    """Return the start of a moment's hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def _settle(here: View, change: Transaction, payer: Payer, hour: HourOfCalls, ties: Ties) -> Settlement | None:
    job = job_of(hour.service, hour.begins)
    before = rows.uses_of_job(change.connection, job)
    settled = [here.load(use.settlement, Settlement).usage for use in before if use.settlement]
    calls = hour.calls - sum(one.calls for one in settled)
    tokens = hour.tokens - sum(one.tokens for one in settled)
    if calls <= 0 and tokens <= 0:
        return None
    order = VoucherOrder(job, len(before), payer.voucher, payer.pool, calls=max(calls, 0), tokens=max(tokens, 0))
    hold(here, change, order, ties)
    usage = Usage(
        source=GATEWAY, node=GATEWAY, wall_ms=HOUR // timedelta(milliseconds=1), calls=order.calls, tokens=order.tokens
    )
    sheet = UsageSheet(job=job, attempt=order.attempt, started_at=hour.begins, ended_at=hour.begins + HOUR, usage=usage)
    return settle(here, change, sheet)
