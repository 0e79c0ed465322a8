"""Cases from any kind of file that `open_source` reads, as a file that a scenario can name and `read_table` reads.

That is the file itself where it reads to the same rows already; else a copy, in UTF-8, with dates and numbers as they
are read. So a draft decides once how a file is to be read, and no trial ever guesses it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pilotbase.data.date_forms import Undecided
from pilotbase.data.respelling import Respelled, respell
from pilotbase.data.sources.opening import open_source
from pilotbase.data.sources.source import OpenedSource, ReadOptions, SourceTable
from pilotbase.data.tables import MAXIMUM_BYTES, MAXIMUM_CELLS, READERS, missing_as_null, read_table
from pilotbase.documents.errors import InputError
from pilotbase.documents.moments import DateOrder
from pilotbase.documents.texts import Text, text

_OF_SEVERAL = (".json", ".jsonl", ".ndjson", ".xlsx", ".xlsm")
"""Kinds whose first table is the one of the cases: the records of JSON, the first sheet of a workbook."""


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
        InputError: what `open_source` and `read_table` raise; ``data.several_tables``, ``data.too_many_cells``.
    """
    found, taken = _read(source, scratch, table)
    written = [respell(column, order) for column in found.select(pl.col(pl.String))]
    respelled = [one for one in written if isinstance(one, Respelled)]
    undecided = tuple(one for one in written if isinstance(one, Undecided))
    if not respelled and _reads_alike(source, found):
        return SourceCases(source, undecided=undecided)
    found = found.with_columns(one.column for one in respelled)
    plain = all(dtype == pl.String for dtype in found.dtypes)
    copy = scratch / f"{_stem(source)}{'.csv' if plain else '.parquet'}"
    if plain:
        found.write_csv(copy)
    else:
        found.write_parquet(copy)
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
    kind = source.suffix.lower()
    if kind in (".parquet", ".xlsx") and table is None:  # of Parquet with the structures that hold images
        try:
            found = read_table(source)
        except InputError:
            pass  # the other reader tells more, or reads what this one refuses
        else:
            if pl.Duration not in found.dtypes:
                return found, ()
    if source.is_file() and source.stat().st_size > MAXIMUM_BYTES:
        raise InputError("data.file_too_large", file=source.name, size=source.stat().st_size, limit=MAXIMUM_BYTES)
    opened = open_source(str(source), scratch, ReadOptions(tables=(table,) if table else ()))
    one, left_out = _only(opened, kind)
    if one.rows * len(one.columns) > MAXIMUM_CELLS:
        raise InputError(
            "data.too_many_cells", file=source.name, rows=one.rows, columns=len(one.columns), limit=MAXIMUM_CELLS
        )
    return missing_as_null(one.frame.collect(engine="streaming"), ("",)), (*opened.taken, *left_out)


def _only(opened: OpenedSource, kind: str) -> tuple[SourceTable, Iterator[Text]]:
    first, *others = opened.tables
    if others and kind not in _OF_SEVERAL:
        raise InputError("data.several_tables", found=", ".join(one.name for one in opened.tables))
    names = ", ".join(one.name for one in others)
    return first, iter([text("draft.decided.first_table", table=first.name, others=names)] if others else [])


def _reads_alike(source: Path, found: pl.DataFrame) -> bool:
    """Tell whether `read_table` reads the source to these rows."""
    try:
        return source.suffix.lower() in READERS and read_table(source).equals(found)
    except InputError:
        return False
