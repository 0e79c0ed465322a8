"""``pilotbase data profile`` and ``synthesise``: from a closed dataset to a sample that a supplier may hold."""

import json

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.data.terms.templates import OfferLimits, offer_for
from pilotbase.documents.terms import Purpose
from pilotbase.documents.vocabularies import Opening
from tests.catalogue.agreements_for_tests import dataset, in_file
from tests.data.private.closed_for_tests import FIELDS, runs
from tests.trial.conftest import writing_application

SUBJECT = "dataset:plant/logs"
LIMITS = OfferLimits(purposes=(Purpose.VERIFICATION, Purpose.STATISTICS), epsilon=12_000_000)


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))

    def run(*words, code=0, language="en"):
        monkeypatch.setenv("PILOTBASE_LANGUAGE", language)
        done = CliRunner().invoke(app, ["data", *map(str, words)])
        assert done.exit_code == code, done.output
        return done.output

    return run


@pytest.fixture
def closed(run, tmp_path):
    """Return the table of a published, closed dataset on which acme has an agreement in force."""
    offer = offer_for(Opening.COMPUTE_TO_DATA, "plant", SUBJECT, LIMITS)
    record_set = {"name": "runs", "field": in_file(FIELDS), "key": ["id"]}
    described = dataset(usageInfo=offer, recordSet=[record_set])
    (tmp_path / "logs.json").write_text(json.dumps(described.to_json_value()))
    run("publish", tmp_path / "logs.json")
    run("take", "plant/logs", "acme", "--purpose", "pb:statistics", "--purpose", "pb:verification")
    table = tmp_path / "logs.csv"
    runs(3000).fill_nan(None).write_csv(table)
    return table


def test_a_profile_is_told_and_paid_for_once(run, closed):
    told = run("profile", "plant/logs", closed, "--epsilon", "1.5", "--for", "acme")
    assert "ε = 1.5 spent, unit a record, discrete Laplace (OpenDP" in told
    assert "wear: mean" in told
    assert "remark: not shown, because no values are declared" in told
    assert run("profile", "plant/logs", closed, "--epsilon", "1.5", "--for", "acme") == told
    found = json.loads(run("profile", "plant/logs", closed, "--epsilon", "1.50", "--for", "acme", "--json"))
    assert (found["question"]["epsilon"], found["question"]["by"]) == (1_500_000, "acme")
    assert "记录数：" in run("profile", "plant/logs", closed, "--epsilon", "1.5", "--for", "acme", language="zh")
    (use,) = json.loads(run("uses", "plant/logs", "--json"))
    assert (use["epsilon"], use["epsilon_so_far"], use["channel"]) == (1_500_000, 1_500_000, "pb:statistics")


def test_times_are_told_by_month_where_the_question_gives_the_months(run, closed):
    asked = ("profile", "plant/logs", closed, "--epsilon", "0.5", "--for", "acme", "--dates")
    found = json.loads(run(*asked, "taken=2026-01..2026-03", "--json"))
    assert found["question"]["dates"] == [{"field": "taken", "first": "2026-01", "last": "2026-03"}]
    (taken,) = (one for one in found["fields"] if one["field"] == "taken")
    assert [one["value"] for one in taken["cells"]] == ["2026-01", "2026-02", "2026-03"]
    for spelled, words in (
        ("taken", "FIELD=FIRST..LAST"),
        ("taken=2026-03..2026-01", "at most 64"),
        ("wear=2020..2021", "taken"),
    ):
        assert words in run(*asked, spelled, code=2)


def test_the_owners_own_use_is_counted_and_has_no_limit(run, closed):
    for epsilon in ("90", "50.000001"):
        assert f"ε = {epsilon} spent" in run("profile", "plant/logs", closed, "--epsilon", epsilon)
    uses = json.loads(run("uses", "plant/logs", "--json"))
    assert [(one["organisation"], one["epsilon_so_far"]) for one in uses] == [
        ("plant", 140_000_001),
        ("plant", 90_000_000),
    ]


