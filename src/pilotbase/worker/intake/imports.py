"""Spreadsheets of organisations or capabilities, for the command line: previewed as a whole, then all rows or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pilotbase.catalogue.capabilities import state_all
from pilotbase.catalogue.importing import ImportPlan, ImportTable, plan_capabilities, plan_organisations
from pilotbase.catalogue.saving import save_all
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Text, text
from pilotbase.sandbox.box.sheets import read_sheet
from pilotbase.worker.base import Base
from pilotbase.workspace.store import View

Kind = Literal["organisations", "capabilities"]


@dataclass(frozen=True)
class _Importing:
    """How a kind is planned, and how a plan is carried out: all of it in one transaction."""

    plan: Callable[[View, ImportTable], ImportPlan[Any]]
    carry_out: Callable[[View, Sequence[Any]], int]


_KINDS: Mapping[Kind, _Importing] = {
    "organisations": _Importing(
        plan_organisations, lambda view, found: len(save_all(view, found, "organisations.imported"))
    ),
    "capabilities": _Importing(plan_capabilities, lambda view, found: state_all(view, found, "capabilities.imported")),
}


def import_file(base: Base, kind: Kind, file: Path, confirmed: bool) -> Iterator[Text]:
    """Yield what importing ``file`` (CSV or XLSX, read in a box) would do; if it is confirmed, do it: all or none.

    Raises:
        InputError: there is no such file, it is no spreadsheet, or its rows have problems: lists all at once.
        RefusedError: an organisation would be changed; only a person does that, in the hub.
    """
    if not file.is_file():
        raise InputError("input.no_file", file=file)
    plan = _KINDS[kind].plan(base.lab.view, read_sheet(file, base.home.scratch))
    _require_sound(plan, file)
    yield from _lines(plan, file)
    if confirmed:
        yield text(f"imports.done.{kind}", count=_KINDS[kind].carry_out(base.lab.view, plan.contents()))
    else:
        yield text("worker.import_unconfirmed")


def _require_sound(plan: ImportPlan[Any], file: Path) -> None:
    issues = [
        Issue(
            file=file.name,
            line=one.row,
            path=one.column,
            problem=text("worker.import_problem", found=one.found or "–", allowed=one.why),
        )
        for one in plan.problems
    ]
    if issues:
        raise InputError.from_issues(file.name, issues)


def _lines(plan: ImportPlan[Any], file: Path) -> Iterator[Text]:
    """Yield the preview in words: how many rows make which change, and each that changes anything."""
    numbers = {change: plan.count(change) for change in ("new", "changed", "same")}
    yield text("worker.import_planned", file=file.name, **numbers)
    for one in plan.planned:
        if one.change != "same":
            change = text(f"imports.change.{one.change}")
            yield text("worker.import_row", row=one.row, name=name_of(one.content.subject), change=change)
