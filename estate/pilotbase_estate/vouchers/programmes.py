"""Programmes and price lists: documents that the operator sets; each version stays where it was used."""

from __future__ import annotations

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.prices import PriceList
from pilotbase.workspace import transaction
from pilotbase.workspace.actors import PUBLIC
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase_estate.documents.voucher import VoucherRules

_ALL = 10_000


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
