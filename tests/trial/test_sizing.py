"""The planner's numbers beside exact power and simulated trials, and what it refuses."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from pilotbase.data.drafting import DraftAnswers
from pilotbase.data.splits import split_cases
from pilotbase.documents.api.trials import Budget, SizePlan, SizeTerms
from pilotbase.documents.errors import InputError
from pilotbase.documents.scenario import Criterion, Scenario
from pilotbase.documents.vocabularies import Estimand
from pilotbase.evidence import Design, attempt_levels, exact, verdict_of
from pilotbase.measures import Cases
from pilotbase.trial.scenario_folder import read_cases
from pilotbase.trial.scoring import plan_criterion
from pilotbase.trial.sizing import Effort, PlannedCases, cases_of_rule, cases_of_scenario, plan_size
from pilotbase.worker.intake.scenario_tables import plan_table
from pilotbase.worker.intake.sizes import plan_here, size_lines, total_lines
from pilotbase.worker.intake.table_drafts import draft_here, size_to_add
from tests.trial.arena.agents import write_scenario as write_world_scenario

OF_HIDDEN_SET = "trial.size.of_hidden_set"


def planned(rule="accuracy >= 0.90", truth=0.95, **given):
    terms = SizeTerms(rule=rule, truth=(truth,), **given)
    return plan_size(cases_of_rule(terms), terms)


def power(cases, alpha):
    least = binom.isf(alpha, cases, 0.9) + 1
    return binom.sf(least - 1, cases, 0.95)


@pytest.mark.prove
def test_the_number_of_a_fixed_design_is_the_binomials():
    found = planned(stop="fixed").cases
    enough = [n for n in range(200, 400) if power(n, 0.025) >= 0.9]
    assert 0.95 * enough[0] < found < 1.05 * (max(set(range(200, 400)) - set(enough)) + 1)


@pytest.mark.prove
def test_trials_of_the_planned_size_are_accepted_as_often_as_asked():
    """F1 .847 of cases that the planner has not seen, with an early stop, decided as a trial is."""
    cases = planned("f1(yes) >= 0.80", 0.847, prevalence=0.3).cases
    rng, accepted = np.random.default_rng(11), 0
    wrong = 2 * 0.3 * (1 - 0.847) / (0.847 + 2 * 0.3 * (1 - 0.847))  # F1 = 2π(1−e) / (2π(1−e) + e)
    for _ in range(300):
        truth = (rng.random(cases) < 0.3).astype(np.int64)
        answers = np.where(rng.random(cases) < wrong, 1 - truth, truth)
        seen = Cases(truth=truth, answers=answers, classes=("no", "yes"), positive="yes")
        order = np.arange(cases)
        plan = plan_criterion(Criterion(rule="f1(yes) >= 0.80", estimand=Estimand.POPULATION), seen, order)
        accepted += verdict_of([plan], order, attempt_levels(exact(0.05), 1), Design())[0] == "accept"
    assert accepted / 300 == pytest.approx(0.9, abs=0.05)


@pytest.mark.prove
def test_what_needs_more_cases_and_what_they_cost():
    once = planned(case_cost=0.5, label_cost=2, double=0.25, label_days=0.01, hidden=1200)
    assert (once.attempts, once.missing) == (1200 // once.cases, None)
    assert once.labels == once.cases + round(once.cases / 4)
    assert once.cost == once.cases / 2 + 2 * once.labels and once.days == pytest.approx(once.labels / 100)
    assert once.criteria[0].fewest == 62, "what `cases_to_confirm_at_best` says at α/2"
    third = planned(attempt=3, hidden=100)
    assert third.cases > once.cases and third.missing == third.cases - 100
    assert planned("worst(accuracy by site) >= 0.90", groups=4).cases > 4 * once.cases
    assert planned("judged(by=panel) >= 0.90").cases == pytest.approx(once.cases, rel=0.1)
    assert planned("judged(by=panel, scores=judge) >= 0.90").cases < 0.65 * once.cases, "a judge model saves verdicts"
    fixed = [planned(stop="fixed", attempt=attempt).cases for attempt in (1, 3)]
    grouped = planned(cluster=10, correlation=0.2).cases
    for page in ("docs/write-a-scenario.md", "docs/write-a-scenario.zh.md"):
        told = (Path(__file__).parents[2] / page).read_text("utf-8")
        assert f"| {once.cases} | {third.cases} | {grouped:,} |" in told and f"| {fixed[0]} | {fixed[1]} |" in told
    assert grouped > 2 * once.cases
    curve = [point.power for point in once.criteria[0].curve]
    assert curve == sorted(curve) and curve[0] < 0.3 < 0.9 < curve[-1]


def test_probabilities_of_several_classes_are_planned():
    truth = np.tile(np.arange(3), 700)
    right = Cases(truth, np.eye(3)[truth], classes=("a", "b", "c"), kind="probabilities")
    criterion = Criterion(rule="smoothed_log_loss <= 0.3", estimand=Estimand.POPULATION)
    found = plan_size(
        PlannedCases((criterion,), right, 0.05), SizeTerms(rule=criterion.rule, truth=(0.2,)), effort=Effort(draws=60)
    )
    assert 100 < found.cases < 5000


@pytest.mark.prove
@pytest.mark.parametrize(("rule", "truth"), [("auc >= 0.90", 0.95), ("capped_mae(cap=10) <= 1", 0.8)])
def test_a_fixed_number_of_any_measure(rule, truth):
    """The plan agrees with a second one of other draws: another share of the class, or nothing but a nearby truth."""
    found = planned(rule, truth, stop="fixed", prevalence=0.2)
    again = planned(rule, truth * 1.0005, stop="fixed", prevalence=0.2)
    assert again.cases == pytest.approx(found.cases, rel=0.12)


@pytest.mark.prove
def test_a_judge_model_saves_labels():
    assert planned(judge_error=0.05).labels < 0.6 * planned().labels


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"truth": 0.9}, "trial.truth_not_better"),
        ({"truth": 1.2}, "trial.truth_unreachable"),
        ({"truth": 0.9001}, "trial.too_large_to_plan"),
        ({"rule": "balanced_accuracy >= 1", "truth": 1.1}, "trial.never_confirmed"),
        ({"rule": "latency.p99 <= 2 s", "truth": 1}, "trial.rule_needs_scenario"),
        ({"rule": "gap(accuracy by site) <= 0.05", "truth": 0.02}, "trial.rule_needs_scenario"),
        ({"rule": "accuracy >= 2"}, "measure.rule_problem"),
    ],
)
def test_what_cannot_be_planned_is_refused(given, code):
    with pytest.raises(InputError) as raised:
        planned(**given)
    assert raised.value.code == code


def test_a_criterion_of_the_hidden_set_names_no_fewest_cases():
    terms = SizeTerms(rule="accuracy >= 0.90", truth=(0.95,), stop="fixed")
    of_population = cases_of_rule(terms)
    for of_hidden_set, code in ((frozenset(), "trial.size.fewest"), (frozenset({terms.rule}), OF_HIDDEN_SET)):
        plan = plan_size(replace(of_population, of_hidden_set=of_hidden_set), terms, effort=Effort(draws=50))
        assert [line.code for line in size_lines(plan)][1] == code


@pytest.mark.parametrize(("rule", "told"), [("mcc >= 0.5", True), ("accuracy >= 0.5", False)])
def test_a_measure_that_is_never_refuted_is_told_where_a_size_is_planned(rule, told, monkeypatch):
    monkeypatch.setattr("pilotbase.trial.sizing._fixed", lambda *_: 100)
    monkeypatch.setattr("pilotbase.trial.sizing._CURVE", ())
    lines = size_lines(planned(rule=rule, stop="fixed"))
    assert ("trial.size.never_refuted" in [line.code for line in lines]) is told


def test_a_base_does_not_plan_for_long():
    terms = SizeTerms(rule="accuracy >= 0.9", truth=(0.95,))
    with pytest.raises(InputError) as raised:
        plan_size(cases_of_rule(terms), terms, Effort(seconds=-1))
    assert raised.value.code == "trial.planning_takes_long"


def test_a_draft_takes_the_size_of_the_planner(tmp_path):
    rng = np.random.default_rng(2)
    drawn = enumerate(rng.normal(size=12_000))
    rows = [f"{p},{n % 400},{'bad' if p + rng.normal() > 1.3 else 'fine'}" for n, p in drawn]
    (tmp_path / "cases.csv").write_text("\n".join(["pressure,pump,state", *rows]))
    answers = DraftAnswers("Breaks too often", "state", None, 10, 1, "plant, desk")
    found = draft_here(tmp_path / "cases.csv", answers)
    terms, told = found.scenario.trial, found.decided[-1]
    assert told.code == "draft.decided.planned" and told.params["cases"] == terms.cases_per_attempt
    assert terms.attempts == min(10, told.params["hidden"] // terms.cases_per_attempt) >= 2
    claims = {one.parsed().measure: one.estimand for one in found.scenario.criteria}
    assert (claims["recall"], claims["precision"]) == (Estimand.POPULATION, Estimand.POPULATION)
    by_pump = draft_here(tmp_path / "cases.csv", replace(answers, group_or_time="pump")).scenario
    assert {one.estimand for one in by_pump.criteria} == {Estimand.HIDDEN_SET}, "cases of one pump are no draws"
    folder = tmp_path / "scenario"
    folder.mkdir()
    (folder / "cases.csv").write_bytes((tmp_path / "cases.csv").read_bytes())
    unsized = found.scenario.model_copy(update={"trial": terms.model_copy(update={"cases_per_attempt": None})})
    assert (size_to_add(unsized, folder), size_to_add(found.scenario, folder)) == (terms.cases_per_attempt, None)
    counts = dict.fromkeys(("attempts", "used", "left", "spent", "cases", "reserved", "scored"), 9)
    level = float(attempt_levels(exact(0.05), 5, 2).accept)
    left = Budget(**counts, next_number=5, next_level=level, alpha=0.05, fresh=7)
    shared = found.scenario.model_copy(update={"trial": terms.model_copy(update={"suppliers": ("a", "b")})})
    plan = plan_table(
        shared, split_cases(read_cases(shared, folder), shared), SizeTerms(), left, effort=Effort(draws=50)
    )
    assert (plan.attempt, plan.level, plan.missing) == (2, pytest.approx(level), plan.cases - 7)
    kinds = {one.rule: one.estimand is Estimand.HIDDEN_SET for one in shared.criteria}
    assert all(one.of_hidden_set is kinds[one.rule] for one in plan.criteria)


def test_what_experts_judge_is_planned_without_true_answers():
    rule = "judged(by=panel) >= 0.8"
    content = {"name": "letters", "title": "x", "owner": {"organisation": "works"}, "problem": "x", "task": "answering"}
    fields = [{"name": name, "dataType": "sc:Text"} for name in ("asked", "said")]
    content |= {"data": {"file": "a.csv", "target": "said", "fields": fields}, "criteria": [{"rule": rule}]}
    content["trial"] = {"panel": {"guideline": "g.md", "version": "1.0"}}
    empty = pl.DataFrame({"asked": ["a", "b"] * 40, "said": [None] * 80}, schema_overrides={"said": pl.String})
    terms, effort = SizeTerms(truth=(0.9,)), Effort(draws=50)
    filled, scenario = empty.with_columns(said=pl.lit("yes")), Scenario.model_validate(content)
    plans = [plan_size(cases_of_scenario(scenario, (), table), terms, effort) for table in (empty, filled)]
    assert plans[0].cases == plans[1].cases > 0


@pytest.mark.parametrize(
    ("about_set", "said"),
    [((True, True), "missing_of_population"), ((True, False), "missing"), ((False, False), "missing")],
)
def test_no_case_is_missing_for_a_claim_about_the_hidden_set(about_set, said):
    one = {
        "rule": "accuracy >= 0.9",
        "truth": 0.95,
        "fewest": 62,
        "cases": 500,
        "labels": 500,
        "power": 0.9,
        "curve": [],
    }
    whole = {"attempt": 1, "level": 0.05, "stop": "fixed", "power": 0.9, "left_out": [], "labels": 500, "missing": 400}
    of = [{**one, "of_hidden_set": is_about} for is_about in about_set]
    plan = SizePlan.model_validate({**whole, "criteria": of, "cases": 500, "cost": 0, "days": 0, "attempts": 0})
    assert [line.code for line in total_lines(plan)][-1] == f"trial.size.{said}"


@pytest.mark.prove
def test_a_scenario_with_a_world_needs_as_many_episodes_as_such_a_rule_needs_cases(home, tmp_path):
    """Under an arm as many as without; what it answers to another episode is as bad as no answer."""
    folder = write_world_scenario(tmp_path, "reached >= 0.8", "reached under injected >= 0.8")
    clean, injected = plan_here(SizeTerms(scenario=str(folder), truth=(0.9, 0.9), stop="fixed")).criteria
    assert (injected.rule, injected.cases) == ("reached under injected >= 0.8", clean.cases)
    made_up = plan_here(SizeTerms(rule="accuracy >= 0.8", truth=(0.9,), power=0.95, stop="fixed")).criteria[0]
    assert clean.power == made_up.power and abs(clean.cases - made_up.cases) < 0.15 * made_up.cases
