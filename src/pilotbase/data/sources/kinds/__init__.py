"""The kinds of sources, one file each with a function ``read``. Only the requested kind is loaded."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from pilotbase.data.sources.source import Read

_ENDINGS = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt", ".dat", ".data"), "delimited"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".arrow", ".ipc", ".feather"), "arrow"),
    **dict.fromkeys((".xlsx", ".xlsm"), "workbook"),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "json_lines"),
    **dict.fromkeys((".sqlite", ".sqlite3", ".db", ".gpkg"), "sqlite"),
}
_SCHEMES = ("postgresql://", "postgres://")


def kind_of(place: str) -> str | None:
    """Return the kind of ``place``, a path or an address, by its name; None: unknown. A folder holds images."""
    if place.startswith(_SCHEMES):
        return "postgres"
    return _ENDINGS.get(Path(place).suffix.lower()) or ("images" if Path(place).is_dir() else None)


def reader_of(kind: str) -> Read:
    """Return the reader of this kind."""
    read: Read = import_module(f"{__name__}.{kind}").read
    return read
