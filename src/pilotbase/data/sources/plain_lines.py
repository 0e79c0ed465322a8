"""A text file without quotes, with one row per line: checked in chunks, many times as fast as by rows.

That is most of what machines write. Whatever is not so plain is left to `dialects.placed_rows`, which names what is
wrong by its line.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pilotbase.data.sources.bounds import LONGEST_CELL

_CHUNK = 1 << 18
_NEWLINE, _BLANK = ord("\n"), ord(" ")


def count_plain_lines(path: Path, separator: str, width: int) -> int | None:
    """Return the number of lines, with the header, of a file whose rows all have ``width`` cells; None for others.

    ``path`` is UTF-8, ``separator`` one ASCII character. No cell may be quoted, no line blank or very long.
    """
    sign, lines, rest = ord(separator), 0, b""
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            whole, newline, rest = (rest + chunk).rpartition(b"\n")
            found = _count(whole + newline, sign, width) if newline else 0
            if found is None or len(rest) > LONGEST_CELL:
                return None
            lines += found
    last = _count(rest + b"\n", sign, width) if rest else 0
    return None if last is None else lines + last


def _count(lines: bytes, separator: int, width: int) -> int | None:
    """Return the number of whole ``lines``; None unless each is a row of ``width`` cells that is not empty.

    That holds if the right number of separators lies between any two line ends.
    """
    if b'"' in lines or lines.count(b"\r") != lines.count(b"\r\n"):
        return None
    signs = np.frombuffer(lines, np.uint8)
    ends, marks = np.flatnonzero(signs == _NEWLINE), np.flatnonzero(signs == separator)
    starts = np.concatenate(([0], ends[:-1] + 1))
    if len(marks) != len(ends) * (width - 1) or int((ends - starts).max()) > LONGEST_CELL:
        return None
    if width > 1:
        within = marks.reshape(len(ends), width - 1)
        if (within[:, 0] < starts).any() or (within[:, -1] > ends).any():
            return None
    first, nothing = signs[starts], bytes((*range(_BLANK + 1), separator))
    doubtful = np.flatnonzero((first <= _BLANK) | (first == separator))
    empty = any(not lines[starts[at] : ends[at]].strip(nothing) for at in doubtful)
    return None if empty else len(ends)
