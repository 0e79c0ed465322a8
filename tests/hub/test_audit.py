"""Who did what when, from the log of the base: filtered, page by page, as a file; for operators and regulators."""

import csv
import io

import pytest

JSON = {"content_type": "application/json"}


@pytest.fixture(scope="module")
def world(one_world):
    one_world.trial.reach("certified")
    desk = one_world.client("desk")
    for method in ("put", "delete"):
        assert getattr(desk, method)("/api/people/p-owner/block").status_code == 200
    body = {"label": "reader", "scope": "read", "days": "5"}
    assert one_world.client("supplier").post("/account/tokens/", body).status_code == 200
    return one_world


def audit(world, **asked):
    found = world.client("regulator").get("/api/audit", asked)
    assert found.status_code == 200, found.content
    return found.json()


def actions(page):
    return [one["action"] for one in page["items"]]


def test_a_line_says_who_acted_and_what_it_is_about(world):
    (unblocked, blocked) = audit(world, action="person.")["items"]
    assert (unblocked["action"], blocked["action"]) == ("person.unblocked", "person.blocked")
    assert (blocked["person"], blocked["organisation"], blocked["facts"]["person"]) == ("p-desk", "base", "p-owner")
    assert "organisation:plant" in blocked["subjects"]


@pytest.mark.parametrize(
    ("asked", "is_right"),
    [
        ({"person": "p-owner"}, lambda one: "p-owner" in (one["person"], one["facts"].get("person"))),
        ({"organisation": "acme"}, lambda one: one["organisation"] == "acme"),
        ({"subject": "scenario:plant/milling"}, lambda one: "scenario:plant/milling" in str(one)),
        ({"action": "token."}, lambda one: one["action"] == "token.created"),
    ],
    ids=str,
)
def test_it_is_filtered(world, asked, is_right):
    found = audit(world, limit=200, **asked)["items"]
    everything = audit(world, limit=200)["items"]
    assert found and len(found) < len(everything) and all(map(is_right, found))
    assert [one["number"] for one in found] == [one["number"] for one in everything if is_right(one)]


def test_days_bound_it(world):
    newest = audit(world, limit=1)["items"][0]["at"]
    assert audit(world, since="2027-01-01T00:00:00Z", limit=200)["items"] == [] or newest > "2027"
    assert audit(world, until="2020-01-01T00:00:00Z")["items"] == []
    at = audit(world, limit=200)["items"]
    since = [one for one in at if one["at"] >= newest]
    assert [one["number"] for one in audit(world, since=newest, limit=200)["items"]] == [one["number"] for one in since]


def test_it_is_read_page_by_page_however_few_lines_are_wanted(world, monkeypatch):
    from pilotbase.workspace.log import entries

    monkeypatch.setattr(entries, "LOOKED_THROUGH", 7)
    seen, before, pages = [], {}, 0
    while True:
        page = audit(world, action="person.", **before)
        seen, pages = seen + actions(page), pages + 1
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert seen == ["person.unblocked", "person.blocked"] and pages > 2


def test_the_page_links_to_people_and_records_and_gives_a_file(world):
    desk = world.client("desk", HTTP_ACCEPT_LANGUAGE="en")
    page = desk.get("/audit/", {"person": "owner@example.org", "action": "person."}).content.decode()
    assert "/people/p-owner/" in page and "/organisations/plant/" in page and "person.blocked" in page
    lines = list(csv.reader(io.StringIO(desk.get("/audit/audit.csv?action=person.").content.decode("utf-8-sig"))))
    assert [line[5] for line in lines[1:]] == ["person.unblocked", "person.blocked"]
    assert "Show all" in desk.get("/audit/?action=none.").content.decode()
    assert desk.get("/audit/?since=no-day").status_code == 200


@pytest.mark.parametrize("who", ["owner", "supplier", "reviewer"])
def test_only_operators_and_regulators_read_it(world, who):
    assert world.client(who).get("/audit/").status_code == 404
    assert world.client(who).get("/audit/audit.csv").status_code == 404
    assert world.client(who).get("/api/audit").status_code == 403
