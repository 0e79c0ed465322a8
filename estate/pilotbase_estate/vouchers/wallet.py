"""An organisation's wallet: what its vouchers have, what is on hold, what moved, what is left of each year's cap.

One movement of a programme's money: a transfer that sums to zero, its number, and its line of the log.

    fund ──issue──► free ──hold──► held ──settle──► used ──claim──► granted ──pay──► paid
      ▲              │ ▲            │ │              │                                 ▲
      └─expire,revoke┤ └────────────┘ └─► fund       └─refund─► free, or fund          │
                     └───────────────────────milestone─────────────────────────────────┘

The fund's account is below zero by the amount paid out of it. No other account is ever below zero, and all of them sum
to zero. What is given back goes to where it came from while the voucher is valid, and otherwise to the fund.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.estimate import PriceList
from pilotbase.documents.hashes import Digest
from pilotbase.documents.texts import Text
from pilotbase.workspace import transaction
from pilotbase.workspace.actors import PUBLIC
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.log.entries import Fact
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction
from pilotbase_estate.documents.api.vouchers import YearTold
from pilotbase_estate.documents.voucher import Settlement, VoucherHold, VoucherRules
from pilotbase_estate.vouchers import rows
from pilotbase_estate.vouchers.rows import MoveRow, UseRow, VoucherRow, VoucherState

_ALL, _MOST_RECONCILED = 10_000, 500


def set_rules(view: View, rules: VoucherRules) -> Digest:
    """Set a programme's ``rules`` from now on; vouchers issued before keep theirs. A repeated request changes nothing.

    Raises:
        RefusedError: the actor is not the operator.
        InputError: another fund or currency than before, or a total below what was issued.
    """
    with view.transaction("voucher.rules_set") as change:
        change.require_operator()
        here = view.within(change)
        known = here.outcome()
        if known is not None:
            return known
        before = here.head(_rules_head(rules.name))
        if before is not None:
            _require_same_fund(here.load(before, VoucherRules), rules)
        issued = -transaction.balance(change.connection, fund_account(rules))
        if rules.total < issued:
            raise InputError("voucher.total_below", total=rules.spell(rules.total), issued=rules.spell(issued))
        digest = change.put(rules, PUBLIC)
        change.let_stand(_rules_head(rules.name), digest)
        change.settle(digest)
    return digest


def set_prices(view: View, prices: PriceList) -> Digest:
    """Set a pool's ``prices`` from now on; what is on hold is settled at the prices of its hold.

    Raises:
        RefusedError: the actor is not the operator.
    """
    with view.transaction("voucher.prices_set") as change:
        change.require_operator()
        digest = change.put(prices, PUBLIC)
        change.let_stand(_prices_head(prices.pool), digest)
    return digest


def rules_of(view: View, programme: str) -> tuple[Digest, VoucherRules]:
    """Return the rules of a programme today; raises `NotFoundError`."""
    digest = view.head(_rules_head(programme))
    if digest is None:
        raise NotFoundError("voucher.no_programme", programme=programme)
    return digest, view.load(digest, VoucherRules)


def programmes(view: View) -> list[tuple[Digest, VoucherRules]]:
    """Return the rules of every programme today, by name."""
    names = {stored.load(VoucherRules).name for stored in view.find("voucher-rules", limit=_ALL)}
    return [rules_of(view, name) for name in sorted(names)]


def prices_of(view: View, pool: str) -> tuple[Digest, PriceList]:
    """Return the prices of a pool today; raises `NotFoundError`."""
    digest = view.head(_prices_head(pool))
    if digest is None:
        raise NotFoundError("voucher.no_prices", pool=pool)
    return digest, view.load(digest, PriceList)


def fund_account(rules: VoucherRules) -> str:
    """Return the account from which a programme's vouchers come: below zero by the amount paid out of it."""
    return f"{rules.issuer}/voucher-fund/{rules.name}"


def require_on(rules: VoucherRules, today: str) -> None:
    """Require that a programme issues vouchers today; raises `RefusedError`."""
    if not rules.begins <= today <= rules.ends:
        raise RefusedError("voucher.programme_not_on", programme=rules.name, begins=rules.begins, ends=rules.ends)


def _require_same_fund(before: VoucherRules, rules: VoucherRules) -> None:
    if (before.issuer, before.currency) != (rules.issuer, rules.currency):
        raise InputError("voucher.fund_changed", programme=rules.name, issuer=before.issuer, currency=before.currency)


def _rules_head(programme: str) -> str:
    return f"voucher-rules:{programme}"


def _prices_head(pool: str) -> str:
    return f"price-list:{pool}"


