"""``pilotbase --hub … watch`` and ``incident``: words and documents of the local commands, over a real connection."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from pilotbase.cli import watch_files
from pilotbase.documents.service import ServiceStatus
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Colour, Scope, ServingState
from pilotbase.operations.services import NewKey
from pilotbase.protocols.hub_requests import HubRequests
from pilotbase.service.registry import write_key
from pilotbase.watch.files import take_file
from pilotbase.watch.packs import Pack
from pilotbase.worker.reactions.feed import Reactions
from pilotbase.workspace import watch_tables
from pilotbase.workspace.actors import parties
from tests.catalogue.records_for_tests import COMMISSION
from tests.hub.test_use_the_api import address, pilotbase  # noqa: F401 - fixtures
from tests.watch.incidents_for_tests import keep_service, raise_warning, route, warning
from tests.watch.worlds_for_tests import World


@pytest.fixture(scope="module")
def world(one_world):
    """A service whose trial the hub keeps, with an incident; and one whose certificate came from elsewhere."""
    from pilotbase.hub.base import base

    trial = one_world.trial
    trial.reach("certified")
    known = {"certificate": trial.certificate.digest(), "commission": COMMISSION}
    keep_service(trial.store, routes=(route("forest").model_copy(update=known),))
    raise_warning(trial.store, warning(trial.store, Colour.ORANGE))
    while Reactions(base()).round():
        pass
    one_world.served = World(base().lab.store, base().home.path)
    stand(one_world.served)
    return one_world


def stand(served):
    standing = ServiceStatus(
        service="milling",
        state=ServingState.SERVING,
        reason=text("serving.serving"),
        at=served.store.clock(),
    )
    with served.view.transaction("service.created") as change:
        change.set_head("service-standing:milling", change.put(standing, parties(), owner="plant"), expected=None)


@pytest.fixture
def told(pilotbase):  # noqa: F811
    """Run a command as somebody and return what it says."""

    def run(who, *words, code=0):
        done = pilotbase(who, *map(str, words))
        assert done.exit_code == code, done.output
        return done.stdout if code == 0 else done.stderr

    return run


def days(tmp_path, name="may.csv", cases=5):
    at = datetime.now(UTC) - timedelta(days=1)
    rows = [
        f"{name}-{row},{at + timedelta(seconds=row // 2):%Y-%m-%dT%H:%M:%SZ},fine,broken,4{row}.5"
        for row in range(cases)
    ]
    path = tmp_path / name
    path.write_text("case,at,answer,label,torque\n" + "\n".join(rows) + "\n")
    return path


def test_a_file_is_read_by_the_contract_and_taken_once(told, world, tmp_path):
    path = days(tmp_path)
    assert "5 cases, 5 labels; 0 batches" in told("owner", "watch", "take", "alarm", path)
    again = json.loads(told("owner", "watch", "take", "alarm", path, "--json"))
    assert (again["cases"], again["labels"], again["repeated"]) == (0, 0, 4), "three moments, and the labels"
    with world.served.view.reading() as connection:
        packs = [Pack.from_bytes(body) for body in connection.scalars(select(watch_tables.observation_packs.c.body))]
    assert sorted(value for pack in packs for value in pack.inputs["torque"]) == [40.5, 41.5, 42.5, 43.5, 44.5]
    told("regulator", "watch", "take", "alarm", path, code=5)
    told("other-owner", "watch", "take", "alarm", path, code=2)


def test_what_the_hub_refuses_of_a_file_is_told_and_the_rest_is_taken(told, pilotbase, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(watch_files, "MOST_BYTES", 600)
    path = days(tmp_path, "june.csv", 12)
    path.write_text(path.read_text() + "late,2999-01-01,fine,broken,1.5\n")
    refused = told("owner", "watch", "take", "alarm", path, code=2)
    assert "Sending june.csv" in refused and "in the future" in refused
    monkeypatch.setenv("PILOTBASE_LANGUAGE", "zh")
    chinese = pilotbase("owner", "watch", "take", "alarm", str(path))
    assert "0" in chinese.stdout and "尚未到来" in chinese.stderr
    assert json.loads(told("owner", "watch", "status", "alarm", "--json"))["counts"]["future"] == 2


@pytest.mark.prove
def test_cases_of_distinct_moments_go_in_with_few_requests_and_once(told, tmp_path, monkeypatch):
    sent, send = [], HubRequests.send
    monkeypatch.setattr(
        HubRequests, "send", lambda self, *what, **more: sent.append(what[:2]) or send(self, *what, **more)
    )
    at = datetime.now(UTC) - timedelta(days=1)
    lines = [
        {
            "case": f"s{row}",
            "at": (at + timedelta(seconds=row)).isoformat(),
            "answer": "fine",
            "label": "fine",
            "x": row,
        }
        for row in range(3000)
    ]
    path = tmp_path / "seconds.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    taken = json.loads(told("owner", "watch", "take", "milling", path, "--json"))
    assert (taken["batches"], taken["cases"], taken["labels"], taken["unknown_labels"]) == (3001, 3000, 3000, 0)
    assert sum(method == "POST" for method, _ in sent) <= 4
    again = json.loads(told("owner", "watch", "take", "milling", path, "--json"))
    assert (again["cases"], again["labels"], again["repeated"]) == (0, 0, 3001)


def test_a_file_of_words_needs_a_contract_and_another_is_the_same_taken_here(told, world, tmp_path):
    missing = told("owner", "watch", "take", "milling", days(tmp_path), code=2)
    assert "contract of milling" in missing and "Parquet" in missing
    at = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    lines = [
        {"case": f"l{row}", "at": at, "answer": "fine", "label": "fine", "x": row / 3, "shift": "day"}
        for row in range(9)
    ]
    path = tmp_path / "july.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    assert "9 cases, 9 labels" in told("owner", "watch", "take", "milling", path)
    here = take_file(world.served.view, "milling", path)
    assert (here.cases, here.repeated_cases, here.refused) == (0, 9, ())


def test_a_key_that_observes_hands_in_what_says_its_types(told, pilotbase, world, tmp_path, monkeypatch):  # noqa: F811
    with world.served.view.transaction("service.key_made") as change:
        key = write_key(change, "plant", NewKey(service="alarm", title="line 3", scopes=frozenset({Scope.OBSERVE})))[1]
    monkeypatch.setattr("tests.hub.test_use_the_api.token_of", lambda *_: key)
    labels = tmp_path / "labels.csv"
    labels.write_text("case,label\nsome,broken\n")
    assert "1 label;" in told("key", "watch", "take", "alarm", labels)
    assert "2 labels" in told("key", "watch", "label", "alarm", "one=fine", "two=null")
    assert "token of its owner" in told("key", "watch", "take", "alarm", days(tmp_path, "key.csv"), code=2)
    told("key", "watch", "status", "alarm", code=5)


def test_a_watch_is_armed_read_and_silenced(told, tmp_path, monkeypatch):
    terms = tmp_path / "terms.json"
    terms.write_text(json.dumps({"cohort_seconds": 3600, "tolerance": 0}))
    assert "Replayed over" in told("desk", "watch", "replay", "milling")
    assert "1 criterion with a guarantee, 2 without" in told("desk", "watch", "arm", "milling", "--terms", terms)
    told("owner", "watch", "arm", "milling", code=5)
    assert json.loads(told("owner", "watch", "status", "milling", "--json"))["watch"]["cohort_seconds"] == 3600
    assert "Watch for milling: armed" in told("owner", "watch", "status", "milling")
    assert "are muted until" in told("desk", "watch", "silence", "milling", "--reason", "night shift", "--hours", 8)
    told("desk", "watch", "silence", "milling", code=2)
    for hours in ("1e12", "nan", "inf", "-1", "2161"):
        assert "90 days" in told("desk", "watch", "silence", "milling", "--reason", "night", "--hours", hours, code=2)
    monkeypatch.setenv("PILOTBASE_LANGUAGE", "zh")
    assert "90 天" in told("desk", "watch", "silence", "milling", "--reason", "night", "--hours", "1e12", code=2)
    monkeypatch.setenv("PILOTBASE_LANGUAGE", "en")
    assert len(json.loads(told("desk", "watch", "status", "milling", "--json"))["silences"]) == 1
    assert "are no longer muted" in told("desk", "watch", "silence", "milling", "--end")
    assert json.loads(told("desk", "watch", "status", "milling", "--json"))["silences"] == []
    assert "disarmed" in told("desk", "watch", "disarm", "milling")
    assert "1 label;" in told("owner", "watch", "label", "milling", "later=broken")
    assert "label" in told("owner", "watch", "label", "milling", "no-label", code=2)
    assert "hub" in told("desk", "watch", "drill", "alarm", code=2)


def test_warnings_are_listed_and_acknowledged_once(told):
    (one,) = json.loads(told("owner", "watch", "warnings", "alarm", "--json"))
    assert one["digest"] in told("desk", "watch", "warnings")
    assert "No warnings" in told("other-owner", "watch", "warnings")
    assert "Noted" in told("owner", "watch", "acknowledge", one["digest"], "--note", "on it")
    assert "already" in told("desk", "watch", "acknowledge", one["digest"], code=1)
    assert "alarm" not in told("other-owner", "watch", "acknowledge", one["digest"], code=2)


def test_a_case_is_erased(told, tmp_path):
    told("owner", "watch", "take", "alarm", days(tmp_path, "august.csv", 1))
    assert "erased" in told("owner", "watch", "erase", "alarm", "august.csv-0")
    told("owner", "watch", "erase", "alarm", "august.csv-0", code=2)


def test_an_incident_from_the_desk_to_its_closing(told):
    desk = told("owner", "incident", "desk")
    assert "alarm" in desk and "Incidents: 1" in desk and "orange" in desk
    assert json.loads(told("owner", "incident", "desk", "--json"))["items"][0]["incidents"] == [1]
    assert "alarm" in told("owner", "incident", "list", "--service", "alarm")
    assert "No incidents" in told("supplier", "incident", "list")
    told("owner", "incident", "note", 1, "The night shift saw it.", "--unknown", "Cause")
    graded = told("owner", "incident", "grade", 1, "larger", "II", "--note", "Two lines.")
    assert "operator_to_province: due" in graded and "Still unknown: Cause" in graded
    assert "Incident 1, operator_to_province: overdue since 2026-05-01 16:00" in told("desk", "incident", "desk")
    assert "operator_to_province: reported" in told("desk", "incident", "report", 1, "operator_to_province")
    told("owner", "incident", "correct", 1, 2, "It was the late shift.")
    told("regulator", "incident", "mitigate", 1, code=5)
    told("owner", "incident", "mitigate", 1)
    assert "Closed" in told("owner", "incident", "close", 1, "A worn sensor.")
    told("owner", "incident", "grade", 1, "major", "I", code=5)
    assert "No incidents" in told("owner", "incident", "list")
    assert json.loads(told("regulator", "incident", "show", 1, "--json"))["summary"] == "A worn sensor."
    assert "Incident 7 does not exist" in told("owner", "incident", "show", 7, code=2)


def test_a_runbook_is_read_and_changed(told, tmp_path):
    runbook = json.loads(told("owner", "incident", "runbook", "alarm"))
    path = tmp_path / "runbook.json"
    path.write_text(json.dumps({**runbook, "reporter": "critical_infrastructure"}))
    told("regulator", "incident", "runbook", "alarm", "--from", path, code=5)
    changed = json.loads(told("owner", "incident", "runbook", "alarm", "--from", path))
    assert changed["reporter"] == "critical_infrastructure"
    path.write_text(json.dumps({**runbook, "reporter": "nobody"}))
    assert "nobody" in told("owner", "incident", "runbook", "alarm", "--from", path, code=2)
    assert json.loads(told("owner", "incident", "runbook", "alarm")) == changed
