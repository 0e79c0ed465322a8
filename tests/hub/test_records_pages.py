"""The page of a record: whose turn it is, where it stands, and what a link does for people of many organisations."""

import re

import pytest

from pilotbase.documents.permissions import Act
from tests.catalogue.records_for_tests import COMMISSION, DESK, OWNER, REGULATOR, SUPPLIER, VISITOR


@pytest.fixture(scope="module")
def proposed(one_world):
    one_world.trial.reach("proposed")
    return one_world


def offered(page: str) -> list[tuple[str, str]]:
    """Return class and act of each button that a record's page offers, in their order."""
    return re.findall(r'<a class="button wide([^"]*)" href="[^"]*/acts/([a-z.]+)/"', page)


def test_what_waits_for_the_reader_comes_first_and_what_ends_something_last(proposed):
    page = proposed.client("owner").get("/trials/c1/").content.decode()
    buttons = offered(page)
    assert buttons[0] == ("", "commission.agree")
    assert buttons[-1] == (" quiet danger", "commission.decline")
    assert ("", "commission.decline") not in buttons
    assert offered(proposed.client("supplier").get("/trials/c1/").content.decode())[0][0] == " quiet"


def test_a_page_tells_organisations_by_their_titles(proposed):
    page = proposed.client("owner").get("/trials/c1/").content.decode()
    assert ">Acme<" in page and ">acme<" not in page


def test_names_are_shown_to_colleagues_and_to_who_runs_or_oversees_the_base(proposed):
    from pilotbase.hub.presenters.records import names_shown

    standing = [("plant", "p-owner"), ("acme", "p-supplier"), ("base", None)]
    both = {"p-owner", "p-supplier"}
    shown = {OWNER: {"p-owner"}, SUPPLIER: {"p-supplier"}, DESK: both, REGULATOR: both, VISITOR: set()}
    assert {who: set(names_shown(who, standing)) for who in shown} == shown
    proposed.people["supplier"].name = "Zhou Lan"
    proposed.people["supplier"].save()
    pages = {who: proposed.client(who).get("/trials/c1/").content.decode() for who in ("owner", "supplier", "desk")}
    assert [who for who, page in pages.items() if "Zhou Lan" in page.partition("<main")[2]] == ["supplier", "desk"]


def test_the_way_shows_where_a_trial_is(proposed):
    from pilotbase.hub.presenters.states import way  # once there is a hub

    assert [stage.place for stage in way("commission", "reported")] == [*["done"] * 4, "now", "later", "later"]
    assert [stage.place for stage in way("commission", "revoked")][-1] == "now"
    assert way("commission", "declined") == [] and way("organisation", "registered") == []


def test_a_link_for_another_of_ones_organisations_offers_to_act_for_it(proposed):
    from pilotbase.hub.models import Membership

    Membership.objects.create(person=proposed.people["other-owner"], organisation="plant", roles=["demand_owner"])
    browser = proposed.client("other-owner")
    answer = browser.get("/trials/c1/")
    assert answer.status_code == 404 and "Plant" in answer.content.decode()
    followed = browser.post("/act-for/", {"organisation": "plant", "next": "/trials/c1/"})
    assert followed["Location"] == "/trials/c1/" and browser.get("/trials/c1/").status_code == 200
    assert browser.post("/act-for/", {"organisation": "plant", "next": "//evil.example/"})["Location"] == "/work/"
    assert b"/act-for/" not in proposed.client("other-supplier").get("/trials/c1/").content.partition(b"<main")[2]


def test_who_has_nothing_to_do_is_told_where_to_begin(proposed):
    for who, address in (("other-owner", "/scenarios/new/"), ("other-supplier", "/scenarios/"), ("desk", "/organ")):
        if who == "other-owner":
            proposed.client(who).post("/act-for/", {"organisation": "hospital"})
        main = proposed.client(who).get("/work/").content.decode().partition("<main")[2]
        assert f'href="{address}' in main, who


def test_history_speaks_of_what_was_done(proposed):
    proposed.trial.do(OWNER, COMMISSION, Act.COMMISSION_AGREE)
    page = proposed.client("owner").get("/trials/c1/").content.decode()
    assert "Commission agreed to" in page and "已同意委托" in (
        proposed.client("owner", HTTP_ACCEPT_LANGUAGE="zh-CN").get("/trials/c1/").content.decode()
    )
