"""From issue to settlement: what a voucher pays, what it never does, and steps that are taken twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from vouchers_for_tests import HOUR, PRICES, RULES, codes

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.vouchers import ledger, wallet
from pilotbase_estate.vouchers.rules import way_between
from pilotbase_estate.vouchers.settling import settle
from pilotbase_estate.vouchers.wallet import Movement, move


def refused(code: str, act, kind: type[Exception] = RefusedError) -> str:
    """Return what is told in English of an act that is refused under a code."""
    with pytest.raises(kind) as caught:
        act()
    assert caught.value.code == code
    assert caught.value.render("zh")
    return caught.value.render("en")


def test_an_hour_of_use_is_held_settled_and_what_is_left_goes_back(books):
    voucher = books.issue(amount=50_000)
    held = books.hold(voucher, seconds=2 * HOUR)
    assert (held.cost, held.wanted, held.held) == (2800, 840, 840)
    assert books.balances()[f"acme/voucher/{voucher}/held"] == 840
    books.clock.step(HOUR)
    settled = books.settle()
    assert (settled.cost, settled.counted, settled.subsidy, settled.own) == (1400, 1400, 420, 980)
    assert [(line.of, line.amount, line.cost) for line in settled.lines] == [
        ("cpu", 4 * HOUR * 1000, 400),
        ("gpu/t4", HOUR * 1000, 1000),
    ]
    assert not settled.findings and settled.reason is None
    assert books.balances() == {
        "city/voucher-fund/pilot": -50_000,
        f"acme/voucher/{voucher}/free": 49_580,
        f"acme/voucher/{voucher}/used": 420,
    }
    books.require_balanced()


def test_steps_taken_twice_change_nothing_and_other_facts_are_refused(books):
    voucher = books.issue()
    assert books.hold(voucher) == books.hold(voucher)
    refused("voucher.held_otherwise", lambda: books.hold(voucher, seconds=7200), ConflictError)
    books.clock.step(HOUR)
    finished = books.finished()
    size = len(books.operator.log_entries(limit=10**6))
    settled = books.settle_as(finished)
    grown = len(books.operator.log_entries(limit=10**6))
    assert grown > size
    assert books.settle_as(finished) == settled
    refused("voucher.settled_otherwise", lambda: books.settle(hours=0.5), ConflictError)
    elsewhere = finished.model_copy(update={"capacity": Resources({"cpu": 1})})
    refused("voucher.settled_otherwise", lambda: books.settle_as(elsewhere), ConflictError)
    refused("voucher.settled_already", books.release, ConflictError)
    assert len(books.operator.log_entries(limit=10**6)) == grown
    assert books.refund() and not books.refund()
    assert books.balances()[f"acme/voucher/{voucher}/free"] == 50_000
    books.require_balanced()


def test_a_job_that_never_ran_costs_nothing_and_its_late_result_is_refused(here):
    voucher = here.issue()
    here.hold(voucher)
    refused("voucher.not_settled", here.refund, ConflictError)
    assert here.release() and not here.release()
    refused("voucher.released", here.settle, ConflictError)
    assert here.balances()[f"acme/voucher/{voucher}/free"] == 50_000
    here.hold(voucher, attempt=2)
    here.require_balanced()


def test_a_voucher_pays_as_far_as_it_goes_and_never_below_zero(here):
    voucher = here.issue(amount=500)
    assert here.hold(voucher, seconds=2 * HOUR).held == 500
    told = refused("voucher.not_payable", lambda: here.hold(voucher, job="job:2"))
    assert "the voucher has nothing left" in told
    here.clock.step(2 * HOUR)
    settled = here.settle(hours=2)
    assert (settled.subsidy, settled.own, codes([settled.reason])) == (500, 2300, ["as_held"])
    assert "3.40 CNY less" in settled.reason.render("en")
    here.require_balanced()


def test_the_cap_of_a_year_bounds_all_vouchers_of_an_organisation(here):
    for number in range(3):
        voucher = here.issue(amount=100_000)
        held = here.hold(voucher, f"job:{number}", seconds=240 * HOUR, demand=Resources({"gpu/t4": 4}))
        assert held.held == (100_000, 100_000, 50_000)[number]
    told = refused("voucher.not_payable", lambda: here.hold(here.issue(), "job:9"))
    assert "only 0.00 CNY of the yearly cap of 2,500.00 CNY is left" in told
    assert here.hold(here.issue("other"), "job:other").held == 420
    assert here.release("job:2")
    assert here.hold(here.issue(), "job:10").held == 420
    here.require_balanced()


def test_a_fund_gives_no_more_than_it_has(here):
    wallet.set_rules(here.operator, RULES.model_copy(update={"total": 120_000}))
    here.issue(amount=100_000)
    assert "200.00 CNY left" in refused("voucher.fund_low", lambda: here.issue(amount=20_001))
    assert "1,000.00 CNY" in refused("voucher.beyond_cap", lambda: here.issue(amount=100_001))
    refused("voucher.no_amount", lambda: here.issue(amount=0), InputError)
    below = RULES.model_copy(update={"total": 99_999, "cap_voucher": 10})
    refused("voucher.total_below", lambda: wallet.set_rules(here.operator, below), InputError)
    elsewhere = RULES.model_copy(update={"issuer": "town"})
    refused("voucher.fund_changed", lambda: wallet.set_rules(here.operator, elsewhere), InputError)
    refused("voucher.no_programme", lambda: ledger.issue(here.operator, "none", "acme", 1), NotFoundError)


def test_a_voucher_that_expires_between_hold_and_settlement_still_pays_and_the_rest_goes_to_the_fund(books):
    voucher = books.issue()
    books.clock.step(90 * 24 * HOUR - 60)
    books.hold(voucher, seconds=2 * HOUR)
    books.clock.step(HOUR)
    told = refused("voucher.expired", lambda: books.hold(voucher, "job:2"))
    assert "Existing holds are still settled" in told
    assert ledger.expire_due(books.operator) == 1
    assert books.balances() == {"city/voucher-fund/pilot": -840, f"acme/voucher/{voucher}/held": 840}
    assert books.settle().subsidy == 420
    assert books.balances() == {"city/voucher-fund/pilot": -420, f"acme/voucher/{voucher}/used": 420}
    assert ledger.expire_due(books.operator) == 0
    assert books.refund()
    assert books.balances() == {}
    books.require_balanced()


def test_work_after_the_deadline_of_a_hold_is_not_paid(here):
    voucher = here.issue()
    here.hold(voucher, seconds=96 * HOUR)
    here.clock.step(64 * HOUR)
    settled = here.settle(hours=64)
    assert (settled.cost, settled.subsidy) == (1400 * 48, 420 * 48)
    assert codes([settled.reason]) == ["until_deadline"]
    assert settled.settled["gpu/t4"] == 48 * HOUR * 1000
    here.require_balanced()


def test_a_hold_that_nobody_settles_is_let_go_and_told(here):
    voucher = here.issue()
    here.hold(voucher)
    here.clock.step(HOUR)
    sheet = here.finished()
    here.clock.step(71 * HOUR - 1)
    assert ledger.expire_due(here.operator) == 0
    here.clock.step(1)
    assert ledger.expire_due(here.operator) == 1
    assert here.balances()[f"acme/voucher/{voucher}/free"] == 50_000
    settled = here.settle_as(sheet)
    assert (settled.cost, settled.subsidy, settled.own, codes([settled.reason])) == (1400, 0, 1400, ["lapsed"])
    assert here.settle_as(sheet) == settled
    here.require_balanced()


def test_what_is_revoked_pays_what_was_held_and_nothing_new(here):
    voucher = here.issue()
    here.hold(voucher)
    ledger.revoke(here.operator, voucher, "false declaration")
    refused("voucher.revoked", lambda: here.hold(voucher, "job:2"))
    refused("voucher.over_already", lambda: ledger.revoke(here.operator, voucher, "again"), ConflictError)
    assert here.balances() == {"city/voucher-fund/pilot": -420, f"acme/voucher/{voucher}/held": 420}
    here.clock.step(HOUR)
    here.settle(hours=0.5)
    assert here.balances() == {"city/voucher-fund/pilot": -210, f"acme/voucher/{voucher}/used": 210}
    here.require_balanced()


def test_related_parties_are_refused_through_whomever(here):
    ties = {"acme": {"holding"}, "centre": {"holding"}, "other": set()}
    voucher = here.issue()
    told = refused("voucher.not_payable", lambda: here.hold(voucher, ties=ties))
    assert "acme and centre are related: acme – holding – centre" in told
    assert here.hold(here.issue("third"), ties=ties).held == 420
    own = here.issue("centre")
    assert "centre and centre are related" in refused("voucher.not_payable", lambda: here.hold(own, "job:2"))
    here.require_balanced()


def test_ways_between_organisations():
    ties = {"a": {"b"}, "c": {"b", "d"}, "e": {"f"}}
    assert way_between(ties, "a", "d") == ("a", "b", "c", "d")
    assert way_between(ties, "d", "a") == ("d", "c", "b", "a")
    assert way_between(ties, "a", "e") == ()
    assert way_between(ties, "x", "y") == ()
    assert way_between({}, "x", "x") == ("x",)


def test_every_rule_that_a_payment_does_not_meet_is_told_at_once(here):
    voucher = here.issue()
    asked = {"demand": Resources({"disk": "1 GiB"}), "seconds": HOUR, "ties": {"acme": {"centre"}}}
    told = refused("voucher.not_payable", lambda: here.hold(voucher, **asked))
    assert "related" in told and "not subsidised (disk)" in told and "below the minimum of 1.00 CNY" in told


def test_prices_in_another_currency_are_not_paid(here):
    wallet.set_prices(here.operator, PRICES.model_copy(update={"currency": "EUR"}))
    told = refused("voucher.other_currency", lambda: here.hold(here.issue()), InputError)
    assert "hall has prices in EUR, but the voucher pays in CNY" in told


def test_prices_and_rules_are_those_of_the_hold(here):
    voucher = here.issue()
    here.hold(voucher)
    wallet.set_prices(here.operator, PRICES.model_copy(update={"prices": {"cpu": 1}}))
    wallet.set_rules(here.operator, RULES.model_copy(update={"rate": 1}))
    here.clock.step(HOUR)
    assert here.settle().subsidy == 420


def test_an_organisation_holds_its_own_voucher_alone_and_settles_nothing(here):
    voucher = here.issue()
    acme, other = here.as_organisation("acme"), here.as_organisation("other")
    refused("voucher.unknown", lambda: here.hold(voucher, by=other), NotFoundError)
    assert here.hold(voucher, by=acme).held == 420
    with pytest.raises(RefusedError), acme.transaction("forged") as change:
        settle(acme.within(change), change, here.finished())
    for act in (
        lambda: ledger.issue(acme, "pilot", "acme", 1),
        lambda: ledger.revoke(acme, voucher, "mine"),
        lambda: wallet.set_rules(acme, RULES),
        lambda: wallet.set_prices(acme, PRICES),
    ):
        refused("workspace.operator_only", act)
    here.require_balanced()


def test_no_movement_takes_an_account_below_its_floor(here):
    """Whatever a step of ours may get wrong: the books refuse it, and nothing of it stands."""
    voucher = here.issue(amount=100)
    fund, free, held = "city/voucher-fund/pilot", f"acme/voucher/{voucher}/free", f"acme/voucher/{voucher}/held"
    for amounts in ({free: -101, held: 101}, {fund: -1_000_000, free: 1_000_000}):
        with pytest.raises(RefusedError) as caught, here.operator.transaction("voucher.wrong") as change:
            move(change, Movement("hold", RULES, voucher, amounts, "job:1", 1))
        assert caught.value.code == "workspace.balance_low"
    assert here.balances() == {fund: -100, free: 100}
    here.require_balanced()


def test_settlements_that_race_are_made_once(books):
    voucher = books.issue(amount=100_000)
    for number in range(4):
        books.hold(voucher, f"job:{number}")
    books.clock.step(HOUR)
    finished = [books.finished(f"job:{number}") for number in range(4)] * 3
    with ThreadPoolExecutor(8) as pool:
        settled = list(pool.map(books.settle_as, finished))
    assert {one.subsidy for one in settled} == {420} and len({one.digest() for one in settled}) == 4
    assert books.balances()[f"acme/voucher/{voucher}/used"] == 4 * 420
    books.require_balanced()


def test_holds_that_race_never_overspend(books):
    voucher = books.issue(amount=1000)

    def try_to_hold(number: int) -> int:
        try:
            return books.hold(voucher, f"job:{number}").held
        except RefusedError:
            return 0

    with ThreadPoolExecutor(8) as pool:
        held = sorted(pool.map(try_to_hold, range(8)))
    assert held == [0] * 5 + [160, 420, 420]
    books.require_balanced()


def test_expiry_and_settlement_race_and_the_books_balance(books):
    voucher = books.issue(amount=100_000)
    books.clock.step(88 * 24 * HOUR)
    for number in range(4):
        books.hold(voucher, f"job:{number}")
    books.clock.step(72 * HOUR)
    acts = [lambda: ledger.expire_due(books.operator)] * 3
    acts += [lambda job=f"job:{number}": books.settle(job) for number in range(4)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda act: act(), acts))
    left = books.balances()
    assert f"acme/voucher/{voucher}/free" not in left and f"acme/voucher/{voucher}/held" not in left
    books.require_balanced()
