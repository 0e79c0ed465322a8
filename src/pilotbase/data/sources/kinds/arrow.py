"""Arrow IPC (Feather): scanned in place, as Parquet is."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pilotbase.data.sources.columns import open_columns
from pilotbase.data.sources.source import OpenedSource, ReadOptions, require_file


def read(place: str, asked: ReadOptions, scratch: Path) -> OpenedSource:
    """Return the tables in ``place``; see `pilotbase.data.sources.source.Read`."""
    path = Path(place)
    require_file(path)
    return open_columns(pl.scan_ipc(path, glob=False), path, "application/vnd.apache.arrow.file", asked, list)
