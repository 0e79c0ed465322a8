"""What a column seems to be: type, unit, missing values, key. Guesses for a draft, which the owner confirms."""

from __future__ import annotations

import re

import polars as pl

from pilotbase.data.column_types import type_column
from pilotbase.data.date_forms import holds_dates
from pilotbase.documents.contract import DataType, Field

MISSING_SPELLINGS = ("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "none", "?", "-", "--", "缺失", "无")
"""Spellings that are taken for a missing value where they stand in a column of numbers or dates."""

_TRUTHS = frozenset({"true", "false", "yes", "no", "是", "否"})
_PLAIN_TRUTHS = frozenset({"true", "false"})
"""Spellings that labels keep; an owner's own words (yes, 是) would silently become these."""
_ORDER = (DataType.INTEGER, DataType.FLOAT, DataType.DATE, DataType.DATETIME)
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


def guess_missing(table: pl.DataFrame) -> tuple[str, ...]:
    """Return the spellings of a missing value that occur in columns which otherwise hold numbers or dates."""
    found: set[str] = set()
    for column in table.select(pl.col(pl.String)):
        spelled = column.str.strip_chars()
        suspects = set(spelled.filter(spelled.is_in(list(MISSING_SPELLINGS))).unique().to_list())
        rest = column.filter(~spelled.is_in(list(MISSING_SPELLINGS)).fill_null(True))
        if suspects and len(rest) and _first_fitting(rest) is not DataType.TEXT:
            found |= suspects
    return ("", *sorted(found))


def guess_field(column: pl.Series, is_target: bool, is_group: bool = False) -> Field:
    """Return a field for ``column``; of a target nothing but 0 and 1 is a boolean.

    Values of a target or a group are named in rules and reports: where they are other words than true and false, they
    are text, as their owner writes them.
    """
    data_type = guess_type(column, zero_one_is_boolean=is_target, keeps_words=is_target or is_group)
    unit = guess_unit(column.name) if data_type in (DataType.FLOAT, DataType.INTEGER) else None
    return Field(name=column.name, data_type=data_type, unit=unit)


def guess_type(column: pl.Series, zero_one_is_boolean: bool = False, keeps_words: bool = False) -> DataType:
    """Return the narrowest type that holds every value; codes with leading zeros are text."""
    values = column.drop_nulls()
    if values.is_empty():
        return DataType.TEXT
    if column.dtype == pl.Boolean:
        return DataType.BOOLEAN
    words = set(
        values.cast(pl.String, strict=False).drop_nulls().unique().head(20).str.strip_chars().str.to_lowercase()
    )
    truths = _PLAIN_TRUTHS if keeps_words else _TRUTHS
    if words and (words <= truths or (zero_one_is_boolean and words == {"0", "1"})):
        return DataType.BOOLEAN
    if column.dtype == pl.String and values.str.contains(r"^\s*[-+]?0\d").any():
        return DataType.TEXT if not values.str.contains(r"^\s*[-+]?\d{4}[-/]").all() else _first_fitting(values)
    return _first_fitting(values)


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


def guess_key(table: pl.DataFrame, taken: set[str]) -> str | None:
    """Return the first column that names each row once and is called like a key, or else holds codes; None: none.

    Codes are short words with a digit and without blanks: a text may differ from row to row and is no name.
    """
    names = _naming_each_row(table, taken)
    called = (column.name for column in names if _KEY_NAME.search(column.name))
    coded = (column.name for column in names if _holds_codes(column))
    return next(called, None) or next(coded, None)


def possible_keys(table: pl.DataFrame, taken: set[str]) -> list[str]:
    """Return the columns of whole numbers that name each row once: keys, or measured."""
    return [column.name for column in _naming_each_row(table, taken) if guess_type(column) is DataType.INTEGER]


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
    if chinese.str.extract_all(_CHINESE).list.join("").n_unique() > max(_FEWEST_STEMS, _MOST_STEMS * len(chinese)):
        return False
    return guess_type(column) is DataType.TEXT


def guess_row_numbers(table: pl.DataFrame, taken: set[str]) -> list[str]:
    """Return the columns that only count the rows, one up from row to row."""
    found = []
    for column in table.select(pl.exclude(taken)):
        whole = type_column(column, DataType.INTEGER).values
        if not whole.null_count() and (whole.diff().drop_nulls() == 1).all():
            found.append(column.name)
    return found


def _first_fitting(values: pl.Series) -> DataType:
    for data_type in _ORDER:
        if data_type in (DataType.DATE, DataType.DATETIME) and values.dtype.is_numeric():
            continue
        if data_type is DataType.INTEGER and values.dtype.is_float():  # a measured number may happen to be whole
            continue
        if data_type is DataType.DATE and isinstance(values.dtype, pl.Datetime):
            continue
        if not type_column(values, data_type).wrong.any():
            return data_type
    return DataType.TEXT
