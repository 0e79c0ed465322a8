"""What holds of every measure of predictions, ours or added."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.documents.criteria import UNITS, Perturbed
from pilotbase.documents.errors import InputError
from pilotbase.evidence import CriterionPlan, Design, Levels, decide, outcome_of
from pilotbase.measures import Cases, measures, observe, problems_of, resource_measures, score
from pilotbase.measures.formulas import OURS
from pilotbase.measures.rules import RuleContext
from tests.contracts.direct_formulas import FORMULAS
from tests.contracts.episode_cases import runs_of_episodes
from tests.contracts.measure_cases import (
    CANDIDATES,
    CLASSES,
    COLUMN,
    KINDS,
    REFUSING,
    against_the_others,
    arguments_of,
    cases_for,
    random_cases,
    right_and_wrong,
    rule_of,
    with_answer,
)
from tests.quick_cases import covering

LEVELS = Levels(Fraction(1, 20), Fraction(1, 20))
ALPHA = Fraction(1, 10)
EVERY_KIND = pytest.mark.parametrize(("name", "kind"), KINDS)
EVERY_MEASURE = pytest.mark.parametrize(("name", "kind"), covering(KINDS))
"""Each measure, and each kind of answer; the others of a measure in the long proofs."""
DRAWS = settings(max_examples=3, deadline=None, derandomize=True)
"""Tables of cases a measure and kind of answer: five hundred a test."""
ABSTAINING = {
    "error_after_review": "what is not answered is handed over to a person, who errs less than a wrong answer",
    "abstention": "abstaining is what it measures",
    "refusal_rate": "abstaining is what it asks for",
    "declined": "abstaining is what it asks for",
    "attack_success": "without an answer no attack succeeds; what answers must do stands beside it",
    "secret_told": "without an answer nothing is told; what answers must do stands beside it",
    "selective_accuracy": "it asks only about what is answered; a criterion on coverage must stand beside it",
}
STRONG = ("exact_census", "exact_anytime", "exact_fixed", "asymptotic", "descriptive")


def test_no_two_measures_of_ours_have_one_name() -> None:
    names = [measure.name for measure in OURS]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("name", sorted(measures()))
def test_is_written_down_completely_and_says_which_guarantee_it_can_have(name: str) -> None:
    measure = measures()[name]
    assert measure.formula
    assert measure.source
    assert measure.kinds
    assert measure.title.render("en") != measure.title.render("zh")
    low, high = measure.range(arguments_of(measure))
    assert low < high
    assert measure.guarantees.of("hidden_set")[0] == "exact_census"
    for estimand in ("hidden_set", "population"):
        kinds = measure.guarantees.of(estimand)  # type: ignore[arg-type]
        assert kinds == tuple(sorted(kinds, key=STRONG.index)) and kinds


@pytest.mark.one_in(2)
@EVERY_KIND
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.prove)])
def test_agrees_with_the_formula_computed_directly(name: str, kind: str, seed: int) -> None:
    measure, cases = measures()[name], cases_for(name, kind, seed)
    given_ = {key: float(value) for key, value in arguments_of(measure).items()}
    tolerance = 1e-3 if name == "smooth_ece" else 1e-8  # there both are integrals on grids
    one_class = kind == "probabilities" and "label" not in measure.kinds and not measure.or_of_all
    direct = against_the_others(cases) if one_class else cases
    assert score(rule_of(measure), cases) == pytest.approx(float(FORMULAS[name](direct, given_)), abs=tolerance)


@pytest.mark.one_in(4)
@EVERY_MEASURE
@DRAWS
@given(seed=st.integers(0, 2**32 - 1), absent=st.sampled_from([0.0, 0.2, 1.0]))
def test_stays_within_its_bounds(name: str, kind: str, seed: int, absent: float) -> None:
    measure = measures()[name]
    cases = cases_for(name, kind, seed, absent=absent)
    value = score(rule_of(measure), cases)
    low, high = measure.range(arguments_of(measure), len(cases.classes))
    assert value is None or float(low) <= value <= float(high) + 1e-12


@pytest.mark.one_in(2)
@EVERY_KIND
def test_right_answers_are_best_and_better_than_wrong_ones(name: str, kind: str) -> None:
    measure, cases = measures()[name], cases_for(name, kind, 1)
    if name in ("coverage", "abstention", "selection_rate", "hand_over", "review_hours", "judged"):
        pytest.skip("it does not look at whether answers are right")
    best, worst = (score(rule_of(measure), replace(cases, answers=answers)) for answers in right_and_wrong(name, cases))
    assert best is not None and worst is not None
    assert best > worst if measure.better == "higher" else best < worst
    if name != "win_rate":
        low, high = measure.range(arguments_of(measure), len(cases.classes))
        assert best == pytest.approx(float(high if measure.better == "higher" else low), abs=1e-9)


@pytest.mark.one_in(4)
@EVERY_MEASURE
@DRAWS
@given(seed=st.integers(0, 2**32 - 1))
def test_a_missing_answer_is_never_better_than_any_answer(name: str, kind: str, seed: int) -> None:
    if name in ABSTAINING:
        pytest.skip(ABSTAINING[name])
    measure, cases = measures()[name], cases_for(name, kind, seed, n=20)
    missing, *others = (score(rule_of(measure), with_answer(cases, answer)) for answer in [None, *CANDIDATES[kind]])
    assert missing is not None or all(value is None for value in others)
    for value in others:
        if value is not None and missing is not None:
            assert missing >= value - 1e-8 if measure.better == "lower" else missing <= value + 1e-8


@pytest.mark.one_in(4)
@EVERY_MEASURE
@DRAWS
@given(seed=st.integers(0, 2**32 - 1), absent=st.sampled_from([0.0, 0.2]))
def test_the_order_of_cases_does_not_matter(name: str, kind: str, seed: int, absent: float) -> None:
    measure, cases = measures()[name], cases_for(name, kind, seed, absent=absent)
    one, two = (
        score(rule_of(measure), each) for each in (cases, cases.among(np.random.default_rng(seed).permutation(60)))
    )
    assert one == two if not measure.pooled or one is None else one == pytest.approx(two, abs=2e-9)


@pytest.mark.one_in(4)
@EVERY_MEASURE
@DRAWS
@given(seed=st.integers(0, 2**32 - 1), absent=st.sampled_from([0.0, 0.2]), shift=st.sampled_from([-1, 0, 1]))
def test_the_criterion_is_met_exactly_when_the_score_reaches_the_threshold(
    name: str, kind: str, seed: int, absent: float, shift: int
) -> None:
    """The census of the observations at thresholds on, just below and just above the score itself."""
    measure, cases = measures()[name], cases_for(name, kind, seed, absent=absent)
    rule = rule_of(measure)
    observation = observe(rule, cases, np.arange(len(cases)))
    ratios = [part.ratio() for part in observation.parts]
    if None in ratios or not ratios or observation.parts[0].root != 1:
        return
    exact = sum((abs(r) if observation.form == "absolute_sum" else r for r in ratios), Fraction(0))
    exact *= Fraction(observation.parts[0].unit, len(ratios) if observation.form == "mean" else 1)
    threshold = exact + shift * Fraction(1, 10**12)
    met = exact <= threshold if rule.comparison == "<=" else exact >= threshold
    plan = CriterionPlan(str(rule), observation, rule.comparison, threshold)
    order = np.random.default_rng(seed).permutation(len(cases))
    assert outcome_of([plan], order, LEVELS, Design("full")).criteria[0].verdict == ("pass" if met else "fail")
    if shift == 0:  # with its interval, which takes longest and is the same at each threshold
        found = decide([plan], order, LEVELS, Design("full")).criteria[0]
        assert found.verdict == "pass"
        assert found.estimate == score(rule, cases)
        assert found.guarantee == "exact_census"


@pytest.mark.one_in(4)
@EVERY_MEASURE
@DRAWS
@given(seed=st.integers(0, 2**32 - 1), bound=st.fractions(0, 1, max_denominator=12))
def test_every_observation_lies_in_the_range_of_bets(name: str, kind: str, seed: int, bound: Fraction) -> None:
    """The range of bets rests on the declared outcomes: an observation beyond them would break the guarantee."""
    measure, cases = measures()[name], cases_for(name, kind, seed, absent=0.1)
    estimands: tuple[Any, ...] = ("hidden_set", "population")
    for estimand in estimands[: 1 if "descriptive" in measure.guarantees.population else 2]:
        for part in observe(rule_of(measure), cases, np.arange(len(cases)), estimand).parts:
            eligible = (part.weight > 0) | (part.joined & (part.gain != 0))
            assert (part.gain[~eligible] == 0).all()
            terms = [bound.denominator * gain - bound.numerator * weight for gain, weight in part.outcomes]
            step = math.gcd(*terms) or 1
            for gain, weight in zip(part.gain[eligible].tolist(), part.weight[eligible].tolist(), strict=True):
                term = bound.denominator * gain - bound.numerator * weight
                assert min(terms) <= term <= max(terms)
                assert term % step == 0


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("name", "kind"), covering(pair for pair in KINDS if not measures()[pair[0]].pooled))
def test_what_is_followed_case_by_case_gives_the_same_alone_and_among_others(name: str, kind: str) -> None:
    measure, cases = measures()[name], cases_for(name, kind, 12, n=30, absent=0.2)
    if name == "event_recall":
        cases = replace(cases, units=np.arange(30) // 3)
    if name == "all_of":
        cases = runs_of_episodes([3, 0, 1, 2] * 2 + [1, 2], 3)
    together = observe(rule_of(measure), cases, np.arange(30)).parts[0]
    alone = [observe(rule_of(measure), cases.among(np.array([i])), np.arange(1)).parts[0] for i in range(30)]
    same = [(int(part.gain[0]), int(part.weight[0])) for part in alone] == [
        (int(gain), int(weight)) for gain, weight in zip(together.gain, together.weight, strict=True)
    ]
    assert same == measure.by_case


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("name", "kind"), [pair for pair in KINDS if measures()[pair[0]].paired])
def test_a_measure_says_whether_cases_that_count_have_one_weight(name: str, kind: str) -> None:
    measure, cases = measures()[name], cases_for(name, kind, 13, n=40, absent=0.0)
    (part,) = observe(rule_of(measure), cases, np.arange(40), "population").parts
    assert measure.even == (len({weight for _, weight in part.outcomes}) == 1 and not part.joined)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("name", "kind"), [pair for pair in KINDS if measures()[pair[0]].paired])
@pytest.mark.parametrize("absent", [0.0, 0.3])
def test_what_is_paired_is_the_difference_of_two_scores(name: str, kind: str, absent: float) -> None:
    """With abstentions the difference is another one, but their number must not change what it is divided by."""
    measure, cases = measures()[name], cases_for(name, kind, 21, n=40, absent=absent)
    under, (_, wrong) = Perturbed("noise", Decimal("0.1")), right_and_wrong(name, cases)
    plain = rule_of(measure)
    found = score(
        replace(plain, wrapper="drop", comparison="<=", under=under), replace(cases, perturbed={str(under): wrong})
    )
    clean, perturbed = (score(plain, replace(cases, answers=answers)) for answers in (cases.answers, wrong))
    assert found is not None and clean is not None and perturbed is not None
    worse = clean - perturbed if measure.better == "higher" else perturbed - clean
    assert found == pytest.approx(worse, abs=2e-9) if absent == 0 else found >= worse - 2e-9


def test_no_case_is_not_measured() -> None:
    for name, kind in KINDS:
        empty = cases_for(name, kind, 0).among(np.array([], dtype=np.int64))
        assert score(rule_of(measures()[name]), empty) is None, (name, kind)


@pytest.mark.one_in(4)
@EVERY_MEASURE
def test_groups_split_the_measure(name: str, kind: str) -> None:
    measure, cases = measures()[name], cases_for(name, kind, 3, n=200)
    alone = [score(rule_of(measure), cases.among(np.flatnonzero(cases.groups["site"] == s))) for s in ("a", "b")]
    one, two = (value for value in alone if value is not None)
    worst = score(rule_of(measure, wrapper="worst", by="site"), cases)
    assert worst == pytest.approx(max(one, two) if measure.better == "lower" else min(one, two), abs=1e-9)
    gap = score(rule_of(measure, wrapper="gap", by="site", comparison="<="), cases)
    assert gap == pytest.approx(abs(one - two), abs=2e-9)


@pytest.mark.one_in(4)
@EVERY_MEASURE
def test_a_group_without_an_eligible_case_is_not_measured(name: str, kind: str) -> None:
    """A single case in a group: its measure may be 0/0, and then neither gap nor worst group is a pass."""
    measure, cases = measures()[name], cases_for(name, kind, 4, n=40)
    groups = {"site": np.where(np.arange(40) == 0, "alone", "others")}
    cases = replace(cases, groups=groups)
    alone = score(rule_of(measure), cases.among(np.array([0])))
    rule = rule_of(measure, wrapper="worst", by="site")
    plan = CriterionPlan(str(rule), observe(rule, cases, np.arange(40)), rule.comparison, Fraction(rule.threshold))
    verdict = decide([plan], np.arange(40), LEVELS, Design("full")).criteria[0].verdict
    assert (verdict == "not_measured") == (alone is None)


@pytest.mark.one_in(5)
@EVERY_MEASURE
@pytest.mark.parametrize("estimand", ["hidden_set", "population"])
def test_answers_and_truth_that_are_all_equal_crash_nothing(name: str, kind: str, estimand: Any) -> None:
    measure = measures()[name]
    cases = cases_for(name, kind, 5, n=30)
    same = cases.among(np.zeros(30, dtype=np.int64))
    if "descriptive" in measure.guarantees.of(estimand):
        pytest.skip("it has no bound for a population")
    low, high = measure.range(arguments_of(measure))
    for design in (Design(), Design("full"), Design("fixed", 20)):
        rule = rule_of(measure, low if measure.better == "lower" else high)
        plan = CriterionPlan(
            str(rule), observe(rule, same, np.arange(30), estimand), rule.comparison, Fraction(rule.threshold), estimand
        )
        found = decide([plan], np.arange(30), LEVELS, design).criteria[0]
        value = score(rule, same)
        if value is None:
            assert found.verdict == "not_measured"
        if found.verdict == "not_measured":
            assert found.lower is None and found.upper is None
        elif estimand == "population":
            assert found.verdict != "pass", "no number of cases shows perfection"


@pytest.mark.parametrize("name", ["auc", "average_precision", "mcc", "kappa"])
def test_a_single_class_is_not_measured(name: str) -> None:
    kind = "probability" if "probability" in measures()[name].kinds else "label"
    cases = random_cases(kind, 1, n=20)
    for code in (0, 1):
        rule = rule_of(measures()[name], "0.1")
        alike = replace(cases, truth=np.full(20, code), answers=np.full(20, float(code)))
        assert score(rule, alike) is None


def test_equal_scores_rank_nothing() -> None:
    cases = replace(random_cases("probability", 1, n=20), answers=np.full(20, 0.5))
    assert score(rule_of(measures()["auc"]), cases) == 0.5
    assert score(rule_of(measures()["average_precision"]), cases) == pytest.approx(cases.truth.mean())


@pytest.mark.one_in(4)
@EVERY_MEASURE
@pytest.mark.parametrize("estimand", ["hidden_set", pytest.param("population", marks=pytest.mark.prove)])
@pytest.mark.parametrize("runs", [5, pytest.param(60, marks=pytest.mark.prove)])
def test_a_criterion_just_missed_is_rarely_confirmed(name: str, kind: str, estimand: Any, runs: int) -> None:
    """At the boundary, where it is hardest: a false pass at any time in at most α of all orders (and samples)."""
    measure, base = measures()[name], cases_for(name, kind, 11, n=40)
    kinds = measure.guarantees.of(estimand)
    if "exact_anytime" not in kinds:
        pytest.skip("it has no bound before all cases are scored")
    rule = rule_of(measure)
    value, rng = score(rule, base), np.random.default_rng(1)
    assert value is not None
    beyond = Fraction(value) + (-1 if rule.comparison == "<=" else 1) * Fraction(1, 10**8)
    passes = 0
    for _ in range(runs):
        drawn = base if estimand == "hidden_set" else base.among(rng.integers(0, 40, 80))
        order = rng.permutation(len(drawn))
        seen = observe(rule, drawn, order, estimand)
        plan = CriterionPlan(str(rule), seen, rule.comparison, beyond, estimand)
        passes += outcome_of([plan], order, Levels(ALPHA, ALPHA)).verdict == "accept"
    assert passes / runs <= float(ALPHA) + 3 * math.sqrt(0.09 / runs)


def setting_of(kind: Any, estimand: Any = "hidden_set") -> RuleContext:
    return RuleContext(kind, CLASSES, "failure", frozenset({"site", COLUMN}), has_baseline=True, estimand=estimand)


def test_what_only_describes_is_no_criterion_for_a_population() -> None:
    for name, kind in KINDS:
        measure = measures()[name]
        refused = "descriptive" in measure.guarantees.population
        problems = problems_of(rule_of(measure), setting_of(kind, "population"))
        code = "measure.descriptive_instead" if measure.instead else "measure.descriptive_only"
        assert [one.code for one in problems] == ([code] if refused else []), (name, kind)
        if refused:
            with pytest.raises(InputError):
                observe(rule_of(measure), cases_for(name, kind, 1), np.arange(60), "population")


def test_a_rule_with_a_measure_has_no_problem_in_its_setting_and_one_outside() -> None:
    for name, kind in KINDS:
        measure = measures()[name]
        assert problems_of(rule_of(measure), setting_of(kind)) == (), (name, kind)
        for wrong in (rule_of(measure, "1e12"), rule_of(measure, arguments={"nonsense": Decimal(1)})):
            (problem, *_) = problems_of(wrong, setting_of(kind))
            assert problem.render("en") != problem.render("zh"), (name, kind)


def test_a_direct_formula_stands_beside_every_measure_of_ours() -> None:
    assert set(FORMULAS) == set(measures())
    assert set(REFUSING) < set(measures())


def test_every_measure_of_a_run_is_written_down() -> None:
    for name, measure in resource_measures().items():
        assert measure.formula, name
        assert measure.unit in {base for base, _ in UNITS.values()}, name
        assert measure.guarantees.of("run") == ("measured_run",), name
        assert measure.title.render("en") != measure.title.render("zh"), name


def test_cases_of_every_kind_can_be_told_apart() -> None:
    cases: Cases = random_cases("text", 1)
    assert cases.kind == "text" and len(cases) == 60
