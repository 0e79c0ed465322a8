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

from pilotbase.data.sources.faults import MOST_BYTES, MOST_CELLS
from pilotbase.data.sources.source import SourceTable
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
    classes: Mapping[str, int]
    """Value of the answer → in how many rows; empty if there are many."""
    without: tuple[str, ...] = ()
    """Values of the answer of which the sample has no row."""

    def told(self, file: str, target: str) -> list[Text]:
        """Return what a draft says of it."""
        said = [text("source.taken.sampled", file=file, rows=self.rows, kept=self.table.rows)]
        if self.classes:
            counted = sorted(self.classes.items(), key=lambda one: -one[1])
            shown = ", ".join(f"{label} {count:,}" for label, count in counted[:_SHOWN])
            more = ", …" if len(counted) > _SHOWN else ""
            said.append(text("source.taken.sampled_classes", file=file, column=target, classes=shown + more))
        if self.without:
            said.append(text("source.taken.sampled_without", column=target, labels=", ".join(self.without)))
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
    drawn = pl.col(together or "") if _many(table, together) else pl.struct(pl.all())
    below = int(min(1.0, most / table.rows) * (_RANGE - 1))
    kept, seen, classes = [], 0, Counter[str]()
    stage = text("source.progress.sample", file=path.name)
    for batch in table.batches():
        kept.append(_alone(batch.filter(drawn.hash(_SEED) < below)))
        if target in batch.columns and len(classes) <= _MOST_CLASSES:
            counted = batch[target].drop_nulls().cast(pl.String, strict=False).value_counts()
            classes.update(dict(counted.head(_MOST_CLASSES + 1).rows()))
        seen += batch.height
        on_progress(Progress(stage, seen, table.rows))
    sample = pl.concat(kept).rechunk()
    plain = sample.select(table.columns).lazy()
    stored = None if table.stored is None else sample.lazy()
    few = classes if len(classes) <= _MOST_CLASSES else {}
    without = sorted(set(few) - set(sample[target].cast(pl.String, strict=False))) if few else []
    drawn_rows = replace(table, frame=plain, stored=stored, rows=sample.height, in_chunks=None)
    return TableSample(drawn_rows, table.rows, few, tuple(without))


def _alone(rows: pl.DataFrame) -> pl.DataFrame:
    """Return a copy of ``rows``: few texts of a batch would keep the memory of all of them."""
    written = io.BytesIO()
    rows.write_ipc(written, compat_level=pl.CompatLevel.oldest())
    return pl.read_ipc(written.getvalue())


def _many(table: SourceTable, column: str | None) -> bool:
    """Return whether a column has many values; reads only until it has found them."""
    found: set[object] = set()
    if column is None or column not in table.columns:
        return False
    for batch in table.batches():
        found.update(batch[column].unique().head(_FEWEST_TOGETHER).to_list())
        if len(found) >= _FEWEST_TOGETHER:
            return True
    return False
