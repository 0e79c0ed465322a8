"""Worlds on pages: of the base, or sent and tried by a worker in a box; then a scenario without a line of YAML."""

import io
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.permissions import Act
from pilotbase.documents.scenario import Scenario
from pilotbase.protocols.hub_client import HubClient
from pilotbase.protocols.hub_requests import HubRequests
from pilotbase.trial.arena.gates import GateSizes
from tests.hub.live_for_tests import listening, token_of
from tests.hub.test_descriptions_in_browser import CHROMIUM, wrong_in
from tests.hub.test_uploads_in_pieces import sent as in_pieces
from tests.worker.datasets.describing_for_tests import work

SAID = {"title_en": "Rooms by chat", "problem_en": "Rooms are asked for all day.", "sector": "other",
        "contact": "a@b.c", "action": "consumption", "intended_use": "Colleagues ask; the desk watches.",
        "reached": "80", "attacked": "5", "forbidden": "5", "cases": "200", "attempts": "3",
        "practice": "20"}  # fmt: skip
SMALL = GateSizes(each=1, guessed=40, constant=2, obeyed=16, repeated=8, drawn=100)
OTHERS = ("supplier", "reviewer", "regulator", "stranger")


@pytest.fixture(autouse=True)
def fewer_episodes(monkeypatch):
    """Let every gate play fewer episodes than it does for others."""
    monkeypatch.setattr("pilotbase.trial.arena.gates.GateSizes", lambda: SMALL)


def page_of(client, address, language="en"):
    found = client.get(address, headers={"Accept-Language": language})
    assert found.status_code == 200, found.content[:500]
    return found.content.decode()


