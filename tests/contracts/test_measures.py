"""What holds of every measure of predictions, ours or added."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.documents.criteria import Rule
from pilotbase.evidence import CriterionPlan, Design, Levels, decide
from pilotbase.measures import Cases, Measure, measures, observe, problems_of, resource_measures, score
from pilotbase.measures.rules import Setting

CLASSES = ("ok", "failure", "other")
ARGUMENTS = {"beta": Decimal(2), "cap": Decimal(3), "tolerance": Decimal("0.5")}
LEVELS = Levels(Fraction(1, 20), Fraction(1, 20))

EVERY = pytest.mark.parametrize("name", sorted(measures()))
KINDS = [(name, kind) for name, measure in sorted(measures().items()) for kind in sorted(measure.kinds)]
EVERY_KIND = pytest.mark.parametrize(("name", "kind"), KINDS)


def rule_of(measure: Measure, threshold: Any = "0.5", **changes: Any) -> Rule:
    given_ = {p.name: ARGUMENTS[p.name] for p in measure.parameters if p.default is None}
    comparison: Any = ">=" if measure.better == "higher" else "<="
    rule = Rule(measure.name, comparison, Decimal(threshold), arguments=given_)
    return replace(rule, **changes)


def random_cases(kind: Any, seed: int, n: int = 60, absent: float = 0.0) -> Cases:
    """Return cases with some right, some wrong answers; a share ``absent`` of them missing."""
    rng = np.random.default_rng(seed)
    groups = {"site": rng.choice(["a", "b"], n)}
    missing = rng.random(n) < absent
    if kind == "value":
        truth: Any = rng.normal(0, 2, n).round(1)
        answers: Any = np.where(missing, np.nan, truth + rng.normal(0, 1, n).round(1))
        return Cases(truth, answers, groups, baseline=truth + rng.normal(0, 1, n).round(1), kind=kind)
    classes = CLASSES[:2] if kind == "probability" else CLASSES
    truth = rng.integers(0, len(classes), n)
    if kind == "probability":
        answers = np.where(missing, np.nan, np.clip(truth * 0.4 + rng.random(n) * 0.6, 0, 1).round(2))
        baseline: Any = rng.random(n).round(2)
    else:
        wrong = rng.random(n) < 0.3
        answers = np.where(missing, -1, np.where(wrong, rng.integers(0, len(classes), n), truth))
        baseline = rng.integers(0, len(classes), n)
    return Cases(truth, answers, groups, baseline=baseline, classes=classes, positive="failure", kind=kind)


@EVERY
def test_is_written_down_completely(name: str) -> None:
    measure = measures()[name]
    assert measure.formula
    assert measure.source
    assert measure.kinds
    for language in ("en", "zh"):
        assert measure.title.render(language)
    low, high = measure.range({**ARGUMENTS, "cut": Decimal("0.5")})
    assert low < high


@EVERY_KIND
@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), absent=st.sampled_from([0.0, 0.2, 1.0]))
def test_stays_within_its_bounds(name: str, kind: str, seed: int, absent: float) -> None:
    measure = measures()[name]
    value = score(rule_of(measure), random_cases(kind, seed, absent=absent))
    low, high = measure.range({**ARGUMENTS, "cut": Decimal("0.5")})
    assert value is None or float(low) <= value <= float(high) + 1e-12


@EVERY_KIND
def test_right_answers_are_best_and_better_than_wrong_ones(name: str, kind: str) -> None:
    if name in ("coverage", "abstention"):
        pytest.skip("it does not look at whether answers are right")
    measure, cases = measures()[name], random_cases(kind, 1)
    if kind == "value":
        right, wrong = cases.truth, cases.truth + 100
    elif kind == "probability":
        right, wrong = cases.truth.astype(float), 1.0 - cases.truth
    else:
        right, wrong = cases.truth, (cases.truth + 1) % 3
    best, worst = (score(rule_of(measure), replace(cases, answers=answers)) for answers in (right, wrong))
    assert best is not None and worst is not None
    assert best > worst if measure.better == "higher" else best < worst
    if name != "win_rate":
        low, high = measure.range({**ARGUMENTS, "cut": Decimal("0.5")})
        assert best == float(high if measure.better == "higher" else low)


@EVERY_KIND
@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_missing_answer_is_never_better_than_any_answer(name: str, kind: str, seed: int) -> None:
    if name == "abstention":
        pytest.skip("abstaining is what it measures")
    measure, cases = measures()[name], random_cases(kind, seed, n=20)
    candidates: list[float] = [0, 1] if kind == "probability" else [0, 1, 2] if kind == "label" else [0.0, 3.0]

    def with_answer(answer: float) -> float | None:
        answers = cases.answers.astype(float)
        answers[0] = answer
        return score(rule_of(measure), replace(cases, answers=answers))

    missing = with_answer(float("nan"))
    others = [value for value in map(with_answer, candidates) if value is not None]
    assert missing is not None
    for value in others:
        assert missing <= value + 1e-12 if measure.better == "higher" else missing >= value - 1e-12


@EVERY_KIND
@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), absent=st.sampled_from([0.0, 0.2]))
def test_the_order_of_cases_does_not_matter(name: str, kind: str, seed: int, absent: float) -> None:
    measure, cases = measures()[name], random_cases(kind, seed, absent=absent)
    shuffled = cases.among(np.random.default_rng(seed).permutation(len(cases)))
    assert score(rule_of(measure), cases) == score(rule_of(measure), shuffled)


@EVERY_KIND
@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), absent=st.sampled_from([0.0, 0.2]), shift=st.sampled_from([-1, 0, 1]))
def test_the_criterion_is_met_exactly_when_the_score_reaches_the_threshold(
    name: str, kind: str, seed: int, absent: float, shift: int
) -> None:
    """The linearised observations' census at thresholds on, just below and just above the score itself."""
    measure, cases = measures()[name], random_cases(kind, seed, absent=absent)
    rule = rule_of(measure)
    observation = observe(rule, cases, np.arange(len(cases)))
    part = observation.parts[0]
    weight = int(part.weight.sum())
    if weight == 0 or part.root != 1:
        return
    exact = part.unit * Fraction(int(part.gain.sum()), weight)
    threshold = exact + shift * Fraction(1, 10**12)
    met = exact >= threshold if rule.comparison == ">=" else exact <= threshold
    plan = CriterionPlan(str(rule), observation, rule.comparison, threshold)
    found = decide([plan], np.random.default_rng(seed).permutation(len(cases)), LEVELS, Design("full")).criteria[0]
    assert found.verdict == ("pass" if met else "fail")
    assert found.estimate == score(rule, cases)


