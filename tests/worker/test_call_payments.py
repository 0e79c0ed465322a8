"""Milestones of an awarded call that vouchers pay: out of what is free, once, and never beyond their balance."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from pilotbase.documents.errors import PilotbaseError
from pilotbase.worker.base import open_base
from pilotbase.worker.trials import call_awards
from pilotbase_estate.documents.voucher import VoucherRules
from pilotbase_estate.vouchers.ledger import issue
from pilotbase_estate.vouchers.wallet import set_rules, wallet
from tests.catalogue.records_for_tests import DESK, OWNER
from tests.worker.calls_for_tests import CALL, VOUCHERS, Called, Clock, refused

OTHER_CALL = "call:plant/bearing-2026"


@pytest.fixture
def paying(home):
    """Two calls, each with an accepted milestone of 360 CNY, on a base with vouchers."""
    clock = Clock()
    base = open_base(create=True, name="base", clock=clock)
    called = Called(base, clock)
    called.try_applications()
    for call in (OTHER_CALL, CALL):
        called.reach_awarded(call)
    set_rules(called.view(DESK), VoucherRules.model_validate(VOUCHERS))
    yield called
    base.lab.close()


def given(called, team, amount):
    return issue(called.view(DESK), "pilot", team, amount).identity


def pay(called, voucher, call=CALL):
    return call_awards.pay_milestone(called.base, called.view(OWNER), call, 1, "voucher", voucher)


def pockets(called, team="acme"):
    """Return what is free and what was paid out, by the team's own wallet."""
    found = wallet(called.view(called.team(team)), team)
    return [one.free for one in found.vouchers], sum(year.paid for year in found.years)


def test_a_milestone_is_paid_out_of_what_a_voucher_has_free(paying):
    voucher = given(paying, "acme", 50_000)
    assert pockets(paying) == ([50_000], 0)
    assert [one.amount for one in pay(paying, voucher).payments] == ["360"]
    assert pay(paying, voucher).payments == paying.history.payments, "noted again, it is not paid again"
    assert pockets(paying) == ([14_000], 36_000)
    [moved, _] = wallet(paying.view(DESK), "acme").movements
    assert (moved.step, moved.job, moved.attempt, moved.amount) == ("milestone", CALL, 1, 36_000)


def test_one_voucher_does_not_pay_two_calls_beyond_its_balance(paying):
    """Found by a reader: a voucher of 500 paid 360 for each of two calls."""
    voucher = given(paying, "acme", 50_000)
    pay(paying, voucher)
    error = refused("voucher.not_for_milestone", pay, paying, voucher, OTHER_CALL)
    assert "less than 360.00 CNY left" in error.render("en") and "another voucher" in error.hint.render("en")
    assert pockets(paying) == ([14_000], 36_000)
    further = given(paying, "acme", 36_000)
    pay(paying, further, OTHER_CALL)
    assert sorted(pockets(paying)[0]) == [0, 14_000]


def test_a_milestone_that_is_paid_by_two_at_the_same_moment_is_paid_once(paying):
    vouchers = [given(paying, "acme", 50_000), given(paying, "acme", 50_000)]

    def tried(voucher):
        with suppress(PilotbaseError):
            pay(paying, voucher)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tried, vouchers * 2))
    assert (sorted(pockets(paying)[0]), pockets(paying)[1]) == ([14_000, 50_000], 36_000)
    assert len(paying.history.payments) == 1


def test_a_voucher_that_may_not_pay_a_milestone_says_why(paying):
    for wrong in ("voucher 12", given(paying, "globex", 90_000), given(paying, "acme", 35_999)):
        refused("voucher.not_for_milestone", pay, paying, wrong)
    others = VoucherRules.model_validate({**VOUCHERS, "name": "euros", "currency": "EUR", "cap_year": 30_000})
    set_rules(paying.view(DESK), others)
    voucher = issue(paying.view(DESK), "euros", "acme", 90_000).identity
    said = refused("voucher.not_for_milestone", pay, paying, voucher).render("en")
    assert "pays in EUR, not in CNY" in said and "yearly cap" in said
    over = given(paying, "acme", 90_000)
    paying.clock.pass_days(91)
    refused("voucher.expired", pay, paying, over)
    assert pockets(paying)[1] == 0
