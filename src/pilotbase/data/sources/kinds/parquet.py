"""Parquet: scanned where it is, once every column has been decoded from end to end."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pilotbase.data.sources.columns import open_columns
from pilotbase.data.sources.faults import refuse
from pilotbase.data.sources.files import require_file
from pilotbase.data.sources.parquet_footer import row_groups
from pilotbase.data.sources.source import OpenedSource, ReadOptions
from pilotbase.documents.texts import text

_MAGIC = b"PAR1"
_MEDIA = "application/vnd.apache.parquet"


def read(place: str, asked: ReadOptions, scratch: Path) -> OpenedSource:
    """Return the tables in ``place``; see `pilotbase.data.sources.source.Read`."""
    path = Path(place)
    require_file(path)
    _check_ends(path)
    return open_columns(pl.scan_parquet(path, glob=False), path, _MEDIA, asked, lambda: row_groups(path))


def _check_ends(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(4)
        stream.seek(-min(4, size), 2)
        end = stream.read(4)
    if start != _MAGIC:
        raise refuse(path.name, text("source.no_parquet", found=start.hex(" ")))
    if end != _MAGIC or size < 12:
        raise refuse(path.name, text("source.cut_parquet", size=size))
