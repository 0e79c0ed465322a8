"""The program inside a box that unpacks anyone's zip archive. It stands alone: standard library only.

Every member is checked before anything is written, and bytes are counted as they are unpacked, not as the archive
declares them. Nothing is executed; only plain files and folders are made. Speaks the frames of
`pilotbase.protocols.frames`.
"""

from __future__ import annotations

import errno
import io
import json
import os
import stat
import struct
import sys
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

HEADER = struct.Struct("<4sB3xIIQ")
MAGIC = b"PBX1"
STARTED, HELLO, READY, BATCH, ANSWER, ERROR, SHARED = range(1, 8)
CHUNK = 1 << 20
MAXIMUM_NAME = 1000


def main() -> None:
    """Unpack the archive that the greeting names and report."""
    requests, answers = io.FileIO(int(sys.argv[1])), int(sys.argv[2])
    send(answers, STARTED)
    _, _, _, _, length = HEADER.unpack(requests.read(HEADER.size))
    greeting = json.loads(requests.read(length))
    try:
        written = unpack(greeting)
    except RefusedArchiveError as refusal:
        report = {"kind": refusal.kind, "found": ascii(refusal.found)[1:-1][:300]}
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        ValueError,
        OSError,
        struct.error,
    ) as found:
        full = isinstance(found, OSError) and found.errno in (errno.ENOSPC, errno.EDQUOT)
        report = {"kind": "disk" if full else "damaged", "found": ascii(str(found))[1:-1][:300]}
    else:
        send(answers, READY, json.dumps({"bytes": written}).encode())
        return
    send(answers, ERROR, json.dumps(report).encode())


class RefusedArchiveError(Exception):
    """An archive that is not unpacked; ``kind`` names the reason."""

    def __init__(self, kind: str, found: object) -> None:
        super().__init__(kind)
        self.kind, self.found = kind, str(found)


def unpack(greeting: dict[str, Any]) -> int:
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
    return written


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


def send(descriptor: int, kind: int, payload: bytes = b"") -> None:
    """Write one frame."""
    os.writev(descriptor, [HEADER.pack(MAGIC, kind, 0, 0, len(payload)), payload])


if __name__ == "__main__":
    main()
