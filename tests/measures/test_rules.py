"""Rules: every problem at once, in both languages, before anything runs; and refusals when it is too late."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError
from pilotbase.measures import (
    Cases,
    RuleContext,
    RunMeasurements,
    is_resource,
    measure_named,
    observe,
    observe_run,
    problems_of,
    score,
)

LABELS = RuleContext("label", ("ok", "failure"), "failure", frozenset({"site"}))
NUMBERS = RuleContext("value")
ORDER = np.arange(2)
CASES = Cases(np.array([0, 1]), np.array([0, 1]), classes=("ok", "failure"), positive="failure")


@pytest.mark.parametrize(
    ("rule", "setting", "codes"),
    [
        ("recall(failure) >= 0.90", LABELS, []),
        ("recall >= 0.90", LABELS, []),
        ("gap(recall(failure) by site) <= 0.05", LABELS, []),
        ("capped_mae(cap=50) <= 10", NUMBERS, []),
        ("latency.p95 <= 50 ms", LABELS, []),
        ("memory.peak <= 1 GiB", LABELS, []),
        ("throughput >= 100 cases/s", LABELS, []),
        ("accuracy >= 90 %", LABELS, []),
        ("recal(failure) >= 0.90", LABELS, ["measure.unknown"]),
        ("recall(broken) >= 0.90", LABELS, ["measure.unknown_class"]),
        ("recall >= 0.90", RuleContext("label", ("a", "b")), ["measure.class_missing"]),
        ("accuracy(failure) >= 0.90", LABELS, ["measure.takes_no_class"]),
        ("recall(failure) >= 90", LABELS, ["measure.threshold_range"]),
        ("recall(failure) >= 0.9 ms", LABELS, ["measure.wrong_unit"]),
        ("capped_mae <= 10", NUMBERS, ["measure.argument_missing"]),
        ("capped_mae(cap=-1) <= 10", NUMBERS, ["measure.argument_range"]),
        ("capped_mae(cap=50) <= 60", NUMBERS, ["measure.threshold_range"]),
        ("capped_mae(cap=50) <= 10", LABELS, ["measure.wrong_kind"]),
        ("brier(failure) <= 0.2", LABELS, ["measure.wrong_kind"]),
        ("f_beta(failure, gamma=2) >= 0.5", LABELS, ["measure.unknown_argument", "measure.argument_missing"]),
        ("gap(recall(failure) by ward) <= 0.05", LABELS, ["measure.unknown_column"]),
        ("gap(recall(failure) by site) >= 0.05", LABELS, ["measure.gap_direction"]),
        ("accuracy <= 0.8", LABELS, ["measure.direction"]),
        ("worst(recall(failure) by site) <= 0.8", LABELS, ["measure.direction"]),
        ("win_rate >= 0.5", LABELS, ["measure.baseline_missing"]),
        ("latency.p95 <= 50", LABELS, ["measure.wrong_unit"]),
        ("latency.p95 <= 1 GiB", LABELS, ["measure.wrong_unit"]),
        ("latency.p95 >= 50 ms", LABELS, ["measure.direction"]),
        ("memory.peak <= 0 B", LABELS, ["measure.threshold_positive"]),
        ("worst(latency.p95 by site) <= 50 ms", LABELS, ["measure.no_groups"]),
        (
            "recall(broken, cut=2) >= 0.9",
            NUMBERS,
            ["measure.wrong_kind", "measure.unknown_class", "measure.argument_range"],
        ),
    ],
)
def test_all_problems_at_once(rule: str, setting: RuleContext, codes: list[str]) -> None:
    problems = problems_of(parse_rule(rule), setting)
    assert [problem.code for problem in problems] == codes
    for problem in problems:
        assert problem.render("en") != problem.render("zh")


def test_unknown_measures_name_the_one_that_was_meant() -> None:
    with pytest.raises(InputError, match=r"did you mean accuracy\?") as refused:
        measure_named("acuracy")
    assert "是否指 accuracy？" in refused.value.render("zh")
    with pytest.raises(InputError, match=r"did you mean latency\.p95\?"):
        measure_named("latencyy.p95")


def test_what_is_judged_on_a_run() -> None:
    assert is_resource(parse_rule("memory.peak <= 1 GiB"))
    assert not is_resource(parse_rule("accuracy >= 0.9"))
    with pytest.raises(InputError, match="measured on a run"):
        observe(parse_rule("memory.peak <= 1 GiB"), CASES, ORDER)
    with pytest.raises(InputError, match="computed from answers"):
        observe_run(parse_rule("accuracy >= 0.9"), RunMeasurements(np.array([0.1]), 1, 0.1))


@pytest.mark.parametrize("rule", ["recall(broken) >= 0.9", "worst(accuracy by ward) >= 0.9", "f_beta(failure) >= 0.9"])
def test_a_rule_that_was_not_checked_is_refused_when_used(rule: str) -> None:
    with pytest.raises(InputError) as refused:
        observe(parse_rule(rule), CASES, ORDER)
    for language in ("en", "zh"):
        assert refused.value.render(language)


def test_defaults_are_filled_in() -> None:
    probabilities = Cases(
        np.array([0, 1]), np.array([0.4, 0.6]), classes=("ok", "failure"), positive="failure", kind="probability"
    )
    assert score(parse_rule("accuracy >= 0.5"), probabilities) == 1
    assert score(parse_rule("accuracy(cut=0.3) >= 0.5"), probabilities) == 0.5


def test_zero_of_zero_is_not_measured() -> None:
    never = Cases(np.array([0, 0]), np.array([0, 0]), classes=("ok", "failure"), positive="failure")
    for rule in ("recall(failure) >= 0.5", "precision(failure) >= 0.5", "f1(failure) >= 0.5"):
        assert score(parse_rule(rule), never) is None
    assert score(parse_rule("gap(accuracy by site) <= 0.1"), among_one_site(never)) is None


def among_one_site(cases: Cases) -> Cases:
    return Cases(cases.truth, cases.answers, {"site": np.array(["a", "a"])}, classes=cases.classes, positive="failure")


def test_abstentions_harm_whichever_way_the_criterion_points() -> None:
    silent = Cases(np.array([0, 1]), np.array([-1, -1]), classes=("ok", "failure"), positive="failure")
    assert score(parse_rule("accuracy >= 0.5"), silent) == 0
    assert score(parse_rule("error_rate <= 0.5"), silent) == 1
    assert score(parse_rule("accuracy <= 0.5"), silent) == 1
    assert score(parse_rule("precision(failure) >= 0.5"), silent) == 0
    numbers = Cases(np.array([1.0]), np.array([np.nan]), kind="value")
    assert score(parse_rule("capped_mae(cap=7) <= 1"), numbers) == 7


def test_thresholds_stay_decimal() -> None:
    assert parse_rule("accuracy >= 0.07").threshold == Decimal("0.07")


def test_a_group_that_never_answers_widens_the_gap() -> None:
    sites = {"site": np.array(["a", "a", "b", "b"])}
    silent = Cases(
        np.array([1, 1, 1, 1]), np.array([1, 1, -1, -1]), sites, classes=("ok", "failure"), positive="failure"
    )
    assert score(parse_rule("gap(recall by site) <= 0.1"), silent) == 1
    assert score(parse_rule("gap(error_rate by site) <= 0.1"), silent) == 1
    assert score(parse_rule("worst(recall by site) >= 0.1"), silent) == 0
