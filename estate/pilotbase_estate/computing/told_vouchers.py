"""Vouchers as pages and API show them: an organisation's own; everybody's to operator and regulator."""

from __future__ import annotations

from pilotbase.documents.base import localized
from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import Language
from pilotbase.workspace.store import View
from pilotbase_estate.computing.told_claims import claim_told
from pilotbase_estate.documents.alike import alike
from pilotbase_estate.documents.api.vouchers import (
    HoldTold,
    MovementTold,
    ProgrammeListed,
    VoucherTold,
    WalletListed,
    WalletTold,
)
from pilotbase_estate.documents.voucher import VoucherRules
from pilotbase_estate.vouchers.programmes import programmes
from pilotbase_estate.vouchers.rows import seen_claims, vouchers_of
from pilotbase_estate.vouchers.wallet import VoucherStanding, wallet


def wallets_listed(view: View) -> list[WalletListed]:
    """Return whose wallets the actor may see: organisations that have vouchers or have claimed, by name."""
    with view.reading() as connection:
        holders = {row.organisation for row in vouchers_of(connection, view.actor)}
        claimants = {row.claimant for row in seen_claims(connection, view.actor)}
        claimants &= claimants if view.actor.sees_all else {view.actor.organisation}
    found = [wallet(view, name, movements=0) for name in sorted(holders | claimants)]
    return [alike(WalletListed, one, vouchers=len(one.vouchers)) for one in found]


def wallet_told(view: View, language: Language, organisation: str) -> WalletTold:
    """Return an organisation's wallet; raises `NotFoundError` for those who may not see it."""
    found = wallet(view, organisation)
    currencies = {one.voucher.identity: one.currency for one in found.vouchers}
    with view.reading() as connection:
        claims = [row for row in seen_claims(connection, view.actor) if row.claimant == organisation]
    return WalletTold(
        organisation=organisation,
        balance=found.balance,
        vouchers=[_voucher(one) for one in found.vouchers],
        holds=[alike(HoldTold, one, currency=currencies[one.voucher]) for one in found.holds],
        movements=[
            alike(MovementTold, row, currency=currencies[row.voucher], at=row.moved_at) for row in found.movements
        ],
        years=list(found.years),
        claims=[claim_told(view, language, row) for row in claims],
    )


def programmes_told(view: View, language: Language) -> list[ProgrammeListed]:
    """Return the programmes as they stand today, by name."""
    return [
        alike(ProgrammeListed, rules, title=localized(rules.title, language), version=digest)
        for digest, rules in programmes(view)
    ]


def require_named(rules: VoucherRules, programme: str) -> None:
    """Require that rules are those of a programme, if one is named; raises `InputError`."""
    if programme and rules.name != programme:
        raise InputError("voucher.other_programme", found=rules.name, programme=programme)


def _voucher(one: VoucherStanding) -> VoucherTold:
    standing = {name: getattr(one, name) for name in ("state", "free", "held", "used", "currency", "pays")}
    return alike(VoucherTold, one.voucher, **standing)
