"""Incidents on the command line, from the warning to the closing, in both languages."""

import json

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.vocabularies import Colour
from pilotbase.worker.base import open_base
from pilotbase.worker.reactions.feed import Reactions
from tests.watch.incidents_for_tests import keep_service, raise_warning, warning


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run commands on a base whose service has raised an orange warning."""
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    base = open_base(create=True, name="base")
    keep_service(base.lab.store)
    raise_warning(base.lab.store, warning(base.lab.store, Colour.ORANGE))
    while Reactions(base).round():
        pass

    def run(*words, code=0, language="en"):
        monkeypatch.setenv("PILOTBASE_LANGUAGE", language)
        done = CliRunner().invoke(app, ["incident", *words])
        assert done.exit_code == code, done.output
        return done.output

    yield run
    base.lab.close()


def test_from_the_warning_to_the_closing(run):
    assert "alarm" in run("list") and "in progress" in run("list").lower()
    assert "橙色预警" in run("show", "1", language="zh")
    run("note", "1", "The night shift saw it.", "--unknown", "Cause", "--unknown", "Extent")
    shown = run("grade", "1", "larger", "II", "--note", "Two lines stood still.")
    assert "operator_to_province: due" in shown and "Not yet known" not in run("list")
    assert "Two lines stood still." in shown and "Still unknown: Extent" in shown
    assert "operator_to_province: reported" in run("report", "1", "operator_to_province")
    run("correct", "1", "2", "It was the late shift.")
    run("mitigate", "1")
    assert "closing_summary" in run("close", "1", "A worn sensor. Exchanged.")
    assert "No incidents" in run("list") and "alarm" in run("list", "--all")
    document = json.loads(run("show", "1", "--json"))
    assert (document["grade"], document["response"], document["colour"]) == ("larger", "II", "orange")
    assert document["timeline"][4]["corrects"] == 2 and document["unknown"] == ["Cause", "Extent"]


def test_what_cannot_be_done_says_why(run):
    assert "Incident 7 does not exist" in run("show", "7", code=2)
    assert "没有第 7 号事件" in run("note", "7", "x", code=2, language="zh")
    assert "no reporting clock" in run("report", "1", "operator_to_province", code=2)
    run("close", "1", "Nothing was wrong.")
    assert "current state of incident 1" in run("grade", "1", "major", "I", code=5)
    run("grade", "1", "enormous", "I", code=2)


def test_a_runbook_is_shown_changed_and_refused(run, tmp_path):
    runbook = json.loads(run("runbook", "alarm"))
    assert runbook["rules"][0]["measures"] == ["fall_back", "notify"]
    file = tmp_path / "runbook.json"
    file.write_text(json.dumps({**runbook, "reporter": "critical_infrastructure"}))
    assert json.loads(run("runbook", "alarm", "--from", str(file)))["reporter"] == "critical_infrastructure"
    file.write_text(json.dumps({**runbook, "reporter": "nobody"}))
    assert "nobody" in run("runbook", "alarm", "--from", str(file), code=2)
    assert json.loads(run("runbook", "alarm"))["reporter"] == "critical_infrastructure"
