"""Calls through a gateway's desk that a voucher pays, up to the wallet and the operator's reconciliation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pilotbase.documents.estimate import PriceList
from pilotbase.service.calls import Cost
from pilotbase.service.draining import drain
from pilotbase.workspace.store import Store
from pilotbase_estate.computing.told_vouchers import pay_calls_of, settle_closed_hours
from pilotbase_estate.documents.voucher import VoucherRules
from pilotbase_estate.vouchers import ledger, wallet
from tests.hub.vouchers_for_tests import RULES
from tests.service.services_for_tests import Served

PRICES = PriceList(pool="gateway", supplier="institute", prices={"calls": 100_000, "tokens": 1_000_000})
"""A hundred a call, one a token, of which 30 % are paid."""


@pytest.fixture(scope="module")
def paid(one_world):
    """A service with three answered calls of an hour that has closed by the worker's clock."""
    from pilotbase.hub.base import base

    store = base().lab.store
    served = Served(store, base().home.path)
    served.serve()
    wallet.set_rules(served.view, VoucherRules.model_validate(RULES))
    wallet.set_prices(served.view, PRICES)
    voucher = ledger.issue(served.view, "pilot", "plant", 50_000).identity
    pay_calls_of(served.view, "milling", voucher, "gateway")
    secret = served.key()
    with served.desk() as desk:
        for number in range(3):
            admission = desk.admit(secret, "milling", Cost(1, 10))
            desk.settle(admission, Cost(1, 10), served.observed(f"{number}/0"))
        drain(served.view, served.journals)
    return one_world


def get(world, who, address):
    return world.client(who).get(address)


def later(hours: int):
    """What the worker sees so many hours on."""
    from pilotbase.hub.base import base

    store = base().lab.store
    clock = lambda: datetime.now(UTC) + timedelta(hours=hours)  # noqa: E731
    return Store(store.database, store.key, clock).as_actor(base().lab.view.actor)


def test_calls_of_a_service_stand_in_the_wallet_and_beside_the_gateways_meters(paid):
    assert settle_closed_hours(later(0)) == 0
    assert settle_closed_hours(later(2)) == 1
    told = get(paid, "owner", "/api/vouchers/plant").json()
    [move] = [one for one in told["movements"] if one["step"] == "settle"]
    assert move["job"].startswith("service:milling@") and move["amount"] == 99
    assert told["vouchers"][0]["used"] == 99
    assert move["job"] in get(paid, "owner", "/vouchers/").content.decode()
    claimable = get(paid, "owner", "/api/voucher-uses").json()
    assert [(one["job"], one["cost"], one["sides"]) for one in claimable] == [(move["job"], 330, ["consumer"])]
    metered = get(paid, "desk", "/api/voucher-metering").json()["uses"]
    assert {(one["dimension"], one["metered"], one["settled"]) for one in metered} == {
        ("calls", 3, 3), ("tokens", 30, 30)
    }  # fmt: skip
    assert {(one["subsidy"], one["posted"]) for one in metered} == {(99, 99)}
