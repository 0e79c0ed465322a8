"""Agreement of annotators beyond chance, with its interval at 95 %.

Cohen's kappa is of two annotators, Krippendorff's alpha of any number, labels missing, on three scales. Source:
Krippendorff, "Computing Krippendorff's Alpha-Reliability", University of Pennsylvania, 2011, sections C to E. With m
labels of item u, n_c labels of class c and N labels in all, of items that two or more have labelled:

    α = 1 − (N − 1) · Σ_u Σ_{c,k} n_uc n_uk δ²(c, k) / (m_u − 1)  /  Σ_{c,k} n_c n_k δ²(c, k)

δ² is 1 for two different classes (nominal), the square of the difference (interval), or of the difference of the
classes' mid-ranks among all labels (ordinal: n_c/2 + … + n_k/2 is just that). Each is linear in the items, or becomes
so once the classes have their ranks, so that thousands of resamples cost one product of matrices.

Intervals are percentile intervals for an n fixed beforehand: descriptive, and no verdict uses them. Source: Efron &
Tibshirani, An Introduction to the Bootstrap, chapter 13.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pilotbase.evidence.distributions import normal_upper_quantile, wilson
from pilotbase.evidence.primitive import Bounds, Floats, Ints, within

CONFIDENCE = 0.95
_RESAMPLES = 1000
Statistic = Callable[[Floats], Floats]
"""From weights, shape (resamples, cases), to one figure each; NaN where it is 0/0."""

_CHUNK_BYTES = 1 << 24
_TAIL = 20
"""With fewer resamples beyond a bound than this, it is taken from a normal tail where that is wider."""


def cohen_kappa(first: Ints, second: Ints, classes: int) -> Statistic:
    """Return κ = (p_o − p_e) / (1 − p_e) of two annotators' classes 0 … ``classes`` − 1, item by item.

    p_o is the share of items on which they agree, p_e what their own shares of the classes would give by chance. NaN
    (0/0) if both always give the same one class.

    Source: Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960),
    pages 37-46, equation 1.
    """
    one_hot = np.eye(classes)
    ours, theirs, agreed = one_hot[first], one_hot[second], (first == second).astype(np.float64)

    def kappa(weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        observed = weights @ agreed / total
        chance = ((weights @ ours) * (weights @ theirs)).sum(axis=1) / total**2
        with np.errstate(invalid="ignore"):
            found: Floats = (observed - chance) / (1 - chance)
        return found

    return kappa


def nominal_alpha(counts: Ints) -> Statistic:
    """Return alpha of classes without order; ``counts`` (items, classes): labels, two or more an item."""
    sizes = counts.sum(axis=1)
    differing = (counts * (sizes[:, None] - counts)).sum(axis=1) / (sizes - 1)

    def alpha(weights: Floats) -> Floats:
        classes = weights @ counts
        total = classes.sum(axis=1)
        return _alpha(weights @ differing, total, total**2 - (classes**2).sum(axis=1))

    return alpha


def ordinal_alpha(counts: Ints) -> Statistic:
    """Return alpha of ordered classes; ``counts`` (items, classes from the lowest to the highest) as above."""
    sizes = counts.sum(axis=1)

    def alpha(weights: Floats) -> Floats:
        classes = weights @ counts
        ranks = np.cumsum(classes, axis=1) - classes / 2
        sums, squares = ranks @ counts.T, ranks**2 @ counts.T
        observed = (weights * _squared_differences(sizes, sums, squares)).sum(axis=1)
        total = classes.sum(axis=1)
        return _alpha(observed, total, _all_squared(total, (classes * ranks).sum(1), (classes * ranks**2).sum(1)))

    return alpha


def interval_alpha(sizes: Ints, sums: Floats, squares: Floats) -> Statistic:
    """Return alpha of numbers; for each item how many (two or more), their sum, and the sum of their squares."""
    observed = _squared_differences(sizes, sums, squares)

    def alpha(weights: Floats) -> Floats:
        total = weights @ sizes
        return _alpha(weights @ observed, total, _all_squared(total, weights @ sums, weights @ squares))

    return alpha


def _squared_differences(sizes: Ints, sums: Floats, squares: Floats) -> Floats:
    """Return Σ (a − b)² / (m − 1) over the ordered pairs of an item's labels."""
    found: Floats = np.maximum(2 * (sizes * squares - sums**2), 0) / (sizes - 1)
    return found


