"""How often the interval of a coefficient holds the true value, by simulation: 95 % is promised."""

import numpy as np
import pytest

from pilotbase.data.labelling.agreement import (
    CONFIDENCE,
    LabelledTwice,
    agreement_interval,
    cohen_kappa,
    interval_alpha,
    nominal_alpha,
    ordinal_alpha,
    value_of,
    weight_bootstrap,
)


def joint(shares, agreement):
    """Two annotators who agree by more than chance on so large a part; both coefficients are then ``agreement``."""
    return agreement * np.diag(shares) + (1 - agreement) * np.outer(shares, shares)


EVEN, RARE, UNEVEN = np.full(3, 1 / 3), np.array([0.95, 0.05]), np.array([0.5, 0.3, 0.2])
FEW_DIFFER = (np.array([0.5, 0.5]), 0.9, 30)
SETTINGS = [
    (EVEN, 0.6, 30),
    (RARE, 0.7, 30),
    (UNEVEN, 0.1, 30),
    (EVEN, 0.6, 100),
    (np.array([0.5, 0.5]), 0.9, 100),
    (RARE, 0.7, 100),
    (UNEVEN, 0.1, 100),
]


def of_two(shares, agreement, items, repeats, interval):
    """Return how often ``interval`` of kappa and that of alpha hold the true value."""
    generator, kinds = np.random.default_rng(1), len(shares)
    held = np.zeros(2)
    for _ in range(repeats):
        drawn = generator.choice(kinds**2, items, p=joint(shares, agreement).ravel())
        first, second = drawn // kinds, drawn % kinds
        counts = np.eye(kinds, dtype=int)[first] + np.eye(kinds, dtype=int)[second]
        differing = int((first != second).sum())
        for place, statistic in enumerate((cohen_kappa(first, second, kinds), nominal_alpha(counts))):
            if np.isnan(value_of(statistic, items)):
                held[place] += 1  # one class only: not measured, which promises nothing
                continue
            shares_seen = counts.sum(axis=0) / counts.sum()
            bounds = interval(statistic, LabelledTwice(items, differing), 1 / (1 - (shares_seen**2).sum()))
            held[place] += bounds.lower <= agreement <= bounds.upper
    return held / repeats


def bare_bootstrap(statistic, items, per_difference):
    return weight_bootstrap(statistic, items.total, 1 - CONFIDENCE)


def test_the_interval_holds_where_few_items_differ_and_a_bare_bootstrap_does_not():
    assert of_two(*FEW_DIFFER, 150, agreement_interval).min() >= 0.93
    assert of_two(*FEW_DIFFER, 150, bare_bootstrap).max() < 0.9


@pytest.mark.prove
@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: f"{setting[0].round(2)} {setting[1]} {setting[2]}")
def test_intervals_of_classes_hold_what_they_promise(setting):
    assert of_two(*setting, 1000, agreement_interval).min() >= 0.94 - 0.014  # two standard errors of 1,000 draws


def ordinal(generator, items):
    truth = generator.integers(0, 5, items)
    given = [np.clip(truth + (generator.random(items) < 0.1) * generator.choice([-1, 1], items), 0, 4) for _ in "ab"]
    counts = sum(np.eye(5, dtype=int)[column] for column in given)
    return ordinal_alpha(counts), LabelledTwice(items, int((given[0] != given[1]).sum()))


def numeric(generator, items):
    values = generator.normal(size=(items, 1)) + 0.5 * generator.normal(size=(items, 3))
    there = generator.random((items, 3)) < 0.8
    there[:, :2] = True
    sizes = there.sum(axis=1)
    return interval_alpha(sizes, (values * there).sum(axis=1), (values**2 * there).sum(axis=1)), LabelledTwice(
        items, items
    )


@pytest.mark.prove
@pytest.mark.parametrize(
    ("draw", "items", "promised"),
    [(ordinal, 30, 0.94), (ordinal, 100, 0.94), (numeric, 30, 0.90), (numeric, 100, 0.93)],
)
def test_intervals_on_scales_hold_what_they_promise(draw, items, promised):
    true = value_of(draw(np.random.default_rng(0), 300_000)[0], 300_000)
    generator = np.random.default_rng(2)
    found = [agreement_interval(*draw(generator, items)) for _ in range(1000)]
    bounds = [each for each in found if each is not None]
    assert len(bounds) > 900
    assert np.mean([each.lower <= true <= each.upper for each in bounds]) >= promised - 0.014
