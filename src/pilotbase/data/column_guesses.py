"""What a column seems to be for: unit, key, row number. Guesses for a draft, which the owner confirms."""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from pilotbase.data.column_types import type_column
from pilotbase.data.date_forms import holds_dates
from pilotbase.documents.contract import DataType

MISSING_SPELLINGS = ("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "none", "?", "-", "--", "缺失", "无")
"""Spellings that are taken for a missing value where they stand in a column of numbers or dates."""

Types = Mapping[str, DataType]
"""Column → its type."""
_BRACKETED = re.compile(r"[\[(（【]\s*(?P<unit>[^\])）】]{1,12}?)\s*[\])）】]\s*$")
_SUFFIX = re.compile(r"[_\s](?P<suffix>[A-Za-z%]+)$")
_KEY_NAME = re.compile(r"(^|[_\s-])(id|uid|uuid|key|no|nr|number|index|case)$|编号|序号|主键|流水号", re.IGNORECASE)
_CODE = r"^[^\s\d]*\d\S{0,40}$"
_CHINESE = r"[㐀-鿿豈-﫿]"
_SENTENCE = rf"[，。；：、！？“”…]|({_CHINESE}.*){{7}}"
"""What no code holds: punctuation of sentences, or so many Chinese letters, which no blanks divide into words."""
_FEWEST_STEMS, _MOST_STEMS = 3, 0.2
"""Codes share the Chinese letters before their numbers (病历0012); texts with a number in them hardly do."""

UNITS = {
    **{name.lower(): name for name in ("rpm", "kW", "MW", "GW", "kWh", "MWh", "kV", "mA", "Hz", "kHz", "Pa", "kPa")},
    **{name.lower(): name for name in ("MPa", "bar", "mbar", "hPa", "mm", "cm", "km", "ms", "min", "kg", "mg", "mmHg")},
    **{"pct": "%", "percent": "%", "degc": "°C", "celsius": "°C", "kelvin": "K", "degf": "°F", "fahrenheit": "°F"},
    **{"nm": "N·m", "kmh": "km/h", "kph": "km/h", "mph": "mph", "sec": "s", "seconds": "s", "minutes": "min"},
    **{"hours": "h", "hour": "h", "days": "d", "day": "d", "miles": "mi", "volts": "V", "amps": "A", "watts": "W"},
    **{"cny": "CNY", "rmb": "CNY", "yuan": "CNY", "usd": "USD", "eur": "EUR", "years": "a", "months": "mo"},
}
"""End of a column's name, in lower case → unit."""
_SHORT_UNITS = (
    (re.compile(r"temp|温", re.IGNORECASE), {"c": "°C", "k": "K", "f": "°F"}),
    (re.compile(r"dist|length|height|depth|width|距|长|高|深|宽", re.IGNORECASE), {"m": "m"}),
    (re.compile(r"time|duration|delay|wait|时", re.IGNORECASE), {"s": "s", "h": "h", "d": "d"}),
    (re.compile(r"volt|压", re.IGNORECASE), {"v": "V"}),
    (re.compile(r"current|流", re.IGNORECASE), {"a": "A"}),
    (re.compile(r"power|功", re.IGNORECASE), {"w": "W"}),
)
"""One letter is a unit only after a name that it fits."""


def guess_unit(name: str) -> str | None:
    """Return the unit that a column's name ends with: ``power [MW]``, ``功率（MW）``, ``temp_c``; None if none."""
    bracketed = _BRACKETED.search(name)
    if bracketed:
        return bracketed["unit"]
    suffix = _SUFFIX.search(name)
    if suffix is None:
        return None
    ending, stem = suffix["suffix"].lower(), name[: suffix.start()]
    if ending in UNITS:
        return UNITS[ending]
    return next((units[ending] for fits, units in _SHORT_UNITS if ending in units and fits.search(stem)), None)


def guess_key(table: pl.DataFrame, taken: set[str], types: Types) -> str | None:
    """Return the first column that names each row once and is called like a key, or else holds codes; None: none.

    Codes are short words with a digit and without blanks: a text may differ from row to row and is no name.
    """
    names = _naming_each_row(table, taken)
    called = (column.name for column in names if _KEY_NAME.search(column.name))
    coded = (column.name for column in names if types[column.name] is DataType.TEXT and _holds_codes(column))
    return next(called, None) or next(coded, None)


def possible_keys(table: pl.DataFrame, taken: set[str], types: Types) -> list[str]:
    """Return the columns of whole numbers that name each row once: keys, or measured."""
    return [column.name for column in _naming_each_row(table, taken) if types[column.name] is DataType.INTEGER]


def _naming_each_row(table: pl.DataFrame, taken: set[str]) -> list[pl.Series]:
    return [
        column
        for column in table
        if column.name not in taken
        and not column.dtype.is_float()
        and not column.null_count()
        and column.n_unique() == table.height
    ]


def _holds_codes(column: pl.Series) -> bool:
    if column.dtype != pl.String or not column.str.contains(_CODE).all() or holds_dates(column):
        return False
    if column.str.contains(_SENTENCE).any():
        return False
    chinese = column.filter(column.str.contains(_CHINESE))
    stems = chinese.str.extract_all(_CHINESE).list.join("").n_unique()
    return stems <= max(_FEWEST_STEMS, _MOST_STEMS * len(chinese))


def guess_row_numbers(table: pl.DataFrame, taken: set[str]) -> list[str]:
    """Return the columns that only count the rows, one up from row to row."""
    found = []
    for column in table.select(pl.exclude(taken)):
        whole = type_column(column, DataType.INTEGER).values
        if not whole.null_count() and (whole.diff().drop_nulls() == 1).all():
            found.append(column.name)
    return found
