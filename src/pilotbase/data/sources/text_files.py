"""How to read a text file: in which encoding, with which separator, with a header or without.

The encoding is that of its byte order mark, else the one in which its bytes can be read: UTF-8, UTF-16 (either order)
and GB18030 (which includes GBK and GB2312) can be recognised. A file in two encodings is refused with the byte and the
line at which the second begins. The separator is the one that gives the first lines one width.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from pilotbase.data.sources.source import LONGEST_CELL, FileFaults, ReadOptions, open_watched
from pilotbase.documents.texts import Text, text

SEPARATORS = (",", "\t", ";", "|", "，", "；")
BLANKS = " "
"""Runs of blanks between cells, as measuring programs write them; never used if a separator fits."""
SAMPLE = 1 << 18
_ROWS = 200
_FEWEST_BELOW, _NARROWEST = 4, 2
_DATE = re.compile(r"(19|20)\d\d[-/.年](0?[1-9]|1[0-2])([-/.月](0?[1-9]|[12]\d|3[01]))?[月日]?")
_NUMBER = re.compile(r"\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*")


_SEPARATORS: dict[str, Text] = {
    "\t": text("source.separator.tab"),
    BLANKS: text("source.separator.blanks"),
}
_CHUNK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CJK = re.compile(r"[⺀-鿿豈-﫿＀-￯]")
_COMMON_PAIR = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_FEWEST_COMMON = 0.5
"""Share of the bytes above 127 that must be of GB2312, which is really used; those of Latin letters are not."""

csv.field_size_limit(LONGEST_CELL)  # one for the whole process; its own would be 131,072


@dataclass(frozen=True)
class Dialect:
    """A separator, how many cells its first lines have with it, and the share of lines that have so many."""

    separator: str
    width: int
    share: float


def guess_dialect(sample: str, by_blanks: bool, asked: str | None = None) -> Dialect:
    """Return how ``sample``, the beginning of a file, is divided; ``by_blanks``: runs of blanks may divide words, too.

    The first line decides, because it names every column; how many later lines agree comes second.
    """
    candidates = (asked,) if asked else SEPARATORS
    found = [dialect for dialect in (_try(sample, separator) for separator in candidates) if dialect is not None]
    wide = [dialect for dialect in found if dialect.width > 1]
    if not wide and not asked and (by_blanks or _holds_numbers(sample)):
        blank = _try(sample, BLANKS)
        wide = [blank] if blank is not None and blank.width > 1 and blank.share == 1 else []
    best = max(wide, key=lambda dialect: (dialect.share > 0.5, dialect.share, dialect.width), default=None)
    return best or (found[0] if found else Dialect(asked or ",", 1, 1.0))


def looks_like_data(first: Sequence[str], later: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row holds values, not names: all numbers, one twice, one with a fraction, or most
    within those of their columns. Whole numbers may be names of sensors.
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


def lines_above_header(first: Sequence[Sequence[str]], dialect: Dialect) -> int:
    """Return how many of the first rows are titles or notes: far narrower than the header, as wide as the rows below.

    0 unless there are such rows; a header without some of its names is not one of them.
    """
    if dialect.separator == BLANKS or len(first) < _FEWEST_BELOW:
        return 0
    width, count = Counter(map(len, first)).most_common(1)[0]
    header = next((at for at, row in enumerate(first) if len(row) == width and _told(row) > width / 2), 0)
    above = first[:header]
    if width < _NARROWEST or count < 0.8 * (len(first) - header) or not all(_told(row) <= width / 2 for row in above):
        return 0
    return header


def is_value(name: str) -> bool:
    """Return whether the name of a column is spelled like a number or a date."""
    return _NUMBER.fullmatch(name) is not None or _DATE.fullmatch(name.strip()) is not None


def _told(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _holds_numbers(sample: str) -> bool:
    """Return whether every word under the first line is a number."""
    words = [line.split() for line in sample.splitlines()[1:_ROWS]]
    return any(words) and all(_NUMBER.fullmatch(word) for line in words for word in line)


def rows_of(stream: TextIO, separator: str) -> Iterator[list[str]]:
    """Yield the rows of RFC 4180, or the words of each line if blanks divide; raises `csv.Error`."""
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
    """Return a separator in words for a person."""
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


@dataclass(frozen=True)
class Encoding:
    """Its codec in Python, and whether the file states it or it was guessed."""

    codec: str
    shown: str
    certain: bool

    @property
    def is_utf8(self) -> bool:
        return self.codec in ("utf-8", "utf-8-sig")


def find_encoding(path: Path, asked: ReadOptions) -> Encoding:
    """Return the encoding of the whole file.

    Raises:
        InputError: bytes in no known encoding, in two of them, NUL bytes, each with its line; a requested
            encoding that does not exist, or in which the file cannot be read.
    """
    faults = FileFaults(path.name)
    with path.open("rb") as stream:
        start = stream.read(_CHUNK)
    encoding = _asked(asked.encoding, faults) or _marked(start) or _utf16_without_mark(start)
    failure = None
    if encoding is None:
        encoding = Encoding("utf-8", "UTF-8", True)
        if _first_error(path, "utf-8", asked) is not None:
            encoding = _not_utf8(path, asked, faults)
    else:
        failure = _first_error(path, encoding.codec, asked)
    faults.require_none()
    if failure is not None:
        line = _line_of(path, failure)
        faults.add(text("source.not_in_encoding", offset=failure, encoding=encoding.shown), line)
    if not encoding.codec.startswith(("utf-16", "utf-32")):
        _check_nul(path, asked, faults)
    faults.require_none()
    return encoding


def _asked(name: str | None, faults: FileFaults) -> Encoding | None:
    if name is None:
        return None
    try:
        return Encoding(codecs.lookup(name).name, name.upper(), True)
    except LookupError:
        faults.add(text("source.unknown_encoding", found=name))
        return None


def _marked(start: bytes) -> Encoding | None:
    for mark, codec in _MARKS:
        if start.startswith(mark):
            order = "" if codec == "utf-8-sig" else " LE" if mark[0] == 0xFF else " BE"
            return Encoding(codec, ("UTF-8" if codec == "utf-8-sig" else codec.upper()) + order, True)
    return None


def _utf16_without_mark(start: bytes) -> Encoding | None:
    """Guess from the zero bytes of plain letters, digits and separators."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    most, few = max(even, odd), min(even, odd)
    if most < max(2, len(start) // 20) or few > most // 50:
        return None
    return Encoding("utf-16-be", "UTF-16 BE", False) if even > odd else Encoding("utf-16-le", "UTF-16 LE", False)


def _not_utf8(path: Path, asked: ReadOptions, faults: FileFaults) -> Encoding:
    found = _Lines()
    for line in _lines(path, asked):
        found.take(line)
    if found.in_utf8 and found.in_other:
        rare = min((found.first_utf8, "UTF-8"), (found.first_other, "GB18030"), key=lambda one: -one[0].offset)
        faults.add(text("source.two_encodings", offset=rare[0].offset, encoding=rare[1]), rare[0].line)
    elif _first_error(path, "gb18030", asked) is not None or 2 * found.common < _FEWEST_COMMON * found.high:
        place = found.first_other
        faults.add(text("source.unknown_bytes", offset=place.offset, byte=f"0x{place.byte:02X}"), place.line)
    return Encoding("gb18030", "GB18030", False)


@dataclass(frozen=True)
class _Place:
    """A byte of a file."""

    offset: int
    line: int
    byte: int


class _Lines:
    """Counts which lines are in UTF-8 and which are in something else."""

    def __init__(self) -> None:
        self.in_utf8 = self.in_other = self.high = self.common = 0
        self.first_utf8 = self.first_other = _Place(0, 1, 0)
        self._offset = self._line = 0

    def take(self, line: bytes) -> None:
        self._line += 1
        if not line.isascii():
            self._judge(line)
        self._offset += len(line)

    def _judge(self, line: bytes) -> None:
        first = next(at for at, byte in enumerate(line) if byte > 127)
        place = _Place(self._offset + first, self._line, line[first])
        try:
            # GBK is hardly ever valid UTF-8, and then of two bytes a letter: no Chinese
            if not _CJK.search(line.decode("utf-8")):
                return
        except UnicodeDecodeError:
            self.first_other = self.first_other if self.in_other else place
            self.in_other += 1
            self.high += sum(byte > 127 for byte in line)
            self.common += len(_COMMON_PAIR.findall(line))
            return
        self.first_utf8 = self.first_utf8 if self.in_utf8 else place
        self.in_utf8 += 1


def _lines(path: Path, asked: ReadOptions) -> Iterator[bytes]:
    with open_watched(path, "encoding", asked.on_progress) as stream:
        while line := stream.readline(_CHUNK):
            yield line


def _first_error(path: Path, codec: str, asked: ReadOptions) -> int | None:
    """Return the offset of the first byte that ``codec`` cannot read."""
    decoder = codecs.getincrementaldecoder(codec)()
    before = 0
    with open_watched(path, "encoding", asked.on_progress) as stream:
        while True:
            chunk = stream.read(_CHUNK)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return before - pending + error.start
            except UnicodeError:
                return before
            if not chunk:
                return None
            before += len(chunk)


def _check_nul(path: Path, asked: ReadOptions, faults: FileFaults) -> None:
    before = 0
    with open_watched(path, "encoding", asked.on_progress) as stream:
        while chunk := stream.read(_CHUNK):
            at = chunk.find(b"\0")
            if at >= 0:
                faults.add(text("source.nul_byte", offset=before + at), _line_of(path, before + at))
                return
            before += len(chunk)


def _line_of(path: Path, offset: int) -> int:
    lines = 1
    with path.open("rb") as stream:
        while offset > 0 and (chunk := stream.read(min(_CHUNK, offset))):
            lines += chunk.count(b"\n")
            offset -= len(chunk)
    return lines
