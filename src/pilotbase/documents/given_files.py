"""A file that somebody takes, whole or one part of it: opened piece by piece, of no particular type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pilotbase.documents.hashes import Digest


@dataclass(frozen=True)
class Stretch:
    """A part of a file: the bytes from ``start`` to before ``end``."""

    start: int
    end: int


Part = Callable[[int, Digest], Stretch | None]
"""Which part of a file is wanted, of its size and what names its bytes; None: all of it."""


def whole(_size: int, _tag: Digest) -> Stretch | None:
    """Want all of a file."""
    return None


@dataclass(frozen=True)
class File:
    """A file that somebody takes: its pieces are opened one after the other."""

    name: str
    size: int
    """Of the whole file, in bytes."""
    pieces: Iterator[bytes]
    part: Stretch | None = None
    """Which bytes of it these are; None: all."""
    tag: Digest = ""
    """Names the bytes that are kept: it is another one for other bytes."""
    in_parts: bool = False
    """Whether parts of it may be asked for."""

    @classmethod
    def of(cls, name: str, content: bytes) -> File:
        """Return a small file whose bytes are at hand."""
        return cls(name, len(content), iter([content]))

    def content(self) -> bytes:
        """Return all of its bytes, once."""
        return b"".join(self.pieces)
