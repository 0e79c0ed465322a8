"""The work of `work_program` that unpacks anyone's zip archive. It stands alone: standard library only.

Every member is checked before anything is written, and bytes are counted as they are unpacked, not as the archive
declares them. Nothing is executed; only plain files and folders are made.
"""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

CHUNK = 1 << 20
MAXIMUM_NAME = 1000


class RefusedArchiveError(Exception):
    """An archive that is not unpacked; ``kind`` names the reason."""

    def __init__(self, kind: str, found: object) -> None:
        super().__init__(kind)
        self.kind, self.found = kind, str(found)


def run(greeting: dict[str, Any]) -> dict[str, int]:
    """Unpack the archive and return the number of unpacked bytes; raises `RefusedArchiveError`."""
    written, allowed = 0, greeting["bytes"]
    with zipfile.ZipFile(greeting["archive"]) as opened:
        entries = opened.infolist()
        if len(entries) > greeting["files"]:
            raise RefusedArchiveError("many", len(entries))
        for entry in entries:
            check(entry, greeting["depth"])
        require_apart(entries)
        for entry in entries:
            written += write(opened, entry, Path(greeting["target"]), allowed - written)
    return {"bytes": written}


def check(entry: zipfile.ZipInfo, depth: int) -> None:
    """Raise unless ``entry`` is a plain file or folder inside the archive's own folder."""
    path = PurePosixPath(entry.filename)
    odd = path.is_absolute() or ".." in path.parts or "\\" in entry.filename or "\x00" in entry.filename
    if odd or len(path.parts) > depth or len(entry.filename) > MAXIMUM_NAME:
        raise RefusedArchiveError("path", entry.filename)
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise RefusedArchiveError("link", entry.filename)
    if entry.flag_bits & 1:
        raise RefusedArchiveError("encrypted", entry.filename)


def require_apart(entries: list[zipfile.ZipInfo]) -> None:
    """Raise if two entries have the same path, or one is inside what another says is a file."""
    files: set[PurePosixPath] = set()
    for entry in entries:
        path = PurePosixPath(entry.filename)
        if not entry.is_dir():
            if path in files:
                raise RefusedArchiveError("twice", entry.filename)
            files.add(path)
    for entry in entries:
        path = PurePosixPath(entry.filename)
        if files.intersection(path.parents) or (entry.is_dir() and path in files):
            raise RefusedArchiveError("twice", entry.filename)


def write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, left: int) -> int:
    """Write one entry and return its bytes."""
    target = folder.joinpath(*PurePosixPath(entry.filename).parts)
    if entry.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with opened.open(entry) as source, target.open("xb") as copy:
        while chunk := source.read(CHUNK):
            written += len(chunk)
            if written > left:
                raise RefusedArchiveError("large", written)
            copy.write(chunk)
    return written


REFUSED = RefusedArchiveError
