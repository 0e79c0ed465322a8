"""An organisation's wallet: what its vouchers have, what is on hold, what moved, what is left of each year's cap."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from pilotbase.workspace import budgets
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase_estate.documents.api.vouchers import YearTold
from pilotbase_estate.documents.voucher import VoucherRules
from pilotbase_estate.vouchers import rows
from pilotbase_estate.vouchers.moving import Pocket, claims_account, pocket, year_counter
from pilotbase_estate.vouchers.programmes import rules_of
from pilotbase_estate.vouchers.rows import MoveRow, UseRow, VoucherRow, VoucherState


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
    return budgets.balance(connection, pocket(row.organisation, row.identity, name))


def _year(view: View, organisation: str, programme: str, now: datetime) -> YearTold:
    rules = rules_of(view, programme)[1]
    year = rules.year(now)
    with view.reading() as connection:
        taken = budgets.counter(connection, year_counter(organisation, programme, year))
        granted = budgets.balance(connection, claims_account(organisation, programme, "granted"))
        paid = budgets.balance(connection, claims_account(organisation, programme, "paid"))
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
