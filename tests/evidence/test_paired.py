"""A tender's partial order: false *better* within α at any time, and far fewer cases than separate trials."""

from fractions import Fraction

import numpy as np
import pytest

from benchmarks.evidence.claims.tender import answered
from pilotbase.documents.errors import InputError
from pilotbase.evidence.paired import PairedTerms, compare_paired

TERMS = PairedTerms(Fraction(0), Fraction(1, 50), 0.05)
RUNS = 150
"""`make evidence` makes 10,000 (`benchmarks/evidence/claims/tender.py`)."""


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("right", "margin"), [((0.9,) * 4, 0), ((0.92, 0.9, 0.92, 0.9), Fraction(1, 50))])
def test_a_false_better_is_rarer_than_alpha_at_any_time(right, margin):
    draw = np.random.default_rng(4)
    terms = PairedTerms(Fraction(margin), Fraction(1, 50), 0.05)
    false = sum(bool(compare_paired(answered(draw, right, 400), 1, terms).better) for _ in range(RUNS))
    assert false / RUNS <= 0.05 + 3 * (0.05 * 0.95 / RUNS) ** 0.5


def test_a_wrong_best_is_rarer_than_alpha():
    """The second one is worse by exactly the tolerance: it must not be named."""
    draw = np.random.default_rng(5)
    named = sum(1 in compare_paired(answered(draw, (0.92, 0.9), 400), 1, TERMS).best for _ in range(RUNS))
    assert named / RUNS <= 0.05 + 3 * (0.05 * 0.95 / RUNS) ** 0.5


@pytest.mark.prove
def test_it_takes_less_than_a_third_of_the_cases_of_separate_trials():
    """Separate trials give each supplier cases of its own: k times as many, and nothing is shared between them."""
    draw, right, pair = np.random.default_rng(6), (0.93, 0.9, 0.9, 0.86), (0, 3)
    shared = [compare_paired(answered(draw, right, 2000), 1, TERMS).better[pair] for _ in range(15)]
    alone = [compare_paired(answered(draw, right, 2000, 0), 1, TERMS).better[pair] for _ in range(15)]
    assert 3 * np.median(shared) < len(right) * np.median(alone)


def test_an_order_is_latched_and_does_not_depend_on_what_comes_after():
    draw = np.random.default_rng(7)
    scores = answered(draw, (0.95, 0.8, 0.8), 600)
    found = compare_paired(scores, 1, TERMS)
    assert {(0, 1), (0, 2)} <= found.better.keys()
    assert 0 in found.best
    first = max(found.better[0, 1], found.better[0, 2])
    turned = np.concatenate([scores[:first], 1 - scores[first:]])
    assert found.better.items() >= {
        (pair, when) for pair, when in compare_paired(turned, 1, TERMS).better.items() if when <= first
    }
    assert compare_paired(turned, 1, TERMS).better[0, 1] == found.better[0, 1]
    assert compare_paired(scores[: found.better[0, 1] - 1], 1, TERMS).better.get((0, 1)) is None


def test_equal_answers_are_never_separated_and_both_are_best():
    scores = np.repeat(answered(np.random.default_rng(8), (0.9,), 2000), 2, axis=1)
    found = compare_paired(scores, 1, TERMS)
    assert found.better == {}
    assert found.best.keys() == {0, 1}


@pytest.mark.parametrize(
    ("columns", "margin", "code"), [(1, 0, "one_to_compare"), (2, 1, "margin_outside"), (2, -1, "margin_outside")]
)
def test_what_cannot_be_compared_is_refused(columns, margin, code):
    with pytest.raises(InputError) as caught:
        compare_paired(np.ones((30, columns), dtype=np.int64), 1, PairedTerms(Fraction(margin), Fraction(0), 0.05))
    assert caught.value.code == f"evidence.{code}"
