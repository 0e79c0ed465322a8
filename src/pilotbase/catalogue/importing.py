"""Effects of importing a spreadsheet: a plan with every problem of every row.

    plan_organisations(view, table)              new, changed and unchanged organisations
    plan_people(table, known)                    whom to invite; who is already a member
    plan_targets(view, table)                    targets of years, sectors and actions
    plan_capabilities(view, table)               what suppliers, service providers and experts can do

A plan changes nothing. Rows with problems say what was found and what is allowed; a plan with problems is not carried
out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Generic, Literal, Protocol, TypeVar, cast, get_args

from pilotbase.catalogue.capabilities import is_stated
from pilotbase.catalogue.figures import read_targets
from pilotbase.catalogue.records import everything, organisation_of, record_of
from pilotbase.documents.base import NAME, Localized
from pilotbase.documents.capability import (
    LONGEST_REFERENCE,
    LONGEST_SUMMARY,
    MOST_REFERENCES,
    Capability,
    CapabilityKind,
)
from pilotbase.documents.contract import Task
from pilotbase.documents.demand import DataKind
from pilotbase.documents.roadmap import Aim, Target
from pilotbase.documents.subjects import Organisation, organisation_subject
from pilotbase.documents.texts import LANGUAGES, Language, Text, text
from pilotbase.documents.vocabularies import Action, Ownership, Role, Sector
from pilotbase.workspace.records import fold
from pilotbase.workspace.store import View

Change = Literal["new", "changed", "same"]
C = TypeVar("C")
V = TypeVar("V", Sector, Action)
_NAME = re.compile(NAME)
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_WHOLE = re.compile(r"[0-9]{1,9}")
_LANGUAGE, _REGION = re.compile(r"[a-z]{2,3}"), re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_SEPARATORS = re.compile(r"[,;、，；|\n]")
_NO_ROLES: tuple[Role, ...] = ()
_NO_NAMES: tuple[str, ...] = ()
MOST_ORGANISATIONS = 2_000
"""Rows written in one transaction, during which nobody else writes."""
_EVERYTHING = frozenset({"", "all", "全部", "*"})
T = TypeVar("T")


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
    """One column; its name: text ``imports.column.<name>``; its content: text ``imports.hint.<kind>.<name>``."""

    name: str
    needed: bool
    example: str

    def title(self, language: Language) -> str:
        """Return the column's title."""
        return Text(code=f"imports.column.{self.name}").render(language)


COLUMNS: dict[str, tuple[ImportColumn, ...]] = {
    "organisations": (
        ImportColumn("name", True, "river-hospital"),
        ImportColumn("title_en", False, "River Hospital"),
        ImportColumn("title_zh", False, "江滨医院"),
        ImportColumn("roles", True, "demand_owner; reviewer"),
        ImportColumn("contact", False, "office@river.example"),
        ImportColumn("related", False, ""),
        ImportColumn("ownership", False, "government"),
        ImportColumn("ownership_proof", False, "12330100470116614Q"),
    ),
    "people": (
        ImportColumn("email", True, "li@river.example"),
        ImportColumn("organisation", True, "river-hospital"),
        ImportColumn("roles", True, "demand_owner"),
        ImportColumn("language", False, "zh"),
    ),
    "capabilities": (
        ImportColumn("organisation", True, "acme"),
        ImportColumn("name", True, "vision"),
        ImportColumn("kind", True, "provider"),
        ImportColumn("title_en", False, "Visual inspection"),
        ImportColumn("title_zh", False, "视觉检测集成"),
        ImportColumn("summary_en", False, "Brings cameras and models into running lines."),
        ImportColumn("summary_zh", False, "为在产产线加装相机和模型。"),
        ImportColumn("sectors", False, "manufacturing; energy"),
        ImportColumn("tasks", False, "detection"),
        ImportColumn("data", False, "images"),
        ImportColumn("languages", False, "zh; en"),
        ImportColumn("regions", False, "CN"),
        ImportColumn("days_a_month", False, "40"),
        ImportColumn("price", False, "per person-day"),
        ImportColumn("references", False, ""),
    ),
    "targets": (
        ImportColumn("year", True, "2026"),
        ImportColumn("figure", True, "opened"),
        ImportColumn("sector", False, "healthcare"),
        ImportColumn("action", False, ""),
        ImportColumn("number", True, "30"),
    ),
}
"""Kind of import → its columns, the one that identifies a row first."""


