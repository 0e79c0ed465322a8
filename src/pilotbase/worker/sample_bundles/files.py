"""A sample bundle as files: one archive whose every byte follows from what is in it.

The archive is a zip of one folder, nothing compressed (what compresses well already is), names in order, no times. The
same files therefore give the same bytes on every machine, and an archive that differs from its repacked files was
altered.
``SHA256SUMS`` is what ``sha256sum -c`` reads.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.documents.files import read_bounded

SUMS = "SHA256SUMS"
REPORT = "report.html"
NEEDED = (
    "README.md",
    "cases.csv",
    "log-checkpoint.txt",
    "log-excerpt.json",
    "plan.json",
    "records.parquet",
    REPORT,
    "report.json",
    "trust-roots.json",
)
WORLD_ARCHIVE = "world.zip"
OPTIONAL = ("acceptance.json", "certificate.json", WORLD_ARCHIVE)
MAXIMUM_BYTES = 2 << 30
_OLDEST = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can name."""
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
Files = Mapping[str, bytes]


def pack(folder: str, files: Files) -> bytes:
    """Return the archive of ``files`` in one folder, with their sums."""
    content = {**files, SUMS: sums_of(files)}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(content):
            line = zipfile.ZipInfo(f"{folder}/{name}", _OLDEST)
            line.create_system, line.external_attr = 3, 0o644 << 16
            archive.writestr(line, content[name])
    return packed.getvalue()


def file_in(archive: bytes, name: str) -> bytes:
    """Return one file of an archive that was packed here."""
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        return next(packed.read(line) for line in packed.infolist() if line.filename.partition("/")[2] == name)


def unpack(file: Path) -> dict[str, bytes]:
    """Return the files of an archive, without its sums.

    Raises:
        InputError: it cannot be read, or is no bundle.
        InvalidProofError: a byte of it was altered, or a file is missing or does not belong.
    """
    data = read_bounded(file, MAXIMUM_BYTES)
    folder, content = _contents(data, file)
    files = {name: body for name, body in content.items() if name != SUMS}
    _require_sums(content, file)
    if pack(folder, files) != data:
        raise InvalidProofError("bundle.archive_altered", file=file)
    return files


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files of an unpacked bundle; raises as `unpack`. Other files in the folder are ignored."""
    names = [name for name in (*NEEDED, *OPTIONAL, SUMS) if (folder / name).is_file()]
    content = {name: read_bounded(folder / name, MAXIMUM_BYTES) for name in names}
    _require_sums(content, folder)
    return {name: body for name, body in content.items() if name != SUMS}


def sums_of(files: Files) -> bytes:
    """Return one line a file: SHA-256 in hex, two spaces, name."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "".join(lines).encode()


def _contents(data: bytes, file: Path) -> tuple[str, dict[str, bytes]]:
    """Return folder and files; refuses members that are compressed, encrypted, or have an unknown name."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            lines = archive.infolist()
            folder = lines[0].filename.partition("/")[0] if lines else ""
            if _is_ours(folder, lines, len(data)):
                return folder, {line.filename.partition("/")[2]: archive.read(line) for line in lines}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        raise InvalidProofError("bundle.archive_altered", file=file) from None
    raise InputError("bundle.no_bundle", file=file)


def _is_ours(folder: str, lines: list[zipfile.ZipInfo], size: int) -> bool:
    known = {f"{folder}/{name}" for name in (*NEEDED, *OPTIONAL, SUMS)}
    plain = all(line.compress_type == zipfile.ZIP_STORED and line.filename in known for line in lines)
    return plain and _FOLDER.fullmatch(folder) is not None and sum(line.file_size for line in lines) <= size


def _require_sums(content: Files, place: Path) -> None:
    """Return if every file is there and matches its sum; raises `InvalidProofError` naming the first that does not."""
    missing = [name for name in (*NEEDED, SUMS) if name not in content]
    if missing:
        raise InvalidProofError("bundle.file_missing", place=place, name=missing[0])
    files = {name: body for name, body in content.items() if name != SUMS}
    listed = content[SUMS].splitlines()
    for line, name in zip(sums_of(files).splitlines(), sorted(files), strict=True):
        if line not in listed:
            raise InvalidProofError("bundle.file_altered", place=place, name=name)
    if content[SUMS] != sums_of(files):
        raise InvalidProofError("bundle.file_altered", place=place, name=SUMS)
