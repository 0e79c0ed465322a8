"""Krippendorff's alpha: agreement beyond chance of any number of annotators, labels missing, on three scales.

Source: Krippendorff, "Computing Krippendorff's Alpha-Reliability", University of Pennsylvania, 2011, sections C to E.
With m labels of item u, n_c labels of class c and N labels in all, of items that two or more have labelled:

    α = 1 − (N − 1) · Σ_u Σ_{c,k} n_uc n_uk δ²(c, k) / (m_u − 1)  /  Σ_{c,k} n_c n_k δ²(c, k)

δ² is 1 for two different classes (nominal), the square of the difference (interval), or of the difference of the
classes' mid-ranks among all labels (ordinal: n_c/2 + … + n_k/2 is just that). Each is linear in the items, or becomes
so once the classes have their ranks, so that thousands of resamples cost one product of matrices.
"""

from __future__ import annotations

import numpy as np

from pilotbase.evidence.bootstrap import Statistic
from pilotbase.evidence.primitive import Floats, Ints


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
    """Return alpha of numbers, of each item how many (two or more), their sum, and the sum of their squares."""
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
    """Return alpha; NaN (0/0) where all labels are the same: nothing could have differed, so nothing is shown."""
    with np.errstate(invalid="ignore"):
        return 1 - (total - 1) * observed / expected
