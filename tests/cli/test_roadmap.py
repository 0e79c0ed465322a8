"""``pilotbase roadmap set`` and ``show`` on the base of this machine."""

import json

import pytest

from pilotbase.worker.base import open_base
from tests.cli.test_command_line import run

ROADMAP = {
    "document": "roadmap/1",
    "title": "To use",
    "phases": [
        {"phase": "p1", "tasks": [{"scenario": "scenario:plant/milling", "start": "2026-01-01", "end": "2026-05-01"}]},
        {"phase": "p2", "tasks": [{"scenario": "scenario:plant/casting", "start": "2099-01-01", "end": "2099-12-31"}]},
    ],
}


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    open_base(create=True).lab.close()
    path = tmp_path / "roadmap.json"
    path.write_text(json.dumps(ROADMAP))
    return path


def test_a_roadmap_is_set_shown_and_replaced(file):
    assert run("roadmap", "show").exit_code == 0
    assert json.loads(run("roadmap", "show", "--json").stdout)["tasks"] == []
    told = run("roadmap", "set", file)
    assert told.exit_code == 0 and "scenario:plant/milling" in told.stdout, told.output
    late, ahead = json.loads(run("roadmap", "show", "--json").stdout)["tasks"]
    assert (late["scenario"], late["state"], late["is_late"]) == ("scenario:plant/milling", "planned", True)
    assert (ahead["phase"], ahead["is_late"], ahead["suggested_end"]) == ("p2", False, None)
    assert late["suggested_end"] in run("roadmap", "show").stdout
    assert any("\u4e00" <= letter <= "\u9fff" for letter in run("roadmap", "show", language="zh").stdout)
    file.write_text(json.dumps({**ROADMAP, "phases": ROADMAP["phases"][1:]}))
    (left,) = json.loads(run("roadmap", "set", file, "--json").stdout)["tasks"]
    assert left["scenario"] == "scenario:plant/casting"


def test_a_roadmap_that_is_wrong_leaves_what_stood(file, tmp_path):
    run("roadmap", "set", file)
    task = {"scenario": "scenario:plant/milling", "start": "2026-05-01", "end": "2026-01-01"}
    file.write_text(json.dumps({**ROADMAP, "phases": [{"phase": "p1", "tasks": [task]}]}))
    wrong = run("roadmap", "set", file)
    assert wrong.exit_code == 2 and "scenario:plant/milling" in wrong.stderr
    assert run("roadmap", "set", tmp_path / "none.json").exit_code == 2
    assert len(json.loads(run("roadmap", "show", "--json").stdout)["tasks"]) == 2


def test_the_planner_on_the_command_line(file, tmp_path):
    rules = tmp_path / "planning.yaml"
    rules.write_text(
        "document: planning/1\nresources:\n- {name: money, title: Funds, limits: {p2: 1}}\nusual: {money: 1}\nkeep: 0\n"
    )
    assert run("roadmap", "proposal").exit_code == 2
    assert "money: 1.0" in run("roadmap", "set-sheet", rules).stdout
    run("roadmap", "set", file)
    told = run("roadmap", "propose")
    assert told.exit_code == 0 and "The date has passed" in told.stdout and "Funds" not in told.stderr
    asked = json.loads(run("roadmap", "what-if", "--limit", "money=0", "--keep", "0", "--json").stdout)
    assert {one["limit"] for one in asked["resources"]} == {None, 0.0}
    assert run("roadmap", "what-if", "--limit", "gold=1").exit_code == 2
    assert "mill" in run("roadmap", "adopt", "To 2030").stdout
    assert run("roadmap", "show", language="zh").stdout.count("plant/") == 2
