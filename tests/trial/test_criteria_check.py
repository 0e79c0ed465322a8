"""What is said of criteria before anything runs."""

from pathlib import Path

import polars as pl
import pytest

from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.loading import build_document
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.trial import criteria_check
from pilotbase.trial.criteria_check import check_criteria, check_rules, require_enough
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.trial.sealing import seal_scenario
from pilotbase.worker.intake.scenario_tables import check_cases
from tests.trial.conftest import SCENARIO
from tests.trial.test_kinds_of_answers import KINDS


def check(rule: str, sites: list[str]) -> None:
    content = SCENARIO.format(cases=50).replace("accuracy >= 0.7", rule)
    scenario = build_document(Scenario, parse_yaml(content.encode(), "scenario.yaml"))
    rows = len(sites)
    public = pl.DataFrame(
        {
            "case_id": [f"c{number}" for number in range(rows)],
            "pressure": [5.0] * rows,
            "age": [1] * rows,
            "site": sites,
            "failure": ["broken", "fine"] * (rows // 2),
        }
    )
    check_criteria(scenario, ("broken", "fine"), public, 50, 0.05)


@pytest.mark.parametrize("rule", ["gap(accuracy by site) <= 0.5", "worst(accuracy by site) >= 0.5"])
def test_groups_are_counted_before_pairs_of_them_are_compared(monkeypatch, rule):
    check(rule, ["north", "south"] * 50)
    with pytest.raises(InputError) as caught:
        check(rule, [f"s{number}" for number in range(100)])
    assert [issue.path for issue in caught.value.issues] == ["criteria[1].rule"]
    assert "100 groups of 100 public cases" in caught.value.render("en")
    monkeypatch.setattr(criteria_check, "MAXIMUM_GROUPS", {"gap": 40, "worst": 40})
    check(rule, [f"s{number % 40}" for number in range(100)])
    with pytest.raises(InputError, match=r"scenario\.yaml"):
        check(rule, [f"s{number % 41}" for number in range(100)])


@pytest.mark.parametrize(
    ("rule", "code", "needed"),
    [
        ("latency.p95(requests=20) <= 1 s", "trial.too_few_blocks", 61),
        ("throughput(requests=1) >= 10 cases/s", "trial.too_few_blocks", 30),
        ("load.p95(requests=20) <= 1 s", "trial.no_load_test", None),
    ],
)
def test_blocks_of_a_run_are_counted_before_it(rule, code, needed):
    with pytest.raises(InputError) as caught:
        check(rule, ["north", "south"] * 50)
    (issue,) = caught.value.issues
    assert (issue.problem.code, issue.problem.params.get("needed")) == (code, needed)


def test_figures_of_one_run_are_no_scenario_alone():
    alone = "".join(
        line for line in SCENARIO.format(cases=50).splitlines(True) if "{rule: " not in line or "mem" in line
    )
    with pytest.raises(InputError) as caught:
        check_rules(build_document(Scenario, parse_yaml(alone.encode(), "scenario.yaml")))
    assert [issue.problem.code for issue in caught.value.issues] == ["measure.run_alone"]


def with_rule(rule: str, rows: int, broken: int) -> tuple[Scenario, pl.DataFrame]:
    content = SCENARIO.format(cases=rows).replace("accuracy >= 0.7", rule)
    frame = {"case_id": [f"c{row}" for row in range(rows)], "pressure": [5.0] * rows, "age": [1] * rows}
    frame |= {"site": ["north"] * rows, "failure": ["broken"] * broken + ["fine"] * (rows - broken)}
    return build_document(Scenario, parse_yaml(content.encode(), "scenario.yaml")), pl.DataFrame(frame)


def test_a_criterion_of_pairs_is_refused_where_a_class_is_rare_at_the_freeze_and_in_the_scorer():
    """The public sample is only like the hidden cases: the scorer counts these, before anything is spent."""
    rule, classes = "mcc >= 0.9, estimand: population, why: all", ("broken", "fine")
    scenario, rare = with_rule(rule, 1000, 30)
    with pytest.raises(InputError) as caught:
        check_criteria(scenario, classes, rare, 1000, 0.025)
    (issue,) = caught.value.issues
    needed = issue.problem.params["needed"]
    assert issue.problem.code == "trial.too_few_entries" and 100 < needed < 150
    assert 15 < issue.problem.params["found"] < 45 and str(needed) in issue.problem.render("zh")
    enough = with_rule(rule, 1000, 200)[1]
    check_criteria(scenario, classes, enough, 1000, 0.025)
    require_enough(scenario, classes, enough, 0.025)
    with pytest.raises(RefusedError) as refused:
        require_enough(scenario, classes, rare, 0.025)
    assert refused.value.code == "trial.too_few_hidden" and "found" not in refused.value.text.params
    require_enough(*(with_rule("accuracy >= 0.7", 1000, 3)[0], classes, rare, 0.025))


def test_a_measure_that_proves_nothing_alone_is_refused_before_the_freeze():
    with pytest.raises(InputError) as caught:
        check("selective_accuracy >= 0.7", ["north", "south"] * 50)
    (issue,) = caught.value.issues
    assert (issue.path, issue.problem.code) == ("criteria[1].rule", "measure.stands_alone")
    assert "coverage, abstention" in issue.problem.render("zh")


def test_a_cap_beyond_a_million_usual_errors_of_the_baseline_is_refused(monkeypatch):
    content = (Path(__file__).parents[2] / "examples/tasks/forecasting/scenario.yaml").read_text()
    monkeypatch.setattr(criteria_check, "check_decidable", lambda *_: None)
    frame = {"load": [100.0, 101.0, 102.0], "bought_by": [100.0001, 101.0, 102.0001], "lead": [1, 1, 1]}

    def found(cap: int) -> list[str]:
        changed = content.replace("mase(cap=300)", f"mase(cap={cap})")
        scenario = build_document(Scenario, parse_yaml(changed.encode(), "scenario.yaml"))
        others = {field.name: [1.0] * 3 for field in scenario.data.fields if field.name not in frame}
        try:
            check_criteria(scenario, (), pl.DataFrame(frame | others), 50, 0.05)
        except InputError as error:
            return [issue.problem.code for issue in error.issues]
        return []

    assert (found(300), found(90)) == (["trial.absurd_cap"], [])


def test_a_truth_that_a_measure_cannot_read_is_told_before_anything_is_sealed(base, tmp_path):
    folder = tmp_path / "scenario"
    folder.mkdir()
    kind = next(one for one in KINDS if one.kind == "text")
    kind.write(folder)
    manifest = folder / "scenario.yaml"
    manifest.write_text(manifest.read_text().replace("exact_match >= 0.9", "json_fields >= 0.9"))
    rows = (folder / "cases.csv").read_text().splitlines()
    told = [rows[0], *(row.rsplit(",", 1)[0] + f',"{{""a"": {number}}}"' for number, row in enumerate(rows[1:]))]
    (folder / "cases.csv").write_text("\n".join(told))
    assert check_cases(load_scenario(folder, Step.FREEZE)[0], folder).hidden > 0
    (folder / "cases.csv").write_text("\n".join([*told[:7], rows[7], *told[8:]]))
    scenario = load_scenario(folder, Step.FREEZE)[0]
    for check in (check_cases, lambda one, place: seal_scenario(base.lab, one, place)):
        with pytest.raises(InputError) as refused:
            check(scenario, folder)
        (problem,) = [one for one in refused.value.issues if one.problem.code == "trial.truth_unread"]
        assert problem.path == "criteria[0].rule" and "json_fields" in problem.problem.render("zh")


@pytest.mark.parametrize(("kind", "named"), [("labels", "leak|fire"), ("boxes", '[["nut", 1, 1, 6, 4]]')])
def test_a_class_that_only_a_hidden_truth_names_is_an_issue_in_words(base, tmp_path, kind, named):
    next(one for one in KINDS if one.kind == kind).write(tmp_path)
    names, first, *rows = (tmp_path / "cases.csv").read_text().splitlines()
    quoted = named.replace('"', '""')
    (tmp_path / "cases.csv").write_text("\n".join([names, f'{",".join(first.split(",")[:2])},"{quoted}"', *rows]))
    scenario = load_scenario(tmp_path, Step.FREEZE)[0]
    for check in (check_cases, lambda one, place: seal_scenario(base.lab, one, place)):
        with pytest.raises(InputError) as refused:
            check(scenario, tmp_path)
        assert "data.class_only_hidden" in {one.problem.code for one in refused.value.issues} | {refused.value.code}
        assert ("fire" if kind == "labels" else "nut") in refused.value.render("en")


@pytest.mark.parametrize(("kind", "asked"), [("boxes", "box_recall(iou=0.5)"), ("text", "exact_match")])
def test_a_measure_of_another_kind_of_answer_is_named_and_not_tried_on_the_truths(base, tmp_path, kind, asked):
    folder = tmp_path / "scenario"
    folder.mkdir()
    next(one for one in KINDS if one.kind == kind).write(folder)
    manifest = folder / "scenario.yaml"
    manifest.write_text(manifest.read_text().replace(f"{asked} >= 0.9", "hand_over(below=0.8) <= 0.2"))
    scenario = load_scenario(folder, Step.FREEZE)[0]
    for check in (check_cases, lambda one, place: seal_scenario(base.lab, one, place)):
        with pytest.raises(InputError) as refused:
            check(scenario, folder)
        assert f"answers of the kind {kind}; it needs: probability" in refused.value.render("en")