@dataclass(frozen=True)
class CellProblem:
    """What is wrong with one cell."""

    row: int
    column: str
    """Code of the column, or the title of an unknown one."""
    found: str
    why: Text


@dataclass
class RowCells:
    """The cells of one row, with the problems found while reading them."""

    row: int
    values: dict[str, str]
    needed: frozenset[str]
    formulas: frozenset[str]
    problems: list[CellProblem] = field(default_factory=list)

    def text(self, column: str, longest: int) -> str:
        """Return the text in ``column``; notes a problem if it is longer than ``longest``."""
        found = self.values.get(column, "")
        if len(found) > longest:
            self.refuse(column, text("imports.too_long", allowed=longest))
        return found[:longest]

    def read(self, column: str, reader: Callable[[str], T | Text], otherwise: T) -> T:
        """Return what ``reader`` makes of the cell, or ``otherwise`` if it is empty or wrong."""
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


@dataclass(frozen=True)
class Planned(Generic[C]):
    """One row that can be carried out."""

    row: int
    change: Change
    content: C


@dataclass(frozen=True)
class ImportPlan(Generic[C]):
    """The effects of an import, and its problems."""

    planned: tuple[Planned[C], ...]
    problems: tuple[CellProblem, ...]

    def count(self, change: Change) -> int:
        """Return how many rows make this kind of change."""
        return sum(one.change == change for one in self.planned)

    def contents(self) -> list[C]:
        """Return the contents that change something."""
        return [one.content for one in self.planned if one.change != "same"]


@dataclass(frozen=True)
class Guest:
    """A person to invite."""

    email: str
    organisation: str
    roles: tuple[Role, ...]
    language: Language


@dataclass(frozen=True)
class KnownPeople:
    """Present people: organisation → roles, and the (address, organisation) of members and open invitations."""

    organisations: Mapping[str, frozenset[Role]]
    invited: Collection[tuple[str, str]]


def plan_organisations(view: View, table: ImportTable) -> ImportPlan[Organisation]:
    """Return the effects of registering and editing the organisations of ``table``."""

    def read(cell: RowCells) -> Planned[Organisation]:
        found = Organisation(
            name=cell.read("name", _name, "x"),
            title=_title(cell),
            roles=cell.read("roles", _roles, _NO_ROLES),
            contact=cell.text("contact", 200),
            related=cell.read("related", _names, _NO_NAMES),
            ownership=_chosen(cell, "ownership", Ownership),
            ownership_proof=cell.text("ownership_proof", 200),
        )
        return Planned(cell.row, _compared(view, found), found)

    plan = _planned(table, "organisations", read, lambda found: found.name)
    over = [one for one in plan.planned if one.change != "same"][MOST_ORGANISATIONS:]
    too_many = [
        CellProblem(one.row, "name", one.content.name, text("imports.too_many", allowed=MOST_ORGANISATIONS))
        for one in over[:1]
    ]
    return ImportPlan(plan.planned, (*plan.problems, *too_many))


def plan_people(table: ImportTable, known: KnownPeople) -> ImportPlan[Guest]:
    """Return whom to invite; members and people with an open invitation stay as they are."""

    def read(cell: RowCells) -> Planned[Guest]:
        guest = Guest(
            cell.read("email", _address, ""),
            cell.read("organisation", _name, "x"),
            cell.read("roles", _roles, _NO_ROLES),
            cell.read("language", _language, "en"),
        )
        allowed = known.organisations.get(guest.organisation)
        if allowed is None and not cell.problems:
            cell.refuse("organisation", text("imports.no_organisation"))
        elif allowed is not None and not allowed.issuperset(guest.roles):
            cell.refuse("roles", text("imports.foreign_role", allowed=", ".join(sorted(allowed))))
        change: Change = "same" if (guest.email, guest.organisation) in known.invited else "new"
        return Planned(cell.row, change, guest)

    return _planned(table, "people", read, lambda guest: (guest.email, guest.organisation))


