"""What each newer measure decides in the cases where formulae leave something open."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError
from pilotbase.evidence import CriterionPlan, Design, Levels, decide, draw_order, levels_among
from pilotbase.measures import Cases, RuleContext, observe, problems_among, problems_of, score
from pilotbase.measures.text_pairs import edit_distance

LEVELS = Levels(Fraction(1, 20), Fraction(1, 20))
FULL = Design("full")


def value(rule: str, cases: Cases) -> float | None:
    return score(parse_rule(rule), cases)


def judged(source: str, cases: Cases, design: Design = FULL, estimand: Any = "hidden_set", **how: Any) -> Any:
    rule, order = parse_rule(source), draw_order(len(cases), b"choices", how.get("units"))
    seen = observe(rule, cases, order, estimand)
    plan = CriterionPlan(source, seen, rule.comparison, Fraction(rule.threshold), estimand, **how)
    return decide([plan], order, LEVELS, design).criteria[0]


def numbers(truth: Any, answers: Any, baseline: Any = None) -> Cases:
    other = None if baseline is None else np.array(baseline, dtype=float)
    return Cases(np.array(truth, dtype=float), np.array(answers, dtype=float), baseline=other, kind="value")


def labels(truth: Any, answers: Any, classes: tuple[str, ...] = ("n", "y"), **how: Any) -> Cases:
    return Cases(np.array(truth), np.array(answers), classes=classes, positive=classes[1], **how)


def texts(truth: list[str | None], answers: list[str | None]) -> Cases:
    return Cases(np.array(truth, dtype=object), np.array(answers, dtype=object), kind="text")


NEVER = [
    ("selective_accuracy >= 0.1", labels([0, 1], [-1, -1])),
    ("macro_precision >= 0.1", labels([0, 1, 0, 1], [0, 0, 0, 0])),
    ("negative_predictive_value >= 0.1", labels([0, 1], [1, 1])),
    ("mcc >= -1", labels([0, 1], [1, 1])),
    ("kappa >= -1", labels([1, 1], [1, 1])),
    ("refusal_rate >= 0.1", labels([0, 1], [0, 1])),
    ("over_refusal_rate <= 0.1", texts([None, None], [None, "no"])),
    ("mase(cap=9) <= 1", numbers([1, 2], [1, 2], [1, 2])),
    ("cer <= 0.1", texts(["", None], ["", "x"])),
    ("exact_match >= 0.1", texts([None], ["x"])),
]


@pytest.mark.parametrize(("rule", "cases"), NEVER, ids=[rule for rule, _ in NEVER])
@pytest.mark.parametrize("design", [Design(), Design("full"), Design("fixed", 1)])
def test_zero_of_zero_is_not_measured_and_never_a_pass(rule: str, cases: Cases, design: Design) -> None:
    assert value(rule, cases) is None
    assert judged(rule, cases, design).verdict == "not_measured"


def test_percentages_of_zero() -> None:
    assert value("mape(cap=2) <= 1", numbers([0, 0, 4], [0, 1, 3])) == pytest.approx((0 + 2 + 0.25) / 3)
    assert value("smape <= 1", numbers([0, 0, 4], [0, 1, -4])) == pytest.approx((0 + 2 + 2) / 3)
    assert value("smape <= 1", numbers([1], [np.nan])) == 2


def test_scaled_errors_are_a_ratio_of_sums_exact_at_one() -> None:
    cases = numbers([0, 0, 0], [1, 2, 3], [3, 2, 1])
    assert value("mase(cap=9) <= 1", cases) == 1
    assert judged("mase(cap=9) <= 1", cases).verdict == "pass"
    assert judged("mase(cap=9) <= 0.99999", cases).verdict == "fail"
    assert value("mase(cap=2) <= 1", numbers([0, 0], [5, 1], [1, 1])) == 1.5
    assert judged("mase(cap=9) <= 1", numbers([0, 0, 0], [0.1, 0.2, 0], [0.3, 0, 0])).verdict == "pass"
    worse = numbers([0, 0], [np.nan, 1], [1, 1])
    assert value("mase(cap=9) <= 1", worse) == 5


def test_an_error_where_the_naive_forecast_is_right_counts() -> None:
    cases = numbers([0, 0], [4, 0], [0, 1])
    assert value("mase(cap=8) <= 1", cases) == pytest.approx(4)
    assert judged("mase(cap=8) <= 1", cases).verdict == "fail"


def test_scaled_errors_of_a_whole_set_are_those_of_its_baseline_however_large_the_cap() -> None:
    cases = numbers([0] * 9, [0.0058] * 9, [0.0001] * 8 + [1.0])
    assert value("mase(cap=1000000) <= 1", cases) == pytest.approx(0.0522 / 1.0008)
    cases = numbers([0] * 9, [0.0058] * 9, [0.0001] * 8 + [0.002])
    assert value("mase(cap=1000000) <= 1", cases) == pytest.approx(0.0522 / 0.0028)
    assert judged("mase(cap=1000000) <= 9", cases).verdict == "fail"
    group = numbers([0, 0], [4, 0], [0, 1])
    assert value("mase(cap=8) <= 1", group) == pytest.approx(4)


def test_scaled_errors_have_useful_bounds_though_their_range_is_huge() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 1, 4000)
    cases = numbers(truth, truth + rng.normal(0, 0.5, 4000), truth + rng.normal(0, 1, 4000))
    found = judged("mase(cap=4) <= 0.8", cases, Design(), "population")
    assert found.verdict == "pass"
    assert 0 < found.lower < found.estimate < found.upper <= 0.8


def test_costs_weigh_misses_and_false_alarms() -> None:
    cases = labels([1, 1, 0, 0, 1], [0, 1, 1, 0, -1])
    assert value("cost(miss=5, false_alarm=0.5) <= 1", cases) == (5 + 0.5 + 5) / 5
    setting = RuleContext("label", ("n", "y"), "y")
    assert problems_of(parse_rule("cost(miss=5, false_alarm=1) <= 5"), setting) == ()
    (problem,) = problems_of(parse_rule("cost(miss=5, false_alarm=1) <= 6"), setting)
    assert problem.code == "measure.threshold_range"


MISTAKES = "severe as none=500, severe as *=200.5, * as none=20, * as *=8"
KINDS = ("mild", "none", "severe")


def test_each_mistake_costs_what_the_most_exact_words_say_and_no_answer_the_dearest_mistake() -> None:
    """True and answered: each pair of the three classes once, then two without an answer."""
    truth, answers = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 0], [0, 1, 2, 0, 1, 2, 0, 1, 2, -1, -1]
    cases = Cases(np.array(truth), np.array(answers), classes=KINDS)
    costs = [0, 20, 8, 8, 0, 8, 200.5, 500, 0, 500, 20]
    assert value(f"cost({MISTAKES}) <= 5", cases) == pytest.approx(sum(costs) / len(costs), abs=1e-12)
    of_two = labels([1, 1, 0, 0, 1], [0, 1, 1, 0, -1])
    both = "cost(miss=5, false_alarm=0.5) <= 1", "cost(y as n=5, n as y=0.5) <= 1"
    assert value(both[0], of_two) == value(both[1], of_two)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("severe as nome=5, * as *=1", "measure.unknown_class"),
        ("severe as severe=5, * as *=1", "measure.no_mistake"),
        ("severe as none=5, none as *=1", "measure.mistakes_open"),
        ("severe as none=-5, * as *=1", "measure.mistake_cost"),
        ("severe as none=5, * as *=1, miss=3", "measure.mistakes_alone"),
        ("severe, * as *=1", "measure.mistakes_of_classes"),
        ("severe as none=much, * as *=1", "measure.unknown_argument"),
    ],
)
def test_costs_of_mistakes_that_leave_something_open_are_refused(arguments: str, code: str) -> None:
    setting = RuleContext("label", KINDS, "severe")
    found = problems_of(parse_rule(f"cost({arguments}) <= 1"), setting)
    assert [one.code for one in found] == [code], [one.render() for one in found]
    assert problems_of(parse_rule(f"cost({MISTAKES}) <= 1"), setting) == ()
    assert problems_of(parse_rule("accuracy(severe as none=5) >= 1"), setting)


@pytest.mark.parametrize("comparison", [">=", "<="])
def test_whatever_is_answered_is_selected_and_what_is_not_counts_as_harms(comparison: str) -> None:
    cases = labels([1, 1, 0, 0, 1], [0, 0, 0, 1, -1])
    missing = 1 if comparison == "<=" else 0
    assert value(f"selection_rate(n) {comparison} 0.5", cases) == (3 + missing) / 5
    assert value(f"selection_rate(y) {comparison} 0.5", cases) == (1 + missing) / 5


def test_demographic_parity_and_equal_errors_are_gaps_between_groups() -> None:
    sites = {"site": np.array(["a"] * 4 + ["b"] * 4)}
    cases = labels([1, 1, 0, 0] * 2, [1, 1, 1, 0, 1, 0, 0, 0], groups=sites)
    assert value("gap(selection_rate(y) by site) <= 0.1", cases) == 0.5
    assert value("gap(error_rate by site) <= 0.1", cases) == 0.0
    assert value("gap(recall(y) by site) <= 0.1", cases) == 0.5
    setting = RuleContext("label", ("n", "y"), "y", frozenset({"site"}))
    for rule in ("gap(selection_rate(y) by site) <= 0.1", "selection_rate <= 0.4", "selection_rate >= 0.1"):
        assert problems_of(parse_rule(rule), setting) == ()


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("measure", "apart"), [("selection_rate(y)", "selected"), ("error_rate", "wrong"), ("recall(y)", "found")]
)
def test_gaps_of_groups_are_decided_both_ways(measure: str, apart: str) -> None:
    rng = np.random.default_rng(1)
    site = np.arange(6000) % 2
    truth = np.ones(6000, dtype=np.int64) if apart == "found" else rng.integers(0, 2, 6000)
    for rates, verdict in (((0.8, 0.8), "pass"), ((0.8, 0.55), "fail")):
        hit = rng.random(6000) < np.array(rates)[site]
        answers = np.where(hit, 1, 0) if apart != "wrong" else np.where(hit, truth, 1 - truth)
        cases = labels(truth, answers, groups={"site": site})
        assert judged(f"gap({measure} by site) <= 0.1", cases, Design(), "population").verdict == verdict


def test_a_useless_forecast_is_calibrated_so_brier_must_stand_beside() -> None:
    truth = np.arange(100) % 2
    constant = Cases(truth, np.full(100, 0.5), classes=("n", "y"), positive="y", kind="probability")
    assert value("calibration_gap <= 0.01", constant) == 0
    assert value("smooth_ece <= 0.01", constant) == pytest.approx(0, abs=1e-6)
    alone = [parse_rule("calibration_gap <= 0.05"), parse_rule("accuracy >= 0.4")]
    ((index, problem),) = problems_among(alone)
    assert (index, problem.code) == (0, "measure.stands_alone")
    assert "brier" in problem.render("en") and "brier" in problem.render("zh")
    assert problems_among([*alone, parse_rule("brier <= 0.2")]) == ()
    assert [i for i, _ in problems_among([parse_rule("smooth_ece <= 0.1"), parse_rule("refusal_rate >= 0.9")])] == [
        0,
        1,
    ]


def test_what_chance_adds_to_a_calibration_error_is_taken_off() -> None:
    """A perfect forecast of 200 cases: plain gaps say 8 %, the debiased squares average to 0."""
    rng, plain, squares = np.random.default_rng(3), [], []
    for _ in range(200):
        given = rng.random(200)
        truth = (rng.random(200) < given).astype(np.int64)
        cases = Cases(truth, given, classes=("n", "y"), positive="y", kind="probability")
        plain.append(value("calibration_gap <= 0.01", cases))
        squares.append(value("debiased_calibration_error <= 0.01", cases) ** 2)
    assert np.mean(plain) > 0.06
    assert np.mean(squares) < 0.003
    wrong = Cases(truth, 1 - given, classes=("n", "y"), positive="y", kind="probability")
    assert value("debiased_calibration_error <= 0.01", wrong) > 0.5


def test_bins_have_edges_that_no_data_can_move() -> None:
    cases = Cases(np.array([1, 0]), np.array([0.29, 0.3]), classes=("n", "y"), positive="y", kind="probability")
    assert value("calibration_gap(bins=100) <= 1", cases) == pytest.approx((0.71 + 0.3) / 2)
    assert value("calibration_gap(bins=1) <= 1", cases) == pytest.approx(abs(0.71 - 0.3) / 2)
    assert value("calibration_gap(bins=10) <= 1", cases) == pytest.approx((0.71 + 0.3) / 2)
    (problem,) = problems_of(parse_rule("calibration_gap(bins=2.5) <= 1"), RuleContext("probability", ("n", "y"), "y"))
    assert problem.code == "measure.argument_whole"
    assert problem.render("zh")


def test_the_bound_of_the_calibration_gap_holds_and_narrows() -> None:
    rng = np.random.default_rng(2)
    p = rng.random(4000)
    cases = Cases((rng.random(4000) < p).astype(int), p, classes=("n", "y"), positive="y", kind="probability")
    found = judged("calibration_gap(bins=5) <= 0.25", cases, Design(), "population")
    assert (found.verdict, found.guarantee) == ("pass", "exact_anytime")
    whole = judged("calibration_gap(bins=5) <= 0.25", cases, Design("full"), "population")
    assert (whole.verdict, whole.guarantee) == ("pass", "exact_fixed")
    assert whole.estimate < whole.upper < found.upper


def test_balanced_accuracy_of_a_population_knows_nothing_of_the_shares_of_classes() -> None:
    rng = np.random.default_rng(3)
    truth = (rng.random(5000) < 0.05).astype(np.int64)
    right = rng.random(5000) < np.where(truth == 1, 0.6, 0.95)
    cases = labels(truth, np.where(right, truth, 1 - truth))
    for rule in ("balanced_accuracy >= 0.5", "macro_recall >= 0.5"):
        found = judged(rule, cases, Design("full"), "population")
        assert found.used == truth.sum(), "an entry is one case of each class"
        assert found.lower < 0.775 < found.upper
    with pytest.raises(InputError) as refused:
        judged("balanced_accuracy >= 0.5", cases, estimand="population", unit="ward", units=np.arange(5000) // 5)
    assert refused.value.code == "evidence.joined_units"


def test_a_class_that_never_occurs_leaves_a_population_unmeasured() -> None:
    cases = labels([0, 1] * 20, [0, 1] * 20, ("n", "y", "rare"))
    for rule in ("balanced_accuracy >= 0.5", "macro_f1 >= 0.5", "macro_precision >= 0.5"):
        assert judged(rule, cases, estimand="population").verdict == "not_measured"
        assert judged(rule, cases).verdict == "pass"


def test_macro_forms_let_no_class_hide() -> None:
    cases = labels([0] * 98 + [1] * 2, [0] * 99 + [1], ("n", "y"))
    assert value("accuracy >= 0.9", cases) == 0.99
    assert value("macro_f1 >= 0.9", cases) == pytest.approx((196 / 197 + 2 / 3) / 2)
    assert judged("macro_f1 >= 0.9", cases).verdict == "fail"


def test_figures_of_the_whole_set_are_of_the_cases_in_the_order() -> None:
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 2, 100)
    cases = labels(truth, np.where(rng.random(100) < 0.8, truth, 1 - truth))
    chosen = rng.permutation(100)[:40]
    rule = parse_rule("mcc >= 0.5")
    part = observe(rule, cases, chosen).parts[0]
    assert (part.weight > 0).sum() == 40
    assert part.value() == score(rule, cases.among(chosen))


def test_pairs_for_a_population_stay_within_their_group() -> None:
    site = np.arange(40) // 2 % 2
    cases = labels([0, 1] * 20, [0, 1] * 20, groups={"site": site})
    assert judged("worst(mcc by site) >= 0.5", cases).estimate == 1
    parts = observe(parse_rule("worst(mcc by site) >= 0.5"), cases, np.arange(40), "population").parts
    assert [set(site[np.flatnonzero(part.weight)]) for part in parts] == [{0}, {1}]


def test_refusing_too_much_and_too_little() -> None:
    cases = labels([-1, -1, 0, 1, 0], [-1, 0, 0, -1, 1])
    assert value("refusal_rate >= 0.5", cases) == 0.5
    assert value("over_refusal_rate <= 0.5", cases) == pytest.approx(1 / 3)
    assert value("accuracy >= 0.5", cases) == pytest.approx(1 / 3), "what is to be refused has no right answer"
    assert value("balanced_accuracy >= 0.1", cases) == 0.25
    said = texts(["a", None, None], ["a", None, "sure"])
    assert value("refusal_rate >= 0.5", said) == 0.5
    assert value("exact_match >= 0.5", said) == 1


def test_selective_accuracy_counts_only_what_is_answered() -> None:
    cases = labels([0, 1, 1, 1], [0, 0, -1, -1])
    assert value("selective_accuracy >= 0.1", cases) == 0.5
    assert value("coverage >= 0.1", cases) == 0.5


def test_top_answers() -> None:
    ranked = Cases(
        np.array([2, 0, 1]), np.array([[2, 0, 1], [1, 2, 0], [-1, -1, -1]]), classes=("a", "b", "c"), kind="ranking"
    )
    assert [value(f"top_k(k={k}) >= 0.1", ranked) for k in (1, 2, 3)] == [pytest.approx(n / 3) for n in (1, 1, 2)]
    assert value("coverage >= 0.5", ranked) == pytest.approx(2 / 3)


def test_intervals_the_wrong_way_round_are_no_answer() -> None:
    cases = Cases(np.zeros(4), np.array([[-1, 1], [1, 2], [1, -1], [np.nan, 1]]), kind="interval")
    assert value("interval_coverage >= 0.1", cases) == 0.25
    assert value("interval_width(cap=4) <= 4", cases) == (2 + 1 + 4 + 4) / 4
    assert value("abstention <= 0.5", cases) == 0.5
    assert [i for i, _ in problems_among([parse_rule("interval_coverage >= 0.9")])] == [0]


def test_quantile_loss_punishes_the_rare_side() -> None:
    assert value("quantile_loss(q=0.9, cap=9) <= 9", numbers([1, -1], [0, 0])) == pytest.approx((0.9 + 0.1) / 2)


def test_texts_are_compared_code_point_by_code_point() -> None:
    cases = texts(["轴承磨损", "ok", "ok"], ["轴承断裂", "OK", None])
    assert value("exact_match >= 0.1", cases) == 0
    assert value("edit_similarity >= 0.1", cases) == pytest.approx(0.5 / 3)
    assert value("cer <= 0.9", cases) == (2 + 2 + 2) / 8
    assert value("cer <= 0.9", texts(["a"], ["aaaaaaaaaa"])) == 1


@given(one=st.text("ab字", max_size=9), two=st.text("ab字", max_size=9))
def test_edit_distance_is_levenshteins(one: str, two: str) -> None:
    table = np.zeros((len(one) + 1, len(two) + 1), dtype=int)
    table[:, 0], table[0] = np.arange(len(one) + 1), np.arange(len(two) + 1)
    for i, a in enumerate(one):
        for j, b in enumerate(two):
            table[i + 1, j + 1] = min(table[i, j + 1] + 1, table[i + 1, j] + 1, table[i, j] + (a != b))
    assert edit_distance(one, two) == table[-1, -1]


@pytest.mark.prove
def test_the_best_of_several_candidates_is_judged_at_a_share_of_alpha() -> None:
    assert levels_among(LEVELS, 4) == Levels(Fraction(1, 80), Fraction(1, 80))
    with pytest.raises(InputError, match="at least 1"):
        levels_among(LEVELS, 0)
    rng, passed = np.random.default_rng(5), {1: 0, 10: 0}
    for _ in range(30):
        # Ten candidates that just miss the threshold; the best is accepted if any is.
        for candidates in passed:
            levels = levels_among(LEVELS, candidates)
            found = []
            for seed in range(10):
                truth = np.ones(150, dtype=np.int64)
                cases = labels(truth, (rng.random(150) < 0.8).astype(np.int64))
                order = draw_order(150, bytes([seed]))
                seen = observe(parse_rule("accuracy >= 0.8"), cases, order, "population")
                plan = CriterionPlan("accuracy", seen, ">=", Fraction("0.8001"), "population")
                found.append(decide([plan], order, levels, Design("fixed", 150)).verdict == "accept")
            passed[candidates] += any(found)
    assert passed[10] / 30 <= 0.05 + 3 * (0.05 * 0.95 / 30) ** 0.5
    assert passed[1] / 30 > 0.2, "without the share, the best of ten is accepted far too often"


def test_bounds_of_the_interval_are_at_their_levels() -> None:
    """The lower bound at α_acc whatever the number of criteria, the upper at α_rej/k (statistics.md, corrections)."""
    rng = np.random.default_rng(6)
    truth = np.ones(800, dtype=np.int64)
    cases, order = labels(truth, (rng.random(800) < 0.9).astype(np.int64)), np.arange(800)
    seen = observe(parse_rule("accuracy >= 0.5"), cases, order, "population")
    plan = CriterionPlan("accuracy", seen, ">=", Fraction("0.89"), "population")

    def bounds(count: int, levels: Levels) -> tuple[Any, Any]:
        found = decide([plan] * count, order, levels, Design("fixed", 800)).criteria[0]
        return found.lower, found.upper

    assert bounds(4, LEVELS) == bounds(1, Levels(Fraction(1, 20), Fraction(1, 80)))
    assert bounds(4, LEVELS)[0] == bounds(1, LEVELS)[0]
    assert bounds(4, LEVELS)[1] > bounds(1, LEVELS)[1]


def test_the_smallest_difference_that_can_be_seen_is_said_and_falls_with_the_cases() -> None:
    rng = np.random.default_rng(7)
    found = {}
    for n in (400, 6400):
        truth = rng.integers(0, 2, n)
        cases = labels(truth, np.where(rng.random(n) < 0.85, truth, 1 - truth), groups={"site": np.arange(n) % 2})
        for rule in ("accuracy >= 0.8", "f1(y) >= 0.8", "worst(accuracy by site) >= 0.8"):
            found[rule, n] = judged(rule, cases, Design(), "population").detectable
    for rule in ("accuracy >= 0.8", "f1(y) >= 0.8", "worst(accuracy by site) >= 0.8"):
        assert 0.005 < found[rule, 6400] < found[rule, 400] / 2 < 0.2


@pytest.mark.parametrize("estimand", ["hidden_set", "population"])
def test_no_sentence_calls_a_single_pass_proven(estimand: Any) -> None:
    """Ten boundary criteria are each passed by chance often enough (corrections, row 9): only the verdict carries α."""
    cases = labels([1] * 400, [1] * 390 + [0] * 10)
    for design in (Design(), Design("full"), Design("fixed", 300)):
        found = judged("accuracy >= 0.9", cases, design, estimand)
        assert found.verdict == "pass"
        for language, words in (("en", ("prove", "certain", "guarantee")), ("zh", ("证明", "保证", "必然"))):
            said = found.claim.render(language)
            assert said and not any(word in said for word in words)


def test_a_population_stays_uncertain_when_all_its_cases_are_scored() -> None:
    cases = labels([1] * 50, [1] * 47 + [0] * 3)
    assert judged("accuracy >= 0.93", cases, Design()).verdict == "pass"
    found = judged("accuracy >= 0.93", cases, Design(), "population")
    assert (found.verdict, found.used) == ("inconclusive", 50)
    assert found.lower < 0.93 < found.upper


def test_thresholds_out_of_range_name_the_range() -> None:
    settings = {
        "smape <= 3": RuleContext("value"),
        "mcc >= 1.5": RuleContext("label", ("n", "y")),
        "calibration_gap <= 2": RuleContext("probability", ("n", "y"), "y"),
        "quantile_loss(q=0.5, cap=2) <= 3": RuleContext("value"),
        "interval_width(cap=2) <= 3": RuleContext("interval"),
    }
    for rule, setting in settings.items():
        (problem,) = problems_of(parse_rule(rule), setting)
        assert problem.code == "measure.threshold_range"
        assert problem.render("en") != problem.render("zh")
    for unbounded in ("mape <= 1", "quantile_loss(q=0.5) <= 1", "interval_width <= 1"):
        kind: Any = "interval" if "interval" in unbounded else "value"
        assert [p.code for p in problems_of(parse_rule(unbounded), RuleContext(kind))] == ["measure.argument_missing"]


def test_an_entry_of_several_cases_is_known_at_the_last_of_them() -> None:
    truth, order = np.array([0, 1, 0, 1, 0]), np.array([4, 2, 1, 0, 3])
    cases = labels(truth, [0, 1, 1, 1, 0])
    part = observe(parse_rule("balanced_accuracy >= 0.5"), cases, order, "population").parts[0]
    # In the order of scoring: 4 with 1 (known at 1), 2 with 3 (known at 3); 0 is left without a partner.
    assert part.weight.tolist() == [0, 2, 0, 2, 0]
    assert part.gain.tolist() == [0, 2, 0, 1, 0]


def test_errors_at_the_tolerance_are_within_it_in_decimals() -> None:
    """In floats 552 of these 1,000 errors of 0.1 exceed 0.1, and an answer beats an equally good one."""
    truth = [k / 10 for k in range(1, 1001)]
    above, below = [(k + 1) / 10 for k in range(1, 1001)], [(k - 1) / 10 for k in range(1, 1001)]
    assert value("within(tolerance=0.1) >= 1", numbers(truth, above)) == 1
    assert value("within(tolerance=0.09999) >= 1", numbers(truth, above)) == 0
    assert value("win_rate >= 0.5", numbers(truth, above, below)) == 0.5
    assert value("win_rate >= 0.5", numbers(truth, below, above)) == 0.5
    assert value("win_rate >= 0.5", numbers([0.3, 0.3], [0.4, 0.2], [0.40001, 0.19999])) == 1
    assert value("within(tolerance=0.1) >= 1", numbers([0.3], [np.nan])) == 0


def test_where_the_baseline_has_no_answer_it_counts_as_right() -> None:
    assert value("win_rate >= 0.9", numbers([1, 1, 1], [5, 1, np.nan], [np.nan, np.nan, np.nan])) == (0 + 0.5 + 0) / 3
    silent = labels([1, 1, 0], [1, 0, -1], baseline=np.array([-1, -1, -1]))
    assert value("win_rate >= 0.9", silent) == (0.5 + 0 + 0) / 3


@pytest.mark.one_in(5)
@pytest.mark.parametrize("cap", ["5", "20", "1000", "100000", "1000000", "1000000000000"])
@pytest.mark.parametrize(
    ("rule", "of"),
    [
        ("capped_rmse(cap={}) <= 0.35", lambda errors, truth: math.sqrt(math.fsum(errors**2) / len(errors))),
        ("capped_mae(cap={}) <= 0.25", lambda errors, truth: math.fsum(errors) / len(errors)),
        ("quantile_loss(q=0.5, cap={}) <= 0.2", lambda errors, truth: math.fsum(0.5 * errors) / len(errors)),
        ("mape(cap={}) <= 0.1", lambda errors, truth: math.fsum(errors / truth) / len(errors)),
    ],
)
def test_the_value_of_a_whole_set_is_that_of_its_errors_whatever_the_cap(cap: str, rule: str, of: Any) -> None:
    """A cap far beyond every error changes neither score nor verdict; it was the grid on which errors were read."""
    random = np.random.default_rng(0)
    truth = 5 + random.random(2000)
    errors = np.abs(random.normal(0, 0.29, 2000))
    true = of(np.abs((truth + errors) - truth), truth)
    found = judged(rule.format(cap), numbers(truth, truth + errors))
    assert found.estimate == pytest.approx(true, rel=1e-15)
    assert (found.verdict, found.lower, found.upper) == ("pass", found.estimate, found.estimate)
    early = judged(rule.format(cap), numbers(truth, truth + errors), Design("early"))
    assert early.verdict == "pass"
    beside = rule.format(cap).split("<=")[0]
    for last, verdict in ((1e-12, "pass"), (-1e-12, "fail")):
        held = judged(
            f"{beside}<= {Decimal(found.estimate) * (1 + Decimal(last)):.17f}", numbers(truth, truth + errors)
        )
        assert held.verdict == verdict


def test_bets_under_a_large_cap_err_against_the_claim_by_less_than_they_are_given_room_for() -> None:
    """The steps on which bets are made never refute what is true of the errors themselves."""
    cases = numbers([0.0] * 400, np.random.default_rng(1).random(400) * 1e-9)
    mean = float(np.mean(cases.answers))
    assert judged(f"capped_mae(cap=1000) <= {mean * 1.0001:.15f}", cases, Design("early")).verdict == "pass"
    assert judged("capped_mae(cap=1000) <= 0.0000000001", cases, Design("early")).verdict == "fail"


@pytest.mark.parametrize(("cap", "error"), [("1000000000000000", 400_000.0), ("1000000000", 0.4), ("1000000", 0.0004)])
def test_a_generous_cap_hides_no_error(cap: str, error: float) -> None:
    cases = numbers([0.0] * 50, [error] * 50)
    for measure in ("capped_mae", "quantile_loss"):
        more = "q=0.5, " if measure == "quantile_loss" else ""
        assert judged(f"{measure}({more}cap={cap}) <= {error / 4:.6f}", cases).verdict == "fail"
    assert judged("capped_mae(cap=10) <= 0.1", numbers([0.3] * 50, [0.4] * 50)).verdict == "pass"
    assert judged("capped_rmse(cap=1000) <= 0.005", numbers([0.0] * 50, [0.02] * 50)).verdict == "fail"
