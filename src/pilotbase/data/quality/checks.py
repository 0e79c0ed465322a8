"""The rules of a data contract as counts over a table: what each is checked against, and where it fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import NamedTuple

import polars as pl

from pilotbase.data.quality.columns import ROW, RecordTable, TableColumn, row_hash
from pilotbase.data.quality.tally import KeyedRows
from pilotbase.data.quality.views import fits_form
from pilotbase.data.rules import compile_rule
from pilotbase.documents.contract import DataType
from pilotbase.documents.dataset import RowRule
from pilotbase.documents.errors import InputError
from pilotbase.documents.quality import RuleKind
from pilotbase.documents.texts import Text, text


class CheckCount(NamedTuple):
    """A figure of the first pass: its name, by which it is computed only once, and its expression."""

    name: str
    expression: pl.Expr


@dataclass(frozen=True)
class RowCheck:
    """A rule that looks at one row at a time. ``fails``: true if it does; null counts as not failing.

    ``number``: how often it fails, if that is known without looking at every row.
    """

    name: str
    kind: RuleKind
    fields: tuple[str, ...]
    evaluated: CheckCount
    fails: pl.Expr
    number: pl.Expr | None = None

    @property
    def failed(self) -> CheckCount:
        return CheckCount(f"failed {self.name}", self.fails.sum() if self.number is None else self.number)


@dataclass(frozen=True)
class GroupCheck:
    """A rule that needs equal rows together. ``other``: the record set that is referred to."""

    name: str
    kind: RuleKind
    fields: tuple[str, ...]
    streams: tuple[KeyedRows, ...]


@dataclass(frozen=True)
class Unchecked:
    """A rule that could not be checked against the data, and why."""

    name: str
    kind: RuleKind
    fields: tuple[str, ...]
    reason: Text


ROWS = CheckCount("rows", pl.len())
_FEW, _EXACT = 8, 2**53
_NEAR = 50_000
"""Rows in which the first failing ones are sought first."""


def present(column: TableColumn) -> CheckCount:
    """Return how many values are present."""
    return CheckCount(f"present {column.name}", column.raw.count())


def typed(column: TableColumn) -> CheckCount:
    """Return how many values are present and of the declared type."""
    return (
        present(column)
        if column.is_native and not column.dtype.is_float()
        else CheckCount(f"typed {column.name}", column.value.count())
    )


def row_checks(table: RecordTable) -> list[RowCheck | Unchecked]:
    """Return every rule that a row decides by itself, in the order of the contract."""
    found: list[RowCheck | Unchecked] = []
    for column in table.columns.values():
        found += _field_checks(column)
    for name in table.absent:
        if table.record_set.field(name).required:
            found.append(
                Unchecked(f"required {name}", "required", (name,), text("quality.reason.no_column", name=name))
            )
    found += [_row_check(rule, table) for rule in table.record_set.rules]
    return found


def _field_checks(column: TableColumn) -> Iterator[RowCheck]:
    name, field = column.name, column.field
    if field.required:
        yield RowCheck(f"required {name}", "required", (name,), ROWS, column.raw.is_null(), column.raw.null_count())
    if field.data_type is not None:
        wrong = column.raw.is_not_null() & column.value.is_null()
        number = column.value.null_count() - column.raw.null_count()
        yield RowCheck(f"type {name}", "type", (name,), present(column), wrong, number)
    yield from value_checks(column)
    if column.spells_unit and field.unit is not None:
        spelled = column.raw.str.strip_chars()
        foreign = spelled.str.contains(r"^[-+]?[0-9.,]+\s*[^0-9.,eE\s]") & ~spelled.str.ends_with(field.unit)
        yield RowCheck(f"unit {name}", "unit", (name,), present(column), foreign)


def value_checks(column: TableColumn) -> Iterator[RowCheck]:
    """Yield the contract's rules for a value of the declared type."""
    name, field = column.name, column.field
    bounded = column.is_number and (field.minimum is not None or field.maximum is not None)
    if bounded:
        yield RowCheck(f"range {name}", "range", (name,), typed(column), _out_of_range(column))
    if field.pattern is not None:
        spelled = column.raw.cast(pl.String)
        wrong = column.value.is_not_null() & ~fits_form(spelled, field.pattern)
        yield RowCheck(f"pattern {name}", "pattern", (name,), typed(column), wrong)
    if field.values:
        listed = _is_one_of(_spelled_value(column), field.values)
        yield RowCheck(f"values {name}", "values", (name,), typed(column), ~listed)


