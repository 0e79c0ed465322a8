"""Cases from any kind of file that `open_source` reads, as a file that a scenario can name.

If nothing had to be found out or rewritten, that is the file itself; else a copy, in UTF-8, with dates and numbers as
they are read. So a draft decides once how to read a file, and no trial ever guesses it again. A changing source, such
as a file that grows, is read the same way again later.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import polars as pl

from pilotbase.data.column_guesses import MISSING_SPELLINGS
from pilotbase.data.column_types import type_column, type_words
from pilotbase.data.conform import conform
from pilotbase.data.date_forms import Undecided
from pilotbase.data.describing.observing import Column, observe
from pilotbase.data.respelling import respell, respell_with_units
from pilotbase.data.sources.kinds.images import OF_FILES
from pilotbase.data.sources.opening import open_source, read_table, scanning
from pilotbase.data.sources.sampling import TableSample, draw_sample, is_large
from pilotbase.data.sources.source import SHOWN, ReadOptions, SourceTable, digest_watched, missing_as_null
from pilotbase.documents.contract import ARRAYS, DataType
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.moments import DateOrder
from pilotbase.documents.progress import OnProgress, ignore_progress
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text, text

_FORMS = (".csv", ".parquet", ".xlsx")
"""Kinds of files that a scenario names as they are."""
_AS_FOUND = ReadOptions(quick=True)
_TEXTS = (DataType.TEXT, DataType.BOOLEAN, *ARRAYS)


@dataclass(frozen=True)
class SourceCases:
    """Cases as `read_table` reads them."""

    file: Path
    """The source itself, or the copy."""
    table: pl.DataFrame
    columns: Mapping[str, Column]
    """What was seen of each column that a field can describe."""
    rows: int
    """Of the source."""
    told: tuple[Text, ...] = ()
    """Assumptions where the source does not say, and what was rewritten."""

    copied_from: Digest | None = None
    """Of the source, if ``file`` is a copy."""
    sampled: bool = False
    """They are a sample of the source."""

    @property
    def undecided(self) -> tuple[Undecided, ...]:
        return tuple(one.undecided for one in self.columns.values() if one.undecided)


@dataclass(frozen=True)
class WantedCases:
    """What is wanted of a source."""

    target: str
    group_or_time: str | None = None
    is_time: bool = False
    dates: DateOrder | None = None
    """Which comes first in dates such as 03/04/2024, from the owner."""
    reading: ReadOptions = _AS_FOUND
    """How to read it, if the owner says it."""
    left_out: frozenset[str] = frozenset()
    """Columns that a copy lacks."""
    sample: int | None = None
    """Rows of a sample that is enough; None: all that fit in memory."""

    @property
    def named(self) -> frozenset[str]:
        """Return the columns whose values decide what is tried."""
        return frozenset(filter(None, (self.target, self.group_or_time)))

    @property
    def together(self) -> str | None:
        """Return the column whose equal values come into a sample together."""
        return None if self.is_time else self.group_or_time


@dataclass(frozen=True)
class CaseSource:
    """A source whose cases are wanted once or more: it is checked once, and one that is too large is sampled once."""

    place: Path
    scratch: Path
    """Holds temporary files and copies, and must outlive what is read."""
    on_progress: OnProgress = ignore_progress
    _opened: dict[ReadOptions, tuple[SourceTable, tuple[Text, ...]]] = field(default_factory=dict, repr=False)
    _sampled: dict[tuple[ReadOptions, str, str | None], TableSample] = field(default_factory=dict, repr=False)

    def cases(self, wanted: WantedCases) -> SourceCases:
        """Return the cases as a file that a scenario can name. A table too large for memory is sampled.

        Raises:
            InputError: what `open_source` and `SourceTable.collect` raise; ``data.several_tables``.
        """
        seen = self.seen(wanted)
        as_found = not seen.told and not wanted.left_out and wanted.reading == _AS_FOUND
        if as_found and self.place.suffix.lower() in _FORMS:
            return seen
        copy = _copied(seen.table, self.scratch / _stem(self.place))
        copied = text("draft.decided.copied", source=self.place.name, file=copy.name)
        return replace(seen, file=copy, told=(*seen.told, copied), copied_from=self._digest)

    def seen(self, wanted: WantedCases) -> SourceCases:
        """Return the cases as they are read and rewritten, without a copy; raises as `cases`."""
        named, dates, sampled = wanted.named, wanted.dates, []
        with scanning(self.place):
            found, taken = self._table(wanted.reading)
            rows = found.rows
            if wanted.sample is not None or is_large(self.place, found):
                sample = self._sample(found, wanted)
                found, sampled = sample.table, sample.told(self.place.name)
            left_out = (*wanted.left_out, *(OF_FILES if self.place.is_dir() else ()))
            cases = found.collect().drop(left_out, strict=False)
            columns = {one.name: one for one in observe(found, dates) if one.name in cases.columns}
        taken = (*taken, *sampled)
        texts = {name: one for name, one in columns.items() if cases[name].dtype == pl.String}
        read = [_read(cases[name], one, name in named, dates, self.place.name) for name, one in texts.items()]
        told = [sentence for _, notes in read for sentence in notes]
        told += _said_of_first_row([one for one in told if one.code == "source.taken.misfits"], self.place.name)
        cases = cases.with_columns(column for column, _ in read)
        return SourceCases(self.place, cases, columns, rows, (*taken, *told), sampled=bool(sampled))

    def columns(self, reading: ReadOptions) -> list[str]:
        """Return the names of the columns; raises as `cases`."""
        with scanning(self.place):
            return self._table(reading)[0].columns

    def first_values(self, reading: ReadOptions, column: str, count: int) -> list[str]:
        """Return the first ``count`` values of a column as texts, missing ones left out; raises as `cases`."""
        with scanning(self.place):
            found = self._table(reading)[0].frame.select(pl.col(column).cast(pl.String).str.strip_chars())
            return found.head(count).collect()[column].replace("", None).drop_nulls().to_list()

    def _table(self, asked: ReadOptions) -> tuple[SourceTable, tuple[Text, ...]]:
        if asked not in self._opened:
            watched = replace(asked, on_progress=self.on_progress)
            self._opened[asked] = _opened(self.place, self.scratch, watched)
        return self._opened[asked]

    def _sample(self, found: SourceTable, wanted: WantedCases) -> TableSample:
        """Return a sample of ``found``: of a large one, drawn as large as any that may be wanted later."""
        key = (wanted.reading, wanted.target, wanted.together)
        drawn = self._sampled.get(key)
        if drawn is None:
            rows = None if is_large(self.place, found) else wanted.sample
            drawn = draw_sample(found, self.place, wanted.target, wanted.together, self.on_progress, rows)
            self._sampled[key] = drawn
        return drawn if wanted.sample is None else drawn.thinned(wanted.sample)

    @cached_property
    def _digest(self) -> Digest | None:
        return None if self.place.is_dir() else digest_watched(self.place, self.on_progress)


def place_of_arrays(place: Path) -> Path:
    """Return the folder in which the images and sounds lie that a source in ``place`` names."""
    return place if place.is_dir() else place.parent


@contextmanager
def reading_cases(
    place: Path, scratch: Path | None = None, on_progress: OnProgress = ignore_progress
) -> Iterator[CaseSource]:
    """Yield the source in ``place``; its temporary files are in ``scratch``, None: in the system's default folder."""
    with tempfile.TemporaryDirectory(prefix="pilotbase-cases-", dir=scratch) as folder:
        yield CaseSource(place, Path(folder), on_progress)


