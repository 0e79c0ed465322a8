"""`pilotbase trial decide` on what a trial itself has written, its plan beside it."""

import json

import polars as pl
import pytest

from tests.cli.test_command_line import run
from tests.trial.conftest import home, write_application, write_scenario  # noqa: F401 - fixtures
from tests.trial.test_perturbed_arms import asking

RULES = ("lift(accuracy) >= 0.02", "gap(accuracy by site) <= 0.4", "drop(accuracy under noise(0.1)) <= 0.4")
"""They read baseline, group and answers under a perturbation."""


def test_a_trials_own_cases_are_decided_by_every_criterion_on_answers(
    home,  # noqa: F811
    write_scenario,  # noqa: F811
    write_application,  # noqa: F811
    tmp_path,
):
    result = tmp_path / "out"
    assert (
        run("trial", "run", write_scenario(change=asking(*RULES)), write_application(), "--out", result).exit_code == 0
    )
    assert pl.read_csv(result / "cases.csv")["position"].min() == 0, "all answers decide about the hidden cases"
    for cases in (result, result / "cases.csv", result / "records.parquet"):
        decided = run("trial", "decide", result, cases, "--json")
        found = json.loads(decided.stdout)
        assert decided.exit_code == 0 and found["verdicts"] == ["accept"]
        assert set(RULES) < set(found["criteria"]) and len(found["criteria"]) == 5
        assert ("records.parquet" in decided.stderr) is (cases.name != "records.parquet"), "it says what is read"
    repeated = json.loads(run("trial", "decide", result, result / "cases.csv", "--repeat", 20, "--json").stdout)
    assert repeated["counts"]["accept"] == 20


@pytest.mark.parametrize(("language", "said"), [("en", "2 cases were not scored"), ("zh", "有 2 个案例未计分")])
def test_cases_without_their_records_say_once_what_they_lack(tmp_path, language, said):
    plan, cases = tmp_path / "plan.yaml", tmp_path / "cases.csv"
    plan.write_text("criteria: [accuracy >= 0.5]\n")
    cases.write_text("case,truth,prediction,position\n0,a,a,1\n1,,b,-1\n2,b,b,0\n3,,a,-1\n")
    told = run("trial", "decide", plan, cases, language=language)
    (line,) = [line for line in told.stderr.splitlines() if "truth: " in line]
    assert told.exit_code == 2 and said in line and "records.parquet" in line
    cases.write_text("case,truth,prediction,position\n0,a,a,1\n1,,b,2\n")
    assert "cases.csv:3 truth: " in run("trial", "decide", plan, cases).stderr, "a gap in what was scored is its row's"


def test_a_criterion_of_pairs_is_exact_in_its_table_and_open_where_a_class_is_rare(tmp_path):
    plan, cases = tmp_path / "plan.yaml", tmp_path / "cases.csv"
    plan.write_text(
        "criteria:\n  - {rule: mcc >= 0.5, estimand: population, why: all}\n  - {rule: accuracy >= 0.5}\n"
        "design: {stop: full}\n"
    )
    for rare, headline, outcome in ((60, "accept", 0), (3, "inconclusive", 4)):
        rows = [f"{row},{label},{label}" for row, label in enumerate(["a"] * rare + ["b"] * 200)]
        cases.write_text("case,truth,prediction\n" + "\n".join(rows) + "\n")
        told = run("trial", "decide", plan, cases)
        assert (told.exit_code, headline in told.stdout.lower()) == (outcome, True), told.output
        assert "approximate" not in told.stdout and "exact" in told.stdout
