"""Who did what when, from the log of the base: filtered, page by page, as a file; for operators and regulators."""

import ast
import csv
import io
import re
from pathlib import Path
from typing import get_args

import pytest

from pilotbase.documents.catalogues import catalogue
from pilotbase.documents.course import LearningEntryKind
from pilotbase.documents.room import RoomEntryKind
from pilotbase.documents.texts import LANGUAGES
from pilotbase.workspace.log import entries

ROOT = Path(__file__).parents[2]

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


def exported(client, asked=""):
    return list(csv.reader(io.StringIO(client.get(f"/audit/audit.csv?{asked}").getvalue().decode("utf-8-sig"))))


def test_the_file_is_sent_page_by_page(world, monkeypatch):
    from pilotbase.hub.pages import audit as pages
    from pilotbase.workspace.log import entries

    everything = audit(world, limit=200)["items"]
    monkeypatch.setattr(pages, "MOST_LISTED", 5)
    monkeypatch.setattr(entries, "LOOKED_THROUGH", 7)
    read, do = [], pages.do
    monkeypatch.setattr(pages, "do", lambda *asked: read.append(asked) or do(*asked))
    answer = world.client("desk").get("/audit/audit.csv")
    pieces = iter(answer.streaming_content)
    next(pieces)
    assert answer.streaming and read == [], "the first line is sent before the log is read"
    first = next(pieces)
    assert len(read) == 1 and 0 < first.count(b"\r\n") <= 5
    rest = list(pieces)
    assert all(rest), "an empty piece would end the file under ASGI"
    assert (first + b"".join(rest)).count(b"\r\n") == len(everything)
    monkeypatch.setattr(pages, "EXPORTED", 10)
    assert len(exported(world.client("desk"))) == 11


@pytest.mark.parametrize(("language", "said"), [("en", "Person blocked"), ("zh", "账户已停用")])
def test_the_page_and_the_file_say_in_plain_words_what_was_done(world, language, said):
    client = world.client("regulator", HTTP_ACCEPT_LANGUAGE=language)
    assert said in client.get("/audit/?action=person.").content.decode()
    assert said in client.get("/audit/audit.csv?action=person.").getvalue().decode()


def logged_actions():
    """Yield what the code enters into the log, where the code spells it out or names it by a constant of its own."""
    place = {"transaction": 0, "record": 0, "_log": 1, "log_about": 1, "_log_membership": 1, "erase_over": 2}
    for file in (*(ROOT / "src").rglob("*.py"), *(ROOT / "estate").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            called = getattr(node, "func", None)
            name = getattr(called, "attr", None) or getattr(called, "id", "")
            if name in place and len(node.args) > place[name]:
                given = node.args[place[name]]
                either = [given.body, given.orelse] if isinstance(given, ast.IfExp) else [given]
                yield from (one.value for one in either if isinstance(one, ast.Constant) and isinstance(one.value, str))
    yield from (one for one in vars(entries).values() if isinstance(one, str) and re.fullmatch(r"[a-z]+\.[a-z_]+", one))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_action_of_the_log_has_plain_words(language):
    kinds = {"room": RoomEntryKind, "learning": LearningEntryKind}
    actions = {*logged_actions(), *(f"{room}.{kind}" for room, known in kinds.items() for kind in get_args(known))}
    assert len(actions) > 150
    assert [one for one in sorted(actions) if not {f"done.{one}", f"act.{one}"} & catalogue_of(language)] == []


def catalogue_of(language):
    return {*catalogue("done", language), *catalogue("act", language)}


def test_the_page_links_to_people_and_records_and_gives_a_file(world):
    desk = world.client("desk", HTTP_ACCEPT_LANGUAGE="en")
    page = desk.get("/audit/", {"person": "owner@example.org", "action": "person."}).content.decode()
    assert "/people/p-owner/" in page and "/organisations/plant/" in page and "person.blocked" in page
    assert [line[5:7] for line in exported(desk, "action=person.")[1:]] == [
        ["Person unblocked", "person.unblocked"],
        ["Person blocked", "person.blocked"],
    ]
    assert "Show all" in desk.get("/audit/?action=none.").content.decode()
    assert desk.get("/audit/?since=no-day").status_code == 200


@pytest.mark.parametrize("who", ["owner", "supplier", "reviewer"])
def test_only_operators_and_regulators_read_it(world, who):
    assert world.client(who).get("/audit/").status_code == 404
    assert world.client(who).get("/audit/audit.csv").status_code == 404
    assert world.client(who).get("/api/audit").status_code == 403
