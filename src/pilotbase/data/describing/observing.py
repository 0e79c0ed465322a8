"""What every column of a table holds, from all its rows: type, missing values, number of different ones, misfits.

A spread sample shows what a column might be. Then all rows are read once to see whether it is, and some columns a
second time for more detail: few different values, dates, values that do not fit.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from pilotbase.data.column_guesses import MISSING_SPELLINGS, guess_unit
from pilotbase.data.column_types import TYPES, typed_expression
from pilotbase.data.date_forms import (
    ADDRESS,
    CODE,
    COMPACT,
    DATE_FORMS,
    NUMBER_FORMS,
    SPANS,
    TIME_OF_DAY,
    TWO_READINGS,
    Undecided,
    any_date,
    plain_number,
)
from pilotbase.data.respelling import ONLY_COMMA, ONLY_THOUSANDS, order_of
from pilotbase.data.sources.source import KEY_NAME, SourceTable, telling_rows
from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.dataset import FieldType
from pilotbase.documents.moments import DateOrder
from pilotbase.documents.progress import OnProgress, ignore_progress
from pilotbase.documents.texts import text

SAMPLE = 3000
FITTING = 0.95
"""Share of the values that must be of a type for the rest to be errors, and not for the column to be text."""
LIKELY = 0.8
"""Share of a sample that makes a type worth looking for in all rows."""
MOST_CATEGORIES = 50
_TOGETHER = 50
"""Columns queried at once: plans of very many expressions take longer to make than to run."""
_TRUTHS = ("true", "false", "yes", "no", "是", "否")
_PLAIN_TRUTHS = {"true", "false"}
"""Spellings that labels keep; an owner's own words (yes, 是) would silently become these."""
_CLEAR_COMMAS = (ONLY_COMMA, ONLY_THOUSANDS, r"\d\.(\d{1,2}|\d{4,})$")
"""Numbers that show the meaning of a comma in their column; the last has a decimal point."""
_DECIDING = 1_000_000
"""Rows whose dates decide whether the day or the month comes first."""
DATE_NAME = re.compile(r"date|日期|时间|(^|_)day$", re.IGNORECASE)
_SHARES = ("truths", "codes", "numbers", "unclear", "fractions", "dates", "days", "times", "clocks", "addresses")
SHOWN = 3
_BATCH = 100_000
_TIMES = (DataType.DATE, DataType.DATETIME)


@dataclass(frozen=True)
class Column:
    """The content of one column."""

    name: str
    data_type: FieldType
    filled: int
    """Rows that have a value."""
    missing: int
    distinct: int = 0
    """Different values."""
    exact: bool = True
    """Whether ``distinct`` is exact; if there are many, it is an estimate."""
    spellings: tuple[str, ...] = ()
    """Words for a missing value in it."""
    minimum: str | None = None
    maximum: str | None = None
    categories: Mapping[str, int] = field(default_factory=dict)
    """Value → how often, if there are few."""
    misfits: tuple[Misfits, ...] = ()
    forms: Mapping[str, int] = field(default_factory=dict)
    """Of dates: form → how often."""
    sample: tuple[str, ...] = ()
    """Values of rows spread over the table, as texts."""
    repeated: bool = False
    codes: bool = False
    """It holds digits that begin with zeros."""
    unread: int = 0
    """Values that are not of its type in any spelling."""
    undecided: Undecided | None = None
    """It would hold dates if it were known whether the day or the month comes first."""

    @property
    def is_number(self) -> bool:
        return self.data_type in (FieldType.INTEGER, FieldType.FLOAT)

    @property
    def is_time(self) -> bool:
        return self.data_type in (FieldType.DATE, FieldType.DATETIME)

    def as_field(self, target: bool = False, group: bool = False) -> Field:
        """Return the field of a scenario; ``target``: a column of only 0 and 1 is a boolean.

        Rules and reports name the values of a target or a group: if they are words other than true and false, or of
        mixed types, they are text, as their owner writes them.
        """
        data_type, words = TYPES.get(self.data_type, DataType.TEXT), {word.lower() for word in self.categories}
        if target and data_type is DataType.INTEGER and words == {"0", "1"}:
            data_type = DataType.BOOLEAN
        elif (target or group) and (self.unread or (data_type is DataType.BOOLEAN and not words <= _PLAIN_TRUTHS)):
            data_type = DataType.TEXT
        is_number = data_type in (DataType.FLOAT, DataType.INTEGER)
        percent = "%" if any(one.form == "percent" for one in self.misfits) else None
        return Field(name=self.name, data_type=data_type, unit=guess_unit(self.name) or percent if is_number else None)


