"""Numbers of several units in one column: a cluster that is off by a known factor, and units within the cells."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from pilotbase.data.suspects.definition import Found, Numbers, SuspectColumn, SuspectTable, Truths, places_of, suspect

_FACTORS = (10.0, 100.0, 1e3, 1e4, 1e6, 12.0, 24.0, 60.0, 3600.0, 2.54, 25.4, 30.48, 3.28084, 39.3701, 2.20462,
            28.3495, 1.609344, 3.6, 4.184, 7.50062, 6.89476, 18.016, 38.67, 3.785)  # fmt: skip
"""How many of one unit another is."""
_NEAR = 0.06
"""How far, in powers of ten, the factor of two clusters is from a known one."""
_GAP, _CLEARER = 0.08, 2.0
"""The gap between two clusters, in powers of ten, and how many times as wide as any within them."""
_DISTINCT, _TIED = 12, 0.5
"""Different values of a quantity; how far the other columns narrow it down if it is compared with them."""
_FEWEST_TIED, _SIDES, _TOGETHER, _LOOKED, _ROUNDS = 50, 60, 4, 2000, 4
_FEWEST, _MOST = 6, 0.45
"""Values of the smaller cluster, and their greatest share."""
_ALIKE = 0.2
"""Greatest distance (Kolmogorov and Smirnov) between both clusters in one unit."""
_TEMPERATURE = re.compile(r"temp|温|dew|melt|boil|°", re.IGNORECASE)
_NUMBER_WITH_UNIT = re.compile(r"\s*[-+]?\d[\d.,]*\s*(?P<unit>[^\d\s.,:/-][^\d:-]{0,9})\s*")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_NUMBER_OF_A_HOUSE = re.compile(r"\d+[A-Za-z]")
_FEWEST_NUMBERS, _MOST_UNITS = 10, 4
"""Words with a number are quantities in several units if they hold so many different numbers and so few units."""


@suspect("mixed_units")
def _mixed_units(table: SuspectTable) -> Iterator[Found]:
    """Yield columns in which some values seem to be in another unit."""
    for column in (one for one in table.numeric if one.distinct >= _DISTINCT):
        numbers = column.numbers
        those, factor = other_unit(np.where(numbers > 0, numbers, np.nan))
        if those is None and _TEMPERATURE.search(column.name):
            those, factor = _of_fahrenheit(numbers)
        if those is None:
            those, factor = other_unit(_beside_others(column, table), 0.03)
        if those is not None:
            said, code = ({"factor": f"{factor:g}"}, "") if factor else ({}, "temperature")
            yield Found((column.name,), places_of(those), said, code=code)


def other_unit(numbers: Numbers, share: float = 0.01) -> tuple[Truths | None, float]:
    """Return which of the positive ``numbers`` form a cluster off by a known factor, and this factor; else None.

    ``share``: how many it is at least.
    """
    there = np.flatnonzero(np.isfinite(numbers))
    if len(there) < 4 * _FEWEST:
        return None, 0.0
    order = there[np.argsort(numbers[there])]
    logs = np.log10(numbers[order])
    gaps = np.diff(logs)
    edge = max(_FEWEST, int(share * len(logs)))
    for cut in np.argsort(gaps)[::-1][:4]:
        low, high = logs[: cut + 1], logs[cut + 1 :]
        few, many = (low, high) if len(low) < len(high) else (high, low)
        if not edge <= len(few) <= _MOST * len(logs) or gaps[cut] < max(_GAP, _CLEARER * _widest(few, many)):
            continue
        shift = abs(float(np.median(few) - np.median(many)))
        factor = min(_FACTORS, key=lambda one: abs(np.log10(one) - shift))
        if len(np.unique(few)) < min(3, len(few) // 3):
            continue
        moved = few + np.log10(factor) * (1 if few is low else -1)
        if abs(np.log10(factor) - shift) < _near(few) and _distance(moved, many) < _ALIKE + 0.5 / np.sqrt(len(few)):
            those = np.zeros(len(numbers), np.bool_)
            those[order[: cut + 1] if few is low else order[cut + 1 :]] = True
            return those, factor
    return None, 0.0


def _widest(few: Numbers, many: Numbers) -> float:
    """Return the widest gap between neighbours of one cluster, but for the ends of the larger one."""
    end = max(1, len(many) // 100)
    inner = np.diff(many[end:-end])
    return float(max(inner.max(initial=0.0), np.diff(few[1:-1]).max(initial=0.0)))


def _near(few: Numbers) -> float:
    return _NEAR + float(np.std(few) / np.sqrt(len(few)))


def _distance(few: Numbers, many: Numbers) -> float:
    """Return the greatest distance between two distributions; ``many`` is sorted."""
    few = np.sort(few)
    steps = np.arange(1, len(few) + 1) / len(few)
    below, up_to = (np.searchsorted(many, few, side) / len(many) for side in ("left", "right"))
    return float(max((steps - up_to).max(), (below - (steps - 1 / len(few))).max(), 0.0))


def _of_fahrenheit(numbers: Numbers) -> tuple[Truths | None, float]:
    there = np.flatnonzero(np.isfinite(numbers))
    order = there[np.argsort(numbers[there])]
    values = numbers[order]
    if len(values) < 4 * _FEWEST:
        return None, 0.0
    for cut in np.argsort(np.diff(values))[::-1][:3]:
        low, high = values[: cut + 1], values[cut + 1 :]
        few, many = (low, high) if len(low) < len(high) else (high, low)
        if not _FEWEST <= len(few) <= _MOST * len(values):
            continue
        moved = few * 1.8 + 32 if few is low else (few - 32) / 1.8
        if _distance(moved, many) < _ALIKE + 0.3 / np.sqrt(len(few)):
            those = np.zeros(len(numbers), np.bool_)
            those[order[: cut + 1] if few is low else order[cut + 1 :]] = True
            return those, 0.0
    return None, 0.0


def _beside_others(column: SuspectColumn, table: SuspectTable) -> Numbers:
    """Return how many times as large each value is as the other columns of numbers let expect; NaN if they don't."""
    nothing = np.full(table.height, np.nan)
    logs = np.log10(np.where(column.numbers > 0, column.numbers, np.nan))
    there = np.flatnonzero(np.isfinite(logs))
    sides = [one.ranks for one in table.numeric[:_SIDES] if one is not column]
    if len(there) < _FEWEST_TIED or not sides:
        return nothing
    target, some = logs[there], there[:: max(1, len(there) // _LOOKED)]
    with np.errstate(divide="ignore", invalid="ignore"):  # of a constant column
        tied = np.abs(np.nan_to_num(np.corrcoef([column.ranks[some], *(one[some] for one in sides)])[0, 1:]))
    best = [sides[one][there] for one in np.argsort(-tied)[:_TOGETHER]]
    design = np.column_stack([np.ones(len(target)), *(one**power for one in best for power in (1, 2, 3))])
    kept, left = np.ones(len(target), np.bool_), target
    for _ in range(_ROUNDS):
        gram = design[kept].T @ design[kept] + 1e-9 * np.eye(design.shape[1])
        left = target - design @ np.linalg.solve(gram, design[kept].T @ target[kept])
        off = np.abs(left - np.median(left))
        kept = off <= np.quantile(off, 0.8)
    if np.subtract(*np.quantile(left, [0.85, 0.15])) > _TIED * np.subtract(*np.quantile(target, [0.85, 0.15])):
        return nothing
    nothing[there] = 10 ** np.clip(left, -12, 12)
    return nothing


@suspect("units_in_cells")
def _units_in_cells(table: SuspectTable) -> Iterator[Found]:
    """Yield columns of numbers with a unit in all or some of their cells."""
    for column in table.columns.values():
        if column.stored.dtype.is_numeric() or column.is_time:
            continue
        told = column.texts.filter(column.filled)
        spelled = told.unique(maintain_order=True).to_list()
        odd = {one: match["unit"].strip() for one in spelled if (match := _NUMBER_WITH_UNIT.fullmatch(one))}
        usual = Counter(odd.values()).most_common(1)
        if column.is_number and len(usual) and usual[0][1] > 0.6 * (len(spelled) - _plain(spelled)):
            units: Sequence[str] = (usual[0][0],)
        else:
            units = units_in(told.sample(min(len(told), 200), seed=0).to_list()) if odd else ()
        if units:
            those = column.texts.is_in([one for one, unit in odd.items() if unit in units]).fill_null(False).to_numpy()
            yield Found((column.name,), places_of(those), {"units": ", ".join(units)})


def _plain(spelled: Sequence[str]) -> int:
    return sum(_NUMBER.fullmatch(one) is not None for one in spelled)


def units_in(sample: Sequence[str]) -> tuple[str, ...]:
    """Return the units that nearly all values of a column of texts end with, after a number, most frequent first.

    One unit is enough in some cells if nearly all others are plain numbers, but no letter as in 14a.
    """
    found = [match for match in map(_NUMBER_WITH_UNIT.fullmatch, sample) if match]
    units = Counter(match["unit"].strip() for match in found)
    usual = units.most_common(1)[0] if units else ("", 0)
    bare = sum(_NUMBER.fullmatch(one.strip()) is not None for one in sample)
    in_some = usual[1] and not any(_NUMBER_OF_A_HOUSE.fullmatch(one.strip()) for one in sample)
    if usual[1] > 0.8 * len(sample) or (in_some and usual[1] + bare > 0.9 * len(sample)):
        return usual[:1]
    numbers = {match[0].partition(match["unit"])[0] for match in found}
    several = len(found) > 0.8 * len(sample) and len(units) <= _MOST_UNITS and len(numbers) >= _FEWEST_NUMBERS
    return tuple(unit for unit, _ in units.most_common()) if several else ()
