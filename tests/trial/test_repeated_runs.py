"""Several runs a question: the case is what is independent, and the mean over its runs speaks for the noisy system."""

import json
import random

import numpy as np
import polars as pl
import pytest

from pilotbase.documents.errors import InputError
from pilotbase.documents.plan import DecisionPlan
from pilotbase.measures import Cases
from pilotbase.sandbox.endpoints.operator import ALLOW
from pilotbase.trial.deciding import decide_recorded
from pilotbase.trial.recorded_cases import RecordedCases
from pilotbase.worker.trials.proving import prove, rehearse_in
from pilotbase.worker.trials.replaying import replay_trial
from tests.cli.test_command_line import run
from tests.sandbox.endpoints.stubs_for_tests import Stub, chatting, serving
from tests.trial.conftest import home, write_application  # noqa: F401 - fixtures
from tests.trial.endpoints_for_tests import may_leave, writing_endpoint
from tests.trial.test_deciding import decisions, write  # noqa: F401 - fixtures

THRESHOLD, RUNS = 0.8, 5
ALPHA = 0.2
LEVEL = ALPHA / 2
"""Of a first attempt."""


def plan(estimand: str, stop: str = "early") -> DecisionPlan:
    criteria = [{"rule": f"accuracy >= {THRESHOLD}", "estimand": estimand}]
    prediction = {"kind": "label", "classes": ("no", "yes")}
    return DecisionPlan(criteria=criteria, prediction=prediction, alpha=ALPHA, design={"stop": stop})


def noisy_system(draw: np.random.Generator, cases: int, mean: float):
    """Return whether each run of each case is right, (cases, RUNS): most questions are nearly always answered alike."""
    hard = draw.random(cases) >= mean
    return draw.random((cases, RUNS)) < np.where(hard, 0.02, 0.98)[:, None]


def recorded(right, clustered: bool) -> RecordedCases:
    cases, runs = right.shape
    units = np.repeat(np.arange(cases), runs)
    known = Cases(
        truth=np.ones(cases * runs, np.int64),
        answers=right.reshape(-1).astype(np.int64),
        classes=("no", "yes"),
        units=units if clustered else None,
    )
    return RecordedCases(known, "question" if clustered else None)


def false_accepts(estimand: str, clustered: bool, rounds: int, cases: int = 60, stop: str = "early") -> int:
    """Return in how many of ``rounds`` a system that is right in less than the threshold is accepted."""
    accepted = 0
    for number in range(rounds):
        draw = np.random.default_rng(number)
        mean = (THRESHOLD - 0.001 - 0.02) / 0.96  # of cases drawn from the population
        right = noisy_system(draw, cases, mean)
        if estimand == "hidden_set":  # the claim is about these answers: make it false of them
            wanted = int(THRESHOLD * right.size) - 1
            excess = int(right.sum()) - wanted
            flat = right.reshape(-1)
            flipped = draw.permutation(np.flatnonzero(flat == (excess > 0)))[: abs(excess)]
            flat[flipped] = excess < 0
        found = decide_recorded(plan(estimand, stop), recorded(right, clustered), order_seed=number)
        accepted += found.verdicts[0].value == "accept"
    return accepted


def most(rounds: int) -> float:
    """Return how many accepts of ``rounds`` at the level are within three standard deviations."""
    return rounds * LEVEL + 3 * (rounds * LEVEL * (1 - LEVEL)) ** 0.5


@pytest.mark.prove
@pytest.mark.parametrize("estimand", ["population", "hidden_set"])
def test_runs_of_a_case_hang_together_and_error_levels_hold(estimand):
    assert false_accepts(estimand, True, 60) <= most(60)
    assert false_accepts(estimand, True, 60, stop="full") <= most(60)


def test_runs_that_are_counted_as_cases_prove_what_is_false():
    assert false_accepts("population", False, 100, stop="full") > most(100)


@pytest.mark.prove
@pytest.mark.parametrize("estimand", ["population", "hidden_set"])
def test_error_levels_hold_over_many_rounds(estimand):
    assert false_accepts(estimand, True, 1500, 200) <= most(1500)


def test_more_runs_need_fewer_cases_where_the_noise_is_the_systems_own():
    def needed(runs: int) -> float:
        found = []
        for seed in range(15):
            right = np.random.default_rng(seed).random((500, RUNS))[:, :runs] < 0.9
            criterion = decide_recorded(plan("population"), recorded(right, True), seed).decisions[0].criteria[0]
            found.append((criterion.decided_at or 500 * runs) / runs)
        return float(np.median(found))

    assert needed(RUNS) < 0.7 * needed(1)


