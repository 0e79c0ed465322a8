"""Rows of any kind kept as Parquet parts in a scratch folder: read once, scanned lazily as often as needed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
    kept = Spool(schema, scratch)
    for row in rows:
        kept.take(row)
    return kept.close()


class Spool:
    """A table that is being written: several of them can be filled in one reading."""

    def __init__(self, schema: Mapping[str, pl.DataType], scratch: Path) -> None:
        self._schema, self._folder = dict(schema), scratch / uuid.uuid4().hex
        self._folder.mkdir()
        self._size = max(1, CELLS_OF_PART // max(1, len(schema)))
        self._rows = 0
        self._part: list[Sequence[object]] = []
        self._written: list[Path] = []

    def take(self, row: Sequence[object]) -> None:
        """Take a row, one value a column."""
        self._part.append(row)
        if len(self._part) == self._size:
            self._write()

    def close(self) -> Spooled:
        """Return the table, which then takes no more rows."""
        if self._part:
            self._write()
        schema = self._schema
        frame = pl.scan_parquet(self._written, glob=False) if self._written else pl.LazyFrame(schema=schema)
        return Spooled(frame, self._rows)

    def _write(self) -> None:
        self._written.append(self._folder / f"{len(self._written):06}.parquet")
        pl.DataFrame(self._part, schema=self._schema, orient="row").write_parquet(self._written[-1])
        self._rows += len(self._part)
        self._part = []
