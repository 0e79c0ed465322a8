"""Workbooks (.xlsx): each visible sheet a table, its first non-empty row the header.

What a sheet shows and a table cannot hold is refused by its cell: merged cells, errors, formulas without a value.
These are found in the XML, as a stream and with a parser that knows no entities; fastexcel reads the values.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

import fastexcel
import polars as pl

from pilotbase.data.sources.source import (
    MOST_BYTES,
    SHOWN,
    FileFaults,
    OpenedSource,
    ReadOptions,
    SourceTable,
    are_few,
    check_names,
    file_object,
    refuse,
    require_file,
    spool,
)
from pilotbase.documents.errors import offer
from pilotbase.documents.quantities import format_bytes
from pilotbase.documents.texts import Text, text

_MEDIA = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CHUNK = 1 << 20
_CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_MOST_SPREAD = 4_000_000
"""Cells of the rectangle that a sheet may span, however few of them hold anything: 128 MB in memory."""
_MOST_KEPT = 1000
"""Places of one kind that are kept for a sheet."""


def read(place: str, asked: ReadOptions, scratch: Path) -> OpenedSource:
    """Return the tables in ``place``; see `pilotbase.data.sources.source.Read`."""
    path = Path(place)
    require_file(path)
    try:
        cells = _cells(path, asked)
        for name, found in cells.items():
            found.require_dense(name, path.name)
        workbook = fastexcel.read_excel(path)
        sheets = [_Sheet.of(workbook, name, found, path.name) for name, found in cells.items()]
    except (
        zipfile.BadZipFile,
        fastexcel.FastExcelError,
        expat.ExpatError,
        KeyError,
        zipfile.LargeZipFile,
    ) as error:
        raise refuse(path.name, text("source.broken_workbook", reason=str(error)[:120])) from None
    full = [sheet for sheet in sheets if sheet is not None]
    if not full:
        raise refuse(path.name, text("source.no_rows_at_all"))
    faults = FileFaults(path.name)
    for sheet in full:
        sheet.check(faults)
    faults.require_none()
    several = len(full) > 1
    tables = tuple(_table(sheet, path, several, scratch) for sheet in full)
    files = (file_object(path, _MEDIA, asked),)
    return OpenedSource(tables, files, tuple(_taken(full, path.name)), led=True)


@dataclass(frozen=True)
class _Sheet:
    """A sheet with its rows as texts."""

    name: str
    rows: pl.DataFrame
    """From the first row and column that are not empty."""
    cells: _SheetCells

    @classmethod
    def of(cls, workbook: fastexcel.ExcelReader, name: str, cells: _SheetCells, file: str) -> _Sheet | None:
        """Return the sheet; None for a hidden or an empty one."""
        sheet = workbook.load_sheet(name, header_row=None, dtypes="string")
        rows = sheet.to_polars()
        return cls(name, rows, cells) if sheet.visible == "visible" and rows.height else None

    @property
    def header(self) -> list[str]:
        return [str(name or "").strip() for name in self.rows.row(0)]

    @property
    def width(self) -> int:
        """The number of columns with a name or with anything under it."""
        used = [
            at for at, name in enumerate(self.header) if name or self.rows[1:, at].null_count() < self.rows.height - 1
        ]
        return max(used, default=-1) + 1

    def check(self, faults: FileFaults) -> None:
        """Note everything that no table can hold."""
        self.cells.note(self.name, faults, self.rows.height - 1)
        if not self.cells.merged:  # merged cells already report a title across the sheet
            first = self.cells.first_row or 1
            check_names(self.header[: self.width], faults, None, f"{self.name}!{first}:{first}")
        if not any(any(row) for row in self.rows[1:].iter_rows()):
            faults.add(text("source.no_rows"), path=self.name)


def _cells(path: Path, asked: ReadOptions) -> dict[str, _SheetCells]:
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MOST_BYTES:
            raise refuse(
                path.name, text("source.large_workbook", size=format_bytes(unpacked), limit=format_bytes(MOST_BYTES))
            )
        members = _sheet_members(archive)
        for name in asked.tables:
            if name not in members:
                raise refuse(path.name, text("source.unknown_table", found=name, allowed=offer(name, members)))
        wanted = [name for name in members if not asked.tables or name in asked.tables]
        return {name: _read_cells(archive, members[name]) for name in wanted if "worksheets/" in members[name]}


def _table(sheet: _Sheet, path: Path, several: bool, scratch: Path) -> SourceTable:
    names = sheet.header[: sheet.width]
    numbers: list[int] = []
    kept = spool(_full_rows(sheet, numbers), dict.fromkeys(names, pl.String()), scratch)
    name = sheet.name if several else path.stem
    return SourceTable(name, kept.frame, kept.rows, path.name, numbers.__getitem__, selector=sheet.name)


def _full_rows(sheet: _Sheet, numbers: list[int]) -> Iterator[tuple[str | None, ...]]:
    """Yield the non-empty rows; ``numbers`` gets the sheet's row number of each."""
    first = (sheet.cells.first_row or 1) + 1
    for number, row in enumerate(sheet.rows[1:].iter_rows(), first):
        if any(row):
            numbers.append(number)
            yield tuple(cell or None for cell in row[: sheet.width])