def plan_targets(view: View, table: ImportTable) -> ImportPlan[Target]:
    """Return which targets would be added or changed."""
    known = {target.about: target for target in read_targets(view).targets}

    def read(cell: RowCells) -> Planned[Target]:
        sector, action = _chosen(cell, "sector", Sector), _chosen(cell, "action", Action)
        found = Target(
            year=cell.read("year", _year, 2020),
            figure=cast(Aim, cell.read("figure", lambda said: _one_of("figure", get_args(Aim), said), "opened")),
            sector=sector,
            action=action,
            number=cell.read("number", _number, 0),
        )
        before = known.get(found.about)
        return Planned(cell.row, "new" if before is None else "same" if before == found else "changed", found)

    return _planned(table, "targets", read, lambda target: target.about)


def plan_capabilities(view: View, table: ImportTable) -> ImportPlan[Capability]:
    """Return which capabilities would be stated, or stated anew; one stated alike within a year stays as it is."""
    now, base = view.store.clock(), everything(view)
    registered = cache(lambda name: organisation_of(base, name) is not None)
    kinds = [one.value for one in CapabilityKind]

    def read(cell: RowCells) -> Planned[Capability]:
        summary = _localized(cell, "summary", LONGEST_SUMMARY)
        if summary is None:
            cell.refuse("summary_en", text("imports.missing"))
        organisation = cell.read("organisation", _name, "x")
        if not cell.problems and not registered(organisation):
            cell.refuse("organisation", text("imports.no_organisation"))
        said = {
            "organisation": organisation,
            "name": cell.read("name", _name, "x"),
            "kind": cell.read("kind", lambda found: _one_of("capability", kinds, found), kinds[0]),
            "title": _title(cell),
            "summary": summary or "-",
            "sectors": cell.read("sectors", lambda found: _several("sector", list(Sector), found), _NO_NAMES),
            "tasks": cell.read("tasks", lambda found: _several("match.task", get_args(Task), found), _NO_NAMES),
            "data": cell.read("data", lambda found: _several("demand.data", get_args(DataKind), found), _NO_NAMES),
            "languages": cell.read("languages", lambda found: _tags(_LANGUAGE, found.lower()), _NO_NAMES) or None,
            "regions": cell.read("regions", lambda found: _tags(_REGION, found.upper()), _NO_NAMES) or None,
            "days_a_month": cell.read("days_a_month", _days, None),
            "price": cell.text("price", 200),
            "references": cell.read("references", _references, _NO_NAMES),
            "stated_at": now,
        }
        found = Capability.model_validate(said)
        return Planned(cell.row, _of_statement(view, found), found)

    return _planned(table, "capabilities", read, lambda found: found.subject)


def _of_statement(view: View, found: Capability) -> Change:
    if view.head(found.subject) is None:
        return "new"
    return "same" if is_stated(view, found) else "changed"


def _localized(cell: RowCells, name: str, longest: int) -> Localized | None:
    english, chinese = cell.text(f"{name}_en", longest), cell.text(f"{name}_zh", longest)
    return Localized(en=english or None, zh=chinese or None) if english or chinese else None


def _several(vocabulary: str, values: Collection[str], found: str) -> tuple[str, ...] | Text:
    known = _spellings(vocabulary, values)
    said = [fold(one).strip() for one in _SEPARATORS.split(found) if one.strip()]
    if any(one not in known for one in said):
        return text("imports.not_one_of", allowed=", ".join(values))
    return tuple(sorted({known[one] for one in said}))


def _tags(pattern: re.Pattern[str], found: str) -> tuple[str, ...] | Text:
    tags = tuple(one.strip() for one in _SEPARATORS.split(found) if one.strip())
    return tags if all(pattern.fullmatch(one) for one in tags) else text("imports.not_a_tag")