def _all_squared(total: Floats, sums: Floats, squares: Floats) -> Floats:
    return np.maximum(2 * (total * squares - sums**2), 0)


def _alpha(observed: Floats, total: Floats, expected: Floats) -> Floats:
    """Return alpha; NaN (0/0) if all labels are the same: nothing could have differed, so nothing is shown."""
    with np.errstate(invalid="ignore"):
        return 1 - (total - 1) * observed / expected


class LabelledTwice(NamedTuple):
    """How many items several have labelled, and on how many of them labels differ."""

    total: int
    differing: int


def agreement_interval(
    statistic: Statistic, items: LabelledTwice, per_difference: float | None = None
) -> Bounds | None:
    """Return the interval of ``statistic``, a coefficient 1 − observed / expected disagreement, within [−1, 1].

    It is the wider of two, so that few disagreements are not taken for none.

    1. Percentiles of 1,000 resamples of the items, with a fixed seed: each item is drawn with all of its labels (Efron
       & Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13). Among 30 items that all but two agree on, it
       holds what it promises in four samples of five only.
    2. Cohen (1960, equation 7) takes the agreement that chance would give as known, so that the error of the
       coefficient is that of the observed disagreement, scaled. So it is here, with Wilson's interval (1927) of how
       many items differ, which holds near 0, and with how far apart labels are where they differ, as observed.

    How often the true value is inside, for few items and many, even classes and rare ones, is simulated in
    ``tests/data/labelling/test_coverage.py``: at least 94 % for classes; for numbers 93 % from 100 items, 90 % from 30.

    ``per_difference``: what the coefficient loses if all items differ, in case no item shows it. None if no item
    differs and it is not known: nothing says how far apart labels would be.
    """
    value = value_of(statistic, items.total)
    if items.differing:
        per_difference = (1 - value) * items.total / items.differing
    if per_difference is None:
        return None
    drawn = weight_bootstrap(statistic, items.total, 1 - CONFIDENCE, _RESAMPLES)
    share = wilson(items.differing, items.total, CONFIDENCE)
    lower = min(drawn.lower, 1 - per_difference * share.upper, value)
    upper = max(drawn.upper, 1 - per_difference * share.lower, value)
    return Bounds(max(lower, -1.0), min(upper, 1.0))


def value_of(statistic: Statistic, items: int) -> float:
    """Return ``statistic`` of the items as they are; NaN if it is not defined."""
    found = float(statistic(np.ones((1, items)))[0])
    return found if math.isnan(found) else max(found, -1.0)


def weight_bootstrap(
    statistic: Statistic, cases: int, alpha: float, resamples: int = 1000, seed: int = 0, units: Ints | None = None
) -> Bounds:
    """Return bounds of ``statistic``, given how often each of ``cases`` cases is drawn, α/2 a side.

    With ``units`` (a code per case) whole clusters are drawn. Memory does not grow with ``resamples``: weights come in
    chunks of some 16 MB, one row at least.
    """
    within("alpha", alpha, 0, 1)
    codes = np.arange(cases) if units is None else np.unique(units, return_inverse=True)[1]
    clusters = int(codes.max()) + 1
    rows = max(_CHUNK_BYTES // (8 * max(cases, clusters)), 1)
    generator = np.random.default_rng(seed)
    values = []
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        drawn = generator.integers(0, clusters, (count, clusters)) + clusters * np.arange(count)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=count * clusters).reshape(count, clusters)
        values.append(statistic(weights[:, codes].astype(np.float64)))
    return percentile_bounds(np.concatenate(values), alpha)


def percentile_bounds(values: Floats, alpha: float) -> Bounds:
    """Return the percentile interval of resampled ``values``, by order statistics; NaN is the worst on either side."""
    missing = np.isnan(values)
    lower = _tail(np.where(missing, -math.inf, values), alpha / 2)
    upper = -_tail(np.where(missing, -math.inf, -values), alpha / 2)
    return Bounds(lower, upper)


def _tail(values: Floats, share: float) -> float:
    """Return what only a ``share`` of ``values`` falls below."""
    beyond = math.floor(share * len(values))
    place = max(beyond - 1, 0)
    found = float(np.partition(values, place)[place])
    finite = values[np.isfinite(values)]
    if beyond >= _TAIL or not len(finite):
        return found
    return min(found, float(np.median(finite) - normal_upper_quantile(share) * finite.std()))
