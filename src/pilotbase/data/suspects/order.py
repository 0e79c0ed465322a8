"""What the order of rows shows: a level that shifts within the file, and a sensor that is stuck at one value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pilotbase.data.suspects.definition import Found, Numbers, Places, SuspectColumn, SuspectTable, places_of, suspect

_FEWEST = 60
_SHIFT = 1.2
"""A shift is at least so many standard deviations within both parts."""
_EDGE, _FEW_STEPS, _STEP = 0.05, 10, 5
_ABRUPT = 0.6
"""The neighbourhood of the place already shows this part of the shift."""
_TOGETHER, _NEAR = 0.25, 0.02
"""If this share of the columns of numbers shifts at one place, the file has parts, and no value is at fault."""
_FEW_RUNS = 0.1
_LONGEST, _SHARE, _TIMES, _COMMON = 10, 0.02, 4, 0.5
"""A run of one value is at least so long, also as a share of all rows, and that many times as long as chance or any
other run explains; outside of it the value is rarer."""


class _Shift(NamedTuple):
    column: SuspectColumn
    at: int
    size: float


@suspect("level_shift")
def _level_shifts(table: SuspectTable) -> Iterator[Found]:
    """Yield columns whose level changes at one row and stays there, unless a column of parts explains it."""
    if table.height < _FEWEST:
        return
    parts = _columns_of_parts(table)
    found = [shift for one in table.numeric if (shift := _shift(one, parts, table)) is not None]
    for one in found:
        together = sum(abs(other.at - one.at) < max(2, _NEAR * table.height) for other in found)
        if together > max(1, _TOGETHER * len(table.numeric)):
            continue
        after = np.arange(table.height) >= one.at
        smaller = after if after.sum() <= table.height / 2 else ~after
        said = {"row": int(table.rows[one.at]), "shift": f"{one.size:.1f}"}
        yield Found((one.column.name,), places_of(smaller), said)


def _columns_of_parts(table: SuspectTable) -> list[SuspectColumn]:
    """Return the columns that change only now and then from row to row: the file is sorted by them."""
    height = table.height
    return [
        one
        for one in table.columns.values()
        if 1 < one.distinct <= height / 5
        and (np.diff(one.codes) != 0).sum() < min(_FEW_RUNS * height, 4 * one.distinct)
    ]


def _shift(column: SuspectColumn, parts: list[SuspectColumn], table: SuspectTable) -> _Shift | None:
    numbers = column.numbers
    there = np.flatnonzero(np.isfinite(numbers))
    if len(there) < _FEWEST or column.distinct < 8 or column.name in table.key:
        return None
    values = numbers[there]
    if _is_sorted(column):
        return _step(column, there, values)
    values = _clipped(values)
    at, size = _split(values)
    if abs(size) < _SHIFT or not _is_abrupt(values, at) or _returns(values, at):
        return None
    near = max(2, int(_NEAR / 4 * table.height))
    row = int(there[at])
    if any((np.diff(one.codes[max(0, row - near) : row + near]) != 0).any() for one in parts if one is not column):
        return None
    return _Shift(column, int(there[at]), size)


def _step(column: SuspectColumn, there: Places, values: Numbers) -> _Shift | None:
    """Return the one step of a rising or falling column that is far larger than any other."""
    steps = np.abs(np.diff(values))
    at = int(steps.argmax())
    edge = max(_FEW_STEPS, int(_EDGE * len(values)))
    size = float(steps[at] / (np.std(values) or 1.0))
    if not edge <= at < len(values) - edge or size < _SHIFT / 2:
        return None
    return _Shift(column, int(there[at + 1]), size) if steps[at] > _STEP * np.delete(steps, at).max() else None


def _clipped(values: Numbers) -> Numbers:
    low, high = np.quantile(values, [0.01, 0.99])
    return np.clip(values, low, high)


def _split(values: Numbers) -> tuple[int, float]:
    """Return where to cut the values so that both parts differ most, and the shift in standard deviations within."""
    count, edge = len(values), max(10, int(_EDGE * len(values)))
    sums, squares = np.cumsum(values), np.cumsum(values**2)
    first = np.arange(edge, count - edge)
    if not len(first):
        return 0, 0.0
    mean, other = sums[first - 1] / first, (sums[-1] - sums[first - 1]) / (count - first)
    within = np.maximum(squares[-1] - first * mean**2 - (count - first) * other**2, 0) / count
    scale = np.sqrt(within) + 1e-9 * (abs(values).max() + 1e-300)
    best = int(np.argmax(np.abs(other - mean) * np.sqrt(first * (count - first)) / scale))
    return int(first[best]), float((other[best] - mean[best]) / scale[best])


def _is_abrupt(values: Numbers, at: int) -> bool:
    """Return whether the rows just before and just after already differ by most of the shift."""
    reach = max(8, len(values) // 50)
    whole = values[at:].mean() - values[:at].mean()
    near = np.median(values[at : at + reach]) - np.median(values[max(0, at - reach) : at])
    return bool(near * np.sign(whole) > _ABRUPT * abs(whole))


def _returns(values: Numbers, at: int) -> bool:
    """Return whether the level wanders on either side as far as it shifts: a series that moves anyway."""
    whole = abs(values[at:].mean() - values[:at].mean())
    reach = max(8, len(values) // 40)
    for side in (values[:at], values[at:]):
        pieces = len(side) // reach
        if pieces >= 3:
            levels = side[: pieces * reach].reshape(pieces, reach).mean(axis=1)
            if levels.max() - levels.min() > 0.9 * whole:
                return True
    return False


@suspect("stuck")
def _stuck(table: SuspectTable) -> Iterator[Found]:
    """Yield columns of numbers that vary, but hold one value over many rows on end, unless many columns do there."""
    runs = {one.name: run for one in table.numeric if (run := _stuck_run(one, table.height)) is not None}
    for name, run in runs.items():
        together = sum(len(np.intersect1d(run, other)) > len(run) / 2 for other in runs.values())
        if together <= max(1, _TOGETHER * len(table.numeric) / 2):
            shown = table.columns[name].texts[int(run[0])]
            yield Found((name,), run, {"value": shown, "run": len(run)})


def _stuck_run(column: SuspectColumn, height: int) -> Places | None:
    if column.distinct < 8 or height < 30 or _is_sorted(column):
        return None
    starts, lengths = _runs(column.codes)
    value = column.codes[starts]
    lengths = np.where(value == 0, 1, lengths)
    longest = int(np.argmax(lengths))
    length, start = int(lengths[longest]), int(starts[longest])
    outside = np.delete(column.codes, np.arange(start, start + length))
    share = float((outside == value[longest]).mean()) if len(outside) else 1.0
    if share >= _COMMON:
        return None
    usual = int(np.delete(lengths, longest).max(initial=1))
    expected = np.log(height) / -np.log(max(share, 1e-9))
    if length < max(_LONGEST, _SHARE * height, _TIMES * usual, _TIMES * expected):
        return None
    return np.arange(start, start + length, dtype=np.int64)


def _runs(codes: Places) -> tuple[Places, Places]:
    starts = np.flatnonzero(np.concatenate([[True], np.diff(codes) != 0]))
    return starts, np.diff(np.append(starts, len(codes)))


def _is_sorted(column: SuspectColumn) -> bool:
    steps = np.diff(column.numbers[np.isfinite(column.numbers)])
    return bool(len(steps)) and bool((steps >= 0).mean() > 0.95 or (steps <= 0).mean() > 0.95)
