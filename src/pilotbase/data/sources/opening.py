"""Opens a source of any kind: a file, a folder of images, or the address of a database."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import polars as pl

from pilotbase.data.sources.bounds import MOST_BYTES
from pilotbase.data.sources.faults import BROKEN, first_line, refuse
from pilotbase.data.sources.files import file_object, require_file
from pilotbase.data.sources.kinds import kind_of, reader_of
from pilotbase.data.sources.source import OpenedSource, ReadOptions
from pilotbase.data.sources.unpacking import ENDINGS, unpack
from pilotbase.documents.dataset import FileObject
from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import text

ALLOWED = ".csv, .tsv, .txt, .parquet, .arrow, .xlsx, .jsonl, .json, .sqlite, postgresql://…"
_NOTHING = ReadOptions()


def open_source(place: str, scratch: Path, asked: ReadOptions = _NOTHING) -> OpenedSource:
    """Return the tables in ``place``, fully checked; ``scratch`` must outlive them.

    A .gz or .zip with one file in it is read as that file.

    Raises:
        InputError: ``data.no_file``, or every problem of the source at once, each with its place and what to do.
    """
    ending = Path(place).suffix.lower()
    if ending in ENDINGS and "://" not in place:
        return _packed(Path(place), scratch, asked)
    kind = kind_of(place)
    if kind is not None:
        return reader_of(kind)(place, asked, scratch)
    if not Path(place).exists():
        raise InputError("data.no_file", file=place)
    raise refuse(Path(place).name, text("source.unknown_kind", allowed=ALLOWED))


def read_table(path: Path, missing: Sequence[str] = ("",)) -> pl.DataFrame:
    """Return the one table in ``path``, or its first sheet, in memory: texts where the file holds texts.

    ``missing`` are the spellings of a missing value, see `SourceTable.collect`.

    Raises:
        InputError: what `open_source`, `OpenedSource.only` and `SourceTable.collect` raise; the file is too large;
            misfits that would be read as missing.
    """
    require_small(path)
    with tempfile.TemporaryDirectory(prefix="pilotbase-table-") as scratch, scanning(path):
        opened = open_source(str(path), Path(scratch), ReadOptions(quick=True))
        opened.require_whole()
        return opened.only().collect(missing)


def require_small(path: Path) -> None:
    """Raise `InputError` if ``path`` is a file too large for a table in memory."""
    if path.is_file() and path.stat().st_size > MOST_BYTES:
        raise InputError("data.file_too_large", file=path.name, size=path.stat().st_size, limit=MOST_BYTES)


@contextmanager
def scanning(path: Path) -> Iterator[None]:
    """Name damage that appears only while scanning a quickly opened ``path`` in the words of `open_source`."""
    try:
        yield
    except BROKEN as error:
        with tempfile.TemporaryDirectory(prefix="pilotbase-table-") as scratch:
            open_source(str(path), Path(scratch))
        raise InputError("quality.unreadable", file=path.name, reason=first_line(error)) from None


def _packed(path: Path, scratch: Path, asked: ReadOptions) -> OpenedSource:
    require_file(path)
    archive = file_object(path, ENDINGS[path.suffix.lower()], asked.quick)
    opened = open_source(str(unpack(path, scratch)), scratch, asked)
    inside = [
        one.model_copy(update={"contained_in": (archive.id,)}) if isinstance(one, FileObject) else one
        for one in opened.resources
    ]
    return replace(opened, resources=(archive, *inside))