def test_without_an_agreement_or_budget_it_is_refused(run, closed):
    assert "no agreement" in run("profile", "plant/logs", closed, "--epsilon", "1", "--for", "others", code=5)
    assert "left" in run("profile", "plant/logs", closed, "--epsilon", "12.000001", "--for", "acme", code=5)
    assert "not a valid ε" in run("profile", "plant/logs", closed, "--epsilon", "0.0000001", "--for", "acme", code=2)
    assert "not a valid ε" in run("profile", "plant/logs", closed, "--epsilon", "much", "--for", "acme", code=2)
    assert json.loads(run("uses", "plant/logs", "--json")) == []


def drawn(closed, out):
    """Write a sample and return what is printed; drawn again under further names, as one in twenty is refused."""
    for name in ("", "a", "b", "c"):
        words = ("synthesise", "plant/logs", closed, "--epsilon", "3", "--for", "acme", "--rows", "700")
        done = CliRunner().invoke(app, ["data", *map(str, words), "--again", name, "--out", str(out), "--json"])
        if done.exit_code == 0:
            return json.loads(done.output)
        assert "nearer" in done.output
        assert not out.exists()
    raise AssertionError("refused four times")


def test_a_sample_is_written_for_suppliers(run, closed, tmp_path):
    found = drawn(closed, tmp_path / "out")
    assert found["dataset"]["synthetic"]
    assert found["privacyTest"]["rows"] == 700
    assert {one.name for one in (tmp_path / "out").iterdir()} == {
        "logs-synthetic.csv",
        "logs-synthetic.croissant.json",
        "logs-synthetic.tc609.jsonl",
    }
    assert "nothing is missing" in run("check", tmp_path / "out" / "logs-synthetic.croissant.json")
    assert "Published" in run("publish", tmp_path / "out" / "logs-synthetic.croissant.json")
    assert "too few" in run(
        "synthesise", "plant/logs", closed, "--epsilon", "3", "--rows", "5", "--out", tmp_path, code=2
    )


SCENARIO = """
document: scenario/1
name: runs
title: Runs
owner: {{organisation: plant}}
sector: manufacturing
action: industry
problem: Runs fail.
intended_use: Warn the shift.
data:
  file: {file}
  licence: CC0-1.0
  {dataset}
  fields: {fields}
  target: failed
  key: id
  split: {{method: hash, hidden: 0.6, by: id}}
task: classification
positive: "true"
baseline: {{kind: rule, rule: wear > 200}}
criteria: [{{rule: recall(true) >= 0.6}}, {{rule: accuracy >= 0.7}}]
trial:
  attempts: 6
  cases_per_attempt: 300
  batch_rows: 50
  limits: {{load_seconds: 60, batch_seconds: 30, memory_bytes: 256 MiB}}
"""
WARNS = "def predict(batch):\n    return ['true' if wear > 120 else 'false' for wear in batch['wear']]\n"


def scenario_of(folder, table, dataset):
    folder.mkdir()
    (folder / table.name).write_bytes(table.read_bytes())
    kept = {"name", "dataType", "minimum", "maximum", "unit"}
    fields = json.dumps([{name: said for name, said in field.items() if name in kept} for field in FIELDS])
    (folder / "scenario.yaml").write_text(SCENARIO.format(file=table.name, dataset=dataset, fields=fields))
    return str(folder)


@pytest.mark.prove
def test_developed_on_the_sample_and_tried_on_the_closed_data(run, closed, tmp_path):
    """The supplier rehearses in a home of its own with the sample alone; its trial runs where the data are."""
    drawn(closed, tmp_path / "out")
    made = scenario_of(tmp_path / "made", tmp_path / "out" / "logs-synthetic.csv", "")
    application = writing_application(tmp_path)(WARNS)
    rehearsed = invoke("trial", "rehearse", made, application, home=tmp_path / "supplier")
    assert rehearsed.exit_code == 0, rehearsed.output
    true = scenario_of(tmp_path / "true", closed, f"dataset: {SUBJECT}")
    tried = invoke("trial", "run", true, application, home=tmp_path / "home")
    assert tried.exit_code == 0, tried.output
    purposes = [use["purpose"] for use in json.loads(run("uses", "plant/logs", "--json"))]
    assert purposes.count("pb:verification") >= 1
    assert "pb:statistics" in purposes


def invoke(*words, home):
    return CliRunner().invoke(app, [*map(str, words)], env={"PILOTBASE_HOME": str(home)})
