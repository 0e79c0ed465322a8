"""Synthetic records from a private profile and the contract alone: nothing here sees a record of the source.

The first label is drawn from its counts, every other field from its counts beside that label (fields are independent
given the label, as in naive Bayes; Friedman, Geiger, Goldszmidt, "Bayesian Network Classifiers", Machine Learning 29,
1997, §2), a value within its bin evenly. Without a label, fields are independent. Records that break a rule of the
contract are drawn again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from importlib import import_module
from operator import or_
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.data.column_types import BOOLEANS, POLARS_TYPES, type_column
from pilotbase.data.private.grids import FieldGrid, grids_of
from pilotbase.data.quality.checks import RowCheck, row_checks
from pilotbase.data.quality.columns import ROW, TableColumn, column_name, record_table
from pilotbase.documents.contract import DataType
from pilotbase.documents.dataset import DataField, FieldType, RecordSet
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.private import PrivateField, PrivatePair, PrivateProfile
from pilotbase.documents.quality import Cell

Places = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]
_TYPES = frozenset(FieldType) - {FieldType.IMAGE, FieldType.AUDIO, FieldType.VIDEO, FieldType.BOUNDING_BOX}
_ROUNDS = 200
_FIRST_MONTH = 1970 * 12
"""January 1970, in months since the year 0."""
_DIGITS = 6
"""Digits of the range to which a number is rounded."""
Value = str | int | float | bool | date | datetime
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
_LONGEST_REPEAT, _LONGEST_TEXT = 8, 200


def synthesise(profile: PrivateProfile, record_set: RecordSet, rows: int) -> pl.DataFrame:
    """Return ``rows`` records in the columns of the source's file; the same for the same profile.

    Raises:
        InputError: a field that no table holds, a contract that hardly any record fits, too few possible values.
    """
    fields = fields_of(record_set)
    drawing = _Drawing(profile, record_set, fields)
    accepted: list[pl.DataFrame] = []
    lacking, size = rows, rows
    for _ in range(_ROUNDS):
        fitting = _fitting(drawing.draw(size), record_set).head(lacking)
        accepted.append(fitting)
        lacking -= fitting.height
        if lacking == 0:
            return _unique(pl.concat(accepted), record_set)
        size = max(lacking, 100)
    raise InputError("private.rules_too_narrow", rows=rows, found=rows - lacking)


def fields_of(record_set: RecordSet) -> tuple[DataField, ...]:
    """Return the fields that are columns of a table; raises `InputError` if one cannot be."""
    parents = {one.parent for one in record_set.fields}
    found = [one for one in record_set.fields if one.value is None and one.name not in parents]
    for field in found:
        if field.repeated or (field.data_type is not None and field.data_type not in _TYPES):
            raise InputError("private.no_table", name=field.name)
    return tuple(found)


@dataclass(frozen=True)
class _Counts:
    """The known counts of one field: its grid, its counts, and the label beside which they were also counted."""

    grid: FieldGrid
    told: PrivateField
    pair: PrivatePair | None


class _Drawing:
    """Draws records; made-up values are counted on from one drawing to the next, so that keys never repeat."""

    def __init__(self, profile: PrivateProfile, record_set: RecordSet, fields: Sequence[DataField]) -> None:
        self.record_set, self.fields, self.profile = record_set, fields, profile
        self.random = np.random.default_rng(int(hex_of(profile.digest()), 16))
        pairs = {one.second: one for one in profile.pairs}
        told = {one.field: one for one in profile.fields}
        grids = grids_of(record_set, profile.question)
        self.known = {
            grid.field.name: _Counts(grid, told[grid.field.name], pairs.get(grid.field.name))
            for grid in grids
            if isinstance(grid, FieldGrid) and grid.field.name in told
        }
        self.label = profile.pairs[0].first if profile.pairs else None
        self.number = 0

    def draw(self, size: int) -> pl.DataFrame:
        """Return ``size`` records, whether or not they satisfy the rules."""
        given: Places | None = None
        if self.label is not None:
            label = self.known[self.label]
            places = self._places(_weights(label), size)
            given = np.where(places < label.grid.size, places // label.grid.merged, 0)
        drawn = []
        for field in self.fields:
            known = self.known.get(field.name)
            if known is None:
                drawn.append(self._made_up(field, size))
            elif given is not None and field.name == self.label:
                drawn.append(_values(known.grid, places, self.random))
            else:
                drawn.append(_values(known.grid, self._beside(known, given, size), self.random))
        self.number += size
        return pl.DataFrame(drawn)

    def _beside(self, known: _Counts, given: Places | None, size: int) -> Places:
        """Return cells drawn beside the label's, or on their own if no label was counted with them."""
        alone = _weights(known)
        if given is None or known.pair is None:
            return self._places(alone, size)
        found: Places = np.empty(size, np.int64)
        for label, row in enumerate(known.pair.counts):
            where = np.flatnonzero(given == label)
            found[where] = self._places(_weights_beside(known, alone, row), len(where))
        return found

    def _places(self, weights: Weights, size: int) -> Places:
        drawn: Places = self.random.choice(len(weights), size=size, p=weights / weights.sum())
        return drawn

    def _made_up(self, field: DataField, size: int) -> pl.Series:
        together = self.profile.unit.at_most if field.name == self.record_set.group else 1
        values = [_made_up(field, number // together) for number in range(self.number, self.number + size)]
        kind = pl.String() if field.values else POLARS_TYPES[_type(field)]
        return pl.Series(column_name(field, field.name), values, dtype=kind)


def _weights(known: _Counts) -> Weights:
    """Return the share of every cell, the last one: no value; without counts every declared cell has the same."""
    missing: Cell = 0 if known.grid.field.required or known.told.label else known.told.missing
    found = _of_cells([*(one.count for one in known.told.cells), missing])
    if not found.sum():
        found[:-1] = 1
    shares: Weights = found / found.sum()
    return shares


def _weights_beside(known: _Counts, alone: Weights, row: Sequence[Cell]) -> Weights:
    """Return weights of the cells beside one label: merged ones as counted, those within as they are alone.

    One record's worth of the field alone is added, so that a label with suppressed counts has some.
    """
    grid = known.grid
    merged = np.arange(grid.size + 1) // grid.merged
    merged[-1] = grid.coarse
    beside = _of_cells(row)
    if grid.field.required:
        beside[-1] = 0
    coarse, cells = np.bincount(merged, weights=alone), np.bincount(merged)
    within = np.where(coarse[merged] > 0, alone / np.where(coarse > 0, coarse, 1.0)[merged], 1 / cells[merged])
    weights: Weights = (beside + coarse)[merged] * within
    return weights


def _of_cells(cells: Sequence[Cell]) -> Weights:
    return np.array([max(cell or 0, 0) for cell in cells], np.float64)


def _values(grid: FieldGrid, places: Places, random: np.random.Generator) -> pl.Series:
    """Return a value in each cell; the cell after the last holds none."""
    field, name = grid.field, column_name(grid.field, grid.field.name)
    there = places < grid.size
    if grid.months:
        return _times(grid, places, random)
    if grid.values:
        spelled = np.array([*_spellings(grid), None], object)[places]
        texts = pl.Series(name, spelled.tolist(), dtype=pl.String)
        return texts if _stored(grid) == pl.String() else type_column(texts, _type(field)).values
    low = grid.low + places * grid.width
    if field.data_type is FieldType.INTEGER:
        drawn = np.minimum(low + random.integers(0, max(int(grid.width), 1), len(places)), field.maximum or 0)
    else:
        digits = _DIGITS - int(np.floor(np.log10(max((field.maximum or 0) - (field.minimum or 0), 1e-300))))
        drawn = np.round(low + random.random(len(places)) * grid.width, min(digits, 300))
        drawn = np.clip(drawn, field.minimum, field.maximum)
    values = pl.Series(name, drawn).cast(_stored(grid))
    return values.to_frame().select(pl.when(pl.Series(there)).then(pl.col(name)).alias(name)).to_series()


def _times(grid: FieldGrid, places: Places, random: np.random.Generator) -> pl.Series:
    """Return a moment in each month or year, evenly within it; the cell after the last holds none."""
    starts = ((int(grid.low) + np.arange(grid.size + 1)) * grid.months - _FIRST_MONTH).astype("datetime64[M]")
    seconds = starts.astype("datetime64[s]").astype(np.int64)
    inside = np.minimum(places, grid.size - 1)
    drawn = seconds[inside] + random.integers(0, seconds[inside + 1] - seconds[inside])
    moments = pl.from_epoch(pl.Series(grid.field.name, drawn), "s").alias(column_name(grid.field, grid.field.name))
    there = pl.Series(places < grid.size)
    stored = moments.dt.replace_time_zone("UTC") if getattr(_stored(grid), "time_zone", None) else moments
    return pl.select(pl.when(there).then(stored.cast(_stored(grid)))).to_series().alias(moments.name)


def _spellings(grid: FieldGrid) -> Iterator[str]:
    """Yield the categories as the contract spells them."""
    for value in grid.values:
        if grid.field.data_type is FieldType.BOOLEAN and grid.field.values:
            truth = value == "true"
            yield next((one for one in grid.field.values if BOOLEANS.get(one.strip().lower()) == truth), value)
        else:
            yield value


def _stored(grid: FieldGrid) -> pl.DataType:
    if grid.field.data_type is FieldType.BOOLEAN and grid.field.values:
        return pl.String()
    return POLARS_TYPES[_type(grid.field)]


def _type(field: DataField) -> DataType:
    return TableColumn(field, pl.String()).data_type


def _fitting(drawn: pl.DataFrame, record_set: RecordSet) -> pl.DataFrame:
    """Return the records that satisfy every rule which a record decides by itself."""
    table = record_table(record_set, drawn.lazy().with_row_index(ROW, offset=1))
    checks = [one for one in row_checks(table) if isinstance(one, RowCheck)]
    if not checks:
        return drawn
    fails = reduce(or_, (one.fails.fill_null(False) for one in checks))
    kept = table.frame.select(fails.alias("fails")).collect()["fails"]
    return drawn.filter(~kept)


def _unique(found: pl.DataFrame, record_set: RecordSet) -> pl.DataFrame:
    names = {field.name: column_name(field, field.name) for field in record_set.fields}
    keys = [list(record_set.key), *([one.name] for one in record_set.fields if one.unique)]
    for key in keys:
        if key and found.select(pl.struct(names[name] for name in key).is_duplicated().any()).item():
            raise InputError("private.too_few_values", name=", ".join(key), limit=found.height)
    return found


def _made_up(field: DataField, number: int) -> Value:
    """Return the ``number``-th value (from 0) of a field: a different one for every number, within what is declared.

    Raises:
        InputError: the contract does not allow so many values, or has a pattern that cannot be spelled.
    """
    if field.values:
        return _listed(field, number)
    if field.data_type in (FieldType.INTEGER, FieldType.FLOAT):
        return _counted(field, number)
    if field.data_type is FieldType.BOOLEAN:
        return bool(number % 2)
    if field.data_type is FieldType.DATE:
        return (_FIRST + timedelta(days=number)).date()
    if field.data_type is FieldType.DATETIME:
        return _FIRST + timedelta(minutes=number)
    if field.data_type is FieldType.TIME:
        return f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
    if field.pattern is not None:
        return spell(field.pattern, number, field.name)
    return f"https://example.org/synthetic/{number}" if field.data_type is FieldType.URL else f"synthetic-{number:06}"


def spell(pattern: str, number: int, name: str = "") -> str:
    """Return a text that fits a regular expression; ``number`` determines its letters and digits.

    Raises:
        InputError: the pattern looks back or around, or has too few places for this number.
    """
    try:
        spelled, left = _Speller(number).spell(_parsed(pattern))
    except (re.error, ValueError, OverflowError, RecursionError):
        raise InputError("private.unspellable", name=name, pattern=pattern) from None
    if left or re.fullmatch(pattern, spelled) is None:
        raise InputError("private.unspellable", name=name, pattern=pattern)
    return spelled


def _listed(field: DataField, number: int) -> str:
    if field.unique and number >= len(field.values):
        raise InputError("private.too_few_values", name=field.name, limit=len(field.values))
    return field.values[number % len(field.values)]


def _counted(field: DataField, number: int) -> int | float:
    low, high = field.minimum, field.maximum
    first = low if low is not None else 0 if high is None or high >= 0 else high
    if field.data_type is FieldType.FLOAT:
        if low is not None and high is not None:
            return low + (high - low) * ((number * 0.6180339887498949) % 1.0)  # never the same place twice
        return first + number if high is None else high - number
    start = -(-first // 1)
    if high is not None and low is None:
        return int(high // 1) - number
    if high is not None and start + number > high:
        raise InputError("private.too_few_values", name=field.name, limit=int(high - start) + 1)
    return int(start) + number


def _parsed(pattern: str) -> Any:
    """Return a pattern as Python's own parser reads it: a list of (operation, argument)."""
    parser: Any = import_module("re._parser")
    return parser.parse(pattern)


class _Speller:
    """Writes a pattern's text from its end, so that the last places carry the lowest digits of the number."""

    def __init__(self, number: int) -> None:
        self.left = number

    def spell(self, parsed: Any) -> tuple[str, int]:
        text = "".join(reversed(list(self._pieces(list(parsed)))))
        return text, self.left

    def _pieces(self, parsed: list[Any]) -> Iterator[str]:
        for operation, argument in reversed(parsed):
            yield self._piece(str(operation), argument)

    def _piece(self, operation: str, argument: Any) -> str:
        if operation == "LITERAL":
            return chr(argument)
        if operation == "IN":
            return self._one_of(_letters(argument))
        if operation == "ANY":
            return self._one_of("0123456789")
        if operation == "SUBPATTERN":
            return self.spell(argument[-1])[0]
        if operation == "BRANCH":
            return self.spell(argument[1][0])[0]
        if operation in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, inner = argument
            if int(least) > _LONGEST_TEXT:
                raise ValueError(operation)
            times = max(int(least), min(int(most), _LONGEST_REPEAT))
            return "".join(reversed([self.spell(inner)[0] for _ in range(times)]))
        if operation == "AT":
            return ""
        raise ValueError(operation)

    def _one_of(self, letters: str) -> str:
        self.left, place = divmod(self.left, len(letters))
        return letters[place]


def _letters(choices: list[Any]) -> str:
    found = ""
    for operation, argument in choices:
        if str(operation) == "LITERAL":
            found += chr(argument)
        elif str(operation) == "RANGE":
            found += "".join(map(chr, range(argument[0], min(argument[1], argument[0] + 100) + 1)))
        elif str(argument) == "CATEGORY_DIGIT":
            found += "0123456789"
        elif str(argument) == "CATEGORY_WORD":
            found += "abcdefghijklmnopqrstuvwxyz0123456789"
        else:
            raise ValueError(operation)
    return found
