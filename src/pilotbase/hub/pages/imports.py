"""Organisations, people, targets and capabilities from a spreadsheet: looked at whole, then carried out at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect, render

from pilotbase.catalogue.capabilities import state_all
from pilotbase.catalogue.figures import set_targets
from pilotbase.catalogue.importing import (
    COLUMNS,
    CellProblem,
    Change,
    ImportPlan,
    plan_capabilities,
    plan_organisations,
    plan_people,
    plan_targets,
)
from pilotbase.catalogue.saving import save_all
from pilotbase.documents.base import Localized
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.files import format_csv
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.permissions import DeskAct
from pilotbase.documents.texts import LANGUAGES, make_visible, text
from pilotbase.hub.acting import HubRequest, language, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import add_errors
from pilotbase.hub.forms.files import erased_on_failure, keep_file, make_name, opened_table
from pilotbase.hub.people.invitations import changing_roles, invite_all, known_people
from pilotbase.hub.presenters.taken import CSV, download
from pilotbase.hub.routing import FORM, POST, page
from pilotbase.hub.sentences import asked, t
from pilotbase.sandbox.box.sheets import MAXIMUM_BYTES, MAXIMUM_ROWS, SUFFIXES, Spreadsheet, read_sheet
from pilotbase.vault.uploads import Upload, erase_upload, find_upload
from pilotbase.worker.base import vault_of
from pilotbase.worker.operations.binding import there
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.store import View

SHOWN = 200
"""So many problems and so many rows stand on the page; all problems in a file beside it."""


class ImportForm(forms.Form):
    """A spreadsheet."""

    file = forms.FileField(**asked("imports.file", "imports.file_help"))

    def clean_file(self) -> UploadedFile[Any]:
        upload: UploadedFile[Any] = self.cleaned_data["file"]
        if Path(upload.name or "").suffix.lower() not in SUFFIXES:
            raise ValidationError(t("imports.no_spreadsheet"))
        if (upload.size or 0) > MAXIMUM_BYTES:
            raise ValidationError(text("imports.large", allowed=MAXIMUM_BYTES).render(language()))
        return upload


@dataclass(frozen=True)
class Looked:
    """A kept spreadsheet as it was read now, and what it would do now."""

    kind: str
    upload: Upload
    sheet: Spreadsheet
    plan: ImportPlan[Any]

    @property
    def mark(self) -> str:
        """Return what names this plan: carried out is what was seen."""
        rows = [(one.row, one.change, _cells(self.kind, one.content)) for one in self.plan.planned]
        return digest_bytes(repr((rows, self.plan.problems)).encode())


@page("import/", "imports", DeskAct.IMPORT)
def show(request: HubRequest) -> HttpResponse:
    """Show what can be imported."""
    kinds = [{"name": kind, "columns": COLUMNS[kind]} for kind in COLUMNS]
    shown = {"title": text("imports.title"), "kinds": kinds, "form": ImportForm(), "rows": MAXIMUM_ROWS}
    return render(request, "hub/imports.html", shown)


@page("import/<str:kind>/template.csv", "import-template", DeskAct.IMPORT)
def template(request: HubRequest, kind: str) -> HttpResponse:
    """Give an empty spreadsheet with the columns of a kind, called as in the reader's language."""
    header = [column.title(language()) for column in _columns(kind)]
    return download(format_csv(header, []), CSV, f"{kind}.csv")


@page("import/<str:kind>/", "import-start", DeskAct.IMPORT, FORM)
def start(request: HubRequest, kind: str) -> HttpResponse:
    """Take a spreadsheet in: it is kept, and read in a box."""
    columns = _columns(kind)
    form = ImportForm(*posted_files(request))
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            upload = keep_file(request.acting.view, file, make_name(file.name))
            with erased_on_failure(request.acting.view, upload):
                _look(request.acting.view, kind, upload.identity)
            return redirect("import-preview", kind=kind, identity=upload.identity)
        except (InputError, RefusedError) as error:
            add_errors(form, error)
    shown = {
        "title": text(f"imports.{kind}"),
        "crumbs": _crumbs(),
        "kind": kind,
        "columns": [
            {"column": column, "title": column.title(language()), "help": text(f"imports.hint.{kind}.{column.name}")}
            for column in columns
        ],
        "form": form,
    }
    return render(request, "hub/import_start.html", shown)


@page("import/<str:kind>/<drawn:identity>/", "import-preview", DeskAct.IMPORT)
def preview(request: HubRequest, kind: str, identity: str) -> HttpResponse:
    """Show what a spreadsheet would do, and all that is wrong with it; nothing is done."""
    return _preview(request, kind, _look(request.acting.view, kind, identity))


@page("import/<str:kind>/<drawn:identity>/problems.csv", "import-problems", DeskAct.IMPORT)
def problems(request: HubRequest, kind: str, identity: str) -> HttpResponse:
    """Give every problem as a file."""
    found = _look(request.acting.view, kind, identity).plan.problems
    header = [text(f"imports.{name}").render(language()) for name in ("row", "column", "found", "allowed")]
    return download(format_csv(header, (_spelled(problem) for problem in found)), CSV, f"{kind}-problems.csv")


