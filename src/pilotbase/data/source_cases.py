"""Cases from any kind of file that `open_source` reads, as a file that a scenario can name.

That is the file itself where nothing had to be found out or written anew; else a copy, in UTF-8, with dates and numbers
as they are read. So a draft decides once how a file is to be read, and no trial ever guesses it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pilotbase.data.date_forms import Undecided
from pilotbase.data.respelling import Respelled, respell
from pilotbase.data.sources.opening import open_source, read_table, require_small, scanning
from pilotbase.data.sources.source import ReadOptions
from pilotbase.documents.errors import InputError
from pilotbase.documents.moments import DateOrder
from pilotbase.documents.texts import Text, text

_FORMS = (".csv", ".parquet", ".xlsx")
"""Kinds of files that a scenario names as they are."""


@dataclass(frozen=True)
class SourceCases:
    """Cases as `read_table` reads them."""

    file: Path
    """The source itself, or the copy."""
    told: tuple[Text, ...] = ()
    """What was taken where the source does not say it, and what was written anew."""
    undecided: tuple[Undecided, ...] = ()


def source_cases(source: Path, scratch: Path, order: DateOrder | None = None, table: str | None = None) -> SourceCases:
    """Return the cases in ``source``; a copy lies in ``scratch``. ``table``: the sheet or table, where it has several.

    Raises:
        InputError: what `open_source` and `SourceTable.collect` raise; ``data.several_tables``.
    """
    found, taken = _read(source, scratch, table)
    written = [respell(column, order) for column in found.select(pl.col(pl.String))]
    respelled = [one for one in written if isinstance(one, Respelled)]
    undecided = tuple(one for one in written if isinstance(one, Undecided))
    if not respelled and not taken and table is None and source.suffix.lower() in _FORMS:
        return SourceCases(source, undecided=undecided)
    copy = _copied(found.with_columns(one.column for one in respelled), scratch / _stem(source))
    told = [
        text("draft.decided.respelled", column=one.column.name, found=one.before, to=one.after) for one in respelled
    ]
    copied = text("draft.decided.copied", source=source.name, file=copy.name)
    return SourceCases(copy, (*taken, *told, copied), undecided)


def columns_of(source: Path, scratch: Path) -> tuple[list[str], int]:
    """Return the names of the columns and the number of rows; raises as `source_cases`."""
    found, _ = _read(source, scratch, None)
    return found.columns, found.height


def _stem(source: Path) -> str:
    return Path(source.stem).stem if source.suffix.lower() in (".gz", ".zip") else source.stem


def _read(source: Path, scratch: Path, table: str | None) -> tuple[pl.DataFrame, tuple[Text, ...]]:
    require_small(source)
    with scanning(source):
        opened = open_source(str(source), scratch, ReadOptions(tables=(table,) if table else (), quick=True))
        found = opened.only()
        others = ", ".join(one.name for one in opened.tables if one is not found)
        left_out = [text("draft.decided.first_table", table=found.name, others=others)] if others else []
        return found.collect(), (*opened.taken, *left_out)


def _copied(cases: pl.DataFrame, copy: Path) -> Path:
    """Write ``cases`` as CSV, or as Parquet where that is read as something else: columns of types, names of digits."""
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
