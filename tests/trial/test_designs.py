"""When scoring stops: as soon as the verdict stands, at a number fixed beforehand, or at the last case."""

import json
import re

import numpy as np
import pytest

from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.loading import build_document
from pilotbase.documents.scenario import Criterion, Scenario, TrialDesign
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.measures import Cases, coded, observe
from pilotbase.trial.stored_records import shuffled_remainder
from pilotbase.worker.trials.proving import freeze_in, prove
from tests.trial.conftest import SCENARIO


def stopping(stop: str):
    return lambda content: content.replace("attempts: 6", f"attempts: 6\n  {stop}")


@pytest.mark.parametrize(
    ("stop", "scored", "guarantee", "said"),
    [
        ("stop: fixed\n  cases: 90", 90, "exact_fixed", "after 90 cases, a number fixed in advance"),
        ("stop: full", 200, "exact_census", "all cases are scored"),
        ("stop: early", None, "exact_anytime", "stops as soon as the verdict stands"),
    ],
)
def test_a_trial_stops_when_its_plan_says_and_the_report_tells(
    base, write_scenario, write_application, tmp_path, stop, scored, guarantee, said
):
    proven = prove(base, write_scenario(cases=200, change=stopping(stop)), write_application(), tmp_path / "out")
    report = proven.report
    assert report.attempt.scored == scored if scored else report.attempt.scored < 200
    assert report.criteria[1].guarantee == guarantee
    assert said in (tmp_path / "out" / "report.html").read_text()
    supplier = json.loads((tmp_path / "out" / "supplier" / "report.json").read_text())
    assert supplier["design"]["stop"] in stop
    assert "decision" not in supplier, "a digest of few figures could be guessed back"


def test_a_fixed_number_that_can_never_decide_is_refused_with_the_number_that_could(
    base, write_scenario, write_application
):
    few = stopping("stop: fixed\n  cases: 4")
    with pytest.raises(InputError) as caught:
        freeze_in(base, write_scenario(cases=200, change=few), write_application())
    shown = caught.value.render("en")
    assert "criteria[0].rule" in shown
    assert "criteria[1].rule" in shown
    assert re.search(r"accuracy\(?.*4", shown)


def test_more_cases_than_an_attempt_has_cannot_be_scored(base, write_scenario, write_application):
    with pytest.raises(RefusedError, match="5000"):
        freeze_in(base, write_scenario(change=stopping("stop: fixed\n  cases: 5000")), write_application())


@pytest.mark.parametrize("stop", ["stop: fixed", "stop: early\n  cases: 5", "cases: 5", "stop: sometimes"])
def test_a_design_that_says_half_is_refused_at_its_place(stop):
    with pytest.raises(InputError) as caught:
        build_document(Scenario, parse_yaml(stopping(stop)(SCENARIO.format(cases=50)).encode(), "scenario.yaml"))
    assert "scenario.yaml:" in caught.value.render("en")
    assert "trial" in caught.value.render("zh")


def test_a_design_is_early_where_nothing_is_said():
    scenario = build_document(Scenario, parse_yaml(SCENARIO.format(cases=50).encode(), "scenario.yaml"))
    assert scenario.trial.design == TrialDesign(stop="early")


def test_shuffled_truths_keep_every_count_and_move_labels():
    draw = np.random.default_rng(4)
    truth, site = draw.integers(0, 2, 600).astype(np.int32), draw.integers(0, 3, 600)
    answers = np.where(draw.random(600) < 0.7, truth, 1 - truth).astype(np.int32)
    kept = {"classes": ("a", "b"), "positive": "b", "groups": {"site": site}}
    position = np.where(np.arange(600) < 250, np.arange(600), -1)
    rules = ["recall(b) >= 0.5", "f1(b) >= 0.5", "gap(recall(b) by site) <= 0.5", "worst(precision(b) by site) >= 0.1"]
    criteria = [Criterion(rule=rule) for rule in rules]
    cases = Cases(truth, answers, **kept)
    shuffled, how = shuffled_remainder(cases, position, criteria, b"seed")
    assert how == "shuffled"
    assert (shuffled[:250] == truth[:250]).all()
    assert (shuffled[250:] != truth[250:]).sum() > 50
    order = np.arange(600)
    for rule in rules:
        pair = [observe(parse_rule(rule), seen, order) for seen in (cases, Cases(shuffled, answers, **kept))]
        sums = [[(int(part.gain.sum()), int(part.weight.sum())) for part in found.parts] for found in pair]
        assert sums[0] == sums[1]


def test_a_gap_between_means_keeps_its_truths():
    draw = np.random.default_rng(4)
    truth, site = draw.normal(size=60), draw.integers(0, 2, 60)
    cases = Cases(truth, draw.normal(size=60), groups={"site": site}, kind="value")
    position = np.where(np.arange(60) < 20, np.arange(60), -1)
    gap, single = Criterion(rule="gap(capped_mae(cap=3) by site) <= 1"), Criterion(rule="capped_mae(cap=3) <= 1")
    assert shuffled_remainder(cases, position, [gap], b"seed")[1] == "exact"
    assert shuffled_remainder(cases, position, [single], b"seed")[1] == "shuffled"
    assert shuffled_remainder(cases, np.arange(60), [gap], b"seed")[1] == "none"


def test_a_figure_of_all_cases_together_keeps_its_truths():
    draw = np.random.default_rng(4)
    truth, scores = draw.integers(0, 2, 60).astype(np.int32), draw.random(60)
    cases = Cases(truth, scores, classes=("a", "b"), positive="b", kind="probability")
    position = np.where(np.arange(60) < 20, np.arange(60), -1)
    criterion = Criterion(rule="average_precision >= 0.5")
    kept, how = shuffled_remainder(cases, position, [criterion], b"seed")
    assert how == "exact" and (kept == truth).all(), "a replay would find another figure"


@pytest.mark.parametrize(
    ("kind", "classes", "answers", "truth", "rule", "how"),
    [
        ("labels", ("a", "b"), ("a", "b", "a|b", ""), ("a", "a|b", ""), "label_f1 >= 0.5", "shuffled"),
        ("boxes", ("a",), ("[]", '[["a", 0, 0, 1, 1, 0.5]]'), ("[]", '[["a", 0, 0, 1, 1]]'), "box_f1 >= 0.5", "exact"),
    ],
)
def test_as_many_cases_count_as_before_where_a_weight_reads_truth_and_answer(kind, classes, answers, truth, rule, how):
    draw = np.random.default_rng(4)
    kept = {"classes": classes, "kind": kind, "answers": draw.choice(np.array(answers, dtype=object), 90)}
    cases = Cases(truth=draw.choice(np.array(truth, dtype=object), 90), **kept)
    position = np.where(np.arange(90) < 20, np.arange(90), -1)
    shuffled, found = shuffled_remainder(cases, position, [Criterion(rule=rule)], b"seed")
    assert found == how
    weights = [
        observe(parse_rule(rule), coded(one), np.arange(90)).parts[0].weight
        for one in (cases, Cases(truth=shuffled, **kept))
    ]
    assert (weights[0] > 0).sum() == (weights[1] > 0).sum(), "a replay would find another number of cases"
