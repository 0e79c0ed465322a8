"""Wallets on a hub: what an organisation has, what became of its claims and why; nobody else's."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from pilotbase.documents.texts import text
from pilotbase_estate.vouchers.wallet import Step
from tests.hub.vouchers_for_tests import Purse


@pytest.fixture(scope="module")
def purse(one_world):
    made = Purse(one_world)
    made.voucher = made.filled()
    return made


def page(purse, who, address="/vouchers/", language="en"):
    return purse.world.client(who).get(address, headers={"Accept-Language": language})


def test_a_wallet_tells_what_is_free_held_used_and_left_of_the_year(purse):
    told = page(purse, "supplier", "/api/vouchers/acme").json()
    assert told["balance"] == {"CNY": 47_600}
    [voucher] = told["vouchers"]
    assert {name: voucher[name] for name in ("identity", "state", "amount", "free", "held", "used", "pays")} == {
        "identity": purse.voucher, "state": "valid", "amount": 50_000, "free": 47_600, "held": 1200, "used": 0,
        "pays": True,
    }  # fmt: skip
    assert [(one["job"], one["held"]) for one in told["holds"]] == [("job:42", 1200)]
    assert {one["step"] for one in told["movements"]} == {"issue", "hold", "settle", "claim"}
    [year] = told["years"]
    assert (year["cap"], year["taken"], year["left"]) == (250_000, 2400, 247_600)
    shown = page(purse, "supplier").content.decode()
    for words in ("476.00 CNY", "12.00 CNY", "2,476.00 CNY", purse.voucher, "job:42"):
        assert words.replace(" ", "\u00a0") in shown, words
    assert "剩余" in page(purse, "supplier", language="zh").content.decode()


def test_each_movement_is_named_by_its_kind_in_the_readers_language(purse):
    named = {
        "en": {"Issued", "Put on hold", "Settled", "Claimed"},
        "zh": {"发放", "冻结", "结算", "申领"},
    }
    for language, kinds in named.items():
        shown = page(purse, "supplier", language=language).content.decode()
        told = re.findall(rf'data-label="{text("voucher.hub.step").render(language)}">([^<]*)</td>', shown)
        assert set(told) == kinds, told
        names = {text(f"voucher.step.{step}").render(language) for step in get_args(Step)}
        assert len(names) == len(get_args(Step)), "no two kinds are called the same"


def test_the_list_of_claims_is_no_wallet(purse):
    """Found by a tester: the operator was shown the wallet of an organisation named claims."""
    for who in ("desk", "supplier"):
        answer = page(purse, who, "/vouchers/claims/")
        assert (answer.status_code, answer["Location"]) == (302, "/voucher-claims/")


def test_a_claim_that_was_refused_says_which_rule_in_the_readers_language(purse):
    [refused] = page(purse, "supplier", "/api/vouchers/acme").json()["claims"]
    assert (refused["state"], refused["side"], refused["amount"]) == ("refused", "consumer", 0)
    assert "no evidence that the fee of 40.00 CNY was paid" in refused["failed"][0]
    assert refused["failed"][0] in page(purse, "supplier").content.decode()
    assert "没有证据表明已实际支付费用" in page(purse, "supplier", language="zh").content.decode()
    [granted] = page(purse, "reviewer", "/api/vouchers/institute").json()["claims"]
    assert (granted["state"], granted["amount"], granted["failed"]) == ("granted", 1200, [])


def test_nobody_sees_a_wallet_but_its_organisation_operator_and_regulator(purse):
    for who, status in (
        ("supplier", 200), ("desk", 200), ("regulator", 200), ("owner", 404), ("other-supplier", 404), ("reviewer", 404)
    ):  # fmt: skip
        for address in ("/vouchers/acme/", "/api/vouchers/acme"):
            answer = page(purse, who, address)
            assert answer.status_code == status, (who, address)
            assert (purse.voucher in answer.content.decode()) is (status == 200)
    for who, organisations in (
        ("supplier", ["acme"]), ("owner", []), ("reviewer", ["institute"]), ("desk", ["acme", "institute"])
    ):  # fmt: skip
        listed = page(purse, who, "/api/vouchers").json()
        assert [one["organisation"] for one in listed] == organisations, who
    others = page(purse, "other-supplier")
    assert others.status_code == 200 and purse.voucher not in others.content.decode()
    assert "/vouchers/acme/" in page(purse, "desk").content.decode()
