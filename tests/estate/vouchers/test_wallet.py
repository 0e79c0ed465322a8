"""The wallet: what is there, what is on hold, what moved, what is left of the year; of others there is none."""

import pytest
from vouchers_for_tests import HOUR, Books

from pilotbase.workspace.actors import Role, actor
from pilotbase.workspace.failures import NotFoundError
from pilotbase_estate.vouchers import ledger, rows
from pilotbase_estate.vouchers.wallet import wallet


def test_a_wallet_tells_what_its_organisation_has(here: Books) -> None:
    first, second = here.issue(amount=50_000), here.issue(amount=1_000)
    here.used(first)
    here.hold(first, "job:2")
    ledger.revoke(here.operator, second, "false declaration")
    found = wallet(here.as_organisation("acme"), "acme")
    by_name = {one.voucher.identity: one for one in found.vouchers}
    assert (by_name[first].free, by_name[first].held, by_name[first].used) == (49_160, 420, 420)
    assert by_name[first].pays and not by_name[second].pays
    assert found.balance == {"CNY": 49_160}
    assert [(use.job, use.held) for use in found.holds] == [("job:2", 420)]
    assert [move.step for move in found.movements] == ["revoke", "hold", "settle", "hold", "issue", "issue"]
    (year,) = found.years
    assert (year.year, year.cap, year.taken, year.left) == (2026, 250_000, 840, 249_160)
    assert [move.step for move in wallet(here.operator, "acme", movements=2).movements] == ["revoke", "hold"]


def test_a_supplier_sees_what_it_was_granted_and_paid(here: Books) -> None:
    here.used(here.issue())
    made = here.claim_of()
    here.claim(made)
    (year,) = wallet(here.as_organisation("centre"), "centre").years
    assert (year.granted, year.paid) == (420, 0)
    here.pay(made.digest())
    (year,) = wallet(here.as_organisation("centre"), "centre").years
    assert (year.granted, year.paid) == (0, 420)


def test_an_expired_voucher_is_no_balance_before_anybody_has_taken_it_back(here: Books) -> None:
    here.issue()
    here.clock.step(90 * 24 * HOUR)
    found = wallet(here.operator, "acme")
    assert found.balance == {"CNY": 0} and not found.vouchers[0].pays
    assert ledger.expire_due(here.operator) == 1
    assert wallet(here.operator, "acme").vouchers[0].free == 0


def test_the_wallet_of_others_does_not_exist(here: Books) -> None:
    voucher = here.issue()
    here.hold(voucher)
    other, ministry = here.as_organisation("other"), here.store.as_actor(actor("ministry", Role.REGULATOR))
    with pytest.raises(NotFoundError) as caught:
        wallet(other, "acme")
    assert caught.value.code == "voucher.no_wallet"
    assert wallet(other, "other").vouchers == ()
    for view, seen in ((other, 0), (ministry, 1), (here.operator, 1), (here.as_organisation("acme"), 1)):
        with here.store.database.read() as connection:
            assert len(rows.vouchers_of(connection, view.actor)) == seen
            assert len(rows.seen_uses(connection, view.actor)) == seen
        assert len(view.find("voucher")) == seen
        assert view.balance(f"acme/voucher/{voucher}/held") == 420 * seen
    assert len(here.as_organisation("centre").find("voucher-hold")) == 1, "its supplier sees the hold"
    assert wallet(ministry, "acme").holds
