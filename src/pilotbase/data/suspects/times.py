"""Times that cannot be: after the file was written, far from all others, or what programs write for *no time*."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime

import numpy as np

from pilotbase.data.suspects.definition import Found, Numbers, SuspectTable, Truths, places_of, suspect

_EPOCH = date(1970, 1, 1)
_NO_TIMES = tuple(
    (date.fromisoformat(one) - _EPOCH).days
    for one in ("1900-01-01", "1899-12-30", "1899-12-31", "1901-01-01", "1970-01-01", "1753-01-01", "0001-01-01",
                "9999-12-31", "2099-12-31", "1904-01-01", "1980-01-01", "2999-12-31")
)  # fmt: skip
_YEAR = 365.25
_MOST = 0.1
_APART = 5 * _YEAR
_CALLED_YEAR = re.compile(r"(^|[^a-z])(year|yr)s?([^a-z]|$)|年", re.IGNORECASE)


@suspect("impossible_time")
def _impossible_times(table: SuspectTable) -> Iterator[Found]:
    """Yield columns of times, or of years, with some that cannot be."""
    for column in table.columns.values():
        if column.is_time:
            those = _impossible(column.days, _day(table.until) + 2)
            shown = column.texts
        elif column.is_number and _CALLED_YEAR.search(column.name) and _holds_years(column.numbers):
            those = _impossible((column.numbers - 1970) * _YEAR, (table.until.year + 2 - 1970) * _YEAR)
            shown = column.texts
        else:
            continue
        if those.any():
            yield Found((column.name,), places_of(those), {"value": shown.filter(those)[0]})


def _day(moment: datetime) -> float:
    return (moment.date() - _EPOCH).days


def _holds_years(numbers: Numbers) -> bool:
    told = numbers[np.isfinite(numbers)]
    return bool(len(told)) and bool(((told >= 1500) & (told <= 2100) & (told == np.round(told))).mean() > 0.8)


def _impossible(days: Numbers, until: float) -> Truths:
    told = np.sort(days[np.isfinite(days)])
    late = days > until
    if late.sum() > _MOST * len(told):
        late = np.zeros(len(days), np.bool_)
    usual = np.quantile(told, [_MOST / 2, 1 - _MOST / 2], method="nearest")
    inner = told[(told >= usual[0]) & (told <= usual[1])]
    apart = max(_APART, float(inner[-1] - inner[0]))
    found = late | _beyond(days, told, apart)
    for none in _NO_TIMES:
        those = np.floor(days) == none
        near = np.abs(told[np.floor(told) != none] - none)
        if 0 < those.sum() <= _MOST * len(told) and len(near) and near.min() > min(apart, _APART):
            found |= those
    return found


def _beyond(days: Numbers, told: Numbers, apart: float) -> Truths:
    """Return which are beyond a gap of ``apart`` days, at most a tenth of all on each side."""
    most = max(1, int(_MOST * len(told)))
    gaps = np.flatnonzero(np.diff(told) > apart)
    low = [told[gap] for gap in gaps if gap < most]
    high = [told[gap + 1] for gap in gaps if gap >= len(told) - 1 - most]
    found = np.zeros(len(days), np.bool_)
    if low:
        found |= days <= max(low)
    if high:
        found |= days >= min(high)
    return found
