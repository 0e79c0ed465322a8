"""How a text file divides its cells: which separator gives its first lines one width, and whether it has a header."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from pilotbase.data.sources.faults import LONGEST_CELL, FileFaults
from pilotbase.documents.texts import Text, text

SEPARATORS = (",", "\t", ";", "|", "，", "；")
BLANKS = " "
"""Runs of blanks between cells, as measuring programs write them; never taken where a separator fits."""
SAMPLE = 1 << 18
_ROWS = 200
_NUMBER = re.compile(r"\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*")


csv.field_size_limit(LONGEST_CELL)  # one for the whole process; its own would be 131,072


@dataclass(frozen=True)
class Dialect:
    """A separator, how many cells its first lines have with it, and the share of lines that have so many."""

    separator: str
    width: int
    share: float


def guess_dialect(sample: str, by_blanks: bool, asked: str | None = None) -> Dialect:
    """Return how ``sample``, the beginning of a file, is divided; ``by_blanks``: runs of blanks may divide it.

    The first line decides, because it names every column; how many later lines agree comes second.
    """
    candidates = (asked,) if asked else SEPARATORS
    found = [dialect for dialect in (_try(sample, separator) for separator in candidates) if dialect is not None]
    wide = [dialect for dialect in found if dialect.width > 1]
    if not wide and by_blanks and not asked:
        blank = _try(sample, BLANKS)
        wide = [blank] if blank is not None and blank.width > 1 and blank.share == 1 else []
    best = max(wide, key=lambda dialect: (dialect.share > 0.5, dialect.share, dialect.width), default=None)
    return best or (found[0] if found else Dialect(asked or ",", 1, 1.0))


def looks_like_data(first: Sequence[str], later: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first row holds values, not names: all numbers, one of them twice, one with a fraction, or most
    within those of their columns. Sensors are called by whole numbers.
    """
    cells = [cell for cell in first if cell.strip()]
    if not cells or not all(_NUMBER.fullmatch(cell) for cell in cells):
        return False
    if len(set(cells)) < len(cells) or not all(cell.strip().lstrip("+-").isdigit() for cell in cells):
        return True
    within = [
        _within(float(cell), [row[at] for row in later if at < len(row)]) for at, cell in enumerate(first) if cell
    ]
    return sum(within) > len(within) / 2


def rows_of(stream: TextIO, separator: str) -> Iterator[list[str]]:
    """Yield the rows of RFC 4180, or the words of each line where blanks divide; raises `csv.Error`."""
    if separator == BLANKS:
        yield from (line.split() for line in stream)
    else:
        yield from csv.reader(stream, delimiter=separator)


def placed_rows(stream: TextIO, separator: str, faults: FileFaults) -> Iterator[tuple[int, int, list[str]]]:
    """Yield (first line, last line, row); rows that break the rules are noted and left out."""
    if separator == BLANKS:
        yield from ((line, line, row) for line, row in enumerate(rows_of(stream, BLANKS), 1))
        return
    reader = csv.reader(stream, delimiter=separator, strict=True)
    start = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            _note(error, start, reader.line_num, faults)
        else:
            yield start, reader.line_num, row
        start = reader.line_num + 1


def _note(error: csv.Error, start: int, end: int, faults: FileFaults) -> None:
    said = str(error)
    if "unexpected end of data" in said or ("field limit" in said and end > start):
        faults.add(text("source.open_quote", end=end), start)
    elif "field limit" in said:
        faults.add(text("source.long_cell", limit=LONGEST_CELL), start)
    elif "new-line" in said:
        faults.add(text("source.stray_return"), start)
    else:
        faults.add(text("source.stray_quote", end=end), start)


def shown_separator(separator: str) -> Text | str:
    """Return a separator as a person is told of it."""
    return _SEPARATORS.get(separator, separator)


def _try(sample: str, separator: str) -> Dialect | None:
    rows = []
    try:
        for row in rows_of(io.StringIO(sample, newline=""), separator):
            rows += [row] if any(cell.strip() for cell in row) else []
            if len(rows) == _ROWS:
                break
    except csv.Error:
        return None
    whole = rows[:-1] if len(sample) == SAMPLE and len(rows) > 1 else rows  # the last one may be cut off
    if not whole:
        return None
    widths = Counter(map(len, whole))
    return Dialect(separator, len(whole[0]), widths[len(whole[0])] / len(whole))


def _within(value: float, cells: Sequence[str]) -> bool:
    numbers = [float(cell) for cell in cells if _NUMBER.fullmatch(cell)]
    return not numbers or min(numbers) <= value <= max(numbers)


_SEPARATORS: dict[str, Text] = {
    "\t": text("source.separator.tab"),
    BLANKS: text("source.separator.blanks"),
}
