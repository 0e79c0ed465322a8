"""Zip archives of whomever, member by member: bounded in number and size, nothing is unpacked to disk.

Python up to 3.13 reads no Zstandard (method 93, .ZIP file format specification 6.3.10 §4.4.5), which agents' logs are
packed with; there the ``zstandard`` package does, where it is installed.
"""

from __future__ import annotations

import importlib.util
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pilotbase.documents.errors import InputError
from pilotbase.documents.extras import packages_of

MAXIMUM_MEMBERS = 200_000
_ZSTANDARD = 93
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_ENCRYPTED = 1


class ZipMembers:
    """The members of an archive by name; where a name stands twice the last counts, as everywhere."""

    def __init__(self, stream: IO[bytes], file: str, most_bytes: int, most_of_all: int) -> None:
        self._stream, self._file = stream, file
        self._most_bytes, self._left = most_bytes, most_of_all
        self._archive = zipfile.ZipFile(stream)
        found = self._archive.infolist()
        if len(found) > MAXIMUM_MEMBERS:
            raise InputError("zip.members", file=file, limit=MAXIMUM_MEMBERS)
        self.by_name = {info.filename: info for info in found}

    def read(self, name: str) -> bytes:
        """Return a member's bytes.

        Raises:
            InputError: it is larger than a member, or all that are read together, may be; encrypted; packed in a way
                that is not read here; damaged.
        """
        info = self.by_name[name]
        if info.flag_bits & _ENCRYPTED:
            raise InputError("zip.broken", file=self._file, reason=f"{name[:200]} is encrypted")
        limit = min(self._most_bytes, self._left)
        with _in_words(self._file), self._open(info) as stream:
            content = stream.read(limit + 1)
        if len(content) > limit:
            raise InputError("zip.too_large", file=self._file, member=name[:200], limit=limit)
        if zlib.crc32(content) != info.CRC:
            raise InputError("zip.broken", file=self._file, reason=f"{name[:200]} is damaged")
        self._left -= len(content)
        return content

    def _open(self, info: zipfile.ZipInfo) -> IO[bytes]:
        if info.compress_type != _ZSTANDARD:
            return self._archive.open(info)
        packed = io.BytesIO(self._packed(info))
        reader: IO[bytes] = _zstandard(self._file).ZstdDecompressor().stream_reader(packed, read_across_frames=True)
        return reader

    def _packed(self, info: zipfile.ZipInfo) -> bytes:
        self._stream.seek(info.header_offset)
        *_, name, extra = _LOCAL_HEADER.unpack(self._stream.read(_LOCAL_HEADER.size))
        self._stream.seek(name + extra, io.SEEK_CUR)
        return self._stream.read(min(info.compress_size, self._most_bytes))


@contextmanager
def opened_zip(path: Path, most_bytes: int, most_of_all: int) -> Iterator[ZipMembers]:
    """Open an archive: at most ``most_bytes`` of one member and ``most_of_all`` of all that are read.

    Raises:
        InputError: there is no such file, it is no zip archive, or it has too many members.
    """
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        raise InputError("input.no_file", file=path) from None
    except OSError as error:
        raise InputError("input.unreadable_file", file=path, reason=error.strerror or str(error)) from None
    with stream:
        with _in_words(path.name):
            members = ZipMembers(stream, path.name, most_bytes, most_of_all)
        yield members


def _zstandard(file: str) -> Any:
    if importlib.util.find_spec("zstandard") is None:
        raise InputError("zip.needs_zstandard", file=file, packages=packages_of("inspect"))
    import zstandard

    return zstandard


@contextmanager
def _in_words(file: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - the readers of archives raise whatever they stumble over
        reason = f"{type(error).__name__}: {error}"[:200]
        raise InputError("zip.broken", file=file, reason=reason) from None