@page("import/<str:kind>/<drawn:identity>/confirm/", "import-confirm", DeskAct.IMPORT, POST)
def confirm(request: HubRequest, kind: str, identity: str) -> HttpResponse:
    """Carry out what was shown: all of it in one transaction; what has changed meanwhile is shown first."""
    view = request.acting.view
    looked = _look(view, kind, identity)
    if looked.plan.problems or request.POST.get("mark") != looked.mark:
        messages.warning(request, text("imports.changed_meanwhile").render(language()))
        return _preview(request, kind, looked)
    try:
        done = _carry_out(request, kind, looked.plan)
    except (InputError, RefusedError, ConflictError) as error:
        messages.error(request, error.render(language(), make_visible))
        return _preview(request, kind, looked)
    erase_upload(vault_of(base(), view), identity)
    messages.success(request, text(f"imports.done.{kind}", count=done).render(language()))
    there_after = {"targets": "overview", "capabilities": "profiles"}.get(kind)
    return redirect(there_after) if there_after else redirect("records", section="organisations")


@page("import/<str:kind>/<drawn:identity>/cancel/", "import-cancel", DeskAct.IMPORT, POST)
def cancel(request: HubRequest, kind: str, identity: str) -> HttpResponse:
    """Forget a spreadsheet."""
    _columns(kind)
    view = request.acting.view
    erase_upload(vault_of(base(), view), find_upload(vault_of(base(), view), identity).identity)
    return redirect("imports")


def _look(view: View, kind: str, identity: str) -> Looked:
    """Return a kept spreadsheet, read and planned now; raises `NotFoundError` where this organisation keeps none."""
    _columns(kind)
    upload = find_upload(vault_of(base(), view), identity)
    with opened_table(view, upload) as path:
        sheet = read_sheet(path, base().home.scratch)
    plan: ImportPlan[Any]
    if kind == "organisations":
        plan = plan_organisations(view, sheet)
    elif kind == "people":
        plan = plan_people(sheet, known_people(view))
    elif kind == "capabilities":
        plan = plan_capabilities(view, sheet)
    else:
        plan = plan_targets(view, sheet)
    return Looked(kind, upload, sheet, plan)


def _carry_out(request: HubRequest, kind: str, plan: ImportPlan[Any]) -> int:
    view, contents = request.acting.view, plan.contents()
    if kind == "organisations":
        with changing_roles(view, *contents):
            save_all(view, contents, "organisations.imported")
    elif kind == "people":
        invite_all(view, request.acting.person, contents)
    elif kind == "capabilities":
        state_all(view, contents, "capabilities.imported")
    else:
        set_targets(view, contents)
    return len(contents)


def _preview(request: HubRequest, kind: str, looked: Looked) -> HttpResponse:
    plan = looked.plan
    changes = [(change, plan.count(change)) for change in get_args(Change)]
    shown = {
        "title": text("imports.preview", file=looked.upload.name),
        "crumbs": [*_crumbs(), {"url": f"/import/{kind}/", "label": text(f"imports.{kind}")}],
        "kind": kind,
        "identity": looked.upload.identity,
        "mark": looked.mark,
        "encoding": looked.sheet.encoding,
        "read": len(looked.sheet.rows),
        "changes": changes,
        "wrong_rows": len({problem.row for problem in plan.problems}),
        "problems": [_spelled(problem) for problem in plan.problems[:SHOWN]],
        "problem_count": len(plan.problems),
        "header": [column.title(language()) for column in COLUMNS[kind]],
        "rows": [(one.row, one.change, _cells(kind, one.content)) for one in plan.planned[:SHOWN]],
        "may_confirm": not plan.problems and any(number for change, number in changes if change != "same"),
        "shown": SHOWN,
    }
    return render(request, "hub/import_preview.html", shown)


def _cells(kind: str, content: Any) -> list[str]:
    """Return what a row would make, column by column."""
    return [_cell(_named(content, column.name)) for column in COLUMNS[kind]]


def _named(content: Any, column: str) -> object:
    """Return what a column names: of a sentence in both languages, the one in its language."""
    name, _, spoken = column.rpartition("_")
    if spoken not in LANGUAGES:
        return getattr(content, column, "")
    said = getattr(content, name, "")
    return getattr(said, spoken) if isinstance(said, Localized) else said if spoken == "en" else ""


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return "; ".join(str(one) for one in value)
    return "" if value is None else str(value)


def _spelled(problem: CellProblem) -> list[str]:
    known = {column.name: column.title(language()) for columns in COLUMNS.values() for column in columns}
    column = known.get(problem.column, problem.column)
    return [str(problem.row), make_visible(column), make_visible(problem.found), problem.why.render(language())]


def _columns(kind: str) -> Any:
    return there(COLUMNS.get(kind))


def _crumbs() -> list[dict[str, object]]:
    return [{"url": "/import/", "label": text("imports.title")}]
