"""Numbers that cannot be: the few negative ones among positive, and those far beyond all others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pilotbase.data.suspects.definition import Found, Numbers, SuspectTable, Truths, places_of, suspect

_FEWEST, _FEW = 30, 6
_MOST_NEGATIVE, _MOST_FAR = 0.03, 0.02
_TYPICAL = (0.2, 0.98)
"""A wrong sign leaves the size of a value: it lies between these parts of the positive ones."""
_GAP, _TIMES = 3.0, 4.0
"""Far: that many times as far from the middle as the farthest of the others, and so many times as large as it."""


@suspect("impossible_value")
def _impossible_values(table: SuspectTable) -> Iterator[Found]:
    """Yield columns with a few negative numbers that look like positive ones, or with numbers far beyond all others."""
    for column in table.numeric:
        numbers = column.numbers
        told = numbers[np.isfinite(numbers)]
        if len(told) < _FEWEST or column.distinct < 5:
            continue
        if _signs_are_wrong(told):
            those = numbers < 0
            yield Found((column.name,), places_of(those), {"value": f"{numbers[those][0]:g}"}, code="negative")
        those = _far(numbers, told)
        if those.any():
            yield Found((column.name,), places_of(those), {"value": f"{numbers[those][0]:g}"}, code="far")


def _signs_are_wrong(told: Numbers) -> bool:
    negative, positive = -told[told < 0], told[told > 0]
    if not 0 < len(negative) <= max(_FEW, _MOST_NEGATIVE * len(told)) or len(positive) < _FEWEST:
        return False
    low, high = np.quantile(positive, _TYPICAL)
    typical = np.median(negative)
    spread = float(np.median(positive)) > 0 and (positive < low / 4).mean() < 0.15
    return bool(low <= typical <= high) and spread


def _far(numbers: Numbers, told: Numbers) -> Truths:
    """Return which numbers lie beyond a gap that nothing among the others explains."""
    those = np.zeros(len(numbers), np.bool_)
    ordered = np.sort(told[told > 0] if (told >= 0).all() else told)
    if len(ordered) < _FEWEST:
        return those
    most = max(_FEW, int(_MOST_FAR * len(ordered)))
    above, below = _cut(ordered, most), _cut(-ordered[::-1], most)
    if above is not None:
        those |= numbers > above
    if below is not None and ordered[0] < 0:
        those |= numbers < -below
    return those


def _cut(ordered: Numbers, most: int) -> float | None:
    """Return the greatest value before the gap above which at most ``most`` lie; None if there is no such gap."""
    middle = float(np.median(ordered))
    for at in range(len(ordered) - most - 1, len(ordered) - 1):
        value, following = float(ordered[at]), float(ordered[at + 1])
        spread = value - middle
        if spread <= 0 or following - value <= _GAP * spread:
            continue
        if ordered[0] >= 0 and not _far_in_logs(ordered, value, following):
            continue
        return value
    return None


def _far_in_logs(ordered: Numbers, value: float, following: float) -> bool:
    positive = ordered[ordered > 0]
    spread = np.log10(value) - np.log10(np.median(positive))
    return bool(following > _TIMES * value and np.log10(following / value) > 0.8 * spread)
