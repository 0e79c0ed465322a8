"""A file of whomever, read by place and length: never beyond its end, never more than a budget, never for ever."""

from __future__ import annotations

import zlib
from typing import BinaryIO

from pilotbase.documents.texts import Text, text

MOST_PARTS = 100_000
"""Chunks, boxes, frames and fields that one file may have before it is refused."""
MOST_BYTES = 8 << 20
"""Bytes of metadata that are looked at in one file."""
LONGEST_TEXT = 256 << 10
"""Bytes of one text."""


class UnreadableError(ValueError):
    """The file is not what its first bytes say, or has more parts than anybody needs; `said` tells which."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.said: Text = text(code, **params)


class Bounded:
    """A file with its size; `read` refuses what is not there and what is too much."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self.size = stream, size
        self._parts, self._bytes = MOST_PARTS, MOST_BYTES

    def read(self, at: int, length: int) -> bytes:
        """Return the bytes from ``at`` on; raises `UnreadableError` when they are not all there."""
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
        """Return if so many bytes are there; raises `UnreadableError`. Nothing is read."""
        if at < 0 or length < 0 or at + length > self.size:
            raise UnreadableError("standard.file.cut_off", at=at)

    def text(self, at: int, length: int) -> bytes:
        """Return a text's bytes, cut at `LONGEST_TEXT`; raises as `read`."""
        self.within(at, length)
        return self.read(at, min(length, LONGEST_TEXT))

    def count(self) -> None:
        """Count one more part; raises `UnreadableError` when there are too many."""
        self._parts -= 1
        if self._parts < 0:
            raise UnreadableError("standard.file.too_many_parts", allowed=MOST_PARTS)

    def inflate(self, data: bytes) -> bytes:
        """Return zlib data unpacked, cut at `LONGEST_TEXT`: what swells further is never held. Raises as `read`."""
        try:
            found = zlib.decompressobj().decompress(data, LONGEST_TEXT)
        except zlib.error as error:
            raise UnreadableError("standard.file.not_compressed") from error
        self._bytes -= len(found)
        if self._bytes < 0:
            raise UnreadableError("standard.file.too_much", allowed=MOST_BYTES)
        return found
