"""Calls of a service that a voucher pays: each once, in closed hours, whatever comes late or is done again."""

from datetime import timedelta

import pytest

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.estimate import PriceList
from pilotbase.documents.vocabularies import CallEnd, Role
from pilotbase.service.calls import Cost
from pilotbase.service.draining import drain
from pilotbase.workspace.actors import actor
from pilotbase.workspace.failures import NotFoundError
from pilotbase_estate.computing.told_vouchers import pay_calls_of, reconciled_hours, voucher_round
from pilotbase_estate.documents.voucher import VoucherRules
from pilotbase_estate.vouchers import ledger, rows
from pilotbase_estate.vouchers.wallet import set_prices, set_rules, wallet
from tests.catalogue.records_for_tests import Trial
from tests.service.conftest import key, served
from tests.service.services_for_tests import Served

__all__ = ["key", "served"]
RULES = VoucherRules(
    name="pilot",
    title="For tests",
    issuer="city",
    begins="2026-01-01",
    ends="2026-12-31",
    claimed_by=("consumer",),
    rate=5000,
    cap_voucher=100_000,
    cap_year=100_000,
    total=1_000_000,
    valid_days=10,
)
PRICES = PriceList(pool="gateway", supplier="centre", prices={"calls": 10_000, "tokens": 1_000_000})
"""Ten a call, one a token: so that a few are whole money."""


@pytest.fixture
def voucher(served: Served) -> str:
    set_rules(served.view, RULES)
    set_prices(served.view, PRICES)
    served.serve()
    return ledger.issue(served.view, "pilot", "plant", 50_000).identity


def call(served: Served, times: int, tokens: int = 0, **observed) -> None:
    """Answer calls through a gateway's desk, and take its journal in."""
    secret = served.key()
    with served.desk() as desk:
        for number in range(times):
            admission = desk.admit(secret, "milling", Cost(1, tokens))
            desk.settle(admission, Cost(1, tokens), served.observed(f"{number}/0", **observed))
        drain(served.view, served.journals)


def balances(served: Served) -> tuple[int, int, int]:
    (one,) = wallet(served.view, "plant").vouchers
    return one.free, one.held, one.used


def test_each_call_is_paid_once_when_its_hour_has_closed(served: Served, voucher: str, clock) -> None:
    pay_calls_of(served.view.as_actor(actor("plant", Role.DEMAND_OWNER)), "milling", voucher, "gateway")
    call(served, 3, tokens=20)
    call(served, 2, end=CallEnd.TIMED_OUT)
    assert voucher_round(served.view) == 0, "the hour is not over"
    clock.step(4200)
    assert voucher_round(served.view) == 1
    assert balances(served) == (50_000 - 45, 0, 45)
    assert voucher_round(served.view) == 0
    with served.view.reading() as connection:
        (use,) = rows.uses_of_job(connection, "service:milling@2026-05-01T12")
    assert (use.attempt, use.state, use.subsidy) == (0, "settled", 45)


def test_what_comes_late_is_an_attempt_of_its_own(served: Served, voucher: str, clock) -> None:
    pay_calls_of(served.view, "milling", voucher, "gateway")
    call(served, 2)
    began = clock.now
    clock.step(4200)
    voucher_round(served.view)
    later, clock.now = clock.now, began
    call(served, 3)
    clock.now = later
    assert voucher_round(served.view) == 1
    assert balances(served) == (50_000 - 25, 0, 25)
    assert [row.attempt for row in wallet(served.view, "plant").movements if row.step == "settle"] == [1, 0]


def test_calls_of_before_are_not_paid_nor_those_of_a_related_supplier(served: Served, voucher: str, clock) -> None:
    call(served, 4)
    clock.step(3600)
    pay_calls_of(served.view, "milling", voucher, "gateway")
    clock.step(4200)
    assert voucher_round(served.view) == 0
    Trial(served.store).register("centre", Role.SUPPLIER, related=("plant",))
    call(served, 2)
    clock.step(4200)
    assert voucher_round(served.view) == 0


def test_an_expired_voucher_leaves_the_calls_to_its_organisation(served: Served, voucher: str, clock) -> None:
    pay_calls_of(served.view, "milling", voucher, "gateway")
    clock.step(timedelta(days=10).total_seconds())
    call(served, 2)
    clock.step(4200)
    assert voucher_round(served.view) == 1, "the voucher is taken back"
    assert balances(served) == (0, 0, 0)
    assert voucher_round(served.view) == 0
    with pytest.raises(RefusedError) as caught:
        pay_calls_of(served.view, "milling", voucher, "gateway")
    assert caught.value.code == "voucher.expired"


def test_a_service_is_paid_by_a_voucher_of_its_own_organisation(served: Served, voucher: str) -> None:
    other = ledger.issue(served.view, "pilot", "acme", 500).identity
    with pytest.raises(RefusedError) as caught:
        pay_calls_of(served.view, "milling", other, "gateway")
    assert caught.value.code == "voucher.foreign_service"
    with pytest.raises(NotFoundError):
        pay_calls_of(served.view.as_actor(actor("stranger", Role.SUPPLIER)), "milling", voucher, "gateway")


def test_the_gateways_meters_stand_beside_what_was_settled_of_each_hour(served: Served, voucher: str, clock) -> None:
    pay_calls_of(served.view, "milling", voucher, "gateway")
    call(served, 2, tokens=5)
    began = clock.now
    clock.step(4200)
    told = {(one.dimension, one.metered, one.settled, one.difference) for one in reconciled_hours(served.view)}
    assert told == {("calls", 2, 0, 2), ("tokens", 10, 0, 10)}, "a closed hour that nobody has settled is open"
    voucher_round(served.view)
    clock.now = began
    call(served, 3)
    clock.step(4200)
    told = {(one.dimension, one.metered, one.settled, one.difference) for one in reconciled_hours(served.view)}
    assert told == {("calls", 5, 2, 3), ("tokens", 10, 10, 0)}
    voucher_round(served.view)
    assert {(one.attempt, one.difference) for one in reconciled_hours(served.view)} == {(2, 0)}
