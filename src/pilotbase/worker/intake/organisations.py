"""Organisations from a spreadsheet, for the command line: previewed as a whole, then all registered or none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pilotbase.catalogue.importing import ImportPlan, plan_organisations
from pilotbase.catalogue.saving import save_all
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.subjects import Organisation
from pilotbase.documents.texts import Text, text
from pilotbase.sandbox.box.sheets import read_sheet
from pilotbase.worker.base import Base


@dataclass(frozen=True)
class ImportPreview:
    """What a spreadsheet would do."""

    file: Path
    plan: ImportPlan[Organisation]

    def lines(self) -> Iterator[Text]:
        """Yield the preview in words: how many rows make which change, and each that changes anything."""
        numbers = {change: self.plan.count(change) for change in ("new", "changed", "same")}
        yield text("worker.import_planned", file=self.file.name, **numbers)
        for one in self.plan.planned:
            if one.change != "same":
                yield text(
                    "worker.import_row", row=one.row, name=one.content.name, change=text(f"imports.change.{one.change}")
                )


def look_at_organisations(base: Base, file: Path) -> ImportPreview:
    """Return what importing the organisations in ``file`` (CSV or XLSX, read in a box) would change in the base.

    Raises:
        InputError: there is no such file, it is no spreadsheet, or its rows have problems: lists all at once.
    """
    if not file.is_file():
        raise InputError("input.no_file", file=file)
    plan = plan_organisations(base.lab.view, read_sheet(file, base.home.scratch))
    if plan.problems:
        issues = [
            Issue(
                file=file.name,
                line=one.row,
                path=one.column,
                problem=text("worker.import_problem", found=one.found or "–", allowed=one.why),
            )
            for one in plan.problems
        ]
        raise InputError.from_issues(file.name, issues)
    return ImportPreview(file, plan)


def import_organisations(base: Base, looked: ImportPreview) -> Text:
    """Register the previewed organisations, all or none, and return what was done.

    Raises:
        RefusedError: an organisation would be changed; only a person does that, in the hub.
    """
    saved = save_all(base.lab.view, looked.plan.contents(), "organisations.imported")
    return text("worker.imported", count=len(saved))
