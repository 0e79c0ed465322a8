"""What is counted in a field: declared categories, or bins over the declared range; nothing is learnt from the values.

Only a value and the contract determine its cell, so that one record changes one count.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import polars as pl
from pydantic import ValidationError

from pilotbase.data.quality.columns import TableColumn
from pilotbase.documents.dataset import DataField, FieldType, RecordSet
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.loading import issues_of
from pilotbase.documents.private import DateRange, LeftOut, PrivateQuestion
from pilotbase.documents.texts import text

BINS, COARSE, MOST_VALUES = 16, 8, 64
STEPS = 10_000
"""For means, a value is at one of 2 x ``STEPS`` + 1 places between the ends of its range."""
_BOOLEANS = ("false", "true")
_NUMBERS = (FieldType.FLOAT, FieldType.INTEGER)
_DATES = re.compile(r"(.+)=(\d{4}(?:-\d{2})?)\.\.(\d{4}(?:-\d{2})?)")


@dataclass(frozen=True)
class FieldGrid:
    """The cells of a field. After them come one for undeclared values, and one for missing ones."""

    field: DataField
    size: int
    values: tuple[str, ...] = ()
    """The categories; none: bins."""
    low: float = 0
    width: float = 1
    months: int = 0
    """For times: the months in one cell, counted from the year 0; ``low``: the first of these."""

    @property
    def outside(self) -> int:
        return self.size

    @property
    def missing(self) -> int:
        return self.size + 1

    @property
    def merged(self) -> int:
        """How many neighbouring cells are merged when the field is counted together with another."""
        return 1 if self.values and not self.months else -(-self.size // COARSE)

    @property
    def coarse(self) -> int:
        """How many merged cells there are."""
        return -(-self.size // self.merged)

    def cell(self, column: TableColumn) -> pl.Expr:
        """Return the number of the cell of every row."""
        there = column.value
        if self.months:
            place = (there.dt.year().cast(pl.Int64) * 12 + there.dt.month().cast(pl.Int64) - 1) // self.months
            place = place - int(self.low)
            cells = pl.when(place.is_between(0, self.size - 1)).then(place).otherwise(self.outside)
        elif self.values:
            spelled = there.cast(pl.String)
            cells = spelled.replace_strict(
                list(self.values), list(range(self.size)), default=self.outside, return_dtype=pl.Int64
            )
        else:
            number = there.cast(pl.Float64)
            place = ((number - self.low) / self.width).floor().clip(0, self.size - 1).cast(pl.Int64)
            inside = (number >= self.field.minimum) & (number <= self.field.maximum)
            cells = pl.when(inside).then(place).otherwise(self.outside)
        return pl.when(there.is_null()).then(self.missing).otherwise(cells).alias(self.field.name)

    def step(self, column: TableColumn) -> pl.Expr:
        """Return where each value is between the ends of its range, clamped, from -`STEPS` to `STEPS`; missing: 0."""
        assert self.field.minimum is not None
        assert self.field.maximum is not None
        low, span = self.field.minimum, self.field.maximum - self.field.minimum
        place = ((column.value.cast(pl.Float64) - low) / (span or 1.0)).clip(0, 1)
        return (place * (2 * STEPS) - STEPS).round().cast(pl.Int64).fill_null(0).alias(self.field.name)


def grids_of(record_set: RecordSet, question: PrivateQuestion) -> tuple[FieldGrid | LeftOut, ...]:
    """Return what is counted in every field, or why nothing is.

    Raises:
        InputError: the question gives months or years to a field that holds no times or identifies records.
    """
    dates = {one.field: one for one in question.dates or ()}
    found = []
    for field in record_set.fields:
        if field.value is None:
            given = dates.pop(field.name, None) if _is_time(record_set, field) else None
            found.append(_calendar(field, given) if given is not None else grid_of(record_set, field))
    for name in dates:
        times = [field.name for field in record_set.fields if _is_time(record_set, field)]
        raise InputError("private.no_dates", name=name, allowed=offer(name, times))
    return tuple(found)


def _is_time(record_set: RecordSet, field: DataField) -> bool:
    named = field.name in record_set.key or field.unique or field.name == record_set.group
    return field.data_type in (FieldType.DATE, FieldType.DATETIME) and not named


def _calendar(field: DataField, given: DateRange) -> FieldGrid:
    buckets = given.buckets
    values = tuple(
        f"{number // 12:04}-{number % 12 + 1:02}" if given.months == 1 else f"{number:04}" for number in buckets
    )
    return FieldGrid(field, len(values), values, low=buckets.start, months=given.months)


def grid_of(record_set: RecordSet, field: DataField) -> FieldGrid | LeftOut:
    """Return what the contract alone allows to be counted in a field, or why nothing is."""
    if field.name in record_set.key or field.unique or field.name == record_set.group:
        return LeftOut(field=field.name, reason=text("private.reason.names_one"))
    if field.data_type is FieldType.BOOLEAN:
        return FieldGrid(field, len(_BOOLEANS), _BOOLEANS)
    if len(field.values) > MOST_VALUES:
        return LeftOut(field=field.name, reason=text("private.reason.many_values", limit=MOST_VALUES))
    if field.values and field.data_type in (None, FieldType.TEXT, FieldType.INTEGER, FieldType.URL):
        values = tuple(dict.fromkeys(field.values))
        return FieldGrid(field, len(values), values)
    if field.data_type not in _NUMBERS:
        return LeftOut(field=field.name, reason=text("private.reason.no_values"))
    if field.minimum is None or field.maximum is None:
        return LeftOut(field=field.name, reason=text("private.reason.no_range"))
    return _bins(field, field.minimum, field.maximum)


def _bins(field: DataField, low: float, high: float) -> FieldGrid:
    if field.data_type is FieldType.INTEGER:
        low, high = math.ceil(low), math.floor(high)
        width = max(-(-(high - low + 1) // BINS), 1)
        return FieldGrid(field, max(math.ceil((high - low + 1) / width), 1), low=low, width=width)
    return FieldGrid(field, BINS, low=low, width=(high - low) / BINS) if high > low else FieldGrid(field, 1, low=low)


def read_date_range(spelled: str) -> DateRange:
    """Return the field with its months or years, as people spell them: ``taken=2025-01..2026-06``, ``born=1940..2010``.

    Raises:
        InputError: it is malformed, ends before it begins, or has too many months or years.
    """
    found = _DATES.fullmatch(spelled)
    if found is None:
        raise InputError("private.spelled_dates", found=spelled)
    try:
        return DateRange(field=found[1], first=found[2], last=found[3])
    except ValidationError as error:
        raise InputError.from_issues(spelled, issues_of(spelled, error)) from None
