"""The columns of an import: found by their code or by what they are called in either language, read cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pilotbase.documents.texts import LANGUAGES, Language, Text, text
from pilotbase.workspace.records import fold

V = TypeVar("V")


class TableRow(Protocol):
    """One row of a spreadsheet."""

    @property
    def number(self) -> int: ...
    @property
    def cells(self) -> tuple[str, ...]: ...
    @property
    def formulas(self) -> frozenset[int]: ...


class ImportTable(Protocol):
    """A spreadsheet whose first row names its columns."""

    @property
    def header(self) -> tuple[str, ...]: ...
    @property
    def rows(self) -> Sequence[TableRow]: ...


@dataclass(frozen=True)
class ImportColumn:
    """One column; names: text ``imports.column.<name>``; what it holds: text ``imports.hint.<kind>.<name>``."""

    name: str
    needed: bool
    example: str

    def title(self, language: Language) -> str:
        """Return what it is called."""
        return Text(code=f"imports.column.{self.name}").render(language)


COLUMNS: dict[str, tuple[ImportColumn, ...]] = {
    "organisations": (
        ImportColumn("name", True, "river-hospital"),
        ImportColumn("title_en", False, "River Hospital"),
        ImportColumn("title_zh", False, "江滨医院"),
        ImportColumn("roles", True, "demand_owner; reviewer"),
        ImportColumn("contact", False, "office@river.example"),
        ImportColumn("related", False, ""),
    ),
    "people": (
        ImportColumn("email", True, "li@river.example"),
        ImportColumn("organisation", True, "river-hospital"),
        ImportColumn("roles", True, "demand_owner"),
        ImportColumn("language", False, "zh"),
    ),
    "targets": (
        ImportColumn("year", True, "2026"),
        ImportColumn("figure", True, "opened"),
        ImportColumn("sector", False, "healthcare"),
        ImportColumn("action", False, ""),
        ImportColumn("number", True, "30"),
    ),
}
"""Kind of import → its columns, the one that names a row first."""


@dataclass(frozen=True)
class CellProblem:
    """What is wrong with one cell."""

    row: int
    column: str
    """Code of the column, or what stands in the head of an unknown one."""
    found: str
    why: Text


@dataclass
class RowCells:
    """The cells of one row, with the problems that reading them met."""

    row: int
    values: dict[str, str]
    needed: frozenset[str]
    formulas: frozenset[str]
    problems: list[CellProblem] = field(default_factory=list)

    def text(self, column: str, longest: int) -> str:
        """Return what stands in ``column``; a problem when it is longer than ``longest``."""
        found = self.values.get(column, "")
        if len(found) > longest:
            self.refuse(column, text("imports.too_long", allowed=longest))
        return found[:longest]

    def read(self, column: str, reader: Callable[[str], V | Text], otherwise: V) -> V:
        """Return what ``reader`` makes of the cell; ``otherwise`` where nothing stands there or it says why not."""
        found = self.values.get(column, "")
        if not found:
            if column in self.needed:
                self.refuse(column, text("imports.missing"))
            return otherwise
        read = reader(found)
        if isinstance(read, Text):
            self.refuse(column, read)
            return otherwise
        return read

    def refuse(self, column: str, why: Text) -> None:
        """Add a problem."""
        self.problems.append(CellProblem(self.row, column, self.values.get(column, "")[:80], why))


def read_cells(table: ImportTable, columns: Sequence[ImportColumn]) -> tuple[list[RowCells], list[CellProblem]]:
    """Return the rows of ``table`` by column; what is wrong with its head, and then no rows."""
    places, problems = _places(table.header, columns)
    if problems:
        return [], problems
    needed = frozenset(column.name for column in columns if column.needed)
    rows = []
    for row in table.rows:
        values = {name: row.cells[place].strip() if place < len(row.cells) else "" for name, place in places.items()}
        formulas = frozenset(name for name, place in places.items() if place in row.formulas)
        cell = RowCells(row.number, values, needed, formulas)
        for name in sorted(formulas):
            cell.refuse(name, text("imports.formula"))
        if len(row.cells) > len(table.header) and any(one.strip() for one in row.cells[len(table.header) :]):
            cell.refuse("", text("imports.ragged", found=len(row.cells), allowed=len(table.header)))
        rows.append(cell)
    return rows, problems


def _places(header: Sequence[str], columns: Sequence[ImportColumn]) -> tuple[dict[str, int], list[CellProblem]]:
    known = {fold(column.title(language)): column.name for column in columns for language in LANGUAGES}
    known |= {column.name: column.name for column in columns}
    places: dict[str, int] = {}
    problems = []
    for place, title in enumerate(header):
        name = known.get(fold(title.rstrip("*").strip()))
        if name is None and title:
            allowed = ", ".join(column.name for column in columns)
            problems.append(CellProblem(1, title[:80], title[:80], text("imports.unknown_column", allowed=allowed)))
        elif name in places:
            problems.append(CellProblem(1, title[:80], title[:80], text("imports.double_column")))
        elif name is not None:
            places[name] = place
    lacking = [column.name for column in columns if column.needed and column.name not in places]
    problems += [CellProblem(1, name, "", text("imports.no_column")) for name in lacking]
    return places, problems
