"""The verdict: what accepts, what rejects, what stays open, and that interval and verdict never disagree."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pilotbase.documents.errors import InputError
from pilotbase.evidence import CriterionPlan, Design, Levels, attempt_levels, decide, draw_order, verdict_of
from pilotbase.measures.observation import MeasurePart, Observation

ALPHA = Fraction(1, 20)
LEVELS = Levels(ALPHA, ALPHA)
BINARY = ((0, 1), (1, 1))


def share(right: Any, eligible: Any = None, **how: Any) -> Observation:
    right = np.asarray(right, dtype=np.int64)
    weight = np.ones(len(right), dtype=np.int64) if eligible is None else np.asarray(eligible, dtype=np.int64)
    return Observation("single", (MeasurePart(right * weight, weight, BINARY),), **how)


def at_least(bound: str, observation: Observation, **how: Any) -> CriterionPlan:
    return CriterionPlan(f"accuracy >= {bound}", observation, ">=", Fraction(bound), **how)


def mostly(p: float, n: int = 3000, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(n) < p


ORDER = draw_order(3000, b"order")


def test_a_good_application_is_accepted_early() -> None:
    decision = decide([at_least("0.90", share(mostly(0.97)))], ORDER, LEVELS)
    found = decision.criteria[0]
    assert (decision.verdict, found.verdict, found.guarantee) == ("accept", "pass", "exact_anytime")
    assert decision.scored == found.decided_at == found.used < 600
    assert found.lower == pytest.approx(0.9)


def test_a_bad_application_is_rejected_early() -> None:
    decision = decide([at_least("0.90", share(mostly(0.8)))], ORDER, LEVELS)
    assert (decision.verdict, decision.criteria[0].verdict) == ("reject", "fail")
    assert decision.scored < 400
    assert 0.89 < decision.criteria[0].upper <= 0.9  # type: ignore[operator]


def test_on_a_hidden_set_the_last_case_always_decides() -> None:
    right = np.array([1] * 2700 + [0] * 300)
    decision = decide([at_least("0.90", share(right))], ORDER, LEVELS)
    assert decision.verdict == "accept"
    right[0] = 0
    assert decide([at_least("0.90", share(right))], ORDER, LEVELS).verdict == "reject"


def test_for_a_population_the_same_data_leaves_it_open_and_says_what_would_decide() -> None:
    decision = decide([at_least("0.90", share(mostly(0.91)), estimand="population")], ORDER, LEVELS)
    found = decision.criteria[0]
    assert (decision.verdict, decision.scored, found.guarantee) == ("inconclusive", 3000, "exact_anytime")
    assert found.lower is not None and found.upper is not None and found.cases_needed is not None
    assert found.lower < 0.9 < found.upper
    assert 3000 < found.cases_needed < 100_000
    assert found.detectable is not None and 0.01 < found.detectable < 0.05


def test_scoring_all_of_a_hidden_set_is_exact() -> None:
    right = mostly(0.905)
    found = decide([at_least("0.90", share(right))], ORDER, LEVELS, Design("full")).criteria[0]
    assert (found.verdict, found.guarantee) == ("pass", "exact_census")
    assert found.lower == found.upper == found.estimate == pytest.approx(right.mean())
    assert found.claim.code == "evidence.claim.census"


@pytest.mark.parametrize("design", [Design(known=True), Design("fixed", 150, known=True)])
def test_where_all_answers_are_known_they_decide_a_claim_about_these_cases(design: Design) -> None:
    """200 right answers come first, and then so many wrong ones that the threshold is missed."""
    right = np.ones(3000, dtype=np.int64)
    right[200:520] = 0
    these, others = (at_least("0.90", share(right), estimand=one) for one in ("hidden_set", "population"))
    early = replace(design, known=False)
    assert decide([these], np.arange(3000), LEVELS, early).verdict == "accept"
    decision = decide([these], np.arange(3000), LEVELS, design)
    (found,) = decision.criteria
    assert (decision.verdict, decision.scored, found.guarantee) == ("reject", 3000, "exact_census")
    assert found.claim.code == "evidence.claim.census" and found.estimate == found.lower == found.upper
    assert decide([others], np.arange(3000), LEVELS, design).scored < 200, "of a population the rest stays unread"
    both = decide([these, others], np.arange(3000), LEVELS, design)
    assert (both.verdict, both.scored, both.criteria[0]) == ("reject", 3000, replace(found, path=both.criteria[0].path))
    assert verdict_of([these, others], np.arange(3000), LEVELS, design) == ("reject", 3000)


@pytest.mark.parametrize("design", [Design(known=True), Design("fixed", 150, known=True)])
def test_figures_of_all_cases_change_no_verdict(design: Design) -> None:
    """The first 150 answers are right, of the others one in four is wrong."""
    right = np.ones(3000, dtype=np.int64)
    right[150::4] = 0
    plan = at_least("0.90", share(right), estimand="population")
    stopped, described = (
        decide([plan], np.arange(3000), LEVELS, replace(design, described=how)) for how in (False, True)
    )
    assert stopped.scored == stopped.decided == described.decided <= 150
    assert described.verdict == stopped.verdict == "accept" and described.scored == 3000
    early, whole = stopped.criteria[0], described.criteria[0]
    assert (early.estimate, whole.estimate) == (1.0, pytest.approx(right.mean()))
    assert (early.used, whole.used, whole.total, whole.decided_at) == (stopped.scored, 3000, 3000, early.decided_at)
    assert whole.lower is not None and whole.upper is not None and whole.estimate is not None
    assert whole.lower <= whole.estimate <= whole.upper < 0.9, "later answers speak against it, and are shown"


def test_bounds_of_all_cases_are_those_of_scoring_them_all() -> None:
    plan = at_least("0.90", share(mostly(0.96)), estimand="population")
    early = decide([plan], ORDER, LEVELS, Design(known=True, described=True))
    later = decide([plan, at_least("0.96", share(mostly(0.96, seed=7)), estimand="population")], ORDER, LEVELS)
    assert early.decided < 600 and later.scored == 3000
    assert (early.criteria[0].lower, early.criteria[0].estimate) == (
        later.criteria[0].lower,
        later.criteria[0].estimate,
    )


@pytest.mark.parametrize("estimand", ["population", "hidden_set"])
def test_an_accept_waits_for_its_floor_and_a_reject_does_not(estimand: Any) -> None:
    good, bad = (at_least("0.5", share(mostly(p)), estimand=estimand) for p in (0.97, 0.2))
    floor = Design(accept_from=400)
    assert decide([good], ORDER, LEVELS).scored < 20
    waited = decide([good], ORDER, LEVELS, floor)
    assert (waited.verdict, waited.scored, waited.criteria[0].decided_at) == ("accept", 400, 400)
    assert decide([bad], ORDER, LEVELS, floor).scored < 50
    never = Design(accept_from=3001)
    assert decide([good], ORDER, LEVELS, never).verdict == "inconclusive"
    assert decide([good], ORDER, LEVELS, Design("full", accept_from=3001)).verdict == "inconclusive"
    assert decide([bad], ORDER, LEVELS, never).verdict == "reject"


def test_all_criteria_must_hold_and_one_refutes() -> None:
    good, bad = at_least("0.90", share(mostly(0.97, seed=1))), at_least("0.90", share(mostly(0.8, seed=2)))
    decision = decide([good, bad], ORDER, LEVELS)
    assert decision.verdict == "reject"
    assert [item.verdict for item in decision.criteria][1] == "fail"


def test_a_crossing_stays_though_the_score_falls_later() -> None:
    right = np.ones(3000, dtype=np.int64)
    order = np.arange(3000)
    right[100:] = mostly(0.872, 2900, seed=3)
    slow = at_least("0.82", share(mostly(0.86, seed=4)), estimand="population")
    first = at_least("0.90", share(right), estimand="population")
    decision = decide([first, slow], order, LEVELS)
    found = decision.criteria[0]
    assert (found.verdict, found.decided_at) == ("pass", 55)
    assert found.estimate is not None and found.estimate < 0.9 < decision.scored


def test_a_refutation_outweighs_an_earlier_confirmation() -> None:
    right = np.ones(3000, dtype=np.int64)
    right[100:] = mostly(0.80, 2900, seed=3)
    never = at_least("0.81", share(mostly(0.80, seed=4)), estimand="population")
    decision = decide([at_least("0.90", share(right), estimand="population"), never], np.arange(3000), LEVELS)
    assert (decision.verdict, decision.criteria[0].verdict) == ("reject", "fail")


def test_the_worst_of_many_groups_rejects_at_its_share_of_alpha() -> None:
    right, group = mostly(0.80), np.arange(3000) % 5
    parts = tuple(
        MeasurePart((right & (group == g)).astype(np.int64), (group == g).astype(np.int64), BINARY, name=str(g))
        for g in range(5)
    )
    one = CriterionPlan("a", Observation("single", parts[:1]), ">=", Fraction("0.90"), levels=Levels(ALPHA, ALPHA / 5))
    worst = CriterionPlan("w", Observation("worst", (parts[0],) * 5), ">=", Fraction("0.90"))
    assert decide([worst], ORDER, LEVELS).scored == decide([one], ORDER, LEVELS).scored
    whole = decide([CriterionPlan("w", Observation("worst", parts), ">=", Fraction("0.90"))], ORDER, LEVELS)
    assert whole.verdict == "reject"


def test_a_claim_about_groups_of_a_population_ends_with_those_that_occur() -> None:
    part = share(mostly(0.95)).parts[0]
    worst = Observation("worst", (part,))
    for estimand, code in (("population", "evidence.claim.seen_groups"), ("hidden_set", "evidence.claim.hidden_set")):
        found = decide([at_least("0.9", worst, estimand=estimand)], np.arange(3000), LEVELS).criteria[0]
        assert found.claim.code == code


def test_zero_of_zero_is_not_measured_and_never_a_pass() -> None:
    nothing = at_least("0.50", share(np.ones(3000), eligible=np.zeros(3000)))
    good = at_least("0.90", share(mostly(0.97)))
    decision = decide([nothing, good], ORDER, LEVELS)
    assert decision.verdict == "inconclusive"
    assert decision.criteria[0].verdict == "not_measured"
    assert (decision.criteria[0].guarantee, decision.guarantee) == ("descriptive", "descriptive")
    assert decision.criteria[0].claim.code == "evidence.claim.not_measured"
    assert decision.criteria[0].lower is decision.criteria[0].estimate is None


def test_only_eligible_cases_count() -> None:
    eligible = mostly(0.2, seed=5)
    decision = decide([at_least("0.90", share(mostly(0.97), eligible))], ORDER, LEVELS)
    found = decision.criteria[0]
    assert found.total == eligible.sum()
    assert found.used == eligible[ORDER[: decision.scored]].sum() < decision.scored


@pytest.mark.parametrize(("n", "verdict"), [(28, "inconclusive"), (29, "accept")])
def test_a_fixed_design_needs_29_right_answers_for_ninety_percent(n: int, verdict: str) -> None:
    plan = at_least("0.90", share(np.ones(3000)), estimand="population")
    decision = decide([plan], ORDER, LEVELS, Design("fixed", n))
    assert (decision.verdict, decision.criteria[0].guarantee) == (verdict, "exact_fixed")


def test_a_fixed_design_on_a_hidden_set_is_hypergeometric() -> None:
    """Of 100 cases, n right ones in a row against 89 right in all (the best set that fails 0.90)."""
    chance, n = Fraction(1), 0
    while chance > ALPHA:
        chance, n = chance * Fraction(89 - n, 100 - n), n + 1
    plan = at_least("0.90", share(np.ones(100)))
    assert decide([plan], np.arange(100), LEVELS, Design("fixed", n)).verdict == "accept"
    assert decide([plan], np.arange(100), LEVELS, Design("fixed", n - 1)).verdict == "inconclusive"
    chance, n = Fraction(1), 0
    while chance > ALPHA:
        chance, n = chance * Fraction(10 - n, 100 - n), n + 1
    none = at_least("0.90", share(np.zeros(100)))
    assert decide([none], np.arange(100), LEVELS, Design("fixed", n)).verdict == "reject"
    assert decide([none], np.arange(100), LEVELS, Design("fixed", n - 1)).verdict == "inconclusive"


@pytest.mark.one_in(4)
@pytest.mark.parametrize("estimand", ["hidden_set", "population"])
@pytest.mark.parametrize("design", [Design("early"), Design("fixed", 700), Design("full")])
@pytest.mark.parametrize("seed", range(6))
def test_interval_and_verdict_agree(estimand: Any, design: Design, seed: int) -> None:
    rng = np.random.default_rng(seed)
    plan = at_least("0.90", share(rng.random(3000) < rng.uniform(0.85, 0.95)), estimand=estimand)
    found = decide([plan], ORDER, LEVELS, design).criteria[0]
    assert found.lower is not None and found.upper is not None
    if found.guarantee == "exact_census":
        assert found.lower == found.upper == found.estimate
    assert (found.lower >= 0.9) is (found.verdict == "pass")
    assert (found.upper <= 0.9) is (found.verdict == "fail")


def test_an_upper_bound_criterion_mirrors_a_lower_one() -> None:
    wrong = ~mostly(0.97)
    plan = CriterionPlan("error_rate <= 0.10", share(wrong), "<=", Fraction("0.10"))
    found = decide([plan], ORDER, LEVELS).criteria[0]
    other = decide([at_least("0.90", share(~wrong))], ORDER, LEVELS).criteria[0]
    assert found.decided_at == other.decided_at
    assert (found.lower, found.upper) == pytest.approx((1 - other.upper, 1 - other.lower), abs=1e-4)  # type: ignore[operator]


def test_the_path_narrows_and_ends_at_the_interval() -> None:
    plan = at_least("0.90", share(mostly(0.91)), estimand="population")
    found = decide([plan], ORDER, LEVELS).criteria[0]
    assert 10 < len(found.path) <= 200
    assert all(a.lower <= b.lower and a.upper >= b.upper for a, b in zip(found.path, found.path[1:], strict=False))
    assert [p.cases for p in found.path] == sorted({p.cases for p in found.path})
    assert (found.path[-1].lower, found.path[-1].upper) == (found.lower, found.upper)


def test_a_later_attempt_needs_more_evidence() -> None:
    plan = at_least("0.90", share(mostly(0.97)))
    first, fifth = (decide([plan], ORDER, attempt_levels(Fraction(1, 20), j)).scored for j in (1, 5))
    assert first < fifth


def test_levels_of_all_attempts_sum_to_alpha() -> None:
    alpha = Fraction(1, 20)
    total = sum((attempt_levels(alpha, j).accept for j in range(1, 2000)), Fraction(0))
    assert alpha * Fraction(999, 1000) < total < alpha
    split = sum((attempt_levels(alpha, number, 3).accept for number in range(1, 4 * 2000) if number % 4), Fraction(0))
    assert alpha * Fraction(999, 1000) < split < alpha


def test_a_criterion_may_have_its_own_level() -> None:
    strict = at_least("0.90", share(mostly(0.97)), levels=Levels(Fraction(1, 10**6), Fraction(1, 20)))
    usual = at_least("0.90", share(mostly(0.97)))
    assert decide([strict], ORDER, LEVELS).scored > decide([usual], ORDER, LEVELS).scored


def test_what_is_judged_on_a_run_neither_stops_the_cases_nor_waits_for_them() -> None:
    peak = MeasurePart(np.array([900]), np.array([1]), ((900, 1),))
    over = MeasurePart(np.array([2000]), np.array([1]), ((2000, 1),))
    good = at_least("0.90", share(mostly(0.97)))
    alone = decide([good], ORDER, LEVELS).scored

    def with_memory(part: MeasurePart) -> Any:
        memory = Observation("single", (part,), census_only=True)
        return decide(
            [good, CriterionPlan("memory.peak <= 1 KiB", memory, "<=", Fraction(1024), "run", run=True)], ORDER, LEVELS
        )

    assert (with_memory(peak).verdict, with_memory(peak).scored) == ("accept", alone)
    assert (with_memory(over).verdict, with_memory(over).scored) == ("reject", alone)
    assert with_memory(over).guarantee == "measured_run"


def test_a_measure_without_per_case_observation_waits_for_the_census() -> None:
    pooled = at_least("0.90", share(mostly(0.97), census_only=True))
    decision = decide([pooled], ORDER, LEVELS)
    assert (decision.scored, decision.criteria[0].guarantee) == (3000, "exact_census")
    refuted = decide([pooled, at_least("0.90", share(mostly(0.8)))], ORDER, LEVELS)
    assert refuted.criteria[0].verdict == "inconclusive"
    assert (refuted.criteria[0].lower, refuted.criteria[0].upper) == (0, 1)


def test_clusters_count_as_one_and_stay_whole() -> None:
    units = np.repeat(np.arange(300), 10)
    order = draw_order(3000, b"clusters", units)
    plan = at_least("0.80", share(np.repeat(mostly(0.95, 300), 10)), estimand="population", unit="patient", units=units)
    found = decide([plan], order, LEVELS).criteria[0]
    assert (found.verdict, found.total, found.unit) == ("pass", 300, "patient")
    assert "mean over units" in found.claim.render("en")
    assert found.decided_at is not None and found.decided_at % 10 == 0
    with pytest.raises(InputError, match="splits clusters"):
        decide([plan], ORDER, LEVELS)


def test_a_hidden_set_of_clusters_is_decided_exactly_at_its_end() -> None:
    units = np.array([0] * 1 + [1] * 2 + [2] * 3 + [3] * 4)
    right = np.array([1, 1, 0, 1, 1, 1, 1, 1, 1, 1])
    order = draw_order(10, b"x", units)
    for bound, verdict in (("0.9", "accept"), ("0.91", "reject")):
        plan = at_least(bound, share(right), unit="patient", units=units)
        assert decide([plan], order, LEVELS).verdict == verdict


@pytest.mark.prove
def test_the_quick_verdict_is_the_same() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        plans = [
            at_least("0.90", share(rng.random(500) < rng.uniform(0.85, 0.99)), estimand=estimand)
            for estimand in ("hidden_set", "population")
        ]
        order = draw_order(500, bytes([seed]))
        decision = decide(plans, order, LEVELS)
        assert verdict_of(plans, order, LEVELS) == (decision.verdict, decision.scored)


@pytest.mark.parametrize(
    ("criteria", "order", "design", "code"),
    [
        ([], ORDER, None, "evidence.no_criteria"),
        ([at_least("0.9", share([1, 1]))], np.array([], dtype=np.int64), None, "evidence.no_cases"),
        ([at_least("0.9", share([1, 1]))], np.array([0, 0]), None, "evidence.order_repeats"),
        ([at_least("0.9", share([1, 1]))], np.array([0, 1]), Design("fixed"), "evidence.fixed_without_cases"),
        (
            [at_least("0.9", share([1, 1], census_only=True), estimand="population")],
            np.array([0, 1]),
            None,
            "evidence.census_only",
        ),
    ],
)
def test_refusals_say_why(criteria: Any, order: Any, design: Any, code: str) -> None:
    with pytest.raises(InputError) as refused:
        decide(criteria, order, LEVELS, design)
    assert refused.value.code == code
    for language in ("en", "zh"):
        assert len(refused.value.render(language).splitlines()) == 2


def test_levels_must_be_levels() -> None:
    with pytest.raises(InputError):
        Levels(Fraction(0), Fraction(1, 20))
    with pytest.raises(InputError):
        attempt_levels(Fraction(1, 20), 0)
