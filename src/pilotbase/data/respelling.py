"""Columns of texts rewritten so that one reader reads them: dates and decimal numbers in other spellings.

No value is read in one of two ways by choice. Which of the first two numbers of 03/04/2024 is the day is decided by the
column's values with only one reading, if more than may be typing errors; by the order of its rows; or by the owner.
Otherwise it stays unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pilotbase.data.column_guesses import MISSING_SPELLINGS
from pilotbase.data.column_types import type_column
from pilotbase.data.date_forms import Undecided, bare_number, in_order
from pilotbase.documents.contract import DataType
from pilotbase.documents.moments import DateOrder

_CLOCK = r"(?<clock>[T ]\d{1,2}:\d{2}.*)?"
_TWO_READINGS = rf"^(?<a>\d{{1,2}})(?<mark>[/.-])(?<b>\d{{1,2}})[/.-](?<year>\d{{4}}){_CLOCK}$"
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = rf"(?<month>(?i:{'|'.join(_NAMES)}))[a-zA-Z]*\.?"
_NAMED = (
    rf"^(?<day>\d{{1,2}})[ -]{_NAME}[ -](?<year>\d{{4}}){_CLOCK}$",
    rf"^{_NAME} (?<day>\d{{1,2}}),? (?<year>\d{{4}}){_CLOCK}$",
)
_MONTH = (r"^(?<year>\d{4})[-/](?<month>\d{1,2})$", r"^(?<year>\d{4})年(?<month>\d{1,2})月$")
_NAMED_MONTH = rf"^{_NAME}[ -](?<year>\d{{4}})$"
_WEEK = (r"^(?<year>\d{4})-?[Ww](?<week>\d{1,2})$", r"^(?<year>\d{4})年第?(?<week>\d{1,2})周$")
_QUARTER = (
    r"^(?<year>\d{4})[- ]?[Qq](?<quarter>[1-4])$",
    r"^[Qq](?<quarter>[1-4])[- ](?<year>\d{4})$",
    r"^(?<year>\d{4})年第?(?<quarter>[1-4一二三四])季度?$",
)
_YEAR = r"^(?<year>\d{4})年$"
_ONE_READING = r"^(1[3-9]|[23]\d)[/.-]|^\d{1,2}[/.-](1[3-9]|[23]\d)[/.-]"
_ERRORS = 0.05
"""This share of the dates may be typing errors: if both orders can read the others, neither is decided."""
_FEWEST_IN_ORDER = 8
"""Different dates whose rows must rise or fall under one reading only for that to decide."""

_COMMA = r"^[-+]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?$"
ONLY_COMMA = r"(^[-+]?0,\d|,(\d{1,2}|\d{4,})$|\.\d{3},)"
"""A number in which the comma can only be the decimal one."""
_THOUSANDS = r"^[-+]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?$"
ONLY_THOUSANDS = r",\d{3}[,.]"
_WITH_UNIT = r"^(?<number>[-+]?\d[\d.,]*)(?<unit>\s*[^\d\s.,:/-][^\d:-]{0,9})$"
_MOSTLY = 0.8
_TIMES = (DataType.DATE, DataType.DATETIME)


@dataclass(frozen=True)
class Respelled:
    """A column as `type_column` reads it, and a value before and after."""

    column: pl.Series
    before: str
    after: str


def respell(column: pl.Series, data_type: DataType, order: DateOrder | None = None) -> Respelled | None:
    """Return ``column``, texts, with values that are no ``data_type`` as written rewritten; None if there are none.

    ``order``: which comes first in dates such as 03/04/2024, from the owner; None: the column itself decides.
    Months, weeks, quarters and years become their first day. Unreadable values stay.
    """
    if data_type not in (*_TIMES, DataType.FLOAT, DataType.INTEGER):
        return None
    stripped = column.str.strip_chars()
    present = _present(stripped)
    values = present.unique(maintain_order=True).alias("value")
    as_it_stands = values.set(type_column(values, data_type).wrong, None)
    if not as_it_stands.null_count():
        return None
    if data_type in _TIMES:
        written = _dates(values, as_it_stands, order or _decided(present))
    else:
        written = _numbers(values, as_it_stands)
    changed = (written != values).fill_null(value=False)
    return _respelled(column, stripped, values, written.fill_null(values)) if changed.any() else None


def respell_with_units(column: pl.Series) -> Respelled | None:
    """Return ``column``, texts, with numbers before units rewritten, such as 16,8 bar; None if there are none."""
    parts = column.str.strip_chars().alias("value").str.extract_groups(_WITH_UNIT)
    numbers, units = parts.struct.field("number"), parts.struct.field("unit")
    if numbers.count() < _MOSTLY * len(_present(column)):
        return None
    found = respell(numbers, DataType.FLOAT)
    if found is None:
        return None
    written = (found.column + units).fill_null(column).alias(column.name)
    changed = (written != column).fill_null(value=False).arg_max() or 0
    return Respelled(written, column[changed], written[changed])


def order_of(column: pl.Series, order: DateOrder | None = None) -> DateOrder | Undecided | None:
    """Return which comes first in the dates of ``column`` that have two readings, from the owner or its values.

    None if they contradict the owner, or each other.
    """
    dates = _present(column.str.strip_chars()).alias("value")
    said = order or _decided(dates)
    if said is not None:
        unread = dates.str.contains(_TWO_READINGS) & _days(dates, said).is_null()
        return None if int(unread.sum()) > _ERRORS * len(dates) else said
    if not _alike(dates):
        return None
    first, second = (_days(dates, one) for one in DateOrder)
    differ = (first != second).fill_null(value=False)
    if not differ.any() or max(first.null_count(), second.null_count()) > _ERRORS * len(dates):
        return None
    at = int(differ.arg_max() or 0)
    return Undecided(column.name, dates[at], first[at][:10], second[at][:10])


def _present(stripped: pl.Series) -> pl.Series:
    return stripped.filter(~stripped.is_in(["", *MISSING_SPELLINGS])).drop_nulls()


def _respelled(column: pl.Series, stripped: pl.Series, values: pl.Series, written: pl.Series) -> Respelled:
    plain = values.str.contains(_ONE_READING) & (values != written)
    changed = (plain if plain.any() else values != written).arg_max() or 0
    new = stripped.replace_strict(values, written, default=column, return_dtype=pl.String)
    return Respelled(new.alias(column.name), values[changed], written[changed])


def _dates(values: pl.Series, as_it_stands: pl.Series, order: DateOrder | None) -> pl.Series:
    """Return ``values`` as dates, null if they are none."""
    return _first(
        values,
        pl.lit(as_it_stands),
        *_day_readings(order),
        *(_month(form) for form in _MONTH),
        _named_month(),
        *(_week(form) for form in _WEEK),
        *(_quarter(form) for form in _QUARTER),
        _date(_parts(_YEAR, "year")[0], pl.lit("1"), pl.lit("1")),
    )


def _day_readings(order: DateOrder | None) -> list[pl.Expr]:
    return [*(_named_day(form) for form in _NAMED), *([_ordered(order)] if order else [])]


def _days(values: pl.Series, order: DateOrder) -> pl.Series:
    """Return ``values`` as days if they are some, those with two readings in one ``order``."""
    read = pl.when(pl.lit(~type_column(values, DataType.DATETIME).wrong)).then(pl.col("value"))
    return _first(values, read, *_day_readings(order))


def _first(values: pl.Series, *readings: pl.Expr) -> pl.Series:
    return values.to_frame().select(pl.coalesce(readings).alias("value")).to_series()


def _parts(form: str, *names: str) -> list[pl.Expr]:
    groups = pl.col("value").str.extract_groups(form)
    return [groups.struct.field(name) for name in names]


def _date(year: pl.Expr, month: pl.Expr, day: pl.Expr, clock: pl.Expr | None = None) -> pl.Expr:
    """Return the date as texts, null if there is no such day."""
    spelled = pl.concat_str(year, month, day, separator="-").str.to_date("%F", strict=False)
    plain = spelled.cast(pl.String)
    return plain if clock is None else pl.concat_str(plain, clock.fill_null(""))


def _ordered(order: DateOrder) -> pl.Expr:
    a, b, year, clock = _parts(_TWO_READINGS, "a", "b", "year", "clock")
    return _date(year, b, a, clock) if order is DateOrder.DAY_FIRST else _date(year, a, b, clock)


def _named_day(form: str) -> pl.Expr:
    year, name, day, clock = _parts(form, "year", "month", "day", "clock")
    return _date(year, _numbered(name), day, clock)


def _named_month() -> pl.Expr:
    year, name = _parts(_NAMED_MONTH, "year", "month")
    return _date(year, _numbered(name), pl.lit("1"))


def _numbered(name: pl.Expr) -> pl.Expr:
    numbers = {month: str(at) for at, month in enumerate(_NAMES, 1)}
    return name.str.to_lowercase().replace_strict(numbers, default=None, return_dtype=pl.String)


def _month(form: str) -> pl.Expr:
    year, month = _parts(form, "year", "month")
    return _date(year, month, pl.lit("1"))


def _week(form: str) -> pl.Expr:
    """Return the Monday of an ISO week: the first is the one with 4 January."""
    year, week = (part.cast(pl.Int32) for part in _parts(form, "year", "week"))
    monday = pl.date(year, 1, 4).dt.truncate("1w") + pl.duration(days=7 * (week - 1))
    return pl.when((monday.dt.iso_year() == year) & (week > 0)).then(monday.cast(pl.String))


def _quarter(form: str) -> pl.Expr:
    year, quarter = _parts(form, "year", "quarter")
    number = quarter.replace(["一", "二", "三", "四"], ["1", "2", "3", "4"]).cast(pl.Int32)
    return _date(year, (3 * number - 2).cast(pl.String), pl.lit("1"))


def _decided(present: pl.Series) -> DateOrder | None:
    """Return which comes first in the dates with two readings: by values with only one, else by the rows' order.

    Rows sorted as texts decide nothing: 01/02/2024 precedes 02/01/2024 whatever they mean.
    """
    if not _alike(present):
        return None
    frame = present.alias("value").to_frame()
    a, b = (part.cast(pl.Int32) for part in _parts(_TWO_READINGS, "a", "b"))
    above = frame.select(a=(a > 12).sum(), b=(b > 12).sum(), count=a.count(), same=(a == b).all()).row(0, named=True)
    if above["a"] or above["b"]:
        if min(above["a"], above["b"]) or above["a"] + above["b"] <= _ERRORS * above["count"]:
            return None
        return DateOrder.DAY_FIRST if above["a"] else DateOrder.MONTH_FIRST
    if above["same"]:
        return DateOrder.DAY_FIRST
    moments = {order: _days(frame["value"], order) for order in DateOrder}
    risen = [order for order, read in moments.items() if in_order(read)]
    many = frame["value"].n_unique() >= _FEWEST_IN_ORDER
    return risen[0] if len(risen) == 1 and many and not in_order(frame["value"]) else None


def _alike(values: pl.Series) -> bool:
    """Return whether dates with two readings have one mark between their numbers: two marks are two ways of writing."""
    return (
        values.alias("value").to_frame().select(*_parts(_TWO_READINGS, "mark")).to_series().drop_nulls().n_unique() < 2
    )


def _numbers(values: pl.Series, as_it_stands: pl.Series) -> pl.Series:
    """Return ``values`` as numbers, null if they are none; all of them decide whether a comma is the decimal one."""
    bare = values.to_frame().select(bare_number(pl.col("value"))).to_series()
    if bare.str.contains(ONLY_COMMA).any() and not bare.str.contains(ONLY_THOUSANDS).any():
        fitting = bare.set(~bare.str.contains(_COMMA), None)
        written = fitting.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    else:
        written = bare.set(~bare.str.contains(_THOUSANDS), None).str.replace_all(",", "", literal=True)
    return written.fill_null(as_it_stands).fill_null(bare.set(type_column(bare, DataType.FLOAT).wrong, None))
