"""One compressed file unpacked into a scratch folder, bounded in size and ratio: a bomb is refused while it unpacks."""

from __future__ import annotations

import gzip
import shutil
import zipfile
import zlib
from pathlib import Path
from typing import IO

from pilotbase.data.sources.faults import refuse
from pilotbase.documents.quantities import format_bytes
from pilotbase.documents.texts import text

MOST_UNPACKED = 20 << 30
MOST_RATIO = 250
"""Unpacked bytes a packed byte, once more than `HARMLESS` came out; tables stay far below, bombs are near 1000."""
HARMLESS = 64 << 20
ENDINGS = {".gz": "application/gzip", ".zip": "application/zip"}
_ARCHIVES = (".gz", ".zip", ".bz2", ".xz", ".7z", ".rar", ".tar", ".tgz", ".zst")
_CHUNK = 1 << 20


def unpack(path: Path, scratch: Path) -> Path:
    """Return the one file in ``path``, unpacked into ``scratch`` under its own plain name.

    Raises:
        InputError: no such archive, damaged, encrypted, more than one file in it, another archive in it, or a bomb.
    """
    try:
        return _from_gzip(path, scratch) if path.suffix.lower() == ".gz" else _from_zip(path, scratch)
    except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise refuse(path.name, text("source.broken_archive", reason=str(error)[:120])) from None


def _from_gzip(path: Path, scratch: Path) -> Path:
    with gzip.open(path) as stream:
        return _copy(stream, path, path.stem, scratch)


def _from_zip(path: Path, scratch: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
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
    target, size, allowed = folder / name, 0, max(HARMLESS, MOST_RATIO * path.stat().st_size)
    with target.open("wb") as written:
        while chunk := packed.read(_CHUNK):
            size += len(chunk)
            if size > min(allowed, MOST_UNPACKED):
                written.close()
                shutil.rmtree(folder)
                raise refuse(path.name, text("source.bomb", size=format_bytes(size), ratio=MOST_RATIO), path=name)
            written.write(chunk)
    return target
