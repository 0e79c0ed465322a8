"""``pilotbase data describe``: a description written, refreshed and asked for, on the command line."""

import json

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.loading import load_document
from tests.cli.test_command_line import run

ROWS = "id,temp_c,state\n" + "".join(f"P{at:03},{20 + at / 10},{'on' if at % 2 else 'off'}\n" for at in range(60))


@pytest.fixture
def pumps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pumps.csv").write_text(ROWS)
    return tmp_path / "pumps.csv"


def test_a_description_is_written_refreshed_and_left_alone(pumps):
    told = run("data", "describe", pumps, "--title", "Pumps", "--label", "state")
    assert "dataset.yaml written: 1 table, 3 fields, version 1.0.0" in told.output
    assert "Still needed for publishing a dataset: license (Licence: an SPDX name or an address)" in told.output
    dataset = load_document(Dataset, pumps.parent / "dataset.yaml")
    assert dataset.title == "Pumps" and dataset.record_sets[0].field("state").is_label
    assert dataset.distribution[0].content_url == "pumps.csv"
    written = (pumps.parent / "dataset.yaml").read_bytes()
    assert "already says so: nothing changed" in run("data", "describe", pumps).output
    assert (pumps.parent / "dataset.yaml").read_bytes() == written
    pumps.write_text(ROWS + "P060,30.5,on\n")
    told = run("data", "describe", pumps)
    assert "version 1.0.0 → 1.1.0" in told.output and "pumps.csv holds all that it had, and more" in told.output
    assert load_document(Dataset, pumps.parent / "dataset.yaml").title == "Pumps"


def test_a_fault_is_told_with_its_place_and_nothing_is_written(pumps):
    pumps.write_text(ROWS + "P060,30.5\nP061,31.5\n")
    told = run("data", "describe", pumps)
    assert told.exit_code == 2
    assert "pumps.csv:62: 2 cells, and the header has 3" in told.output and "pumps.csv:63" in told.output
    assert not (pumps.parent / "dataset.yaml").exists()


def test_the_document_is_printed_and_not_written(pumps):
    found = json.loads(run("data", "describe", pumps, "--json", "--organisation", "plant").output)
    assert found["owner"]["organisation"] == "plant" and found["recordSet"][0]["rows"] == 60
    assert not (pumps.parent / "dataset.yaml").exists()


def test_wrong_answers_are_told_all_at_once(pumps):
    told = run("data", "describe", pumps, "--name", "No Name", "--organisation", "Big Plant")
    assert told.exit_code == 2
    assert "name" in told.output and "organisation" in told.output
    told = run("data", "describe", pumps, "--label", "stat")
    assert "stat is no column; allowed: id, state, temp_c; did you mean state?" in told.output


def test_questions_are_asked_and_an_empty_line_leaves_the_guess(pumps):
    answers = {"Short name": "plant", "Title": "Pumps", "Column that applications": "-", "What the data are": "Hourly"}
    asked = ["Short name", "How to reach", "Title", "Column that applications", "Columns that name", "Column that says"]
    asked += ["Column whose", "What the data are", *["…"] * 9]
    told = CliRunner().invoke(
        app, ["data", "describe", str(pumps), "--ask"], input="".join(answers.get(one, "") + "\n" for one in asked)
    )
    assert told.exit_code == 0, told.output
    dataset = load_document(Dataset, pumps.parent / "dataset.yaml")
    assert (dataset.owner.organisation, dataset.title, dataset.description) == ("plant", "Pumps", "Hourly")
    assert dataset.record_sets[0].labels == () and dataset.record_sets[0].key == ("id",)


def test_answers_come_from_a_file_and_options_win(pumps):
    (pumps.parent / "answers.yaml").write_text("title: From the file\nlicense: MIT\nunits: {temp_c: K}\n")
    run("data", "describe", pumps, "--answers", "answers.yaml", "--title", "From the option")
    dataset = load_document(Dataset, pumps.parent / "dataset.yaml")
    assert (dataset.title, dataset.license) == ("From the option", "MIT")
    assert dataset.record_sets[0].field("temp_c").unit == "K"