def _is_one_of(spelled: pl.Expr, values: tuple[str, ...]) -> pl.Expr:
    """Return whether it is listed: few values are compared one by one, which takes a third of the time."""
    if len(values) > _FEW:
        return spelled.is_in(list(values))
    return reduce(or_, (spelled == value for value in values))


def _spelled_value(column: TableColumn) -> pl.Expr:
    if column.data_type is DataType.TEXT or column.is_number:
        return column.value.cast(pl.String)
    return column.raw.cast(pl.String).str.strip_chars()


def _out_of_range(column: TableColumn) -> pl.Expr:
    below, above = (_bound(column, one) for one in (column.field.minimum, column.field.maximum))
    tests = [column.value < below] if below is not None else []
    tests += [column.value > above] if above is not None else []
    return tests[0] if len(tests) == 1 else tests[0] | tests[1]


def _bound(column: TableColumn, bound: float | None) -> float | None:
    """Return a bound of whole numbers as a whole number: otherwise each of them would become a float, twice."""
    whole = bound is not None and column.data_type is DataType.INTEGER and bound == round(bound) and abs(bound) < _EXACT
    return int(bound) if bound is not None and whole else bound


def _row_check(rule: RowRule, table: RecordTable) -> RowCheck | Unchecked:
    types = {name: _rule_type(column) for name, column in table.columns.items()}
    try:
        compiled = compile_rule(rule.rule, types, times=True)
    except InputError as error:
        return Unchecked(rule.name, "row", (), error.text)
    evaluated = CheckCount(f"evaluated {rule.name}", compiled.expression.count())
    return RowCheck(rule.name, "row", tuple(sorted(compiled.columns)), evaluated, ~compiled.expression)


def _rule_type(column: TableColumn) -> pl.DataType:
    if column.is_number:
        return column.dtype if column.is_native else column.canonical_type
    return pl.Datetime() if column.is_time else pl.Boolean() if column.data_type is DataType.BOOLEAN else pl.String()


def group_checks(table: RecordTable, others: dict[str, RecordTable]) -> list[GroupCheck | Unchecked]:
    """Return the rules on keys, uniqueness and references; ``others``: the record sets that can be referred to."""
    found: list[GroupCheck | Unchecked] = []
    key = table.named(table.record_set.key)
    if key and len(key) == len(table.record_set.key):
        found.append(GroupCheck("key", "key", table.record_set.key, (key_stream(table, key),)))
    elif table.record_set.key:
        lacking = ", ".join(name for name in table.record_set.key if name in table.absent)
        reason = text("quality.reason.no_column", name=lacking)
        found.append(Unchecked("key", "key", table.record_set.key, reason))
    for column in table.columns.values():
        if column.field.unique:
            stream = key_stream(table, [column])
            found.append(GroupCheck(f"unique {column.name}", "unique", (column.name,), (stream,)))
        if column.field.references is not None:
            found.append(_reference(table, column, others))
    return found


def key_stream(table: RecordTable, columns: list[TableColumn], carried: pl.Expr | None = None) -> KeyedRows:
    """Return the rows of ``table`` by their values in ``columns``; rows that lack one of these are left out."""
    there = pl.all_horizontal(column.value.is_not_null() for column in columns)
    return KeyedRows(table.frame, pl.when(there).then(row_hash(columns)), pl.lit(0) if carried is None else carried)


def _reference(table: RecordTable, column: TableColumn, others: dict[str, RecordTable]) -> GroupCheck | Unchecked:
    name, target = f"reference {column.name}", column.field.references
    assert target is not None
    other = table if target.record_set == table.record_set.name else others.get(target.record_set)
    if other is None or target.field not in other.columns:
        reason = text("quality.reason.no_reference", record_set=target.record_set)
        return Unchecked(name, "reference", (column.name,), reason)
    streams = (_spelled(other, other.columns[target.field], 0), _spelled(table, column, 1))
    return GroupCheck(name, "reference", (column.name,), streams)


def _spelled(table: RecordTable, column: TableColumn, side: int) -> KeyedRows:
    """Return a column by the spelling of its values: two record sets may give them different types."""
    spelled = column.canonical.cast(pl.String)
    return KeyedRows(table.frame, pl.when(spelled.is_not_null()).then(spelled.hash(1)), pl.lit(side))


def first_rows(table: RecordTable, check: RowCheck, shown: int) -> tuple[int, ...]:
    """Return the numbers of the first rows in which ``check`` fails."""
    for frame in (table.frame.head(_NEAR), table.frame):
        found = frame.filter(check.fails).select(ROW).head(shown).collect(engine="streaming")[ROW].sort()
        if len(found) == shown:
            break
    return tuple(found.to_list())
