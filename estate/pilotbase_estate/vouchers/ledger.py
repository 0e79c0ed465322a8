"""Vouchers from issue to settlement. Each step is idempotent on (job, attempt, step), and atomic.

Steps that belong to a job take the `Transaction` in which its state also changes: the hold is recorded when the job is
queued, the payment when it has ended. A repeated step returns the earlier result; with different facts it is refused.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.estimate import format_money
from pilotbase.documents.moments import day_end, format_second
from pilotbase.documents.texts import Text, text
from pilotbase.worker.providers import MilestoneBill
from pilotbase.workspace import transaction
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.documents.voucher import Voucher, VoucherHold, VoucherRules
from pilotbase_estate.vouchers import rows
from pilotbase_estate.vouchers.rows import UseRow, VoucherRow
from pilotbase_estate.vouchers.rules import (
    Payable,
    Ties,
    amounts_over,
    bill,
    joined,
    why_not_milestone,
    why_not_payable,
)
from pilotbase_estate.vouchers.wallet import (
    Movement,
    Step,
    claims_account,
    fund_account,
    move,
    pocket,
    prices_of,
    require_on,
    rules_of,
    year_counter,
)

_NOTHING = Resources({})


@dataclass(frozen=True)
class VoucherOrder:
    """A job that a voucher is to pay."""

    job: str
    attempt: int
    voucher: str
    pool: str
    demand: Resources = _NOTHING
    seconds: int = 1
    """The longest that it may run."""
    calls: int = 0
    tokens: int = 0


def issue(view: View, programme: str, organisation: str, amount: int) -> Voucher:
    """Issue a voucher to an organisation from a programme's fund and return it.

    Raises:
        NotFoundError: there is no such programme.
        RefusedError: the actor is not the operator; the programme does not run today; the amount is more than the
            cap of a voucher, or than is left in the fund.
        InputError: the amount is not above zero.
    """
    with view.transaction("voucher.issued") as change:
        change.require_operator()
        digest, rules = rules_of(view.within(change), programme)
        require_on(rules, rules.day(change.now))
        _require_issuable(change, rules, amount)
        found = Voucher(
            identity=secrets.token_hex(16),
            programme=programme,
            rules=digest,
            organisation=organisation,
            amount=amount,
            issued_at=change.now,
            expires_at=min(change.now + timedelta(days=rules.valid_days), _last_moment(rules)),
        )
        row = filled(VoucherRow, found, state="valid", digest=change.put(found, parties(), owner=organisation))
        rows.insert_row(change.connection, row)
        amounts = {fund_account(rules): -amount, pocket(organisation, found.identity, "free"): amount}
        change.vouch_for(organisation)
        move(change, Movement("issue", rules, found.identity, amounts))
    return found


def hold(here: View, change: Transaction, order: VoucherOrder, ties: Ties) -> VoucherHold:
    """Set aside the most that a voucher pays of a job, up to its balance; a repeated call returns the same hold.

    ``here`` is the view within ``change``; the actor is the voucher's organisation, or the operator.

    Raises:
        NotFoundError: there is no such voucher for this actor, or the pool has no prices.
        InputError: the pool's prices are in another currency.
        RefusedError: the voucher has expired or is revoked, or rules keep it from paying: all of them are named.
        ConflictError: this attempt was put on hold before in another way.
    """
    kept = rows.find_use(change.connection, order.job, order.attempt)
    if kept is not None:
        return _held_before(here, kept, order)
    row = require_voucher(here, change, order.voucher)
    rules = here.load(row.rules, VoucherRules)
    require_valid(row, rules, change.now)
    priced_at, prices = prices_of(here, order.pool)
    if prices.currency != rules.currency:
        raise InputError("voucher.other_currency", pool=order.pool, found=prices.currency, allowed=rules.currency)
    quoted = bill(prices, _amounts(order), rules)
    wanted, year = rules.share(quoted.counted), rules.year(change.now)
    counter = year_counter(row.organisation, rules.name, year)
    left = transaction.balance(change.connection, pocket(row.organisation, row.identity, "free"))
    left_in_year = rules.cap_year - transaction.counter(change.connection, counter)
    asked = Payable(row.organisation, prices.supplier, quoted, wanted, left, left_in_year)
    failed = why_not_payable(rules, asked, ties)
    if failed:
        raise RefusedError("voucher.not_payable", voucher=row.identity, job=order.job, reason=joined(failed))
    amount = min(wanted, left, left_in_year)
    deadline = change.now + timedelta(hours=rules.hold_hours)
    found = VoucherHold(
        **vars(order),
        organisation=row.organisation,
        supplier=prices.supplier,
        rules=row.rules,
        prices=priced_at,
        cost=quoted.cost,
        wanted=wanted,
        held=amount,
        held_at=change.now,
        deadline=deadline,
        lapses_at=deadline + timedelta(hours=rules.settle_hours),
    )
    _keep_hold(change, found, rules, year)
    amounts = {pocket(row.organisation, row.identity, "free"): -amount}
    amounts[pocket(row.organisation, row.identity, "held")] = amount
    move(change, Movement("hold", rules, row.identity, amounts, order.job, order.attempt))
    change.add(counter, amount, at_most=rules.cap_year)
    return found


def release(here: View, change: Transaction, job: str, attempt: int) -> bool:
    """Release a hold that is not settled: its job never ran, or failed by the platform's fault. Returns whether it did.

    If it is repeated, or if no voucher pays the attempt, nothing changes.

    Raises:
        ConflictError: it is settled; see `refund`.
    """
    use = rows.find_use(change.connection, job, attempt)
    if use is None or use.state in ("released", "lapsed"):
        return False
    if use.state != "held":
        raise ConflictError("voucher.settled_already", job=job, attempt=attempt)
    _let_go(here, change, use, "released")
    return True


def refund(here: View, change: Transaction, job: str, attempt: int, reason: str) -> bool:
    """Give back what a voucher has paid of a settled use, by the platform's fault; returns whether there was anything.

    Raises:
        RefusedError: the actor is not the operator, or the use was claimed.
        NotFoundError: no voucher pays this attempt.
        ConflictError: it is not settled yet; see `release`.
    """
    change.require_operator()
    use = require_use(change, job, attempt)
    if use.state == "held":
        raise ConflictError("voucher.not_settled", job=job, attempt=attempt)
    if use.state != "settled" or not use.subsidy:
        return False
    claim = rows.standing_claim(change.connection, job, attempt)
    if claim is not None:
        raise RefusedError("voucher.claimed_already", job=job, attempt=attempt, claimant=claim.claimant)
    rules = here.load(here.load(use.hold, VoucherHold).rules, VoucherRules)
    account = account_back(change, rules, use)
    amounts = {pocket(use.organisation, use.voucher, "used"): -use.subsidy, account: use.subsidy}
    move(change, Movement("refund", rules, use.voucher, amounts, job, attempt))
    change.add(year_counter(use.organisation, rules.name, use.year), -use.subsidy)
    change.record("voucher.refunded", [f"job:{job}"], {"reason": reason})
    rows.end_use(change.connection, use, "refunded")
    return True


def pay_milestone(here: View, change: Transaction, bill: MilestoneBill, ties: Ties) -> None:
    """Pay a milestone of a call from a voucher of the team that has reached it: what it has free is paid out.

    ``here`` is the base's own view within ``change``; the caller knows that the actor may have it paid, and pays once.

    Raises:
        RefusedError: it is no valid voucher of the team, or rules keep it from paying: all of them are named.
    """
    row = rows.find_voucher(change.connection, bill.voucher)
    if row is None or row.organisation not in bill.team:
        raise _pays_not(bill, text("voucher.rule.team"))
    rules = here.load(row.rules, VoucherRules)
    require_valid(row, rules, change.now)
    free = pocket(row.organisation, row.identity, "free")
    counter = year_counter(row.organisation, rules.name, rules.year(change.now))
    left = transaction.balance(change.connection, free)
    left_in_year = rules.cap_year - transaction.counter(change.connection, counter)
    failed = why_not_milestone(rules, bill, row.organisation, (left, left_in_year), ties)
    if failed:
        raise _pays_not(bill, joined(failed))
    paid = claims_account(row.organisation, rules.name, "paid")
    change.vouch_for(row.organisation)
    amounts = {free: -bill.amount, paid: bill.amount}
    move(change, Movement("milestone", rules, row.identity, amounts, bill.call, bill.number))
    change.add(counter, bill.amount, at_most=rules.cap_year)


def revoke(view: View, identity: str, reason: str) -> None:
    """Take back what a voucher has free; what is on hold is still settled, and then the rest of it goes back.

    Raises:
        RefusedError: the actor is not the operator.
        NotFoundError: there is no such voucher.
        ConflictError: it is already over.
    """
    with view.transaction("voucher.revoked") as change:
        change.require_operator()
        row = require_voucher(view.within(change), change, identity)
        if row.state != "valid":
            raise ConflictError("voucher.over_already", voucher=identity, state=Text(code=f"voucher.state.{row.state}"))
        _empty(view.within(change), change, row, "revoke")
        change.record("voucher.revocation", [f"voucher:{identity}"], {"reason": reason})
        rows.end_voucher(change.connection, identity, "revoked")


def expire_due(view: View) -> int:
    """Take back what expired vouchers have free, and release holds that nobody settled in time; returns how many.

    Each is a transaction of its own; the operator calls this from time to time.
    """
    now, done = view.store.clock(), 0
    with view.reading() as connection:
        over, lapsed = rows.expired_vouchers(connection, now), rows.lapsed_uses(connection, now)
    for use in lapsed:
        with view.transaction("voucher.hold_lapsed") as change:
            fresh = rows.find_use(change.connection, use.job, use.attempt)
            if fresh is not None and fresh.state == "held":
                _let_go(view.within(change), change, fresh, "lapsed")
                done += 1
    for row in over:
        with view.transaction("voucher.expired") as change:
            found = rows.find_voucher(change.connection, row.identity)
            if found is not None and found.state == "valid":
                _empty(view.within(change), change, found, "expire")
                rows.end_voucher(change.connection, row.identity, "expired")
                done += 1
    return done


def require_voucher(here: View, change: Transaction, identity: str) -> VoucherRow:
    """Return a voucher's state; raises `NotFoundError` if there is none that the actor may see."""
    row = rows.find_voucher(change.connection, identity)
    if row is None or not (here.actor.sees_all or row.organisation == here.actor.organisation):
        raise NotFoundError("voucher.unknown", voucher=identity)
    return row


