"""Opens a source of any kind: a file, a folder of images, or the address of a database."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import polars as pl

from pilotbase.data.sources.kinds import kind_of, reader_of
from pilotbase.data.sources.source import (
    BROKEN,
    MOST_BYTES,
    OpenedSource,
    ReadOptions,
    file_object,
    first_line,
    open_watched,
    refuse,
    require_file,
)
from pilotbase.documents.dataset import FileObject
from pilotbase.documents.errors import InputError
from pilotbase.documents.progress import OnProgress
from pilotbase.documents.quantities import format_bytes
from pilotbase.documents.texts import text

ALLOWED = ".csv, .tsv, .txt, .parquet, .arrow, .xlsx, .jsonl, .json, .sqlite, postgresql://…"
_NOTHING = ReadOptions()
_MOST_UNPACKED = 20 << 30
_MOST_RATIO = 250
"""Unpacked bytes a packed byte, once more than `HARMLESS` came out; tables stay far below, bombs are near 1000."""
HARMLESS = 64 << 20
ENDINGS = {".gz": "application/gzip", ".zip": "application/zip"}
_ARCHIVES = (".gz", ".zip", ".bz2", ".xz", ".7z", ".rar", ".tar", ".tgz", ".zst")
_CHUNK = 1 << 20


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
    """Return the one table in ``path``, or its first sheet, in memory: texts if the file holds texts.

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
    archive = file_object(path, ENDINGS[path.suffix.lower()], asked)
    opened = open_source(str(unpack(path, scratch, asked.on_progress)), scratch, asked)
    inside = [
        one.model_copy(update={"contained_in": (archive.id,)}) if isinstance(one, FileObject) else one
        for one in opened.resources
    ]
    return replace(opened, resources=(archive, *inside))


def unpack(path: Path, scratch: Path, on_progress: OnProgress) -> Path:
    """Return the one file in ``path``, unpacked into ``scratch`` under its own plain name.

    Raises:
        InputError: no such archive, damaged, encrypted, more than one file in it, another archive in it, or a bomb.
    """
    try:
        with open_watched(path, "unpack", on_progress) as packed:
            if path.suffix.lower() != ".gz":
                return _from_zip(packed, path, scratch)
            with gzip.open(packed) as stream:
                return _copy(stream, path, path.stem, scratch)
    except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise refuse(path.name, text("source.broken_archive", reason=str(error)[:120])) from None


def _from_zip(packed: IO[bytes], path: Path, scratch: Path) -> Path:
    with zipfile.ZipFile(packed) as archive:
        members = [
            info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith("__MACOSX")
        ]
        if len(members) != 1:
            names = ", ".join(info.filename for info in members[:5])
            raise refuse(path.name, text("source.many_in_archive", found=len(members), names=names or "—"))
        with archive.open(members[0]) as stream:
            return _copy(stream, path, Path(members[0].filename).name, scratch)


def _copy(packed: IO[bytes] | gzip.GzipFile, path: Path, name: str, scratch: Path) -> Path:
    if Path(name).suffix.lower() in _ARCHIVES:
        raise refuse(path.name, text("source.archive_in_archive"), path=name)
    folder = scratch / "unpacked"
    folder.mkdir(exist_ok=True)
    target, size, allowed = folder / name, 0, max(HARMLESS, _MOST_RATIO * path.stat().st_size)
    with target.open("wb") as written:
        while chunk := packed.read(_CHUNK):
            size += len(chunk)
            if size > min(allowed, _MOST_UNPACKED):
                written.close()
                shutil.rmtree(folder)
                raise refuse(path.name, text("source.bomb", size=format_bytes(size), ratio=_MOST_RATIO), path=name)
            written.write(chunk)
    return target
