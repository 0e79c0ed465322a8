"""A table made to fit a scenario's fields: typed, complete, in range, or every problem at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

from pilotbase.data.column_types import (
    POLARS_TYPES,
    TypedColumn,
    first_of_alike,
    format_labels,
    read_cells,
    type_column,
    type_words,
)
from pilotbase.documents.answer_texts import NO_CLASS, TRUTHS, AnswerTextError, classes_in
from pilotbase.documents.contract import ARRAYS, STRUCTURED, DataType, Field
from pilotbase.documents.errors import InputError, Issue, offer
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.scenario_data import HashSplit, TimeSplit
from pilotbase.documents.texts import Text, text
from pilotbase.measures import may_lack_truth
from pilotbase.protocols.array_cells import array_in

_NOTHING = "[]"
_ANY_CODE = tuple(map(str, range(NO_CLASS)))
SHOWN = 5
"""Rows and values that a problem lists."""


def conform(table: pl.DataFrame, scenario: Scenario) -> pl.DataFrame:
    """Return the scenario's fields in their order, one typed column each; other columns of ``table`` are dropped.

    Types: Float64, Int64, Boolean, String, Date, Datetime (µs, UTC; times without a zone are read as UTC); missing is
    null, never NaN. The target of a classification becomes text (see `format_labels`). Cells are read, and rows that
    repeat another or lack what a case needs are left out, as the scenario says.

    Raises:
        InputError: every missing column, value of another type, value out of range, missing target, missing value
            in a column that determines the split, and double key, each as an `Issue` with its rows.
    """
    found: list[pl.Series] = []
    problems: list[tuple[str, Text]] = []
    for index, field in enumerate(scenario.data.fields):
        path = f"data.fields[{index}]"
        if field.name not in table.columns:
            problems.append(
                (path, text("data.missing_column", name=field.name, allowed=offer(field.name, table.columns)))
            )
            continue
        raw = read_cells(table[field.name], scenario.data.readers)
        typed = type_column(raw, field.data_type)
        problems += [(path, problem) for problem in _column_problems(field, raw, typed)]
        found.append(typed.values)
    frame = _with_empty_truths(pl.DataFrame(found), scenario)
    frame = frame.drop_nulls([name for name in scenario.data.cases_need or () if name in frame.columns])
    problems += _completeness_problems(frame, scenario)
    if problems:
        file = scenario.data.file
        raise InputError.from_issues(file, [Issue(file=file, path=path, problem=problem) for path, problem in problems])
    if scenario.data.repeated_rows:
        frame = frame.filter(first_of_alike(frame, scenario.data.key))
    return _with_labels(frame, scenario)


def conformed_types(scenario: Scenario) -> dict[str, pl.DataType]:
    """Return the types of the columns that `conform` returns, in their order."""
    types = {field.name: POLARS_TYPES[field.data_type] for field in scenario.data.fields}
    return {**types, scenario.data.target: pl.String()} if scenario.target_form == "labels" else types


def _column_problems(field: Field, raw: pl.Series, typed: TypedColumn) -> Iterator[Text]:
    if typed.wrong.any():
        yield text(
            "data.wrong_type",
            name=field.name,
            count=int(typed.wrong.sum()),
            allowed=type_words(field.data_type),
            rows=_rows(typed.wrong),
            found=_values(raw.filter(typed.wrong)),
        )
    if field.data_type in ARRAYS:
        strange = _strange_cells(typed.values)
        if strange.any():
            yield text("data.no_array", name=field.name, count=int(strange.sum()), rows=_rows(strange))
    if field.data_type not in (DataType.FLOAT, DataType.INTEGER):
        return
    low = (typed.values < field.minimum).fill_null(False) if field.minimum is not None else None
    high = (typed.values > field.maximum).fill_null(False) if field.maximum is not None else None
    for outside, code_is_low in ((low, True), (high, False)):
        if outside is not None and outside.any():
            yield _out_of_range(field, typed.values, outside, code_is_low)


def _strange_cells(cells: pl.Series) -> pl.Series:
    """Return which cells hold no array in the form of `pilotbase.data.array_files`."""
    return _failing(cells, array_in, ValueError)


def _failing(cells: pl.Series, read: Callable[[str], object], error: type[Exception]) -> pl.Series:
    """Return for which cells, if they are not null, ``read`` raises ``error``."""

    def fails(cell: str) -> bool:
        try:
            read(cell)
        except error:
            return True
        return False

    return pl.Series([cell is not None and fails(cell) for cell in cells.to_list()], dtype=pl.Boolean)


def _out_of_range(field: Field, values: pl.Series, outside: pl.Series, low: bool) -> Text:
    unit = f" {field.unit}" if field.unit else ""
    rows, found, count = _rows(outside), _values(values.filter(outside)), int(outside.sum())
    limit = f"{field.minimum if low else field.maximum:g}{unit}"
    code = "data.below_minimum" if low else "data.above_maximum"
    return text(code, name=field.name, count=count, limit=limit, rows=rows, found=found)


def _with_empty_truths(frame: pl.DataFrame, scenario: Scenario) -> pl.DataFrame:
    """Return the frame with an empty list for each case whose labels or boxes are missing."""
    target = scenario.data.target
    if scenario.answer not in ("labels", "boxes") or target not in frame.columns:
        return frame
    return frame.with_columns(pl.col(target).fill_null(_NOTHING))


def _completeness_problems(frame: pl.DataFrame, scenario: Scenario) -> Iterator[tuple[str, Text]]:
    data, split = scenario.data, scenario.data.split
    steering = split.by if isinstance(split, HashSplit) else split.column
    rules = [criterion.parsed() for criterion in scenario.criteria]
    if data.target in frame.columns and frame[data.target].null_count() and not may_lack_truth(rules):
        lacking = frame[data.target].is_null()
        yield "data.target", text("data.missing_target", name=data.target, count=lacking.sum(), rows=_rows(lacking))
    if data.target in frame.columns and scenario.answer in STRUCTURED:
        unread = _unread_truths(frame[data.target], scenario)
        if unread.any():
            found = {"name": data.target, "count": int(unread.sum()), "rows": _rows(unread), "kind": scenario.answer}
            yield (
                "data.target",
                text("data.unreadable_truth", **found, found=_values(frame[data.target].filter(unread))),
            )
    if steering is not None and steering in frame.columns and frame[steering].null_count():
        path = "data.split.by" if isinstance(split, HashSplit) else "data.split.column"
        lacking = frame[steering].is_null()
        yield path, text("data.missing_group", name=steering, count=lacking.sum(), rows=_rows(lacking))
    if isinstance(split, TimeSplit) and scenario.field(split.column).data_type in (DataType.TEXT, DataType.BOOLEAN):
        yield "data.split.column", text("data.no_time_column", name=split.column)
    if data.key is not None and data.key in frame.columns:
        counted = first_of_alike(frame, data.key) if data.repeated_rows else pl.repeat(True, frame.height, eager=True)
        keys = frame[data.key].set(~counted, None)
        double = counted & (keys.is_duplicated() | keys.is_null())
        if double.any():
            yield "data.key", text("data.double_key", name=data.key, count=int(double.sum()), rows=_rows(double))


def _unread_truths(truths: pl.Series, scenario: Scenario) -> pl.Series:
    """Return which truths spell no answer of the scenario's kind, whatever its classes are."""
    kind = scenario.answer
    read = TRUTHS[kind]
    return _failing(
        truths, lambda spelled: read(spelled, sorted(classes_in(spelled, kind)) or _ANY_CODE), AnswerTextError
    )


def _with_labels(frame: pl.DataFrame, scenario: Scenario) -> pl.DataFrame:
    if scenario.target_form != "labels":
        return frame
    target = scenario.data.target
    return frame.with_columns(format_labels(frame[target], scenario.field(target).data_type))


def _rows(marked: pl.Series) -> str:
    rows = (marked.arg_true() + 1).head(SHOWN).to_list()
    return ", ".join(map(str, rows)) + (", …" if int(marked.sum()) > SHOWN else "")


def _values(column: pl.Series) -> str:
    values = column.unique(maintain_order=True).head(SHOWN).to_list()
    return ", ".join(f"{value!r}"[:40] for value in values)
