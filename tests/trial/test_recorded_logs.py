"""Runs of agents that Inspect AI recorded: decided by our evidence, sample by sample."""

import json

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.documents.plan import DecisionPlan
from pilotbase.measures import score
from pilotbase.trial.deciding import decide_recorded
from pilotbase.trial.recorded_cases import read_recorded_cases
from tests.protocols.inspect_logs_for_tests import as_eval, as_json, sample


def plan_of(*criteria, kind="scores", **more):
    return DecisionPlan.model_validate({"criteria": list(criteria), "prediction": kind, **more})


def runs_of(right, samples=60, epochs=3, **last):
    """Return runs of which a share ``right`` is scored C: the first epochs of each ten samples."""
    found = [
        sample(f"s{number:03}", epoch, {"includes": "C" if number % 10 < right else "I", "steps": 0.5})
        for number in range(samples)
        for epoch in range(1, epochs + 1)
    ]
    return [*found[:-1], found[-1] | last]


def test_several_runs_of_a_sample_are_one_entry_of_the_evidence(tmp_path):
    plan = plan_of("score(includes) >= 0.75", "score(steps) >= 0.4", "worst(score(includes) by site) >= 0.7")
    recorded = read_recorded_cases(as_eval(tmp_path, runs_of(9), epochs=3), plan)
    assert recorded.unit == "unit" and len(recorded.cases) == 180
    found = decide_recorded(plan, recorded)
    assert found.verdicts == ("accept",) and found.units == 60
    assert {one.total for one in found.decisions[0].criteria} == {60}
    assert score(plan.criteria[0].parsed(), recorded.cases) == 0.9
    assert "180" in recorded.told.render("en") and "180" in recorded.told.render("zh")
    worse = read_recorded_cases(as_json(tmp_path, runs_of(6), epochs=3), plan)
    assert decide_recorded(plan, worse).verdicts == ("reject",)


@pytest.mark.parametrize(
    "last",
    [{"error": {"message": "boom"}}, {"limit": {"type": "token"}}, {"scores": {}}, {"invalidation": {"author": "me"}}],
)
def test_errors_limits_and_runs_without_a_score_count_as_worst(last, tmp_path):
    plan = plan_of("score(steps) >= 0.4")
    recorded = read_recorded_cases(as_json(tmp_path, runs_of(9, 10, 1, **last)), plan)
    assert recorded.unit is None, "each sample ran once: the case is the unit"
    assert score(plan.criteria[0].parsed(), recorded.cases) == pytest.approx(0.45)


def test_a_run_that_is_missing_counts_as_worst(tmp_path):
    file = as_json(tmp_path, runs_of(9, 10, 1))
    log = json.loads(file.read_text())
    file.write_text(json.dumps(log | {"samples": log["samples"][:5]}))
    plan = plan_of("score(steps) >= 0.4")
    assert score(plan.criteria[0].parsed(), read_recorded_cases(file, plan).cases) == 0.25


def test_our_own_measures_read_what_was_answered(tmp_path):
    plan = plan_of("contains >= 0.5", kind="text")
    recorded = read_recorded_cases(as_json(tmp_path, runs_of(9, 4, 1, error={"message": "boom"})), plan)
    assert score(plan.criteria[0].parsed(), recorded.cases) == 0.75


def test_the_only_scorer_needs_no_name_and_of_several_one_must_be_named(tmp_path):
    one = as_json(tmp_path, [sample(f"s{n}", 1, {"grader": 0.5}) for n in range(4)])
    plan = plan_of("score >= 0.4")
    assert score(plan.criteria[0].parsed(), read_recorded_cases(one, plan).cases) == 0.5
    several = read_recorded_cases(as_json(tmp_path, runs_of(9, 4, 1)), plan)
    with pytest.raises(InputError) as refused:
        decide_recorded(plan, several)
    assert "includes, steps" in refused.value.render("en")


def test_a_score_out_of_range_or_of_nobody_is_named_with_its_run(tmp_path):
    file = as_json(tmp_path, [sample("s1", 1, {"grader": 3})])
    with pytest.raises(InputError) as refused:
        read_recorded_cases(file, plan_of("score >= 0.4"))
    assert [issue.path for issue in refused.value.issues] == ["s1#1/score:grader"]
    with pytest.raises(InputError) as refused:
        read_recorded_cases(file, plan_of("score(graber) >= 0.4"))
    assert "score:grader" in refused.value.render("en")


def test_scores_of_whomever_are_read_from_a_table_too(tmp_path):
    file = tmp_path / "scores.csv"
    file.write_text("case,unit,grader,site\n" + "".join(f"c{n},q{n // 3},{n % 3 / 2},x\n" for n in range(90)))
    plan = plan_of("score(grader) >= 0.4")
    recorded = read_recorded_cases(file, plan)
    assert decide_recorded(plan, recorded).verdicts == ("accept",)
    assert score(plan.criteria[0].parsed(), recorded.cases) == 0.5


def test_no_scenario_can_ask_for_scores():
    from pilotbase.documents.contract import TASKS

    assert not any("scores" in task.kinds for task in TASKS.values())
