"""Archives of strangers unpacked within bounds: nothing outside the folder, no links, no bombs."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from pilotbase.catalogue.folders import MAXIMUM_DEPTH, MAXIMUM_FILES
from pilotbase.documents.errors import InputError
from pilotbase.documents.visible_text import make_visible

_CHUNK = 1 << 20
_MAXIMUM_NAME = 1000


def unpack_zip(archive: IO[bytes], folder: Path, most_bytes: int) -> Path:
    """Unpack ``archive`` into ``folder`` and return the folder of what was packed: the one folder in it, or itself.

    The bytes are counted as they come out, whatever the archive says of itself.

    Raises:
        InputError: no zip, damaged, encrypted, a path that leads out, a link, too many files or too many bytes.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            left = most_bytes
            for entry in _entries(opened):
                left -= _write(opened, entry, folder, left, most_bytes)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("hub.archive_damaged", reason=make_visible(str(error))[:200]) from None
    inner = list(folder.iterdir())
    return inner[0] if len(inner) == 1 and inner[0].is_dir() else folder


def _entries(opened: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    entries = opened.infolist()
    if len(entries) > MAXIMUM_FILES:
        raise InputError("hub.archive_many", found=len(entries), allowed=MAXIMUM_FILES)
    for entry in entries:
        path = PurePosixPath(entry.filename)
        odd = path.is_absolute() or ".." in path.parts or "\\" in entry.filename or "\x00" in entry.filename
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if odd or len(path.parts) > MAXIMUM_DEPTH or len(entry.filename) > _MAXIMUM_NAME:
            raise InputError("hub.archive_path", found=make_visible(entry.filename)[:200])
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise InputError("hub.archive_link", found=make_visible(entry.filename)[:200])
        if entry.flag_bits & 1:
            raise InputError("hub.archive_encrypted", found=make_visible(entry.filename)[:200])
        yield entry


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, left: int, most: int) -> int:
    target = folder.joinpath(*PurePosixPath(entry.filename).parts)
    if entry.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with opened.open(entry) as source, target.open("xb") as copy:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > left:
                raise InputError("hub.archive_large", allowed=most)
            copy.write(chunk)
    return written