@EVERY_KIND
@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_observation_is_one_of_the_declared_outcomes(name: str, kind: str, seed: int) -> None:
    """The range of bets rests on the declared outcomes: an observation beyond them would break the guarantee."""
    measure, cases = measures()[name], random_cases(kind, seed, absent=0.1)
    estimands: tuple[Any, ...] = ("hidden_set", "population")
    for estimand in estimands:
        part = observe(rule_of(measure), cases, np.arange(len(cases)), estimand).parts[0]
        eligible = part.weight > 0
        assert (part.gain[~eligible] == 0).all()
        ratios = [Fraction(a, b) for a, b in part.outcomes if b]
        for gain, weight in zip(part.gain[eligible].tolist(), part.weight[eligible].tolist(), strict=True):
            assert min(ratios) <= Fraction(gain, weight) <= max(ratios)
            assert any(weight == b for _, b in part.outcomes)


@EVERY_KIND
def test_no_case_is_not_measured(name: str, kind: str) -> None:
    empty = random_cases(kind, 0).among(np.array([], dtype=np.int64))
    assert score(rule_of(measures()[name]), empty) is None


@EVERY_KIND
def test_groups_split_the_measure(name: str, kind: str) -> None:
    measure, cases = measures()[name], random_cases(kind, 3, n=200)
    alone = [score(rule_of(measure), cases.among(np.flatnonzero(cases.groups["site"] == s))) for s in ("a", "b")]
    one, two = (value for value in alone if value is not None)
    worst = score(rule_of(measure, wrapper="worst", by="site"), cases)
    assert worst == (min(one, two) if measure.better == "higher" else max(one, two))
    gap = score(rule_of(measure, wrapper="gap", by="site", comparison="<="), cases)
    assert gap == pytest.approx(abs(one - two))


@EVERY_KIND
def test_a_rule_with_it_has_no_problem_in_its_setting_and_one_outside(name: str, kind: Any) -> None:
    measure = measures()[name]
    setting = Setting(kind, CLASSES, "failure", frozenset({"site"}), has_baseline=True)
    assert problems_of(rule_of(measure), setting) == ()
    for wrong in (rule_of(measure, "1e9"), rule_of(measure, arguments={"nonsense": Decimal(1)})):
        (problem, *_) = problems_of(wrong, setting)
        assert problem.render("en") != problem.render("zh")


@pytest.mark.parametrize("name", sorted(resource_measures()))
def test_every_measure_of_a_run_is_written_down(name: str) -> None:
    measure = resource_measures()[name]
    assert measure.formula
    assert measure.unit in ("s", "B", "cases/s")
    assert measure.title.render("en") != measure.title.render("zh")