def require_use(change: Transaction, job: str, attempt: int) -> UseRow:
    """Return what a voucher pays of an attempt; raises `NotFoundError`."""
    use = rows.find_use(change.connection, job, attempt)
    if use is None:
        raise NotFoundError("voucher.no_hold", job=job, attempt=attempt)
    return use


def require_valid(row: VoucherRow, rules: VoucherRules, now: datetime) -> None:
    """Require that a voucher pays anything new; raises `RefusedError`."""
    if row.state == "revoked":
        raise RefusedError("voucher.revoked", voucher=row.identity)
    if not row.takes_holds(now):
        raise RefusedError("voucher.expired", voucher=row.identity, at=format_second(row.expires_at))
    require_on(rules, rules.day(now))


def account_back(change: Transaction, rules: VoucherRules, use: UseRow) -> str:
    """Return where the unused rest goes: to the voucher while it is valid, otherwise to the fund."""
    row = rows.find_voucher(change.connection, use.voucher)
    if row is not None and row.takes_holds(change.now):
        return pocket(use.organisation, use.voucher, "free")
    return fund_account(rules)


def _held_before(here: View, kept: UseRow, order: VoucherOrder) -> VoucherHold:
    found = here.load(kept.hold, VoucherHold)
    asked = (order.voucher, order.pool, dict(order.demand.vector), order.seconds, order.calls, order.tokens)
    if asked != (found.voucher, found.pool, dict(found.demand.vector), found.seconds, found.calls, found.tokens):
        raise ConflictError("voucher.held_otherwise", job=order.job, attempt=order.attempt)
    return found


