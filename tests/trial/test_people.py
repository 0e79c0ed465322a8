"""Human performance: what people decided on the same cases is measured like a baseline, and no application sees it."""

import csv
import json
import random
import shutil

import polars as pl
import pytest

from pilotbase.data.splits import split_cases
from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.documents.loading import build_document
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.vocabularies import Outcome
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.trial.design_findings import people_finding
from pilotbase.trial.scenario_folder import load_scenario, read_cases
from pilotbase.worker.base import open_base
from pilotbase.worker.intake.checking import check_scenario
from pilotbase.worker.trials.folder import read_report
from pilotbase.worker.trials.proving import prove, rehearse_in
from pilotbase.worker.trials.replaying import replay_trial
from tests.trial.conftest import SCENARIO, writing_application, writing_scenario

LIFT, DROP = "lift(accuracy) >= 0.02", "drop(accuracy under missing(0.1, columns=age)) <= 0.2"


def with_people(content, column="shift"):
    """Ask for people as well, with a field of what the shift decided."""
    asked = content.replace("criteria:\n", f"people: {{column: {column}}}\ncriteria:\n")
    return asked.replace("  target: failure\n", "    - {name: shift, dataType: sc:Text}\n  target: failure\n")


def decide(folder, decisions=("broken", "fine")):
    """Let the shift decide every case of a table: right in about 65 of 100, and nothing in about 20."""
    file, draw = folder / "cases.csv", random.Random(3)
    rows = list(csv.DictReader(file.open()))
    for row in rows:
        broken, luck = row["failure"] == "broken", draw.random()
        row["shift"] = "" if luck < 0.2 else decisions[broken == (luck < 0.35)]
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """The scenario's folder and the folder of a trial that stopped before all cases were scored."""
    place = tmp_path_factory.mktemp("people")
    criteria = f"accuracy >= 0.7}}\n  - {{rule: {LIFT}}}\n  - {{rule: '{DROP}'}}"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PILOTBASE_HOME", str(place / "home"))
        base = open_base(create=True, name="test-base")
        scenario = decide(
            writing_scenario(place)(
                cases=400, change=lambda content: with_people(content).replace("accuracy >= 0.7}", criteria)
            )
        )
        prove(base, scenario, writing_application(place)(), place / "out")
        base.lab.close()
    return scenario, place / "out"


@pytest.fixture
def shares(trial):
    """What the shift has right of the scored cases, by the owner's table: of all, and of those that are broken."""
    scenario, out = trial
    document, folder = load_scenario(scenario, Step.FREEZE)
    hidden = split_cases(read_cases(document, folder), document).hidden
    scored = pl.read_csv(out / "cases.csv").filter(pl.col("position") >= 0)
    of_owner = hidden[scored["case"].to_list()]
    assert of_owner["failure"].to_list() == scored["truth"].to_list()
    assert of_owner["shift"].null_count() > 0, "some cases they left undecided"
    right = (of_owner["shift"] == of_owner["failure"]).fill_null(value=False)
    return right.mean(), right.filter(of_owner["failure"] == "broken").mean()


def test_people_score_what_they_had_right_of_the_scored_cases(trial, shares):
    report = read_report(trial[1])
    recall, accuracy, lift, drop, memory = (
        next(one for one in report.criteria if one.rule.startswith(start))
        for start in ("recall", "accuracy", "lift", "drop", "memory")
    )
    assert (accuracy.people, recall.people) == pytest.approx(shares)
    assert (lift.paired.people, drop.paired.people) == pytest.approx((shares[0], shares[0]))
    assert (memory.people, lift.people, drop.people) == (None, None, None)
    (finding,) = (one for one in report.sections[0].findings if one.check == "people")
    assert (finding.outcome, finding.sentence.params) == (Outcome.PASS, {"count": 4})


def test_no_finer_figure_of_people_leaves_than_of_the_baseline(trial):
    view = json.loads((trial[1] / "supplier" / "report.json").read_text())
    for result in view["criteria"]:
        assert {"people", "baseline"}.isdisjoint({**result, **result.get("paired", {})})
    assert ">people</th>" not in (trial[1] / "supplier" / "report.html").read_text()


