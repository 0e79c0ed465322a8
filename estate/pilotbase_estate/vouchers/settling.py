"""A hold settled on metered use: the use is billed, the voucher pays its share of it, the rest goes back.

If a voucher expires or is revoked between hold and settlement, its hold still pays the same: the hold was made in time.
Work after the hold's own deadline is not paid: of a run that crosses it, the part before it by our clock is paid, in
every dimension. A hold that nobody settled in time has been released: its settlement says so, and pays nothing.
"""

from __future__ import annotations

from datetime import timedelta

from pilotbase.documents.prices import PriceList
from pilotbase.documents.texts import Text, text
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction
from pilotbase_estate.documents.alike import alike
from pilotbase_estate.documents.voucher import Settlement, UsageSheet, VoucherHold, VoucherRules
from pilotbase_estate.vouchers import rows
from pilotbase_estate.vouchers.ledger import account_back, require_use
from pilotbase_estate.vouchers.metering import MeterReading, reconcile
from pilotbase_estate.vouchers.moving import Movement, move, pocket, year_counter
from pilotbase_estate.vouchers.pricing import Bill, bill
from pilotbase_estate.vouchers.rows import UseRow
from pilotbase_estate.vouchers.rules import below_minimum, uncounted


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
    return alike(
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
