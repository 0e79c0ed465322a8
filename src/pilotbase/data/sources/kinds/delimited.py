"""Text with separated cells: .csv, .tsv and the like, of any size, in any of the encodings that can be recognised.

The file is walked once from end to end by the rules of RFC 4180, and every row that breaks them is named by its line.
A file that Polars reads to the same rows is scanned in place; any other is kept as Parquet beside it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np
import polars as pl

from pilotbase.data.sources.source import (
    LONGEST_CELL,
    FileFaults,
    OpenedSource,
    ReadOptions,
    SourceTable,
    check_names,
    file_object,
    open_watched,
    refuse,
    require_file,
    spool,
)
from pilotbase.data.sources.text_files import (
    BLANKS,
    SAMPLE,
    Dialect,
    Encoding,
    find_encoding,
    guess_dialect,
    is_value,
    lines_above_header,
    looks_like_data,
    placed_rows,
    rows_of,
    shown_separator,
)
from pilotbase.documents.progress import OnProgress
from pilotbase.documents.texts import Text, text

_MEDIA = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".tab": "text/tab-separated-values",
    ".txt": "text/plain",
    ".dat": "text/plain",
    ".data": "text/plain",
}
_OTHER_CONTENT = {
    b"pk\x03\x04": "workbook",
    b"\xd0\xcf\x11\xe0": "old_workbook",
    b"<!doctype html": "page",
    b"<html": "page",
    b"%pdf-": "pdf",
    b"par1": "parquet",
}
"""Beginning of a file, in lower case → what it is, whatever its name says."""
_ROWS_SEEN = 200
_CHUNK = 1 << 18
_READ_AHEAD = 16 << 20
_NEWLINE, _BLANK = ord("\n"), ord(" ")


def read(place: str, asked: ReadOptions, scratch: Path) -> OpenedSource:
    """Return the tables in ``place``; see `pilotbase.data.sources.source.Read`."""
    path = Path(place)
    require_file(path)
    _require_text(path)
    encoding = find_encoding(path, asked)
    form = _Form.of(path, encoding, asked)
    walked = _walk(form)
    frame = _frame(form, walked, scratch)
    table = SourceTable(
        path.stem,
        frame,
        walked.rows,
        path.name,
        partial(_line_of, form, walked.even),
        separator=form.dialect.separator,
        in_chunks=partial(_in_chunks, form, walked) if form.is_scannable and walked.even else None,
    )
    files = (file_object(path, _MEDIA[path.suffix.lower()], asked),)
    return OpenedSource((table,), files, _taken(form, walked))


@dataclass(frozen=True)
class _Form:
    """How a file is to be read."""

    path: Path
    encoding: Encoding
    dialect: Dialect
    names: tuple[str, ...]
    has_header: bool
    on_progress: OnProgress

    @classmethod
    def of(cls, path: Path, encoding: Encoding, asked: ReadOptions) -> _Form:
        with path.open(encoding=encoding.codec, newline="") as stream:
            sample = stream.read(SAMPLE)
        faults = FileFaults(path.name)
        by_blanks = path.suffix.lower() not in (".csv", ".tsv", ".tab")
        dialect = guess_dialect(sample, by_blanks, asked.separator)
        _check_separator(sample, dialect, asked, faults)
        form = cls(path, encoding, dialect, asked.columns or (), asked.columns is None, asked.on_progress)
        first = form._first_rows(faults)
        faults.require_none()
        if form.has_header and (above := lines_above_header(first, dialect)):
            width, shown = len(first[above]), " ".join(first[0]).strip()[:60]
            faults.add(text("source.above_header", count=above, found=shown, columns=width), 1)
            faults.require_none()
        if form.has_header and looks_like_data(first[0], first[1:]):
            faults.add(text("source.no_header", found=", ".join(first[0])[:60], columns=len(first[0])), 1)
        elif form.has_header:
            form = replace(form, names=tuple(name.strip() for name in first[0]))
            names = [name for at, name in enumerate(form.names) if name or not form._may_lack_name(at)]
            check_names(names, faults)
        else:
            check_names(form.names, faults, None)
            if len(form.names) != len(first[0]):
                faults.add(text("source.other_width", found=len(first[0]), named=len(form.names)), 1)
        faults.require_none()
        return form

    @property
    def is_scannable(self) -> bool:
        """Return whether Polars reads the encoding and the separator."""
        return self.encoding.is_utf8 and self.dialect.separator.isascii() and self.dialect.separator != BLANKS

    @property
    def may_be_plain(self) -> bool:
        return self.is_scannable and all(self.names)

    def open(self, stage: str = "rows") -> TextIO:
        stream = open_watched(self.path, stage, self.on_progress)
        return TextIOWrapper(stream, self.encoding.codec, newline="")

    def rows(self, stream: TextIO) -> Iterator[list[str]]:
        """Yield the non-empty rows under the header; raises `csv.Error` for one that breaks the rules."""
        rows = (row for row in rows_of(stream, self.dialect.separator) if any(map(str.strip, row)))
        return islice(rows, int(self.has_header), None)

    def _first_rows(self, faults: FileFaults) -> list[list[str]]:
        try:
            with self.open() as stream:
                rows = (row for row in rows_of(stream, self.dialect.separator) if any(map(str.strip, row)))
                first = list(islice(rows, _ROWS_SEEN))
        except csv.Error:
            with self.open() as stream:  # the walk reports what is wrong; its header can be read
                first = [next(rows_of(stream, self.dialect.separator), [])]
        if not first:
            faults.add(text("source.no_rows_at_all"))
        return first

    def _may_lack_name(self, at: int) -> bool:
        """Return whether it is first, as row numbers of saved data frames, or last, as after an extra separator."""
        return at in (0, len(self.names) - 1) and len(self.names) > 1


@dataclass
class _Walked:
    """What was found in a pass through a file."""

    rows: int = 0
    even: bool = True
    """Each row is one line, and none is blank."""
    plain: bool = False
    """No cell is quoted either."""
    counts_rows: bool = True
    """The first cell counts the rows."""
    last_empty: bool = True
    start: int = 0
    """The number of the first row."""


def _walk(form: _Form) -> _Walked:
    lines = _count_plain_lines(form) if form.may_be_plain else None
    if lines is not None and lines > int(form.has_header):
        return _Walked(lines - int(form.has_header), plain=True, counts_rows=False, last_empty=False)
    faults, walked, width = FileFaults(form.path.name), _Walked(), len(form.names)
    with form.open() as stream:
        placed = placed_rows(stream, form.dialect.separator, faults)
        header = form.has_header
        for start, end, row in placed:
            if not any(row) or not any(map(str.strip, row)):
                walked.even = False
            elif header:
                header, walked.even = False, walked.even and end == 1
            else:
                _take(walked, row, width, form, (start, end), faults)
    if walked.rows == 0 and not faults:
        faults.add(text("source.no_rows"))
    for at, name in enumerate(form.names):
        if not name and at not in _left_out(form, walked):
            faults.add(text("source.unnamed_column", position=at + 1), 1)
    faults.require_none()
    return walked


def _take(walked: _Walked, row: list[str], width: int, form: _Form, lines: tuple[int, int], faults: FileFaults) -> None:
    if len(row) != width:
        separator = shown_separator(form.dialect.separator)
        faults.add(text("source.ragged_row", found=len(row), allowed=width, separator=separator), lines[0])
        return
    if walked.rows == 0:
        walked.start = int(row[0]) if row[0] in ("0", "1") else -1
    walked.counts_rows = walked.counts_rows and row[0] == str(walked.rows + walked.start)
    walked.last_empty = walked.last_empty and not row[-1].strip()
    walked.even = walked.even and lines[0] == lines[1]
    walked.rows += 1


def _left_out(form: _Form, walked: _Walked) -> set[int]:
    """Return the columns without a name or meaning: row numbers in front, nothing at all at the end."""
    found = {0} if walked.counts_rows and not form.names[0] else set()
    return found | ({len(form.names) - 1} if walked.last_empty and not form.names[-1] else set())


def _in_chunks(form: _Form, walked: _Walked) -> Iterator[pl.DataFrame]:
    """Yield the rows of a file whose rows are single lines: only a chunk of it is in memory."""
    names = [name or f"\0{at}" for at, name in enumerate(form.names)]
    wanted = [name for at, name in enumerate(names) if at not in _left_out(form, walked)]
    read = partial(
        pl.read_csv,
        separator=form.dialect.separator,
        has_header=False,
        schema=dict.fromkeys(names, pl.String()),
        quote_char=None if walked.plain else '"',
    )
    with form.path.open("rb") as stream:
        if form.has_header:
            stream.readline()
        while lines := stream.read(_READ_AHEAD):
            rows = read(lines + stream.readline()).select(wanted)
            yield rows.select(pl.when(pl.all() != "").then(pl.all()).name.keep())


def _frame(form: _Form, walked: _Walked, scratch: Path) -> pl.LazyFrame:
    left_out = _left_out(form, walked)
    names = [name or f"\0{at}" for at, name in enumerate(form.names)]
    frame = _scanned(form, names, walked)
    if frame is None:
        with form.open("copy") as stream:
            rows = ([cell or None for cell in row] for row in form.rows(stream))
            frame = spool(rows, dict.fromkeys(names, pl.String()), scratch).frame
    return frame.select(name for at, name in enumerate(names) if at not in left_out)


def _scanned(form: _Form, names: list[str], walked: _Walked) -> pl.LazyFrame | None:
    """Return the file as Polars scans it; None if it would read other rows."""
    if not form.is_scannable or not walked.even:
        return None
    frame = pl.scan_csv(
        form.path,
        separator=form.dialect.separator,
        has_header=False,
        skip_lines=int(form.has_header),
        schema=dict.fromkeys(names, pl.String()),
        glob=False,
        quote_char=None if walked.plain else '"',
    )
    if walked.plain:
        return frame
    try:
        same = frame.select(pl.len()).collect(engine="streaming").item() == walked.rows
    except pl.exceptions.PolarsError:
        return None
    every = pl.all()
    return frame.select(pl.when(every != "").then(every).name.keep()) if same else None


def _line_of(form: _Form, even: bool, row: int) -> int:
    if even:
        return row + 1 + int(form.has_header)
    with form.open() as stream:
        placed = placed_rows(stream, form.dialect.separator, FileFaults(form.path.name))
        full = (start for start, _, cells in placed if any(map(str.strip, cells)))
        return next(islice(full, row + int(form.has_header), None))


def _require_text(path: Path) -> None:
    """Raise `InputError` if the content is of another kind than the name says."""
    with path.open("rb") as stream:
        start = stream.read(_CHUNK).lstrip().lower()
    for mark, kind in _OTHER_CONTENT.items():
        if start.startswith(mark):
            raise refuse(path.name, text("source.other_content", found=text(f"source.content.{kind}")), 1)


def _check_separator(sample: str, dialect: Dialect, asked: ReadOptions, faults: FileFaults) -> None:
    if asked.separator is None or dialect.width > 1:
        return
    better = guess_dialect(sample, by_blanks=False)
    if better.width > 1:
        shown = shown_separator(asked.separator)
        faults.add(
            text("source.wrong_separator", columns=better.width, found=shown, better=shown_separator(better.separator)),
            1,
        )


def _taken(form: _Form, walked: _Walked) -> tuple[Text, ...]:
    file, found = form.path.name, []
    if not form.encoding.is_utf8:
        found.append(text("source.taken.encoding", file=file, encoding=form.encoding.shown))
    if form.dialect.separator != "," and form.dialect.width > 1:
        found.append(text("source.taken.separator", file=file, separator=shown_separator(form.dialect.separator)))
    values = [name for name in form.names if form.has_header and is_value(name)]
    if len(values) > 1:
        found.append(text("source.taken.values_as_names", file=file, count=len(values), names=", ".join(values[:5])))
    for at in sorted(_left_out(form, walked)):
        code = "source.taken.row_numbers" if at == 0 else "source.taken.empty_column"
        found.append(text(code, file=file, position=at + 1))
    return tuple(found)


def _count_plain_lines(form: _Form) -> int | None:
    """Return the number of lines, with the header, of a file in UTF-8 whose rows all have a cell a name; else None.

    No cell may be quoted, no line blank or very long. Most of what machines write is so plain, and is checked in
    chunks, many times as fast as by rows.
    """
    sign, width, lines, rest = ord(form.dialect.separator), len(form.names), 0, b""
    with open_watched(form.path, "rows", form.on_progress) as stream:
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