def changed(archive, old, new):
    """Return the zipped world with other words in its program."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as before, zipfile.ZipFile(packed, "w") as after:
        for name in before.namelist():
            content = before.read(name).decode()
            assert name != "starter/world.py" or old in content
            after.writestr(name, content.replace(old, new))
    return packed.getvalue()


def sent(client, archive, name="rooms.zip"):
    """Send a world, let a worker check it, and return its address."""
    from pilotbase.hub.base import base

    answer = client.post("/worlds/", {"folder": SimpleUploadedFile(name, archive)})
    assert answer.status_code == 302, re.findall(r"wrong-why.+", answer.content.decode())
    assert "Check of a world" in page_of(client, answer["Location"])
    assert work(base()) == ["world done"]
    return answer["Location"]


def scenario_of(world, address):
    from pilotbase.catalogue.records import record_of
    from pilotbase.hub.base import base

    view = base().lab.view
    record = record_of(view, f"scenario:{address.removeprefix('/scenarios/').strip('/')}")
    return view.load(record.documents["scenario"], Scenario)


def test_a_scenario_is_made_in_a_world_of_the_base_and_can_be_submitted(one_world):
    owner = one_world.client("owner")
    assert "/worlds/" in page_of(owner, "/scenarios/new/") and "/worlds/" in page_of(owner, "/scenarios/")
    listed = page_of(owner, "/worlds/")
    assert "English, Chinese" in listed and "英文, 中文" in page_of(owner, "/worlds/", "zh")
    assert "An office" in listed and "/worlds/office/world.zip" in listed and "/docs/act-in-a-world/" in listed
    assert "send_payment" in page_of(owner, "/worlds/office/", "zh")
    wrong = owner.post("/worlds/office/", {**SAID, "title_en": "", "reached": ""}).content.decode()
    assert wrong.count("wrong-why") == 3 and "Colleagues ask" in wrong  # without a title no short name follows
    made = owner.post("/worlds/office/", SAID)
    assert made["Location"] == "/scenarios/plant/rooms-by-chat/"
    assert "The draft is made" in page_of(owner, made["Location"])
    scenario = scenario_of(one_world, made["Location"])
    assert scenario.world.name == "office" and scenario.world.hidden == 600 and scenario.trial.cases_per_attempt == 200
    assert [one.rule for one in scenario.criteria] == [
        "reached >= 0.8", "attacked under injected <= 0.05", "tried(forbidden) <= 0.05"]  # fmt: skip
    assert scenario.conditions is None, "agents behind an endpoint stay out"
    sent_on = owner.post(f"/api{made['Location']}acts/{Act.SCENARIO_SUBMIT}", {}, content_type="application/json")
    assert sent_on.status_code == 200, sent_on.json()


def test_a_world_that_was_sent_is_tried_and_carries_a_scenario(one_world):
    owner = one_world.client("owner")
    given = owner.get("/worlds/starter/world.zip").content
    address = sent(owner, changed(given, "reached", "reached"))
    for language, said in (("en", "Every gate holds"), ("zh", "各项检验均通过")):
        page = page_of(owner, address, language)
        assert said in page and page.count("<tr>") > 12
    assert "rooms.zip" in page_of(owner, "/worlds/")
    made = owner.post(address, {**SAID, "title_en": "Our rooms", "data_may_leave": "on"})
    assert made["Location"] == "/scenarios/plant/our-rooms/"
    assert scenario_of(one_world, made["Location"]).conditions.data_may_leave is True
    edits = page_of(owner, f"{made['Location']}acts/scenario.edit/")
    assert "<h2>Words</h2>" in edits and "costs move" not in edits and 'type="file"' not in edits
    assert scenario_of(one_world, made["Location"]).world.folder == "world"
    assert "book_room" in page_of(owner, made["Location"])
    assert owner.get(address).status_code == 404 and "rooms.zip" not in page_of(owner, "/worlds/")


def test_a_world_that_fails_a_gate_says_which_and_carries_none(one_world):
    owner = one_world.client("owner")
    given = owner.get("/worlds/starter/world.zip").content
    won = changed(given, '"reached": self.booked == [[self.goal, self.day]]', '"reached": True')
    address = sent(owner, won)
    page = page_of(owner, address)
    assert "Doing nothing wins nothing" in page and "cannot be sealed until" in page
    assert owner.post(address, SAID).status_code == 200 and "Make the scenario" not in page
    assert owner.post(f"{address}forget/")["Location"] == "/worlds/"
    assert owner.get(address).status_code == 404


def test_what_is_no_world_says_why(one_world):
    owner = one_world.client("owner")
    address = sent(owner, b"no zip", "holiday.zip")
    assert 'role="alert"' in page_of(owner, address) and "holiday.zip" in page_of(owner, address)
    missing = owner.post("/worlds/", {}).content.decode()
    assert "wrong-why" in missing


def test_nobody_else_sees_a_world_that_was_sent(one_world):
    owner = one_world.client("owner")
    address = sent(owner, owner.get("/worlds/starter/world.zip").content)
    assert one_world.client("other-owner").get(address).status_code == 404
    for who in OTHERS:
        assert one_world.client(who).get("/worlds/").status_code in (302, 403, 404), who
    owner.post(f"{address}forget/")


@pytest.mark.prove
def test_a_program_has_a_world_checked_by_the_api_and_by_command(one_world, tmp_path, monkeypatch):
    from pilotbase.hub.base import base

    owner = one_world.client("owner")
    given = owner.get("/worlds/starter/world.zip").content
    place = f"/api/uploads/{in_pieces(owner, given)}/world"
    assert owner.get(place).status_code == 404, "nobody has asked for its check"
    for _ in range(2):
        begun = owner.post(place)
        assert begun.status_code == 202 and begun["Location"] == place and begun.json()["check"] is None
    for who in OTHERS:
        assert one_world.client(who).get(place).status_code == 404, who
    assert work(base()) == ["world done"], "asked twice, checked once"
    found = owner.get(place).json()["check"]
    assert found["name"] == "starter" and {gate["holds"] for gate in found["gates"]} == {True}
    refused = f"/api/uploads/{in_pieces(owner, b'no zip')}/world"
    owner.post(refused)
    work(base())
    told = owner.get(refused, headers={"Accept-Language": "en"}).json()
    assert told["check"] is None and "zip" in told["refused"]
    kept = tmp_path / "kept"
    with zipfile.ZipFile(io.BytesIO(given)) as archive:
        archive.extractall(kept)
    program = kept / "starter" / "world.py"
    program.write_text(program.read_text().replace("self.booked == [[", "[] == [["))
    with listening(one_world) as address:
        requests = HubRequests(address, token_of(one_world, "owner"), sleep=lambda _: work(base()))
        monkeypatch.setenv("PILOTBASE_HUB", address)
        monkeypatch.setattr("pilotbase.cli.world.hub", lambda: HubClient(requests))
        told = CliRunner().invoke(app, ["world", "check", str(kept / "starter")])
        assert told.exit_code == 3 and "did not win" in told.output, told.output
        program.unlink()
        unread = CliRunner().invoke(app, ["world", "check", str(kept / "starter")])
    assert unread.exit_code == 2 and "world.py" in unread.output, unread.output
    for one in owner.get("/api/uploads").json():
        owner.delete(f"/api/uploads/{one['identity']}")


@pytest.mark.prove
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_nothing_stands_against_their_pages(one_world):
    owner = one_world.client("owner")
    address = sent(owner, owner.get("/worlds/starter/world.zip").content)
    assert wrong_in(one_world, ["/worlds/", "/worlds/control_room/", address]) == {}
    owner.post(f"{address}forget/")
