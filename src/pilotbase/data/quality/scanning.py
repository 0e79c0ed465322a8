"""A file as a lazy table of any size: CSV (UTF-8), Parquet or Arrow IPC, never loaded as a whole."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import polars as pl

from pilotbase.data.quality.columns import ROW
from pilotbase.data.sources.flattening import in_seconds, lasting, too_wide
from pilotbase.documents.errors import InputError

_SEPARATORS = (",", ";", "\t")
_LONGEST_HEADER = 1 << 24


def scan(path: Path) -> pl.LazyFrame:
    """Return the file's columns as it stores them (a CSV's as texts) and the row's number, counted from 1.

    Raises:
        InputError: ``quality.unknown_kind``, ``data.no_file``, ``quality.unreadable``, ``data.double_column``.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError("quality.unknown_kind", file=path.name, allowed=", ".join(_READERS))
    if not path.is_file():
        raise InputError("data.no_file", file=str(path))
    if path.stat().st_size == 0:
        raise InputError("data.empty_file", file=path.name)
    with reading(path):
        return reader(path)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what the table library says of a broken file into an `InputError` that names it."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise InputError("quality.unreadable", file=path.name, reason=first) from None


def _scan_csv(path: Path) -> pl.LazyFrame:
    separator = _separator(path)
    return pl.scan_csv(
        path, separator=separator, infer_schema=False, glob=False, row_index_name=ROW, row_index_offset=1
    )


def _separator(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.readline(_LONGEST_HEADER)
    try:
        header = start.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("quality.not_utf8", file=path.name) from None
    separator = next((one for one in _SEPARATORS if one in header), ",")
    names = next(csv.reader([header], delimiter=separator), [])
    double = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if double:
        raise InputError("data.double_column", file=path.name, found=", ".join(double))
    return separator


def _scan_parquet(path: Path) -> pl.LazyFrame:
    _decode_sparingly()
    return _plain(pl.scan_parquet(path, glob=False, row_index_name=ROW, row_index_offset=1))


def _plain(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return the frame as a description holds it: without what cannot be decoded, lengths of time in seconds."""
    kept = frame.drop(too_wide(frame))
    return kept.with_columns(map(in_seconds, lasting(kept)))


def _decode_sparingly() -> None:
    """Have row groups decoded column by column, a few at a time, unless somebody chose otherwise for this process.

    Else so many lie decoded before the first is looked at that fresh memory is a third of the work. More threads want
    more at a time: half as many as there are.
    """
    few = max(1, pl.thread_pool_size() // 2)
    os.environ.setdefault("POLARS_ROW_GROUP_PREFETCH_SIZE", str(few))
    os.environ.setdefault("POLARS_PARQUET_DECODE_TARGET_VALUES_PER_THREAD", "1")


def _scan_ipc(path: Path) -> pl.LazyFrame:
    return _plain(pl.scan_ipc(path, glob=False, row_index_name=ROW, row_index_offset=1))


_READERS: Mapping[str, Callable[[Path], pl.LazyFrame]] = MappingProxyType(
    {".csv": _scan_csv, ".parquet": _scan_parquet, ".arrow": _scan_ipc, ".ipc": _scan_ipc}
)