Step = Literal["issue", "hold", "settle", "release", "lapse", "refund", "expire", "revoke", "claim", "pay", "milestone"]
Pocket = Literal["free", "held", "used"]


@dataclass(frozen=True)
class Movement:
    """A movement's purpose; a step happens once for a voucher, an attempt of a job, or a milestone of a call."""

    step: Step
    rules: VoucherRules
    voucher: str
    amounts: Mapping[str, int]
    """Account → how much comes in; sums to zero."""
    job: str = ""
    attempt: int = 0


def move(change: Transaction, movement: Movement) -> None:
    """Post a movement, number it, and enter it into the log, all in the transaction of ``change``.

    Raises:
        RefusedError: an account would fall below its floor, or the actor may not write for one of the parties.
        ConflictError: the step was taken before with other amounts.
    """
    amounts = {account: amount for account, amount in movement.amounts.items() if amount}
    if not amounts:
        return
    programme, fund = movement.rules.name, fund_account(movement.rules)
    transfer = transfer_name(programme, movement.step, movement.voucher, movement.job, movement.attempt)
    floors = {account: -movement.rules.total if account == fund else 0 for account in amounts}
    change.vouch_for(movement.rules.issuer)
    change.post(transfer, amounts, at_least=floors)
    amount = sum(amount for amount in amounts.values() if amount > 0)
    place = rows.last_place(change.connection, programme) + 1
    row = rows.MoveRow(
        programme,
        place,
        transfer,
        movement.step,
        movement.voucher,
        movement.job,
        movement.attempt,
        amount,
        change.now,
    )
    rows.insert_row(change.connection, row)
    facts: dict[str, Fact] = {"programme": programme, "place": place, "transfer": transfer, "amount": amount}
    posted = {f"posting {account}": posted for account, posted in amounts.items()}
    subjects = [f"voucher:{movement.voucher}", *([f"job:{movement.job}"] if movement.job else [])]
    change.record(f"voucher.{movement.step}", subjects, {**facts, **posted})


def transfer_name(programme: str, step: str, voucher: str, job: str = "", attempt: int = 0) -> str:
    """Return the name of a step's transfer: of an attempt of a job, or of the voucher itself."""
    return f"voucher:{programme}:{step}:{f'{job}:{attempt}' if job else voucher}"


def pocket(organisation: str, voucher: str, name: Pocket) -> str:
    """Return the account of what a voucher has free, on hold, or used and not claimed."""
    return f"{organisation}/voucher/{voucher}/{name}"


def claims_account(claimant: str, programme: str, name: Literal["granted", "paid"]) -> str:
    """Return the account of what an organisation was granted from a programme, or paid."""
    return f"{claimant}/voucher-claims/{programme}/{name}"


def year_counter(organisation: str, programme: str, year: int) -> str:
    """Return the counter of what vouchers hold or have paid for an organisation in a year of a programme."""
    return f"{organisation}/voucher-year/{programme}/{year}"


@dataclass(frozen=True)
class ReconciliationLine:
    """One dimension of one use."""

    job: str
    attempt: int
    dimension: str
    metered: int
    """By the backend's own counters."""
    settled: int

    @property
    def difference(self) -> int:
        return self.metered - self.settled


@dataclass(frozen=True)
class Reconciliation:
    """A settled use: its counters, and its money."""

    use: UseRow
    currency: str
    lines: tuple[ReconciliationLine, ...]
    subsidy: int
    """What the voucher pays according to its settlement."""
    posted: int
    """What was posted for it when it was settled."""
    findings: tuple[Text, ...]


def reconciled(view: View) -> list[Reconciliation]:
    """Return the settled uses of the base beside their counters and postings, the newest of them.

    Raises:
        RefusedError: the actor is neither operator nor regulator.
    """
    if not view.actor.sees_all:
        raise RefusedError("voucher.reconciles_not", organisation=view.actor.organisation)
    with view.reading() as connection:
        uses = [use for use in rows.seen_uses(connection, view.actor) if use.settlement][:_MOST_RECONCILED]
        posted = [rows.posted_by(connection, _settling(use)) for use in uses]
    return [_of_use(view, use, amounts) for use, amounts in zip(uses, posted, strict=True)]


def lines_of(
    job: str, attempt: int, metered: Mapping[str, int], settled: Mapping[str, int]
) -> Iterator[ReconciliationLine]:
    """Yield what was metered beside what was settled, in each dimension that either knows."""
    for name in sorted(metered.keys() | settled.keys()):
        yield ReconciliationLine(job, attempt, name, metered.get(name, 0), settled.get(name, 0))