def _references(found: str) -> tuple[str, ...] | Text:
    told = tuple(one.strip() for one in re.split(r"[;；\n]", found) if one.strip())
    fits = len(told) <= MOST_REFERENCES and all(len(one) <= LONGEST_REFERENCE for one in told)
    return told if fits else text("imports.too_many_references", most=MOST_REFERENCES, longest=LONGEST_REFERENCE)


def _days(found: str) -> int | Text | None:
    return int(found) if re.fullmatch(r"[0-9]{1,4}", found) else text("imports.not_a_number")


def _planned(
    table: ImportTable, kind: str, read: Callable[[RowCells], Planned[C]], about: Callable[[C], object]
) -> ImportPlan[C]:
    rows, problems = _read_cells(table, COLUMNS[kind])
    planned: list[Planned[C]] = []
    first: dict[object, int] = {}
    for cell in rows:
        one = read(cell)
        if not cell.problems:
            before = first.setdefault(about(one.content), cell.row)
            if before != cell.row:
                cell.refuse(COLUMNS[kind][0].name, text("imports.double", row=before))
        problems += cell.problems
        if not cell.problems:
            planned.append(one)
    return ImportPlan(tuple(planned), tuple(sorted(problems, key=lambda problem: problem.row)))


def _compared(view: View, found: Organisation) -> Change:
    record = record_of(view, organisation_subject(found.name))
    if record is None:
        return "new"
    return "same" if record.documents["organisation"] == found.digest() else "changed"


def _title(cell: RowCells) -> Localized | str:
    return _localized(cell, "title", 200) or cell.text("name", 63)


def _name(found: str) -> str | Text:
    return found if _NAME.fullmatch(found) else text("imports.not_a_name")


def _names(found: str) -> tuple[str, ...] | Text:
    names = tuple(name.strip() for name in re.split(r"[,;、，；|\s]", found) if name.strip())
    return names if all(_NAME.fullmatch(name) for name in names) else text("imports.not_a_name")


def _address(found: str) -> str | Text:
    fits = len(found) <= 254 and found.isascii() and _ADDRESS.fullmatch(found)
    return found.lower() if fits else text("imports.not_an_address")


def _roles(found: str) -> tuple[Role, ...] | Text:
    known = _spellings("role", [role.value for role in Role])
    said = [fold(one).strip() for one in _SEPARATORS.split(found) if one.strip()]
    if not said or any(one not in known for one in said):
        return text("imports.not_one_of", allowed=", ".join(role.value for role in Role))
    return tuple(dict.fromkeys(Role(known[one]) for one in said))


def _language(found: str) -> Language | Text:
    known: dict[str, Language] = {"": "en", "en": "en", "english": "en", "zh": "zh", "中文": "zh", "zh-hans": "zh"}
    return known.get(fold(found), text("imports.not_a_language"))


def _year(found: str) -> int | Text:
    return int(found) if re.fullmatch(r"20[2-9][0-9]", found) else text("imports.not_a_year")


def _number(found: str) -> int | Text:
    return int(found) if _WHOLE.fullmatch(found) else text("imports.not_a_number")


def _chosen(cell: RowCells, name: str, vocabulary: type[V]) -> V | None:
    if fold(cell.text(name, 100)) in _EVERYTHING:
        return None
    values = [one.value for one in vocabulary]
    value = cell.read(name, lambda found: _one_of(name, values, found), "")
    return vocabulary(value) if value else None


def _one_of(vocabulary: str, values: Collection[str], found: str) -> str | Text:
    return _spellings(vocabulary, values).get(fold(found)) or text("imports.not_one_of", allowed=", ".join(values))


def _spellings(vocabulary: str, values: Collection[str]) -> dict[str, str]:
    """Return every spelling of each value: its code, and its name in either language."""
    named = {fold(Text(code=f"{vocabulary}.{value}").render(one)): value for value in values for one in LANGUAGES}
    return named | {fold(value): value for value in values}


def _read_cells(table: ImportTable, columns: Sequence[ImportColumn]) -> tuple[list[RowCells], list[CellProblem]]:
    """Return the rows of ``table`` by column, and the problems of its header; if there are any, no rows."""
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
