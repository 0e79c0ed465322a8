"""Workbooks (.xlsx): each visible sheet a table, its first row that holds anything the header.

What a sheet shows and a table cannot hold is refused by its cell: merged cells, errors, formulas that nothing computed.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

import fastexcel
import polars as pl

from pilotbase.data.sources.bounds import MOST_BYTES
from pilotbase.data.sources.faults import SHOWN, FileFaults, check_names, refuse
from pilotbase.data.sources.files import file_object, require_file
from pilotbase.data.sources.source import OpenedSource, ReadOptions, SourceTable
from pilotbase.data.sources.spool import spool
from pilotbase.data.sources.workbook_cells import SheetCells, read_cells, sheet_members
from pilotbase.documents.nearest import offer
from pilotbase.documents.quantities import format_bytes
from pilotbase.documents.texts import Text, text

_MEDIA = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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
    files = (file_object(path, _MEDIA, asked.quick),)
    return OpenedSource(tables, files, tuple(_taken(full, path.name)), led=True)


@dataclass(frozen=True)
class _Sheet:
    """A sheet whose rows are read, as texts."""

    name: str
    rows: pl.DataFrame
    """From the first row and column that hold anything."""
    cells: SheetCells

    @classmethod
    def of(cls, workbook: fastexcel.ExcelReader, name: str, cells: SheetCells, file: str) -> _Sheet | None:
        """Return the sheet; None for a hidden or an empty one."""
        sheet = workbook.load_sheet(name, header_row=None, dtypes="string")
        rows = sheet.to_polars()
        return cls(name, rows, cells) if sheet.visible == "visible" and rows.height else None

    @property
    def header(self) -> list[str]:
        return [str(name or "").strip() for name in self.rows.row(0)]

    @property
    def width(self) -> int:
        """How many columns have a name or anything under it."""
        used = [
            at for at, name in enumerate(self.header) if name or self.rows[1:, at].null_count() < self.rows.height - 1
        ]
        return max(used, default=-1) + 1

    def check(self, faults: FileFaults) -> None:
        """Note everything that no table can hold."""
        self.cells.note(self.name, faults, self.rows.height - 1)
        if not self.cells.merged:  # a title across the sheet is told by its merged cells
            first = self.cells.first_row or 1
            check_names(self.header[: self.width], faults, None, f"{self.name}!{first}:{first}")
        if not any(any(row) for row in self.rows[1:].iter_rows()):
            faults.add(text("source.no_rows"), path=self.name)


def _cells(path: Path, asked: ReadOptions) -> dict[str, SheetCells]:
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MOST_BYTES:
            raise refuse(
                path.name, text("source.large_workbook", size=format_bytes(unpacked), limit=format_bytes(MOST_BYTES))
            )
        members = sheet_members(archive)
        for name in asked.tables:
            if name not in members:
                raise refuse(path.name, text("source.unknown_table", found=name, allowed=offer(name, members)))
        wanted = [name for name in members if not asked.tables or name in asked.tables]
        return {name: read_cells(archive, members[name]) for name in wanted if "worksheets/" in members[name]}


def _table(sheet: _Sheet, path: Path, several: bool, scratch: Path) -> SourceTable:
    names = sheet.header[: sheet.width]
    numbers: list[int] = []
    kept = spool(_full_rows(sheet, numbers), dict.fromkeys(names, pl.String()), scratch)
    name = sheet.name if several else path.stem
    return SourceTable(name, kept.frame, kept.rows, path.name, numbers.__getitem__, selector=sheet.name)


def _full_rows(sheet: _Sheet, numbers: list[int]) -> Iterator[tuple[str | None, ...]]:
    """Yield the rows that hold anything; ``numbers`` gets the row of the sheet that each was."""
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