def settled_of(here: View, uses: Iterable[UseRow]) -> dict[str, int]:
    """Return what settlements bill, dimension by dimension, together."""
    found: dict[str, int] = {}
    for use in uses:
        for name, amount in here.load(use.settlement, Settlement).settled.items() if use.settlement else ():
            found[name] = found.get(name, 0) + amount
    return found


def _settling(use: UseRow) -> str:
    return transfer_name(use.programme, "settle", use.voucher, use.job, use.attempt)


def _of_use(view: View, use: UseRow, posted: Mapping[str, int]) -> Reconciliation:
    settlement = view.load(use.settlement, Settlement)
    rules = view.load(view.load(use.hold, VoucherHold).rules, VoucherRules)
    return Reconciliation(
        use=use,
        currency=rules.currency,
        lines=tuple(lines_of(use.job, use.attempt, settlement.usage.counted, settlement.settled)),
        subsidy=settlement.subsidy,
        posted=posted.get(pocket(use.organisation, use.voucher, "used"), 0),
        findings=settlement.findings,
    )


@dataclass(frozen=True)
class VoucherStanding:
    """A voucher's balances."""

    voucher: VoucherRow
    currency: str
    pays: bool
    """Whether it takes new holds now."""
    free: int
    held: int
    used: int
    """Paid for use, and not yet granted to anyone."""

    @property
    def state(self) -> VoucherState:
        """Its state today: one past its last day has expired, even before a worker has taken back what it has free."""
        return "expired" if self.voucher.state == "valid" and not self.pays else self.voucher.state


@dataclass(frozen=True)
class Wallet:
    """All that an organisation has of vouchers."""

    organisation: str
    vouchers: tuple[VoucherStanding, ...]
    """Newest first."""
    holds: tuple[UseRow, ...]
    """What is on hold now, newest first."""
    movements: tuple[MoveRow, ...]
    """Newest first."""
    years: tuple[YearTold, ...]
    """By programme: this year's."""

    @property
    def balance(self) -> dict[str, int]:
        """Currency → what is free in vouchers that pay."""
        found: defaultdict[str, int] = defaultdict(int)
        for one in self.vouchers:
            found[one.currency] += one.free if one.pays else 0
        return dict(found)


def wallet(view: View, organisation: str, movements: int = 50) -> Wallet:
    """Return the wallet of an organisation with its newest ``movements``; empty if it has no vouchers.

    Raises:
        NotFoundError: it is another organisation's, and the actor is neither operator nor regulator.
    """
    if not view.actor.sees_all and view.actor.organisation != organisation:
        raise NotFoundError("voucher.no_wallet", organisation=organisation)
    now = view.store.clock()
    with view.reading() as connection:
        found = rows.vouchers_of(connection, view.actor, organisation)
        uses = [use for one in found for use in rows.seen_uses(connection, view.actor, one.identity)]
        moved = [row for one in found for row in rows.moves_of(connection, one.identity)]
        claimed = {row.programme for row in rows.seen_claims(connection, view.actor) if row.claimant == organisation}
    standings = tuple(_standing(view, row, now) for row in found)
    programmes = sorted({row.programme for row in found} | claimed)
    newest = sorted(moved, key=lambda row: (row.moved_at, row.programme, row.place), reverse=True)
    return Wallet(
        organisation=organisation,
        vouchers=standings,
        holds=tuple(use for use in uses if use.state == "held"),
        movements=tuple(newest[:movements]),
        years=tuple(_year(view, organisation, programme, now) for programme in programmes),
    )


def _standing(view: View, row: VoucherRow, now: datetime) -> VoucherStanding:
    currency = view.load(row.rules, VoucherRules).currency
    with view.reading() as connection:
        free, held, used = (_balance(connection, row, name) for name in ("free", "held", "used"))
    return VoucherStanding(row, currency, row.takes_holds(now), free, held, used)


def _balance(connection: Connection, row: VoucherRow, name: Pocket) -> int:
    return transaction.balance(connection, pocket(row.organisation, row.identity, name))


def _year(view: View, organisation: str, programme: str, now: datetime) -> YearTold:
    rules = rules_of(view, programme)[1]
    year = rules.year(now)
    with view.reading() as connection:
        taken = transaction.counter(connection, year_counter(organisation, programme, year))
        granted = transaction.balance(connection, claims_account(organisation, programme, "granted"))
        paid = transaction.balance(connection, claims_account(organisation, programme, "paid"))
    return YearTold(
        programme=programme,
        currency=rules.currency,
        year=year,
        cap=rules.cap_year,
        taken=taken,
        left=max(rules.cap_year - taken, 0),
        granted=granted,
        paid=paid,
    )
