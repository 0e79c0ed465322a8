"""The watch on the command line: files in, a watch armed, warnings told, acknowledged and silenced."""

import json
from datetime import timedelta

import pytest

from pilotbase.worker.base import open_base
from pilotbase.worker.services.watching import watch_round
from tests.cli.test_command_line import run
from tests.watch.worlds_for_tests import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    base = open_base(create=True)
    made = World(base.lab.store, base.home.path)
    made.base = base
    yield made
    base.lab.close()


def write_days(world, path, wrong):
    """600 answered cases of twenty hours of yesterday with labels, so many of each thirty wrong."""
    at = world.store.clock() - timedelta(days=1)
    hours = [f"{at + timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ}" for hour in range(20)]
    rows = [f"c{i},{hours[i // 30]},fine,{'broken' if i % 30 < wrong else 'fine'},{i % 7 - 3},day" for i in range(600)]
    path.write_text("case,at,answer,label,x,shift\n" + "\n".join(rows) + "\n")
    return path


def test_a_watch_from_a_file_to_a_warning(world, tmp_path):
    terms = tmp_path / "terms.json"
    terms.write_text(json.dumps({"cohort_seconds": 3600, "label_seconds": 0, "tolerance": 0}))
    armed = run("watch", "arm", "milling", "--terms", terms)
    assert armed.exit_code == 0, armed.stderr
    assert "1 criterion with a guarantee, 2 without" in armed.stdout
    assert "accuracy >= 0.85: Guaranteed: P(ever red) ≤ 0.05, as long as the mean" in armed.stdout
    assert "gap(accuracy by shift) <= 0.2: No guarantee" in armed.stdout
    assert "over 4 chunks of 1000 rows, at most 0.02 alarms are expected by chance" in armed.stdout
    early = run("watch", "status", "milling").stdout
    assert "accuracy >= 0.85: has a guarantee; no cohort has been judged yet" in early
    taken = run("watch", "take", "milling", write_days(world, tmp_path / "day.csv", 20))
    assert "600 cases, 600 labels" in taken.stdout
    assert "0 cases" in run("watch", "take", "milling", tmp_path / "day.csv").stdout
    while watch_round(world.base):
        pass
    status = json.loads(run("watch", "status", "milling", "--json").stdout)
    assert (status["colour"], status["cohorts"][0]["labelled"], status["counts"]["repeated"]) == ("red", 30, 2)
    assert "no cohort has been judged" not in run("watch", "status", "milling").stdout
    assert "红色" in run("watch", "status", "milling", language="zh").stdout
    warnings = json.loads(run("watch", "warnings", "milling", "--json").stdout)
    red = next(one for one in warnings if one["warning"]["colour"] == "red")
    assert red["digest"] in run("watch", "warnings").stdout
    assert run("watch", "acknowledge", red["digest"], "--note", "on it").exit_code == 0
    assert run("watch", "acknowledge", red["digest"]).exit_code == 1
    assert run("watch", "silence", "milling", "--reason", "night shift", "--hours", "8").exit_code == 0
    assert len(json.loads(run("watch", "status", "milling", "--json").stdout)["silences"]) == 1
    assert run("watch", "silence", "milling", "--end").exit_code == 0
    assert json.loads(run("watch", "status", "milling", "--json").stdout)["silences"] == []
    assert run("watch", "disarm", "milling").exit_code == 0
    assert json.loads(run("watch", "status", "milling", "--json").stdout)["colour"] == "green"


def test_drawn_cases_that_nobody_labels_turn_the_signal_of_labels_orange(world, tmp_path):
    terms = tmp_path / "terms.json"
    terms.write_text(json.dumps({"cohort_seconds": 3600, "label_seconds": 0, "audit_labels": 10}))
    assert run("watch", "arm", "milling", "--terms", terms).exit_code == 0
    rows = [line.split(",") for line in write_days(world, tmp_path / "day.csv", 0).read_text().splitlines()]
    unlabelled = tmp_path / "unlabelled.csv"
    unlabelled.write_text("\n".join(",".join([*row[:3], *row[4:]]) for row in rows))
    assert "600 cases, 0 labels" in run("watch", "take", "milling", unlabelled).stdout
    while watch_round(world.base):
        pass
    warnings = json.loads(run("watch", "warnings", "milling", "--json").stdout)
    assert {one["warning"]["detector"]: one["warning"]["colour"] for one in reversed(warnings)} == {"labels": "orange"}


def test_what_is_wrong_is_told_with_its_exit_code(world, tmp_path):
    unknown = run("watch", "status", "nothing")
    assert (
        unknown.exit_code,
        "Service nothing does not exist, or you do not have access to it." in unknown.stderr,
    ) == (2, True)
    assert run("watch", "label", "milling", "c1").exit_code == 2
    assert run("watch", "disarm", "milling").exit_code == 5
    assert run("watch", "silence", "milling").exit_code == 2
    future = tmp_path / "future.csv"
    future.write_text("case,at,answer\nc1,2999-01-01,fine\n")
    refused = run("watch", "take", "milling", future)
    assert (refused.exit_code, "in the future" in refused.stderr) == (2, True)
    assert all(word in refused.stderr for word in ("future.csv", "case c1", "five minutes"))
    unread = run("watch", "label", "milling", "c1=maybe")
    assert (unread.exit_code, "broken, fine" in unread.stderr) == (2, True)
    assert "1 label;" in run("watch", "label", "milling", "c1=broken").stdout
    assert run("watch", "erase", "milling", "c1").exit_code == 2
