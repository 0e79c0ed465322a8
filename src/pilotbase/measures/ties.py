"""Which of two errors is larger, exact where floats cannot tell: 0.4 - 0.3 exceeds 0.1 in floats, 0.3 - 0.2 does not.

A number stands for its shortest decimal spelling, as in the file that it was read from.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal

import numpy as np

from pilotbase.measures.cases import Floats

_EXACT = Context(prec=1_200)
"""Digits of the difference of any two floats."""
_DOUBT = 16 * float(np.finfo(np.float64).eps)


def compare_to_limit(answers: Floats, truth: Floats, limit: Decimal) -> Floats:
    """Return -1, 0 or 1, shape (cases,): |answer - truth| below, at or above ``limit``; NaN without an answer."""
    found = np.abs(answers - truth) - float(limit)
    scale = np.abs(answers) + np.abs(truth) + float(limit)
    return _signs(found, scale, lambda case: _EXACT.subtract(_error(answers[case], truth[case]), limit))


def compare_errors(ones: Floats, others: Floats, truth: Floats) -> Floats:
    """Return -1, 0 or 1, shape (cases,): |one - truth| below, equal to or above |other - truth|; NaN without either."""
    with np.errstate(invalid="ignore"):
        found = np.abs(ones - truth) - np.abs(others - truth)
    scale = np.where(ones == others, 0.0, np.abs(ones) + np.abs(others) + 2 * np.abs(truth))
    return _signs(
        found,
        scale,
        lambda case: _EXACT.subtract(_error(ones[case], truth[case]), _error(others[case], truth[case])),
    )


def _signs(found: Floats, scale: Floats, exact: Callable[[int], Decimal]) -> Floats:
    signs = np.sign(found)
    doubtful = np.flatnonzero((np.abs(found) <= _DOUBT * scale) & (scale > 0) & np.isfinite(scale))
    for case in doubtful.tolist():
        difference = exact(case)
        signs[case] = (difference > 0) - (difference < 0)
    return signs


def _error(one: float, two: float) -> Decimal:
    return abs(_EXACT.subtract(Decimal(repr(float(one))), Decimal(repr(float(two)))))
