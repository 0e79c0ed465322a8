"""Files that come, read up to a bound, and files that people take: piece by piece, or as CSV that computes nothing."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""
_NUMBER = re.compile(r"-\d+(\.\d+)?([eE][-+]?\d+)?")
"""A number below zero computes nothing, and is still a number when it is read back."""


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


def read_bounded(path: Path, limit: int, shown_as: str | None = None) -> bytes:
    """Return the bytes of ``path``, at most ``limit`` of them; ``shown_as`` is its name in errors.

    Raises:
        InputError: there is no such file, it cannot be read, or it is larger.
    """
    file = shown_as or path
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except FileNotFoundError:
        raise InputError("input.no_file", file=file) from None
    except OSError as error:
        raise InputError("input.unreadable_file", file=file, reason=error.strerror or str(error)) from None
    if len(data) > limit:
        raise InputError("input.file_too_large", file=file, limit=limit)
    return data


def format_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a table as CSV; an apostrophe stands before whatever would be computed."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow([_safe(cell) for cell in header])
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + written.getvalue().encode()


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell


def read_cell(cell: str) -> str:
    """Return a cell as it was before `format_csv` wrote it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
