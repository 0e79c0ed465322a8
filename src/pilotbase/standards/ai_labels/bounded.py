"""An untrusted file, read by offset and length: never beyond its end, never beyond a budget, always in finite time."""

from __future__ import annotations

import zlib
from typing import BinaryIO

from pilotbase.documents.texts import Text, text

MOST_PARTS = 100_000
"""Chunks, boxes, frames and fields in one file; a file with more is refused."""
MOST_BYTES = 8 << 20
"""Bytes of metadata read from one file."""
LONGEST_TEXT = 256 << 10
"""Bytes of one text."""


class UnreadableError(ValueError):
    """The file isn't what its first bytes claim, or has too many parts; `said` contains the reason."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.said: Text = text(code, **params)


class Bounded:
    """A file with its size; `read` refuses ranges beyond its end or its budget."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self.size = stream, size
        self._parts, self._bytes = MOST_PARTS, MOST_BYTES

    def read(self, at: int, length: int) -> bytes:
        """Return the bytes from ``at`` on; raises `UnreadableError` if the file ends before."""
        if at < 0 or length < 0 or at + length > self.size:
            raise UnreadableError("standard.file.cut_off", at=at)
        self._bytes -= length
        if self._bytes < 0:
            raise UnreadableError("standard.file.too_much", allowed=MOST_BYTES)
        self._stream.seek(at)
        data = self._stream.read(length)
        if len(data) != length:
            raise UnreadableError("standard.file.cut_off", at=at)
        return data

    def within(self, at: int, length: int) -> None:
        """Check that the file has this many bytes there; raises `UnreadableError`. Nothing is read."""
        if at < 0 or length < 0 or at + length > self.size:
            raise UnreadableError("standard.file.cut_off", at=at)

    def text(self, at: int, length: int) -> bytes:
        """Return a text's bytes, cut at `LONGEST_TEXT`; raises as `read`."""
        self.within(at, length)
        return self.read(at, min(length, LONGEST_TEXT))

    def count(self) -> None:
        """Count one more part; raises `UnreadableError` if there are too many."""
        self._parts -= 1
        if self._parts < 0:
            raise UnreadableError("standard.file.too_many_parts", allowed=MOST_PARTS)

    def inflate(self, data: bytes) -> bytes:
        """Return zlib data decompressed, cut at `LONGEST_TEXT`: the rest is never decompressed. Raises as `read`."""
        try:
            found = zlib.decompressobj().decompress(data, LONGEST_TEXT)
        except zlib.error as error:
            raise UnreadableError("standard.file.not_compressed") from error
        self._bytes -= len(found)
        if self._bytes < 0:
            raise UnreadableError("standard.file.too_much", allowed=MOST_BYTES)
        return found