def observe(
    table: SourceTable, order: DateOrder | None = None, on_progress: OnProgress = ignore_progress
) -> tuple[Column, ...]:
    """Return the content of each column of ``table``, in its order.

    ``order``: which comes first in dates such as 03/04/2024, from the owner; None: the column itself decides.
    """
    on_rows = telling_rows(text("source.progress.columns", table=table.name), table.rows, on_progress)
    on_rows(0)
    schema = table.frame.collect_schema()
    sample = table.frame.gather_every(max(1, table.rows // SAMPLE)).collect(engine="streaming")
    kinds = guess_types(sample, decimal=table.separator != ",")
    values = [value for name, dtype in schema.items() for value in _values(name, dtype, kinds[name])]
    wanted = [count for name, dtype in schema.items() for count in _counts(name, dtype, kinds[name])]
    counted = table.frame.select(values).select(wanted).collect(engine="streaming").row(0, named=True)
    counts = {name: _Counts.of(name, counted, table.rows) for name in schema}
    closer = [_closer(name, dtype, kinds[name], counts[name]) for name, dtype in schema.items()]
    _look_closer(table.frame, closer, on_rows)
    details = {one.name: one for one in closer}
    orders = {
        name: order_of(table.frame.select(name).head(_DECIDING).collect(engine="streaming").to_series(), order)
        for name, seen in details.items()
        if TWO_READINGS in seen.forms
    }
    return tuple(_column(sample[name], kinds[name], counts[name], details[name], orders.get(name)) for name in schema)


def guess_types(sample: pl.DataFrame, decimal: bool) -> dict[str, FieldType]:
    """Return what each column of a sample might be; native types are kept.

    ``decimal``: the comma of 1,234 may be a decimal comma, so it does not by itself make a number.
    """
    texts = [name for name, dtype in sample.schema.items() if dtype == pl.String]
    found: dict[str, float | bool | None] = {}
    for at in range(0, len(texts), _TOGETHER):
        named = texts[at : at + _TOGETHER]
        wanted = [share.alias(f"{what} of {name}") for name in named for what, share in _shares(name).items()]
        spelled = sample.select(missing_to_null(pl.col(name), MISSING_SPELLINGS).str.strip_chars() for name in named)
        numbers = spelled.select(plain_number(pl.col(name)).alias(f"\0{name}") for name in named)
        found |= spelled.hstack(numbers).select(wanted).row(0, named=True)
    guessed = {name: _native(dtype) for name, dtype in sample.schema.items() if name not in texts}
    for name in texts:
        shares = {what: found[f"{what} of {name}"] or 0.0 for what in _SHARES}
        guessed[name] = _likeliest(shares, decimal, bool(DATE_NAME.search(name)))
    return guessed


def _shares(name: str) -> dict[str, pl.Expr]:
    """Return the queries on the values in a column of texts: shares of them, and whether there are any.

    Whole numbers written with a point are measurements, except those that name records: data frames write record
    numbers that way if one of them is missing.
    """
    text, number = pl.col(name), pl.col(f"\0{name}")
    fraction = number != number.round(0)
    if not KEY_NAME.search(name):
        fraction = fraction | text.str.contains(r"[.．eE%％]") | text.str.contains(ONLY_COMMA)
    commas, clear = text.str.contains(","), pl.any_horizontal(text.str.contains(one) for one in _CLEAR_COMMAS)
    asked = (
        text.str.to_lowercase().is_in(_TRUTHS).mean(),
        text.str.contains(CODE).any(),
        number.count() / text.count(),
        commas.any() & ~clear.any(),
        fraction.any(),
        (any_date(text) & ~text.str.contains(DATE_FORMS[COMPACT])).mean(),
        text.str.contains(DATE_FORMS[COMPACT]).mean(),
        (text.str.contains(r"\d{1,2}:\d{2}") & ~text.str.contains(r"[T ]0?0:00(:00(\.0+)?)?$")).any(),
        text.str.contains(TIME_OF_DAY).mean(),
        text.str.contains(ADDRESS).mean(),
    )
    return dict(zip(_SHARES, asked, strict=True))


def missing_to_null(source: pl.Expr, spellings: Sequence[str]) -> pl.Expr:
    """Return a column of texts, null for ``spellings`` and for empty texts."""
    return pl.when(~source.str.strip_chars().is_in(["", *spellings])).then(source)


def _likeliest(shares: Mapping[str, float], decimal: bool, called_date: bool) -> FieldType:
    if shares["truths"] >= FITTING:
        return FieldType.BOOLEAN
    if shares["dates"] >= LIKELY:
        return FieldType.DATETIME if shares["times"] else FieldType.DATE
    if shares["clocks"] >= FITTING:
        return FieldType.TIME
    if called_date and shares["days"] >= LIKELY:
        return FieldType.DATE
    if shares["numbers"] >= LIKELY and not shares["codes"] and not (decimal and shares["unclear"]):
        return FieldType.FLOAT if shares["fractions"] else FieldType.INTEGER
    return FieldType.URL if shares["addresses"] >= FITTING else FieldType.TEXT


def _native(dtype: pl.DataType) -> FieldType:
    inner = dtype.inner if isinstance(dtype, pl.List) else dtype
    if inner.is_integer():
        return FieldType.INTEGER
    if inner.is_numeric():
        return FieldType.FLOAT
    if inner.base_type() is pl.Datetime:
        return FieldType.DATETIME
    found = {pl.Boolean: FieldType.BOOLEAN, pl.Date: FieldType.DATE, pl.Time: FieldType.TIME}
    return next((kind for native, kind in found.items() if inner == native), FieldType.TEXT)


def _values(name: str, dtype: pl.DataType, kind: FieldType) -> list[pl.Expr]:
    """Return a column without its missing values, and the same in its type: computed once, counted often."""
    source = pl.col(name)
    if isinstance(dtype, pl.List):
        return [source.alias(f"value of {name}")]
    value = missing_to_null(source, MISSING_SPELLINGS) if dtype == pl.String else source
    value = value.fill_nan(None) if dtype.is_float() else value
    found = {"value": value, "typed": typed_expression(value, dtype, TYPES.get(kind, DataType.TEXT))}
    if dtype == pl.String:
        found["word"] = source.str.strip_chars().is_in(MISSING_SPELLINGS)
    return [expression.alias(f"{what} of {name}") for what, expression in found.items()]


def _counts(name: str, dtype: pl.DataType, kind: FieldType) -> list[pl.Expr]:
    """Return what the pass over all rows counts in a column, each named ``what of column``."""
    value, typed = pl.col(f"value of {name}"), pl.col(f"typed of {name}")
    found = {"filled": value.is_not_null().sum()}
    if not isinstance(dtype, pl.List):
        found["distinct"] = value.approx_n_unique()
    if dtype == pl.String:
        found["words"] = pl.col(f"word of {name}").sum()
        found["fitting"] = _fitting(value, typed, kind).sum()
        if kind is FieldType.INTEGER:
            found["codes"] = value.str.strip_chars().str.contains(CODE).any()
    if kind in TYPES and kind is not FieldType.BOOLEAN and not isinstance(dtype, pl.List):
        found |= {"minimum": typed.min(), "maximum": typed.max()}
    return [expression.alias(f"{what} of {name}") for what, expression in found.items()]


def _fitting(value: pl.Expr, typed: pl.Expr, kind: FieldType) -> pl.Expr:
    pattern = {FieldType.TIME: TIME_OF_DAY, FieldType.URL: ADDRESS}.get(kind)
    return typed.is_not_null() if pattern is None else value.str.strip_chars().str.contains(pattern)


@dataclass(frozen=True)
class _Counts:
    """The counts of a column in the first pass."""

    rows: int
    filled: int
    distinct: int
    words: int
    fitting: int
    codes: bool
    minimum: object
    maximum: object

    @classmethod
    def of(cls, name: str, counted: Mapping[str, int], rows: int) -> _Counts:
        filled = counted[f"filled of {name}"]
        return cls(
            rows=rows,
            filled=filled,
            distinct=min(rows, counted.get(f"distinct of {name}", 0)),
            words=counted.get(f"words of {name}", 0),
            fitting=counted.get(f"fitting of {name}", filled) or 0,
            codes=bool(counted.get(f"codes of {name}")),
            minimum=counted.get(f"minimum of {name}"),
            maximum=counted.get(f"maximum of {name}"),
        )


def _closer(name: str, dtype: pl.DataType, kind: FieldType, counts: _Counts) -> _Seen:
    """Return what else to find out about a column."""
    few = 0 < counts.distinct <= MOST_CATEGORIES and not dtype.is_float()
    asked: set[str] = set()
    if dtype == pl.String and kind in TYPES and not counts.codes:
        asked |= {"misfits"} if counts.fitting < counts.filled else set()
        asked |= {"forms"} if kind in (FieldType.DATE, FieldType.DATETIME) else set()
        asked |= {"words"} if counts.words > 0 else set()
    return _Seen(name, TYPES.get(kind, DataType.TEXT), MOST_CATEGORIES + len(MISSING_SPELLINGS) if few else 0, asked)


def _column(
    sample: pl.Series,
    kind: FieldType,
    counts: _Counts,
    details: _Seen,
    order: DateOrder | Undecided | None,
) -> Column:
    name, native = sample.name, sample.dtype != pl.String
    fitting = _readable(counts, details, isinstance(order, DateOrder)) if details.misfits else counts.fitting
    holds = native or (counts.filled > 0 and not counts.codes and fitting >= FITTING * counts.filled)
    data_type = kind if holds else FieldType.TEXT
    typed = data_type in TYPES
    # a word for a missing value may be a value of a text
    filled = counts.filled + (0 if typed else counts.words)
    categories = {
        value: count for value, count in details.categories.items() if value not in details.words or not typed
    }
    repeated = isinstance(sample.dtype, pl.List)
    return Column(
        name=name,
        data_type=data_type,
        filled=filled,
        missing=counts.rows - filled,
        distinct=len(categories) or counts.distinct,
        exact=bool(categories),
        spellings=tuple(sorted(details.words)) if typed else (),
        minimum=_shown(counts.minimum) if typed else None,
        maximum=_shown(counts.maximum) if typed else None,
        categories=categories,
        misfits=details.misfits if typed else (),
        forms=details.forms if typed else {},
        sample=() if repeated else tuple(sample.drop_nulls().cast(pl.String, strict=False).drop_nulls().to_list()),
        repeated=repeated,
        codes=not native and bool(sample.str.contains(CODE).any()),
        undecided=order if isinstance(order, Undecided) and not holds else None,
        unread=counts.filled - fitting if typed else 0,
    )


def _readable(counts: _Counts, details: _Seen, decided: bool) -> int:
    """Return how many values become readable once rewritten: dates that all name days, or all name months."""
    if all(one.form in NUMBER_FORMS or one.form == "other" for one in details.misfits):
        return counts.filled - sum(one.count for one in details.misfits if one.form == "other")
    spans = Counter({"day": counts.fitting})
    for one in details.misfits:
        if one.form in SPANS and (decided or one.form != TWO_READINGS):
            spans[SPANS[one.form]] += one.count
    return max(spans.values())


def _shown(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value).replace("+00:00", "Z") if ":" in str(value) else str(value)


@dataclass
class Misfits:
    """Values of a column, spelled in one form, that do not fit its type as written."""

    form: str
    """One of `NUMBER_FORMS` or `DATE_FORMS`, or ``other``."""
    count: int = 0
    rows: list[int] = field(default_factory=list)
    """The first of them, from 0."""
    values: list[str] = field(default_factory=list)


def _look_closer(frame: pl.LazyFrame, closer: Sequence[_Seen], on_rows: Callable[[int], None]) -> None:
    """Look at everything asked of the columns, in one pass over the table and in constant memory."""
    asked, row = [one for one in closer if one.asked or one.most], 0
    if asked:
        for batch in frame.select(one.name for one in asked).collect_batches(chunk_size=_BATCH, engine="streaming"):
            for one in asked:
                one.take(batch[one.name], row)
            row += batch.height
            on_rows(row)


class _Seen:
    """What to find out about one column, and what was seen in it so far."""

    def __init__(self, name: str, data_type: DataType, most: int, asked: set[str]) -> None:
        """Different values are counted up to ``most``; 0: none. ``asked``: ``misfits``, ``forms``, ``words``."""
        self.name, self.data_type, self.most, self.asked = name, data_type, most, asked
        self._categories: Counter[str] | None = Counter() if most else None
        self._misfits: dict[str, Misfits] = {}
        self._forms: Counter[str] = Counter()
        self.words: set[str] = set()
        """Spellings of a missing value in it."""

    def take(self, column: pl.Series, first: int) -> None:
        """Look at the next rows; ``first`` is the number of the first of them."""
        if self._categories is not None:
            self._count(column)
        if self.asked:
            self._read(column.str.strip_chars(), first)

    @property
    def categories(self) -> dict[str, int]:
        """Value → how often, the most frequent first; empty if there are too many."""
        return dict(sorted((self._categories or {}).items(), key=lambda one: (-one[1], one[0])))

    @property
    def misfits(self) -> tuple[Misfits, ...]:
        return tuple(sorted(self._misfits.values(), key=lambda one: one.rows))

    @property
    def forms(self) -> dict[str, int]:
        return dict(self._forms.most_common())

    def _count(self, column: pl.Series) -> None:
        counted = column.cast(pl.String).str.strip_chars().drop_nulls().alias("value").value_counts()
        assert self._categories is not None
        self._categories.update({value: count for value, count in counted.iter_rows() if value})
        if len(self._categories) > self.most:
            self._categories = None

    def _read(self, stripped: pl.Series, first: int) -> None:
        missing = stripped.is_in(["", *MISSING_SPELLINGS])
        if "words" in self.asked:
            self.words |= set(stripped.filter(missing).unique()) - {""}
        rows = pl.DataFrame({"value": stripped}).with_row_index("row", first).filter(~missing)
        if "forms" in self.asked:
            self._forms.update(dict(rows.select(form=_form(DATE_FORMS)).to_series().value_counts().iter_rows()))
        if "misfits" in self.asked:
            read = typed_expression(pl.col("value"), pl.String(), self.data_type)
            forms = DATE_FORMS if self.data_type in _TIMES else NUMBER_FORMS
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
