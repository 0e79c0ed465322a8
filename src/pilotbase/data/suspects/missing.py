"""Values that stand for a missing one: numbers far from all others, and texts that say so."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pilotbase.data.suspects.definition import PLACEHOLDERS, Found, Numbers, SuspectTable, places_of, suspect

_NINES = frozenset(sign * float("9" * digits) for digits in range(2, 9) for sign in (1, -1))
_LIMITS = frozenset({-32768.0, 32767.0, 65535.0, -2147483648.0, 2147483647.0, -99999.9, -999.9, -9999.9, 9999.9, 999.9})
SENTINELS = _NINES | _LIMITS | {-1.0}
"""Numbers that often stand for a missing value."""
_FEWEST, _APART, _MOST = 3, 0.5, 0.6
"""How often one has to stand there, how far from the other values as a share of their range, and in which share."""
_MANY, _SPIKE, _BEYOND = 30, 3, 0.1
"""Among so many different values one that is so many times as frequent as the others, or those near it beyond a gap."""
_OFTEN_A_VALUE = frozenset({"none", "-"})
"""In a short list of words these may be a value like any other."""


def sentinel(numbers: Numbers) -> tuple[float, int] | None:
    """Return a number that seems to stand for a missing value, and how often; None if there is none.

    It is far from all others, negative where nothing else is, or far more frequent than any other.
    """
    told = numbers[np.isfinite(numbers)]
    values, counts = np.unique(told, return_counts=True)
    for value, count in zip(values, counts, strict=True):
        if float(value) in SENTINELS and _FEWEST <= count <= _MOST * len(told) and len(values) > 1:
            others = values != value
            if _stands_out(float(value), int(count), values[others], counts[others]):
                return float(value), int(count)
    return None


def _stands_out(value: float, count: int, others: Numbers, counts: Numbers) -> bool:
    low, high = float(others.min()), float(others.max())
    if max(low - value, value - high) > max(_APART * (high - low), 1.0):
        return True
    if value <= -9 and low >= 0:
        return True
    if abs(value) < 99 or len(others) < _MANY:
        return False
    if value < low or value > high:
        edge = np.sort(np.abs(others - value))[: max(1, len(others) // 20)].max()
        usual = counts[np.abs(others - value) <= edge].max()
        return bool(np.abs(others - value).min() > _BEYOND * (high - low)) and bool(count >= max(5, _SPIKE * usual))
    return abs(value) > 999 and bool(count >= max(5, _SPIKE * counts.max()))


@suspect("sentinel")
def _sentinels(table: SuspectTable) -> Iterator[Found]:
    """Yield columns in which a number seems to stand for a missing value."""
    for column in table.numeric:
        if (found := sentinel(column.numbers)) is not None:
            value = f"{found[0]:.15g}"
            yield Found((column.name,), places_of(column.numbers == found[0]), {"value": value}, (value,))


def is_placeholder(spelled: str, distinct: int) -> bool:
    """Return whether a text of a column with so many ``distinct`` ones says that nothing is known."""
    plain = spelled.strip().lower()
    return plain in PLACEHOLDERS and not (plain in _OFTEN_A_VALUE and distinct <= _MANY)


@suspect("placeholder")
def _placeholders(table: SuspectTable) -> Iterator[Found]:
    """Yield columns in which texts such as ``n/a``, ``?`` or ``未知`` stand for a missing value."""
    for column in table.columns.values():
        spelled = tuple(column.texts.filter(column.placeholder).unique(maintain_order=True).to_list())
        spelled = tuple(one for one in spelled if not column.is_text or is_placeholder(one, column.distinct))
        those = column.texts.is_in(list(spelled)).fill_null(False).to_numpy().astype(np.bool_)
        if those.any() and column.filled.any():
            yield Found((column.name,), places_of(those), {"values": ", ".join(spelled[:4])}, spelled)