def _require_issuable(change: Transaction, rules: VoucherRules, amount: int) -> None:
    if amount <= 0:
        raise InputError("voucher.no_amount", found=amount)
    if amount > rules.cap_voucher:
        spelled = {"amount": rules.spell(amount), "cap": rules.spell(rules.cap_voucher)}
        raise RefusedError("voucher.beyond_cap", programme=rules.name, **spelled)
    left = rules.total + transaction.balance(change.connection, fund_account(rules))
    if amount > left:
        spelled = {"amount": rules.spell(amount), "left": rules.spell(left)}
        raise RefusedError("voucher.fund_low", programme=rules.name, **spelled)


def _amounts(order: VoucherOrder) -> dict[str, int]:
    return {**amounts_over(order.demand.vector, order.seconds * 1000), "calls": order.calls, "tokens": order.tokens}


def _keep_hold(change: Transaction, found: VoucherHold, rules: VoucherRules, year: int) -> None:
    digest = change.put(found, parties(found.supplier), owner=found.organisation)
    new = {"programme": rules.name, "state": "held", "year": year, "subsidy": 0, "hold": digest, "settlement": ""}
    rows.insert_row(change.connection, filled(UseRow, found, **new))


def _let_go(here: View, change: Transaction, use: UseRow, state: Literal["released", "lapsed"]) -> None:
    rules = here.load(here.load(use.hold, VoucherHold).rules, VoucherRules)
    amounts = {pocket(use.organisation, use.voucher, "held"): -use.held, account_back(change, rules, use): use.held}
    step: Step = "release" if state == "released" else "lapse"
    move(change, Movement(step, rules, use.voucher, amounts, use.job, use.attempt))
    change.add(year_counter(use.organisation, rules.name, use.year), -use.held)
    rows.end_use(change.connection, use, state)


def _empty(here: View, change: Transaction, row: VoucherRow, step: Literal["expire", "revoke"]) -> None:
    rules = here.load(row.rules, VoucherRules)
    free = pocket(row.organisation, row.identity, "free")
    left = transaction.balance(change.connection, free)
    move(change, Movement(step, rules, row.identity, {free: -left, fund_account(rules): left}))


def _pays_not(bill: MilestoneBill, reason: Text) -> RefusedError:
    amount = format_money(bill.amount, bill.currency)
    return RefusedError("voucher.not_for_milestone", voucher=bill.voucher, amount=amount, reason=reason)


def _last_moment(rules: VoucherRules) -> datetime:
    """Return the end of the programme's last day, by its offset from UTC."""
    return day_end(rules.ends) + timedelta(seconds=1) - timedelta(minutes=rules.utc_offset_minutes)
