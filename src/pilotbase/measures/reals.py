"""Gains and weights that are no integers, and the ratio of their sums without any rounding."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from pilotbase.measures.cases import Floats, Ints

_MANTISSA, _HALF = 53, 27


@dataclass(frozen=True, eq=False)
class Reals:
    """Gain and weight of each case, both finite and of shape (cases,), in the measure's own unit."""

    gains: Floats
    weights: Floats

    def ratio(self, cases: Ints | slice = slice(None)) -> Fraction:
        """Return Σ gain / Σ weight over ``cases``, exactly; their weights must not all be zero."""
        return exact_sum(self.gains[cases]) / exact_sum(self.weights[cases])

    def spread(self, chosen: Ints, size: int) -> Reals:
        """Return the same for ``size`` cases, of which these are ``chosen`` and the others weigh nothing."""
        gains, weights = np.zeros(size), np.zeros(size)
        gains[chosen], weights[chosen] = self.gains, self.weights
        return Reals(gains, weights)


def exact_sum(values: Floats) -> Fraction:
    """Return the sum of finite floats: each of them is a whole number of a power of two."""
    mantissas, exponents = np.frexp(values)
    whole, total = np.ldexp(mantissas, _MANTISSA).astype(np.int64), Fraction(0)
    for exponent in np.unique(exponents).tolist():
        some = whole[exponents == exponent]
        # In halves, the sums of billions of them stay within 64 bits.
        found = (int((some >> _HALF).sum()) << _HALF) + int((some & ((1 << _HALF) - 1)).sum())
        total += found * Fraction(2) ** (exponent - _MANTISSA)
    return total