def test_a_table_of_runs_is_decided_by_the_case(write):  # noqa: F811
    rows = [f"q{case},{run},yes,{'yes' if (case * 7 + run) % 10 else 'no'}" for run in range(4) for case in range(300)]
    text = "criteria: [{rule: accuracy >= 0.8, estimand: population}]\nprediction: {kind: label, classes: [no, yes]}"
    found = decisions(*write(text, rows, "case,run,truth,prediction"))
    (criterion,) = found.decisions[0].criteria
    assert (found.cases, found.units, criterion.unit, criterion.verdict) == (1200, 300, "unit", "pass")
    with pytest.raises(InputError) as caught:
        decisions(*write(text, [*rows, rows[5]], "case,run,truth,prediction"))
    assert "q5" in caught.value.render("en")


ANSWERS = """
import random, os
memory = {{}}

def predict(batch):
    out = []
    for question in batch["question"]:
        seen = memory[question] = memory.get(question, 0) + 1
        number = int("".join(filter(str.isdigit, question)) or 1)
        wavers = number % 9 == 0 and seen % {every} == 0
        out.append("yes" if (number % 2 == 1) != wavers else "no")
    return out
"""


def asking(repeats: str, rule: str = "{rule: accuracy >= 0.8, estimand: population}"):
    return f"""
document: scenario/1
name: repeats
title: {{en: Repeats, zh: 多次运行}}
owner: {{organisation: plant}}
action: industry
problem: {{en: P., zh: 问。}}
intended_use: {{en: U., zh: 用。}}
data:
  file: cases.csv
  licence: CC0-1.0
  fields:
    - {{name: case_id, dataType: sc:Text}}
    - {{name: question, dataType: sc:Text}}
    - {{name: answer, dataType: sc:Text}}
  target: answer
  key: case_id
  split: {{method: hash, hidden: 0.6}}
task: classification
positive: "yes"
baseline: {{kind: constant, value: "no"}}
criteria: [{rule}]
trial: {{attempts: 3, cases_per_attempt: 120, batch_rows: 50, {repeats} limits: {{batch_seconds: 30}}}}
"""


@pytest.fixture
def scenario(tmp_path):
    def write_it(repeats="repeats: 3,", **more):
        folder = tmp_path / "scenario"
        folder.mkdir()
        (folder / "scenario.yaml").write_text(asking(repeats, **more))
        draw = random.Random(2)
        numbers = [i + 600 * draw.randrange(1000) for i in range(600)]  # of no order: rows are not numbered
        rows = [f"c{i},{'x' * draw.randrange(1, 60)}{i},{'yes' if i % 2 else 'no'}" for i in numbers]
        (folder / "cases.csv").write_text("\n".join(["case_id,question,answer", *rows, ""]))
        return folder

    return write_it


def test_each_hidden_case_is_asked_in_several_runs_and_counted_once(home, scenario, write_application, tmp_path):  # noqa: F811
    out = tmp_path / "out"
    rule = "{rule: accuracy >= 0.6, estimand: population}"
    told = run("trial", "run", scenario(rule=rule), write_application(ANSWERS.format(every=2)), "--out", out)
    assert told.exit_code == 0, told.stderr
    report, plan_found = (json.loads((out / name).read_text()) for name in ("report.json", "plan.json"))
    (criterion,) = report["criteria"]
    assert plan_found["repeats"] == 3 and plan_found["criteria"][0]["unit"] == "repeated_case"
    assert criterion["available"] == 120
    assert report["attempt"]["reserved"] == 120 and report["attempt"]["answered"] == 120
    assert report["attempt"]["scored"] == criterion["scored"] == 120
    assert 0 < report["attempt"]["rests"]["cases"] < 120, "whole cases decide, each once"
    findings = {found["check"]: found for section in report["sections"] for found in section["findings"]}
    assert 0 < findings["runs"]["sentence"]["params"]["differing"] < 120
    assert findings["answers"]["outcome"] == "pass"
    table = pl.read_csv(out / "cases.csv")
    assert table.height == 360 and table.group_by("case").len()["len"].unique().to_list() == [3]
    in_order = table["case"].to_list()
    assert in_order[:120] == in_order[120:240] == in_order[240:], "records stand run by run, whatever the delivery was"
    replayed = run("trial", "replay", out)
    assert replayed.exit_code == 0, replayed.stdout + replayed.stderr
    decided = run("trial", "decide", out, out, "--json")
    found = json.loads(decided.stdout)
    assert decided.exit_code == 0 and found["units"] == 120