def test_the_page_shows_people_beside_the_baseline_in_both_languages(trial, shares):
    page = (trial[1] / "report.html").read_text()
    for baseline, people, undecided in (("baseline", "people", "an undecided case"), ("基线", "人工", "未作判断")):
        assert f'{baseline}</th><th class="figure">{people}</th>' in page
        assert f"<dt>{people}</dt><dd>{shares[0]:.3f}</dd>" in page
        assert undecided in page


def test_people_are_replayed_from_the_records_and_a_better_figure_is_noticed(trial, tmp_path):
    folder = shutil.copytree(trial[1], tmp_path / "out")
    assert "criteria[0].people" in replay_trial(folder).compared
    report = json.loads((folder / "report.json").read_text())
    report["criteria"][0]["people"] = 0.1
    (folder / "report.json").write_text(json.dumps(report))
    with pytest.raises(InvalidProofError, match=r"criteria\[0\]\.people"):
        replay_trial(folder)


def test_no_application_is_given_what_people_decided(base, write_scenario, write_application):
    copies = "def predict(batch):\n    return batch['shift']\n"
    scenario = decide(write_scenario(change=with_people))
    rehearsed = rehearse_in(base, scenario, write_application(copies))
    assert not rehearsed.passed
    assert "shift" not in [field.name for field in rehearsed.report.contract.features]
    assert "shift" not in pl.read_csv(rehearsed.folder / "cases.csv").columns


@pytest.mark.parametrize(
    ("column", "decisions", "found"),
    [
        ("shift", ("defect", "fine"), ("people", "data.unknown_class")),
        ("shfit", ("broken", "fine"), ("people.column", "scenario.unknown_column")),
    ],
)
def test_a_column_that_holds_no_answers_is_told(write_scenario, column, decisions, found):
    folder = decide(write_scenario(change=lambda content: with_people(content, column)), decisions)
    with pytest.raises(InputError) as refused:
        check_scenario(folder)
    (issue,) = refused.value.issues
    assert (issue.path, issue.problem.code) == found
    assert column in (folder / "scenario.yaml").read_text().splitlines()[issue.line - 1]


def scenario(change=lambda content: content):
    return build_document(Scenario, parse_yaml(change(SCENARIO.format(cases=10)).encode(), "scenario.yaml"))


def past_decisions(content):
    decided = with_people(content).replace("people: {column: shift}\n", "")
    return decided.replace("{kind: rule, rule: pressure > 8}", "{kind: column, column: shift}")


def test_a_scenario_without_people_is_the_document_that_it_was(base, write_scenario, write_application):
    assert "people" not in scenario().canonical().decode()
    rehearsed = rehearse_in(base, write_scenario(), write_application())
    assert all("people" not in result.to_json_value() for result in rehearsed.report.criteria)
    (finding,) = (one for one in rehearsed.report.sections[0].findings if one.check == "people")
    assert finding.outcome is Outcome.NOT_MEASURED


@pytest.mark.parametrize(
    ("change", "baseline", "people", "outcome", "words"),
    [
        (with_people, 0.5, 0.8, "pass", ("measured, for 1", "涉及 1 项")),
        (with_people, 0.5, None, "not_measured", ("could not be measured", "未能")),
        (past_decisions, 0.5, None, "pass", ("are the baseline here", "此处基线即为")),
        (past_decisions, None, None, "not_measured", ("unknown", "未知")),
        (lambda content: content, 0.5, None, "not_measured", ("unknown", "未知")),
    ],
    ids=["measured", "no score", "baseline of decisions", "baseline without score", "a rule"],
)
def test_silence_is_not_taken_for_human_performance(change, baseline, people, outcome, words):
    finding = people_finding(scenario(change), [("accuracy >= 0.7", baseline)], [("accuracy >= 0.7", people)])
    assert finding.outcome == outcome
    for language, said in zip(("en", "zh"), words, strict=True):
        assert said in finding.sentence.render(language)
