"""Before a trial: what a supplier starts from, and the report, the cases and the log of its newest rehearsal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic
from django.http import HttpResponse

from pilotbase.catalogue.application_draft import FORM_TEMPLATES
from pilotbase.catalogue.records import record_of
from pilotbase.documents.application import Runtime
from pilotbase.documents.figures import ShownCases
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import ApplicationVersion, Record
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import ScenarioState
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Text, text
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.base import base
from pilotbase.hub.presenters.addresses import subject_of
from pilotbase.hub.presenters.records import note_look, see, work_shown
from pilotbase.hub.presenters.taken import download, report_language, sandboxed
from pilotbase.hub.routing import page
from pilotbase.trial.entering import may_show_sample
from pilotbase.trial.page import PlaceOnHub, render_report
from pilotbase.worker.datasets.synthetic_kits import synthetic_kit
from pilotbase.worker.intake.drafting import starter_kit
from pilotbase.worker.operations.binding import there
from pilotbase.worker.trials.folder import SHOWN_CASES, rehearsal_folder
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View


@page("scenarios/<name:name>/starter-kit.zip", "starter-kit", Act.APPLICATION_REGISTER)
def kit(request: HubRequest, name: str) -> HttpResponse:
    """Give a first application in the form that is asked for, and the public or a synthetic sample of a scenario."""
    seen = see(request.acting.view, subject_of("scenarios", name))
    if not isinstance(seen.document, Scenario) or seen.listing.state != ScenarioState.OPEN:
        raise NotFoundError("hub.not_found")
    note_look(request.acting, "kit", seen.listing)
    wanted = request.acting.organisation, _form(request)
    packed = synthetic_kit(base(), seen.document, *wanted) or starter_kit(base(), seen.document, *wanted)
    return download(packed, "application/zip", f"{seen.document.name}-starter-kit.zip")


@page("applications/<name:name>/rehearsal.html", "rehearsal")
def report(request: HubRequest, name: str) -> HttpResponse:
    """Give the report of the newest rehearsal to whom it was made for, with cases where they may hold the rows."""
    found, version = _rehearsal(request, name)
    cases = _cases(request.acting.view, version, found)
    chosen, other = report_language(request)
    return sandboxed(render_report(found, None, chosen, place=PlaceOnHub(other), cases=cases))


@page("applications/<name:name>/rehearsal.log", "rehearsal-log")
def log(request: HubRequest, name: str) -> HttpResponse:
    """Give everything that the application printed in its newest rehearsal, or why it is withheld."""
    found, version = _rehearsal(request, name)
    printed = there(rehearsal_log(version, found))
    return download(printed.content, "text/plain; charset=utf-8", "application.log")


def _form(request: HubRequest) -> Runtime:
    """Return in which form the application is to begin."""
    asked = request.GET.get("runtime", "python")
    return there(next((runtime for runtime in FORM_TEMPLATES if runtime == asked), None))


def _rehearsal(request: HubRequest, name: str) -> tuple[Report, ApplicationVersion]:
    view = request.acting.view
    record = record_of(view, subject_of("applications", name))
    digest = record.documents.get("rehearsal") if record else None
    stored = view.get(digest) if digest else None
    if record is None or stored is None:
        raise NotFoundError("hub.not_found")
    return stored.load(Report), view.load(record.documents["application"], ApplicationVersion)


@dataclass(frozen=True)
class RehearsalLog:
    """The log of a rehearsal; where it is withheld it holds the words that say so."""

    content: bytes
    withheld: Text | None
    """Why nothing of it is shown; None where it is."""


def rehearsal_log(version: ApplicationVersion, report: Report) -> RehearsalLog | None:
    """Return the log of the rehearsal of ``version`` that ``report`` tells of; None where none is kept here."""
    path = _kept_file(version, "application.log")
    if path is None:
        return None
    content = path.read_bytes()
    reason = text("worker.log_withheld", bytes=report.isolation.log_bytes)
    return RehearsalLog(content, reason if content.startswith(reason.render().encode()) else None)


def of_application(view: View, version: ApplicationVersion, record: Record) -> dict[str, Any]:
    """Return how far the newest work on an application is, and what came of its rehearsal for whom that was made."""
    digest = record.documents.get("rehearsal")
    stored = view.get(digest) if digest else None
    report = stored.load(Report) if stored else None
    printed = rehearsal_log(version, report) if report is not None else None
    return {"rehearsal": report, "rehearsal_log": printed, **work_shown(view, record.subject)}


def _cases(view: View, version: ApplicationVersion, report: Report) -> ShownCases | None:
    """Return cases of the rehearsal that ``report`` tells of, for its supplier as long as terms let them hold the rows.

    Nobody else is shown any, whoever may read the report; terms are asked now, not as they were when it was rehearsed.
    """
    path, supplier = _kept_file(version, SHOWN_CASES), report.application.supplier.organisation
    if path is None or version.scenario is None or view.actor.organisation != supplier:
        return None
    scenario = see(view, version.scenario).document
    if not isinstance(scenario, Scenario) or not may_show_sample(view, scenario, supplier):
        return None
    try:
        cases = ShownCases.model_validate_json(path.read_bytes())
    except pydantic.ValidationError:  # written by a version that showed them otherwise
        return None
    return cases if cases.report == report.digest() else None


def _kept_file(version: ApplicationVersion, name: str) -> Path | None:
    """Return a file of the rehearsal; None where none is kept here."""
    if version.scenario is None:
        return None
    scenario = name_of(version.scenario).partition("/")[2]
    path = rehearsal_folder(base().lab, version.folder, scenario) / name
    return path if path.is_file() else None
