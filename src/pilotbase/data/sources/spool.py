"""Rows of whatever kind kept as Parquet parts in a scratch folder: read once, scanned lazily as often as needed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import polars as pl

CELLS_OF_PART = 2_000_000


@dataclass(frozen=True)
class Spooled:
    """A table on disk."""

    frame: pl.LazyFrame
    rows: int


def spool(rows: Iterable[Sequence[object]], schema: Mapping[str, pl.DataType], scratch: Path) -> Spooled:
    """Return ``rows``, one value a column of ``schema``, kept in a folder of their own in ``scratch``."""
    folder = scratch / uuid.uuid4().hex
    folder.mkdir()
    count, written = 0, []
    for number, part in enumerate(_parts(iter(rows), max(1, CELLS_OF_PART // max(1, len(schema))))):
        written.append(folder / f"{number:06}.parquet")
        pl.DataFrame(part, schema=dict(schema), orient="row").write_parquet(written[-1])
        count += len(part)
    frame = pl.scan_parquet(written, glob=False) if written else pl.LazyFrame(schema=dict(schema))
    return Spooled(frame, count)


def _parts(rows: Iterator[Sequence[object]], size: int) -> Iterator[list[Sequence[object]]]:
    while part := list(islice(rows, size)):
        yield part