def test_pairs_of_cases_cannot_be_judged_over_runs(home, scenario):  # noqa: F811
    folder = scenario()
    told = run("scenario", "check", folder)
    assert told.exit_code == 0, told.stderr
    manifest = folder / "scenario.yaml"
    scored = manifest.read_text().replace("task: classification", "task: classification\nprediction: probability")
    manifest.write_text(scored.replace("accuracy >= 0.8, estimand: population", "auc >= 0.8"))
    told = run("scenario", "check", folder)
    assert told.exit_code == 2 and "runs of the same case are not a pair" in told.stderr


BREAKS_OFF = (
    ANSWERS
    + """
calls = [0]
before = predict

def predict(batch):
    calls[0] += 1
    if calls[0] > 4:
        raise ValueError("enough")
    return before(batch)
"""
)


@pytest.mark.prove
def test_an_application_that_breaks_off_answers_whole_runs_only(home, scenario, write_application, tmp_path):  # noqa: F811
    out = tmp_path / "out"
    folder = scenario(rule="{rule: accuracy >= 0.6}")
    data = (folder / "cases.csv").read_text().splitlines()
    (folder / "cases.csv").write_text("\n".join(data[:240]) + "\n")  # a rehearsal of two batches passes
    told = run("trial", "run", folder, write_application(BREAKS_OFF.format(every=2)), "--out", out)
    report = json.loads((out / "report.json").read_text())
    cases = report["counts"]["cases"]
    assert told.exit_code == 3 and report["verdict"] == "reject"
    answered = report["counts"]["answered"]
    assert 100 // 3 <= answered <= 200 // 3 < cases, "four batches of 25 to 50, over three runs"
    assert run("trial", "replay", out).exit_code == 0


@pytest.mark.prove
def test_perturbed_answers_are_compared_run_by_run(home, scenario, write_application, tmp_path):  # noqa: F811
    out = tmp_path / "out"
    rules = "{rule: accuracy >= 0.6}, {rule: recall(no) >= 0.01}, {rule: drop(accuracy under typos(0.1)) <= 0.5}"
    told = run("trial", "run", scenario(rule=rules), write_application(ANSWERS.format(every=2)), "--out", out)
    assert told.exit_code == 0, told.stdout + told.stderr
    report = json.loads((out / "report.json").read_text())
    assert [one["unit"] for one in report["criteria"]] == ["repeated_case"] * 3
    findings = {found["check"]: found for section in report["sections"] for found in section["findings"]}
    assert findings["robustness: typos(0.1)"]["sentence"]["params"]["answered"] == 120
    assert run("trial", "replay", out).exit_code == 0


@pytest.mark.prove
def test_an_endpoint_that_does_not_answer_alike_is_asked_again_and_its_cases_are_used_once(
    base,
    write_scenario,
    tmp_path,
    monkeypatch,
):
    monkeypatch.setenv(ALLOW, "127.0.0.1")
    draw = random.Random(4)

    def say(question):
        return "broken" if (float(question.split()[1]) > 6) != (draw.random() < 0.1) else "fine"

    twice = lambda content: may_leave(content).replace("trial:\n", "trial:\n  repeats: 2\n")  # noqa: E731
    with serving(Stub(chatting(say))) as stub:
        endpoint = stub.endpoint("openai_chat", prompt={"template": "Pressure {pressure} bar."}, in_flight=8)
        folder = writing_endpoint(tmp_path)(endpoint)
        scenario = write_scenario(rows=150, cases=40, change=twice)
        rehearse_in(base, scenario, folder)
        rehearsed = len(stub.asked)
        proof = prove(base, scenario, folder)
    report = proof.report
    assert report.endpoint.calls == 80 and len(stub.asked) >= rehearsed + 80
    assert (report.attempt.reserved, report.attempt.answered, report.counts["answered"]) == (40, 40, 40)
    runs = next(found for section in report.sections for found in section.findings if found.check == "runs")
    assert 0 < runs.sentence.params["differing"] < 40
    assert replay_trial(proof.folder).verdict == report.verdict
