"""The committed order, and what is said before a trial about the number of cases."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pilotbase.evidence import (
    CriterionPlan,
    Design,
    Levels,
    cases_to_confirm_at_best,
    draw_order,
    feasibility_of,
    unit_text,
    verdict_of,
)
from pilotbase.measures.observation import MeasurePart, Observation

FROZEN = [4, 6, 2, 1, 3, 5, 7, 0]
LEVELS = Levels(Fraction(1, 20), Fraction(1, 20))


def test_an_order_is_a_permutation_that_its_seed_fixes() -> None:
    one = draw_order(1000, b"seed")
    assert sorted(one.tolist()) == list(range(1000))
    assert np.array_equal(one, draw_order(1000, b"seed"))
    assert not np.array_equal(one, draw_order(1000, b"seeds"))
    # Frozen: the same on every machine and version, or a replay would not agree.
    assert draw_order(8, b"pilotbase").tolist() == FROZEN
    # Of these, two neighbours differ only in the lowest bits of their keys.
    many = draw_order(3_000_000, b"pilotbase 2").astype("<i8").tobytes()
    assert hashlib.sha256(many).hexdigest().startswith("c68b66243012455d")


def test_every_order_is_equally_likely() -> None:
    counts = np.bincount([int(draw_order(3, bytes(str(i), "ascii")) @ [9, 3, 1]) for i in range(6000)])
    assert len(counts[counts > 0]) == 6
    assert (np.abs(counts[counts > 0] - 1000) < 150).all()


def test_clusters_stay_together_and_each_is_first_equally_often() -> None:
    units = np.array([0] * 8 + [1, 2])
    firsts = []
    for i in range(900):
        codes = units[draw_order(10, bytes(str(i), "ascii"), units)]
        assert (codes[1:] != codes[:-1]).sum() == 2
        firsts.append(codes[0])
    assert (np.abs(np.bincount(firsts) - 300) < 70).all()


@pytest.mark.parametrize(
    ("threshold", "method", "cases"),
    [("0.90", "fixed", 29), ("0.90", "anytime", 55), ("0.95", "fixed", 59), ("0.50", "fixed", 5), ("0", "anytime", 1)],
)
def test_the_fewest_cases_that_can_confirm(threshold: str, method: Any, cases: int) -> None:
    assert cases_to_confirm_at_best(Fraction(threshold), 0.05, method) == cases


def test_the_fewest_cases_at_a_fixed_number_are_the_binomials() -> None:
    for hundredths in range(2, 100):
        share = hundredths / 100
        cases = cases_to_confirm_at_best(Fraction(hundredths, 100), 0.05, "fixed")
        assert cases is not None
        assert share**cases <= 0.05 < share ** (cases - 1)


def test_no_number_of_cases_shows_perfection() -> None:
    assert cases_to_confirm_at_best(Fraction(1), 0.05) is None


def plan(weights: list[int], threshold: str, form: Any = "single", **how: Any) -> CriterionPlan:
    parts = tuple(
        MeasurePart(
            np.zeros(len(weights), dtype=np.int64),
            (np.array(weights) == code).astype(np.int64),
            ((0, 1), (1, 1)),
            name=f"group {code}",
        )
        for code in sorted({w for w in weights if w})
    )
    comparison: Any = "<=" if form == "gap" else ">="
    return CriterionPlan("recall", Observation(form, parts), comparison, Fraction(threshold), **how)


def test_too_few_eligible_cases_are_found_before_the_freeze() -> None:
    weights = [1] * 40 + [0] * 1000
    found = feasibility_of(plan(weights, "0.90", estimand="population"), np.arange(1040), LEVELS)
    assert (found.feasible, found.needed, found.available) == (False, 55, 40)
    fixed = feasibility_of(plan(weights, "0.90", estimand="population"), np.arange(1040), LEVELS, Design("full"))
    assert (fixed.feasible, fixed.needed) == (True, 29)


def test_a_whole_hidden_set_can_always_decide() -> None:
    assert feasibility_of(plan([1] * 3, "0.90"), np.arange(3), LEVELS).feasible
    assert not feasibility_of(plan([1] * 300, "0.90"), np.arange(300), LEVELS, Design("fixed", 20)).feasible
    assert not feasibility_of(plan([0, 1], "0.90"), np.arange(1), LEVELS).feasible


def test_a_part_of_a_hidden_set_needs_fewer_than_a_population() -> None:
    """Of 100 cases at 0.90: the number that a fixed design really needs, and the anytime one."""
    for design, few, population in ((Design("fixed", 60), 23, 29), (Design(), 39, 55)):
        needed = feasibility_of(plan([1] * 100, "0.90"), np.arange(100), LEVELS, design).needed
        assert needed is not None
        assert few - 3 <= needed <= few + 3 < population
        right = CriterionPlan("r", share_right(100), ">=", Fraction("0.90"))
        if design.stop == "fixed":
            assert verdict_of([right], np.arange(100), LEVELS, Design("fixed", needed))[0] == "accept"
            assert verdict_of([right], np.arange(100), LEVELS, Design("fixed", needed - 1))[0] == "inconclusive"
        else:
            assert verdict_of([right], np.arange(100), LEVELS) == ("accept", needed)


def share_right(n: int) -> Observation:
    ones = np.ones(n, dtype=np.int64)
    return Observation("single", (MeasurePart(ones, ones, ((0, 1), (1, 1))),))


def test_the_scarcest_group_is_named() -> None:
    weights = [1] * 200 + [2] * 30
    for form, threshold in (("worst", "0.90"), ("gap", "0.10")):
        found = feasibility_of(plan(weights, threshold, form, estimand="population"), np.arange(230), LEVELS)
        assert (found.feasible, found.group, found.needed, found.available) == (False, "group 2", 55, 30)


def test_units_have_names() -> None:
    assert unit_text("request").render("en") == "request"
    assert unit_text("patient_id").render("zh") == "patient_id"
