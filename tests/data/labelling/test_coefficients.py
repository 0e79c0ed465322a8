"""Coefficients of agreement against published figures, another library, and sums done by hand."""

import math
from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from pilotbase.data.labelling.agreement import cohen_kappa, interval_alpha, nominal_alpha, ordinal_alpha, value_of

_ = None
KRIPPENDORFF_2011_C = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3),
    (_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _),
)
"""Four observers, twelve units, values 1 to 5, some missing: the worked example of section C of the paper."""


def units(observers=KRIPPENDORFF_2011_C):
    found = [[value for value in column if value is not None] for column in zip(*observers, strict=True)]
    return [unit for unit in found if len(unit) > 1]


def counts_of(found, classes):
    return np.array([[unit.count(value) for value in classes] for unit in found])


def numbers_of(found):
    return (
        np.array([len(unit) for unit in found]),
        np.array([float(sum(unit)) for unit in found]),
        np.array([float(sum(value**2 for value in unit)) for unit in found]),
    )


def alphas(found):
    counts = counts_of(found, sorted({value for unit in found for value in unit}))
    return {
        "nominal": value_of(nominal_alpha(counts), len(found)),
        "ordinal": value_of(ordinal_alpha(counts), len(found)),
        "interval": value_of(interval_alpha(*numbers_of(found)), len(found)),
    }


def test_alpha_is_the_published_one_on_each_scale():
    found = alphas(units())
    assert found["nominal"] == pytest.approx(0.743, abs=5e-4)
    assert found["ordinal"] == pytest.approx(0.815, abs=5e-4)
    assert found["interval"] == pytest.approx(0.849, abs=5e-4)


def by_definition(found, distance):
    """Alpha by the coincidence matrix, one pair after the other."""
    values = sorted({value for unit in found for value in unit})
    total = {value: sum(unit.count(value) for unit in found) for value in values}
    n = sum(total.values())

    def delta(one, other):
        return distance(one, other, values, total)

    observed = sum(
        delta(unit[i], unit[j]) / (len(unit) - 1) for unit in found for i, j in permutations(range(len(unit)), 2)
    )
    expected = sum(total[one] * total[other] * delta(one, other) for one, other in permutations(values, 2))
    return 1 - (n - 1) * observed / expected


def of_ranks(one, other, values, total):
    low, high = sorted((one, other))
    between = sum(total[value] for value in values if low <= value <= high)
    return (between - (total[low] + total[high]) / 2) ** 2


@pytest.mark.parametrize("seed", range(5))
def test_alpha_is_what_its_definition_gives_pair_by_pair(seed):
    generator = np.random.default_rng(seed)
    found = [generator.integers(0, 5, generator.integers(2, 6)).tolist() for _ in range(15)]
    assert alphas(found) == pytest.approx(
        {
            "nominal": by_definition(found, lambda one, other, *_: float(one != other)),
            "ordinal": by_definition(found, of_ranks),
            "interval": by_definition(found, lambda one, other, *_: (one - other) ** 2),
        }
    )


def test_kappa_is_the_one_of_a_published_table():
    """Cohen 1960, table 1: 200 cases by two judges in three classes, 88 + 40 + 12 agreed; kappa .492."""
    table = np.array([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
    first, second = np.repeat(np.indices((3, 3)).reshape(2, 9), table.ravel(), axis=1)
    assert value_of(cohen_kappa(first, second, 3), 200) == pytest.approx(0.492, abs=5e-4)


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_that_of_another_library(seed):
    generator = np.random.default_rng(seed)
    first = generator.integers(0, 4, 80)
    second = np.where(generator.random(80) < 0.6, first, generator.integers(0, 4, 80))
    assert value_of(cohen_kappa(first, second, 4), 80) == pytest.approx(cohen_kappa_score(first, second))


def test_one_class_alone_shows_nothing():
    same = np.zeros(20, dtype=int)
    assert math.isnan(value_of(cohen_kappa(same, same, 2), 20))
    assert math.isnan(alphas([[1, 1]] * 20)["nominal"])
    assert math.isnan(alphas([[1, 1]] * 20)["ordinal"])
    assert math.isnan(alphas([[1, 1]] * 20)["interval"])


def test_full_agreement_is_one_and_full_disagreement_below_chance():
    assert alphas([[1, 1], [2, 2], [3, 3]]) == {"nominal": 1, "ordinal": 1, "interval": 1}
    assert all(value < 0 for value in alphas([[1, 2], [2, 1]] * 10).values())
