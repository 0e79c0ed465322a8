"""A table too large for memory, as an even sample of its rows, drawn in one pass of bounded memory.

A row is kept if the hash of its content is low: rows that repeat another come along or stay behind together, so that
a sample repeats as much as its table, and it is the same sample however the rows are ordered.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from pilotbase.data.sources.source import MOST_BYTES, MOST_CELLS, SourceTable, telling_rows
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.texts import Text, text

ROWS, _CELLS, _BYTES = 100_000, 20_000_000, 128 << 20
"""A sample has at most about so many rows and cells, and about so many bytes of the file."""
_SEED = 20261201
_RANGE = 1 << 64
_FEWEST_TOGETHER = 1000
"""Different values from which on a column can be sampled by whole groups."""
_MOST_CLASSES, _SHOWN = 50, 6


def is_large(path: Path, table: SourceTable | None = None) -> bool:
    """Return whether a file is too large for a table in memory: by its bytes, or by the cells of its ``table``."""
    cells = 0 if table is None else table.rows * len(table.columns)
    return (path.is_file() and path.stat().st_size > MOST_BYTES) or cells > MOST_CELLS


@dataclass(frozen=True)
class TableSample:
    """A sample of a table, and what was counted in all of its rows."""

    table: SourceTable
    rows: int
    target: str
    classes: Mapping[str, int]
    """Value of ``target`` → in how many rows; empty if there are many."""
    together: str | None = None
    """The column whose equal values came along together; None: each row by itself."""

    def thinned(self, rows: int) -> TableSample:
        """Return the sample of about so many rows that a draw from the whole table finds."""
        if rows >= self.table.rows:
            return self
        kept = _stored(self.table).filter(_lowest(self.together, rows / self.rows)).collect()
        return replace(self, table=_in_memory(self.table, kept))

    def told(self, file: str) -> list[Text]:
        """Return what a draft says of it."""
        said = [text("source.taken.sampled", file=file, rows=self.rows, kept=self.table.rows)]
        if self.classes:
            counted = sorted(self.classes.items(), key=lambda one: -one[1])
            shown = ", ".join(f"{label} {count:,}" for label, count in counted[:_SHOWN])
            more = ", …" if len(counted) > _SHOWN else ""
            said.append(text("source.taken.sampled_classes", file=file, column=self.target, classes=shown + more))
            found = self.table.frame.select(pl.col(self.target).cast(pl.String, strict=False)).collect().to_series()
            if without := sorted(set(self.classes) - set(found)):
                said.append(text("source.taken.sampled_without", column=self.target, labels=", ".join(without)))
        return said


def draw_sample(
    table: SourceTable,
    path: Path,
    target: str,
    together: str | None = None,
    on_progress: OnProgress = ignore_progress,
    rows: int | None = None,
) -> TableSample:
    """Return a sample of ``table``, in its order; rows of one value of ``together`` come along together.

    Where that column has few values, single rows are drawn. ``target``: the column whose values are counted. ``rows``:
    about so many, if fewer than `ROWS` are enough.
    """
    most = min(rows or ROWS, _CELLS // len(table.columns), int(table.rows * _BYTES / max(1, path.stat().st_size)))
    together = together if _many(table, together, on_progress) else None
    low = _lowest(together, most / table.rows)
    kept, seen, classes = [], 0, Counter[str]()
    stage = text("source.progress.sample", file=path.name)
    for batch in table.batches():
        kept.append(_alone(batch.filter(low)))
        if target in batch.columns and len(classes) <= _MOST_CLASSES:
            counted = batch[target].drop_nulls().cast(pl.String, strict=False).value_counts()
            classes.update(dict(counted.head(_MOST_CLASSES + 1).rows()))
        seen += batch.height
        on_progress(Progress(stage, seen, table.rows))
    few = classes if len(classes) <= _MOST_CLASSES else {}
    return TableSample(_in_memory(table, pl.concat(kept).rechunk()), table.rows, target, few, together)


def _lowest(together: str | None, share: float) -> pl.Expr:
    """Return the condition that a row, or its value of ``together``, has one of the lowest hashes: this share."""
    drawn = pl.struct(pl.all()) if together is None else pl.col(together)
    return drawn.hash(_SEED) < int(min(1.0, share) * (_RANGE - 1))


def _stored(table: SourceTable) -> pl.LazyFrame:
    return table.frame if table.stored is None else table.stored


def _in_memory(table: SourceTable, rows: pl.DataFrame) -> SourceTable:
    """Return ``table`` with only ``rows`` of it, which are in memory."""
    stored = None if table.stored is None else rows.lazy()
    frame = rows.select(table.columns).lazy()
    return replace(table, frame=frame, stored=stored, rows=rows.height, in_chunks=None)


def _alone(rows: pl.DataFrame) -> pl.DataFrame:
    """Return a copy of ``rows``: few texts of a batch would keep the memory of all of them."""
    written = io.BytesIO()
    rows.write_ipc(written, compat_level=pl.CompatLevel.oldest())
    return pl.read_ipc(written.getvalue())


def _many(table: SourceTable, column: str | None, on_progress: OnProgress) -> bool:
    """Return whether a column has many values; reads only until it has found them."""
    found: set[object] = set()
    if column is None or column not in table.columns:
        return False
    on_rows, seen = telling_rows(text("source.progress.columns", table=table.name), table.rows, on_progress), 0
    for batch in table.batches():
        found.update(batch[column].unique().head(_FEWEST_TOGETHER).to_list())
        if len(found) >= _FEWEST_TOGETHER:
            return True
        on_rows(seen := seen + batch.height)
    return False
