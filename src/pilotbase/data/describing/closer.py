"""Some columns of a table looked at once more, batch by batch: their categories, forms of dates, values that misfit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from pilotbase.data.column_guesses import MISSING_SPELLINGS
from pilotbase.data.column_types import typed_expression
from pilotbase.data.describing.spellings import DATE_FORMS, NUMBER_FORMS
from pilotbase.documents.contract import DataType

SHOWN = 3
_BATCH = 100_000
_TIMES = (DataType.DATE, DataType.DATETIME)


@dataclass(frozen=True)
class Closer:
    """What is to be known of a column."""

    name: str
    data_type: DataType
    categories: int
    """At most so many different values are counted; 0: none."""
    misfits: bool
    forms: bool
    words: bool

    @property
    def asks(self) -> bool:
        return bool(self.categories or self.misfits or self.forms or self.words)


@dataclass
class Misfits:
    """Values of a column, spelled in one form, that its type does not hold as they stand."""

    form: str
    """One of `NUMBER_FORMS` or `DATE_FORMS`, or ``other``."""
    count: int = 0
    rows: list[int] = field(default_factory=list)
    """The first of them, from 0."""
    values: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Details:
    """What was seen of a column."""

    categories: Mapping[str, int] = field(default_factory=dict)
    """Value → how often, the most frequent first; nothing where there are too many."""
    misfits: tuple[Misfits, ...] = ()
    forms: Mapping[str, int] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    """Spellings of a missing value that stand in it."""


def look_closer(frame: pl.LazyFrame, asked: Sequence[Closer]) -> dict[str, Details]:
    """Return what is asked of the columns, in one way through the table and constant memory."""
    seen = {one.name: _Seen(one) for one in asked}
    row = 0
    if seen:
        for batch in frame.select(list(seen)).collect_batches(chunk_size=_BATCH, engine="streaming"):
            for name, column in seen.items():
                column.take(batch[name], row)
            row += batch.height
    return {name: column.details() for name, column in seen.items()}


class _Seen:
    """What was seen of one column so far."""

    def __init__(self, asked: Closer) -> None:
        self._asked = asked
        self._categories: Counter[str] | None = Counter() if asked.categories else None
        self._misfits: dict[str, Misfits] = {}
        self._forms: Counter[str] = Counter()
        self._words: set[str] = set()

    def take(self, column: pl.Series, first: int) -> None:
        """Look at the next rows; ``first`` is the number of the first of them."""
        if self._categories is not None:
            self._count(column)
        if self._asked.misfits or self._asked.forms or self._asked.words:
            self._read(column.str.strip_chars(), first)

    def details(self) -> Details:
        ordered = sorted((self._categories or {}).items(), key=lambda one: (-one[1], one[0]))
        misfits = sorted(self._misfits.values(), key=lambda one: one.rows)
        return Details(dict(ordered), tuple(misfits), dict(self._forms.most_common()), frozenset(self._words))

    def _count(self, column: pl.Series) -> None:
        counted = column.cast(pl.String).str.strip_chars().drop_nulls().alias("value").value_counts()
        assert self._categories is not None
        self._categories.update({value: count for value, count in counted.iter_rows() if value})
        if len(self._categories) > self._asked.categories:
            self._categories = None

    def _read(self, stripped: pl.Series, first: int) -> None:
        missing = stripped.is_in(["", *MISSING_SPELLINGS])
        if self._asked.words:
            self._words |= set(stripped.filter(missing).unique()) - {""}
        rows = pl.DataFrame({"value": stripped}).with_row_index("row", first).filter(~missing)
        if self._asked.forms:
            self._forms.update(dict(rows.select(form=_form(DATE_FORMS)).to_series().value_counts().iter_rows()))
        if self._asked.misfits:
            read = typed_expression(pl.col("value"), pl.String(), self._asked.data_type)
            forms = DATE_FORMS if self._asked.data_type in _TIMES else NUMBER_FORMS
            for row, value, form in rows.filter(read.is_null()).with_columns(form=_form(forms)).iter_rows():
                self._note(form, row, value)

    def _note(self, form: str, row: int, value: str) -> None:
        misfits = self._misfits.setdefault(form, Misfits(form))
        misfits.count += 1
        if misfits.count <= SHOWN:
            misfits.rows.append(row)
            misfits.values.append(value)


def _form(forms: Mapping[str, str]) -> pl.Expr:
    found = pl.lit("other")
    for name, pattern in reversed(list(forms.items())):
        found = pl.when(pl.col("value").str.contains(pattern)).then(pl.lit(name)).otherwise(found)
    return found
