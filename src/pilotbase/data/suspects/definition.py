"""What looks for faults in a table: its columns read once, and what a kind of fault yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.data.column_types import type_column
from pilotbase.documents.contract import DataType
from pilotbase.documents.quality import SuspectName

PLACEHOLDERS = frozenset(
    {
        *(
            "na",
            "n/a",
            "n.a.",
            "n.a",
            "#n/a",
            "nan",
            "null",
            "nil",
            "none",
            "(none)",
            "<na>",
            "<null>",
            "-",
            "--",
            "---",
        ),
        *("?", "??", "???", "unknown", "unkown", "(unknown)", "not available", "not known", "missing", "(missing)"),
        *("undefined", "unspecified", "tbd", "tba", "to be determined", "n/k", "unk", "blank", "(blank)", "empty", "."),
        *("无", "未知", "缺失", "不详", "暂无", "空", "无数据", "未填", "未填写", "待定", "不明"),
    }
)
"""Texts that stand for a missing value, in lower case."""
USUAL = 0.8
"""A column is of numbers, or of times, if this share of its cells are."""
Places = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
_TIME_FORMS = ("%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%Y", "%Y%m%d", "%b %d %Y", "%d-%b-%Y", "%d %b %Y")
_LIKE_A_TIME = r"\d{1,4}[-/.年 ]\w{1,3}[-/.月 ]\d{1,4}|^\d{8}$"
_LOOKED = 1000
NEVER = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class SuspectColumn:
    """A column of the sample. ``stored``: as the file has it, blank cells as missing."""

    stored: pl.Series

    @property
    def name(self) -> str:
        return self.stored.name

    @cached_property
    def texts(self) -> pl.Series:
        """Its cells as texts without blanks around them."""
        return self.stored.cast(pl.String).str.strip_chars()

    @cached_property
    def is_text(self) -> bool:
        return self.stored.dtype == pl.String and not self.is_number and not self.is_time

    @cached_property
    def placeholder(self) -> Truths:
        """Which cells say that a value is missing."""
        if self.stored.dtype != pl.String:
            return np.zeros(len(self.stored), np.bool_)
        return _true(self.texts.str.to_lowercase().is_in(list(PLACEHOLDERS)))

    @cached_property
    def filled(self) -> Truths:
        """Which cells hold a value: neither blank nor a placeholder."""
        return _true(self.stored.is_not_null()) & ~self.placeholder

    @cached_property
    def numbers(self) -> Numbers:
        """Each cell as a number; NaN if it is none."""
        if self.stored.dtype.is_numeric() or self.stored.dtype == pl.String:
            found = self.stored.cast(pl.Float64) if self.stored.dtype != pl.String else self._read_numbers
            return found.fill_null(np.nan).to_numpy().astype(np.float64)
        return np.full(len(self.stored), np.nan)

    @cached_property
    def is_number(self) -> bool:
        return self._usual(np.isfinite(self.numbers))

    @cached_property
    def ranks(self) -> Numbers:
        """The rank of each number, from 0 to 1; a cell without one is in the middle."""
        found = pl.Series(self.numbers).fill_nan(None).rank("average") / max(1, len(self.stored))
        return found.fill_null(0.5).to_numpy().astype(np.float64)

    @cached_property
    def days(self) -> Numbers:
        """Each cell as days since 1970; NaN if it is no time."""
        dtype = self.stored.dtype
        if dtype in (pl.Date, pl.Datetime):
            moments = self.stored.cast(pl.Datetime("us"))
        elif dtype == pl.String and not self.is_number:
            moments = self._read_times
        else:
            return np.full(len(self.stored), np.nan)
        return (moments.dt.epoch("us") / 86_400e6).fill_null(np.nan).to_numpy().astype(np.float64)

    @cached_property
    def is_time(self) -> bool:
        return self._usual(np.isfinite(self.days))

    @cached_property
    def codes(self) -> Places:
        """Equal cells have equal numbers; a blank one has a number of its own."""
        return self.stored.cast(pl.String).rank("dense").fill_null(0).to_numpy().astype(np.int64)

    @cached_property
    def distinct(self) -> int:
        """How many different values there are."""
        return len(np.unique(self.codes[self.codes > 0]))

    @cached_property
    def _read_numbers(self) -> pl.Series:
        found = self.texts.cast(pl.Float64, strict=False)
        return found.set(~found.is_finite(), None)

    @cached_property
    def _read_times(self) -> pl.Series:
        nothing = pl.Series(self.name, [None], dtype=pl.Datetime("us")).new_from_index(0, len(self.texts))
        first = self.texts.drop_nulls().head(_LOOKED)
        if not len(first) or first.str.contains(_LIKE_A_TIME).sum() < USUAL * len(first):
            return nothing
        days = self.texts.str.replace(r"[T ]\d{1,2}:.*$", "")
        read = [type_column(self.texts, DataType.DATETIME).values.dt.replace_time_zone(None)]
        read += [days.str.to_date(form, strict=False).cast(pl.Datetime("us")) for form in _TIME_FORMS]
        return max(read, key=lambda one: one.count())

    def _usual(self, those: Truths) -> bool:
        told = int(self.filled.sum())
        return told > 0 and int((those & self.filled).sum()) >= USUAL * told


@dataclass(frozen=True)
class SuspectTable:
    """A sample of a table. ``rows``: the number of each of its rows in the file, in their order; ``total``: of all."""

    columns: Mapping[str, SuspectColumn]
    rows: Places
    total: int
    label: str | None = None
    key: tuple[str, ...] = ()
    until: datetime = NEVER
    """When the file was written: nothing in it can have happened later."""

    @property
    def height(self) -> int:
        return len(self.rows)

    @cached_property
    def numeric(self) -> list[SuspectColumn]:
        """The columns of numbers."""
        return [one for one in self.columns.values() if one.is_number]

    @cached_property
    def words(self) -> list[SuspectColumn]:
        """The columns of texts that are neither numbers nor times."""
        return [one for one in self.columns.values() if one.is_text]


@dataclass(frozen=True)
class Found:
    """What one kind of fault found: in which columns, in which places of the sample, and what its sentence says."""

    fields: tuple[str, ...]
    places: Places
    said: Mapping[str, object] = field(default_factory=dict)
    values: tuple[str, ...] = ()
    """What stands for a missing value."""
    code: str = ""
    """Ending of the text that says it, if there are several."""


Look = Callable[[SuspectTable], Iterator[Found]]


@dataclass(frozen=True)
class SuspectKind:
    """A kind of fault and the function that looks for it."""

    name: SuspectName
    look: Look


def suspect(name: SuspectName) -> Callable[[Look], SuspectKind]:
    """Declare the function below as what looks for faults of kind ``name``."""
    return lambda look: SuspectKind(name, look)


def places_of(those: Truths) -> Places:
    """Return the places where ``those`` holds."""
    return np.flatnonzero(those).astype(np.int64)


def _true(found: pl.Series) -> Truths:
    return found.fill_null(False).to_numpy().astype(np.bool_)
