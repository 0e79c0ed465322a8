"""The definition of each measure of quality, what it needs from the data, and what it makes of the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from pilotbase.data.column_types import type_column
from pilotbase.data.quality.checks import CheckCount, GroupCheck, RowCheck, Unchecked
from pilotbase.data.quality.columns import RecordTable, TableColumn
from pilotbase.data.quality.tally import KeyedRows, KeyTally
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.quality import Direction, MeasureState, QualityCodes, QualityEntry, QualityReference
from pilotbase.documents.scenario_data import GroupSplit, TimeSplit
from pilotbase.documents.texts import Text, text


@dataclass(frozen=True)
class Parts:
    """``later``: true for rows of the hidden, or later, part; null rows are in neither."""

    kind: Literal["hidden", "later_half"]
    later: pl.Expr


def parts_of(table: RecordTable, ends: tuple[float, float] | None = None) -> Parts | None:
    """Return the parts of the declared split by group or time, else the halves of the time between ``ends``.

    A split by hash has no parts of its own here: the scenario's name determines which rows are hidden, and rows that
    look the same stay on one side by construction.
    """
    split = table.record_set.split
    if isinstance(split, GroupSplit) and split.column in table.columns:
        spelled = table.columns[split.column].canonical.cast(pl.String)
        return Parts("hidden", spelled.is_in([str(one) for one in split.hidden]))
    if isinstance(split, TimeSplit) and split.column in table.columns:
        column = table.columns[split.column]
        return Parts("hidden", column.value >= _moment(column, split.hidden_from))
    time = table.columns.get(table.record_set.time or "")
    if time is None or not time.is_time or ends is None or ends[0] == ends[1]:
        return None
    return Parts("later_half", time.seconds >= sum(ends) / 2)


def _moment(column: TableColumn, spelled: str) -> pl.Expr:
    moment = type_column(pl.Series(column.name, [spelled]), column.data_type).values
    return pl.lit(moment[0], dtype=moment.dtype)


@dataclass(frozen=True)
class QualityContext:
    """The inputs of a measure."""

    dataset: Dataset
    table: RecordTable
    checks: tuple[RowCheck | Unchecked, ...]
    group_checks: tuple[GroupCheck | Unchecked, ...]
    reference: QualityReference
    parts: Parts | None = None
    audited: pl.DataFrame | None = None
    """The records that somebody has checked, every value as text."""
    learned_from: RecordTable | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    """File's id → SHA-256 in hex of what was read."""
    placeholders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Field → what seems to stand for a missing value in it, though nobody declared it."""


@dataclass(frozen=True)
class QualityResults:
    """The results of the passes: counts and tables by name, groups by name."""

    counts: Mapping[str, float]
    tables: Mapping[str, pl.DataFrame]
    tallies: Mapping[str, KeyTally]

    @property
    def rows(self) -> int:
        return int(self.counts["rows"])

    def count(self, count: CheckCount) -> int:
        """Return a count of the first pass."""
        return int(self.counts[count.name])


@dataclass(frozen=True)
class QualityFinding:
    """A measure's figure; without ``value`` there was nothing to measure (0 of 0)."""

    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    entries: tuple[QualityEntry, ...] = ()
    lower: float | None = None
    upper: float | None = None
    sample: int | None = None
    reason: Text | None = None


@dataclass(frozen=True)
class QualityRequest:
    """The needs of a measure: counts of the first pass, small tables, groups of equal rows; and its conclusion.

    Counts of one name are computed once; ``columns`` are computed once a row, for several counts. ``tables`` are
    collected whole: each must be small, whatever the data's size.
    """

    conclude: Callable[[QualityResults], QualityFinding]
    counts: tuple[CheckCount, ...] = ()
    columns: tuple[pl.Expr, ...] = ()
    tables: Mapping[str, pl.LazyFrame] = field(default_factory=dict)
    groups: Mapping[str, tuple[KeyedRows, ...]] = field(default_factory=dict)


class UnmeasuredError(Exception):
    """Why there is no figure: its reference is missing, or it does not apply to such data."""

    def __init__(self, reason: Text, state: MeasureState = "not_measured") -> None:
        super().__init__(reason.code)
        self.reason, self.state = reason, state


Ask = Callable[[QualityContext], QualityRequest]
"""What a measure needs; raises `UnmeasuredError`."""


@dataclass(frozen=True)
class QualityMeasure:
    """One measure of quality. ``costly``: more than one pass over the table, so that it can be left out."""

    name: str
    codes: QualityCodes
    direction: Direction
    formula: str
    ask: Ask
    costly: bool = False

    @property
    def title(self) -> Text:
        """Return its name for people."""
        return Text(code=f"quality.measure.{self.name}")


def measure(
    formula: str, direction: Direction = "higher", costly: bool = False, **codes: str
) -> Callable[[Ask], QualityMeasure]:
    """Return a decorator that makes a measure of the function that says what it needs; ``codes``: `QualityCodes`."""
    named = QualityCodes.model_validate(codes)
    return lambda ask: QualityMeasure(ask.__name__, named, direction, formula, ask, costly)


def share(numerator: float, denominator: float, entries: tuple[QualityEntry, ...] = ()) -> QualityFinding:
    """Return numerator / denominator; there is no share of nothing."""
    value = numerator / denominator if denominator else None
    return QualityFinding(value, numerator, denominator, entries)


def entry(name: str, numerator: float, denominator: float) -> QualityEntry:
    """Return a part of a measure with its own share."""
    value = numerator / denominator if denominator else None
    return QualityEntry(name=name, value=value, numerator=numerator, denominator=denominator)


def joined(entries: Iterable[QualityEntry]) -> QualityFinding:
    """Return the share of all entries together."""
    found = tuple(entries)
    return share(sum(one.numerator or 0 for one in found), sum(one.denominator or 0 for one in found), found)


def worst_of(worst: QualityEntry | None, entries: tuple[QualityEntry, ...]) -> QualityFinding:
    """Return the figure of the worst entry beside all of them; nothing if there is none."""
    if worst is None:
        return QualityFinding(None)
    return QualityFinding(worst.value, worst.numerator, worst.denominator, entries)


def not_applicable(code: str, **params: object) -> UnmeasuredError:
    """Return that the measure does not apply."""
    return UnmeasuredError(text(code, **params), "not_applicable")


def not_measured(code: str, **params: object) -> UnmeasuredError:
    """Return that the measure's reference is missing."""
    return UnmeasuredError(text(code, **params))