def _taken(sheets: list[_Sheet], file: str) -> Iterator[Text]:
    if len(sheets) > 1:
        yield text("source.taken.sheets", file=file, sheets=", ".join(sheet.name for sheet in sheets))
    for sheet in sheets:
        if sheet.cells.uncomputed:
            cells = ", ".join(sheet.cells.uncomputed[:SHOWN]) + (", …" if sheet.cells.uncomputed[SHOWN:] else "")
            yield text("source.taken.uncomputed", file=file, sheet=sheet.name, cells=cells)
        if sheet.cells.computed_columns:
            columns = ", ".join(sorted(sheet.cells.computed_columns, key=lambda letters: (len(letters), letters)))
            yield text("source.taken.computed", file=file, sheet=sheet.name, columns=columns)


@dataclass
class _SheetCells:
    """What is special about the cells of one sheet; places as ``B7`` or ``B7:C9``."""

    merged: list[str] = field(default_factory=list)
    uncomputed: list[str] = field(default_factory=list)
    """Formulas without a value: nothing has computed them since they were written."""
    errors: list[tuple[str, str]] = field(default_factory=list)
    """(place, ``#DIV/0!``)."""
    computed_columns: set[str] = field(default_factory=set)
    first_row: int | None = None
    """The place of the first non-empty cell, counted from 1."""
    first_column: int | None = None
    last_row: int = 0
    last_column: int = 0
    held: int = 0
    """Cells that hold a value or a formula."""

    def require_dense(self, sheet: str, file: str) -> None:
        """Raise `InputError` for few cells far apart: reading a sheet makes room for the whole rectangle."""
        rows = self.last_row - (self.first_row or 1) + 1
        columns = self.last_column - (self.first_column or 1) + 1
        if rows * columns > max(_MOST_SPREAD, 10 * self.held):
            problem = text("source.sparse_sheet", held=self.held, rows=rows, columns=columns)
            raise refuse(file, problem, path=f"{sheet}!{_column_letters(self.last_column)}{self.last_row}")

    def note(self, sheet: str, faults: FileFaults, rows: int = 0) -> None:
        """Note every cell that shows something else than is read from it.

        ``rows``: out of this many rows, a few formulas without a value are no fault.
        """
        for place in self.merged:
            faults.add(text("source.merged_cells"), path=f"{sheet}!{place}")
        for place in [] if are_few(len(self.uncomputed), rows) else self.uncomputed:
            faults.add(text("source.uncomputed"), path=f"{sheet}!{place}")
        for place, found in self.errors:
            faults.add(text("source.error_cell", found=found), path=f"{sheet}!{place}")


def _read_cells(archive: zipfile.ZipFile, member: str) -> _SheetCells:
    """Return what is special about the cells of the sheet in ``member``; raises `expat.ExpatError`."""
    reading = _Reading()
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            reading.parser.Parse(chunk)
        reading.parser.Parse(b"", True)
    return reading.cells


def _sheet_members(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return sheet → its file in the archive, from the workbook; raises `expat.ExpatError` and `KeyError`."""
    targets = {
        found["Id"]: found["Target"] for found in _elements(archive, "xl/_rels/workbook.xml.rels", "Relationship")
    }
    sheets = {}
    for found in _elements(archive, "xl/workbook.xml", "sheet"):
        identity = next((value for name, value in found.items() if name.rpartition(":")[2] == "id"), "")
        target = targets.get(identity, "")
        sheets[found.get("name", "")] = target.lstrip("/") if target.startswith("/") else posixpath.join("xl", target)
    return sheets


def _column_letters(number: int) -> str:
    """Return the letters of a column, counted from 1."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number


class _Reading:
    """Follows the elements of a sheet."""

    def __init__(self) -> None:
        self.cells = _SheetCells()
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = _refuse_doctype
        self._row = self._column = 0
        self._kind = self._value = ""
        self._formula = self._in_value = self._holds = self._valued = False

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "row":
            self._row, self._column = int(attributes.get("r", self._row + 1)), 0
        elif local == "c":
            self._begin(attributes)
        elif local == "f":
            self._formula = True
        elif local in ("v", "t"):
            self._in_value = self._valued = True
        elif local == "mergeCell" and len(self.cells.merged) < _MOST_KEPT:
            self.cells.merged.append(attributes.get("ref", "?"))

    def _begin(self, attributes: dict[str, str]) -> None:
        placed = _CELL.fullmatch(attributes.get("r", ""))
        self._column = _column_number(placed[1]) if placed else self._column + 1
        self._row = int(placed[2]) if placed else self._row
        self._kind, self._value = attributes.get("t", ""), ""
        self._formula = self._holds = self._valued = False

    def _text(self, content: str) -> None:
        if self._in_value:
            self._holds = True
            if self._kind == "e":
                self._value += content

    def _end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local in ("v", "t"):
            self._in_value = False
        elif local == "c":
            self._finish()

    def _finish(self) -> None:
        cells, place = self.cells, f"{_column_letters(self._column)}{self._row}"
        if self._holds or self._formula or self._valued:
            cells.held += 1
            cells.last_row, cells.last_column = max(cells.last_row, self._row), max(cells.last_column, self._column)
        if self._holds:
            cells.first_row = min(cells.first_row or self._row, self._row)
            cells.first_column = min(cells.first_column or self._column, self._column)
        if self._formula:
            cells.computed_columns.add(_column_letters(self._column))
            if not self._holds and len(cells.uncomputed) < _MOST_KEPT:
                cells.uncomputed.append(place)
        if self._kind == "e" and len(cells.errors) < _MOST_KEPT:
            cells.errors.append((place, self._value))


def _elements(archive: zipfile.ZipFile, member: str, wanted: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == wanted:
            found.append(attributes)

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.Parse(archive.read(member), True)
    return found


def _refuse_doctype(*_: object) -> None:
    raise expat.ExpatError("a document type has no place in a workbook")