def _read(
    column: pl.Series, seen: Column, named: bool, dates: DateOrder | None, file: str
) -> tuple[pl.Series, list[Text]]:
    """Return a column rewritten as it was seen, and the notes about it; single values that misfit become missing ones.

    Not in a named column: its values decide what is tried.
    """
    data_type = seen.as_field(group=named).data_type
    if data_type is DataType.TEXT and named:
        return column, []
    written = respell_with_units(column) if data_type is DataType.TEXT else respell(column, data_type, dates)
    told = []
    if written is not None:
        told.append(text("draft.decided.respelled", column=column.name, found=written.before, to=written.after))
        column = written.column
    wrong = type_column(column, data_type).wrong & ~column.str.strip_chars().is_in(MISSING_SPELLINGS)
    if wrong.any() and not named:
        told.append(_lost(column, wrong, data_type, file))
        column = column.set(wrong, None)
    return column, told


def _lost(column: pl.Series, wrong: pl.Series, data_type: DataType, file: str) -> Text:
    rows = ", ".join(f"{row + 1}: {column[row]!r}" for row in wrong.arg_true().head(SHOWN).to_list())
    count = int(wrong.sum())
    rows += ", …" if count > SHOWN else ""
    return text(
        "source.taken.misfits", file=file, column=column.name, count=count, allowed=type_words(data_type), rows=rows
    )


