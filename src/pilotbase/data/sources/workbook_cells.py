"""The cells of a sheet as their XML says: which are merged, computed or errors, and where the first one stands.

Read as a stream with a parser that knows no entities; values themselves are read by fastexcel.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from dataclasses import dataclass, field
from xml.parsers import expat

from pilotbase.data.sources.faults import FileFaults, are_few, refuse
from pilotbase.documents.texts import text

_CHUNK = 1 << 20
_CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})")
MOST_SPREAD = 4_000_000
"""Cells of the rectangle that a sheet may span, however few of them hold anything: 128 MB where it is read."""
MOST_KEPT = 1000
"""Places of one kind that are kept of a sheet."""


@dataclass
class SheetCells:
    """What is special about the cells of one sheet; places as ``B7`` or ``B7:C9``."""

    merged: list[str] = field(default_factory=list)
    uncomputed: list[str] = field(default_factory=list)
    """Formulas without a value: nothing has computed them since they were written."""
    errors: list[tuple[str, str]] = field(default_factory=list)
    """(place, ``#DIV/0!``)."""
    computed_columns: set[str] = field(default_factory=set)
    first_row: int | None = None
    """Of the first cell that holds anything, counted from 1."""
    first_column: int | None = None
    last_row: int = 0
    last_column: int = 0
    held: int = 0
    """Cells that hold a value or a formula."""

    def require_dense(self, sheet: str, file: str) -> None:
        """Raise `InputError` for few cells far apart: who reads a sheet makes room for the whole rectangle."""
        rows = self.last_row - (self.first_row or 1) + 1
        columns = self.last_column - (self.first_column or 1) + 1
        if rows * columns > max(MOST_SPREAD, 10 * self.held):
            problem = text("source.sparse_sheet", held=self.held, rows=rows, columns=columns)
            raise refuse(file, problem, path=f"{sheet}!{column_letters(self.last_column)}{self.last_row}")

    def note(self, sheet: str, faults: FileFaults, rows: int = 0) -> None:
        """Note every cell that shows something else than what is read of it.

        ``rows``: of so many rows, formulas without a value are no fault where they are few.
        """
        for place in self.merged:
            faults.add(text("source.merged_cells"), path=f"{sheet}!{place}")
        for place in [] if are_few(len(self.uncomputed), rows) else self.uncomputed:
            faults.add(text("source.uncomputed"), path=f"{sheet}!{place}")
        for place, found in self.errors:
            faults.add(text("source.error_cell", found=found), path=f"{sheet}!{place}")


def read_cells(archive: zipfile.ZipFile, member: str) -> SheetCells:
    """Return what is special about the cells of the sheet in ``member``; raises `expat.ExpatError`."""
    reading = _Reading()
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            reading.parser.Parse(chunk)
        reading.parser.Parse(b"", True)
    return reading.cells


def sheet_members(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return sheet → its file in the archive, as the workbook says; raises `expat.ExpatError` and `KeyError`."""
    targets = {
        found["Id"]: found["Target"] for found in _elements(archive, "xl/_rels/workbook.xml.rels", "Relationship")
    }
    sheets = {}
    for found in _elements(archive, "xl/workbook.xml", "sheet"):
        identity = next((value for name, value in found.items() if name.rpartition(":")[2] == "id"), "")
        target = targets.get(identity, "")
        sheets[found.get("name", "")] = target.lstrip("/") if target.startswith("/") else posixpath.join("xl", target)
    return sheets


def column_letters(number: int) -> str:
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
        self.cells = SheetCells()
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
        elif local == "mergeCell" and len(self.cells.merged) < MOST_KEPT:
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
        cells, place = self.cells, f"{column_letters(self._column)}{self._row}"
        if self._holds or self._formula or self._valued:
            cells.held += 1
            cells.last_row, cells.last_column = max(cells.last_row, self._row), max(cells.last_column, self._column)
        if self._holds:
            cells.first_row = min(cells.first_row or self._row, self._row)
            cells.first_column = min(cells.first_column or self._column, self._column)
        if self._formula:
            cells.computed_columns.add(column_letters(self._column))
            if not self._holds and len(cells.uncomputed) < MOST_KEPT:
                cells.uncomputed.append(place)
        if self._kind == "e" and len(cells.errors) < MOST_KEPT:
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
