"""A table too large for memory, as an even sample of its rows, drawn in one pass of bounded memory.

A row is kept if the hash of its content is low: rows that repeat another come along or stay behind together, so that
a sample repeats as much as its table, and it is the same sample however the rows are ordered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from pilotbase.data.sources.faults import MOST_BYTES, MOST_CELLS
from pilotbase.data.sources.source import SourceTable
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.texts import Text, text

ROWS, _CELLS, _BYTES = 200_000, 20_000_000, 128 << 20
"""A sample has at most about so many rows and cells, and about so many bytes of the file."""
_SEED = 20261201
_RANGE = 1 << 64
_BATCH = 100_000
_FEWEST_TOGETHER = 1000
"""Different values from which on a column can be sampled by whole groups."""
_SHOWN = 6


def is_large(path: Path, table: SourceTable | None = None) -> bool:
    """Return whether a file is too large for a table in memory: by its bytes, or by the cells of its ``table``."""
    cells = 0 if table is None else table.rows * len(table.columns)
    return (path.is_file() and path.stat().st_size > MOST_BYTES) or cells > MOST_CELLS


def draw_sample(table: SourceTable, path: Path, together: str | None, on_progress: OnProgress) -> SourceTable:
    """Return a sample of ``table``, in its order; rows of one value of ``together`` come along together.

    Where that column has few values, single rows are drawn.
    """
    frame = table.frame if table.stored is None else table.stored
    most = min(ROWS, _CELLS // len(table.columns), int(table.rows * _BYTES / max(1, path.stat().st_size)))
    drawn = pl.struct(pl.all()) if not _many(table, together) else pl.col(together or "")
    below = int(min(1.0, most / table.rows) * (_RANGE - 1))
    kept: list[pl.DataFrame] = []
    seen, stage = 0, text("source.progress.sample", file=path.name)
    for batch in frame.collect_batches(chunk_size=_BATCH, maintain_order=True, engine="streaming"):
        kept.append(batch.filter(drawn.hash(_SEED) < below))
        seen += batch.height
        on_progress(Progress(stage, seen, table.rows))
    sample = pl.concat(kept).rechunk()
    plain = sample.select(table.columns).lazy()
    return replace(table, frame=plain, stored=None if table.stored is None else sample.lazy(), rows=sample.height)


def said_of_sample(file: str, rows: int, sample: int, target: str, classes: Mapping[str, int]) -> list[Text]:
    """Return what a draft says of a sample; ``classes``: label → how often it stands in all rows, if they are few."""
    said = [text("source.taken.sampled", file=file, rows=rows, kept=sample)]
    if classes:
        counted = sorted(classes.items(), key=lambda one: -one[1])
        shown = ", ".join(f"{label} {count:,}" for label, count in counted[:_SHOWN])
        more = ", …" if len(counted) > _SHOWN else ""
        said.append(text("source.taken.sampled_classes", file=file, column=target, classes=shown + more))
    return said


def _many(table: SourceTable, column: str | None) -> bool:
    if column is None or column not in table.columns:
        return False
    values = table.frame.select(pl.col(column).approx_n_unique()).collect(engine="streaming").item()
    return int(values) >= _FEWEST_TOGETHER