def _said_of_first_row(misfits: list[Text], file: str) -> list[Text]:
    """Return what the first row seems to be if several columns of numbers hold words there and nowhere else."""
    first = [one.params for one in misfits if one.params["count"] == 1 and str(one.params["rows"]).startswith("1: ")]
    columns = ", ".join(str(one["column"]) for one in first)
    return [text("source.taken.first_row", file=file, columns=columns)] if len(first) > 1 else []


def _stem(source: Path) -> str:
    return Path(source.stem).stem if source.suffix.lower() in (".gz", ".zip") else source.stem


def _opened(source: Path, scratch: Path, asked: ReadOptions) -> tuple[SourceTable, tuple[Text, ...]]:
    opened = open_source(str(source), scratch, asked)
    found = opened.only()
    others = ", ".join(one.name for one in opened.tables if one is not found)
    left_out = [text("draft.decided.first_table", table=found.name, others=others)] if others else []
    return found, (*opened.taken, *left_out)


def _copied(cases: pl.DataFrame, copy: Path) -> Path:
    """Write ``cases`` as CSV, or as Parquet if CSV would be read differently: columns of types, names of digits."""
    written = copy.with_name(f"{copy.name}.csv")
    if all(dtype == pl.String for dtype in cases.dtypes):
        cases.write_csv(written)
        if _reads_alike(written, cases):
            return written
    cases.write_parquet(written := copy.with_name(f"{copy.name}.parquet"))
    return written


def _reads_alike(written: Path, cases: pl.DataFrame) -> bool:
    try:
        return read_table(written).equals(cases)
    except InputError:
        return False


def read_living_source(place: str, scenario: Scenario, scratch: Path, table: str | None = None) -> pl.DataFrame:
    """Return the cases in ``place``, typed by the scenario's contract; ``table``: which, if there are several.

    Only columns of the contract are read. Errors name the table, never the address of a database.

    Raises:
        InputError: what `open_source` and `conform` raise; single values that no column holds;
            ``data.several_tables``, ``data.too_many_cells``.
    """
    opened = open_source(place, scratch, ReadOptions(tables=(table,) if table else ()))
    found = opened.only()
    opened.require_whole()
    names = [field.name for field in scenario.data.fields if field.name in found.columns]
    read = found.collect(columns=names)
    cases = missing_as_null(read.with_columns(_respelled(read, scenario)), scenario.data.missing)
    data = scenario.data.model_copy(update={"file": found.name})
    return conform(cases, scenario.model_copy(update={"data": data}))


def _respelled(read: pl.DataFrame, scenario: Scenario) -> Iterator[pl.Series]:
    """Yield the columns of dates and numbers in other forms, rewritten as a draft does it."""
    types = {field.name: field.data_type for field in scenario.data.fields}
    for column in read.select(pl.col(pl.String)):
        data_type = types.get(column.name, DataType.TEXT)
        written = None if data_type in _TEXTS else respell(column, data_type)
        if written is not None:
            yield written.column
