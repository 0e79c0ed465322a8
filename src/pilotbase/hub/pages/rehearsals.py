"""Before a trial: what a supplier starts from, and what came of a rehearsal, its full log included."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from pilotbase.catalogue.form_templates import FORM_TEMPLATES
from pilotbase.catalogue.records import record_of
from pilotbase.documents.application import Runtime
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import ApplicationVersion
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import ScenarioState
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.base import base
from pilotbase.hub.guards import for_act, member_only
from pilotbase.hub.pages.trials import SANDBOX
from pilotbase.hub.presenters.addresses import subject_of
from pilotbase.hub.presenters.records import see
from pilotbase.hub.presenters.rehearsals import rehearsal_cases, rehearsal_log
from pilotbase.trial.page import render_report
from pilotbase.worker.datasets.statistics import synthetic_kit
from pilotbase.worker.intake.drafting import starter_kit
from pilotbase.workspace.failures import NotFoundError


@require_safe
@for_act(Act.APPLICATION_REGISTER)
def kit(request: HubRequest, name: str) -> HttpResponse:
    """Give a first application in the form that is asked for, and the public or a synthetic sample of a scenario."""
    seen = see(request.acting.view, subject_of("scenarios", name))
    if not isinstance(seen.document, Scenario) or seen.listing.state != ScenarioState.OPEN:
        raise NotFoundError("hub.not_found")
    wanted = request.acting.organisation, _form(request)
    packed = synthetic_kit(base(), seen.document, *wanted) or starter_kit(base(), seen.document, *wanted)
    return _file(packed, "application/zip", f"{seen.document.name}-starter-kit.zip")


@require_safe
@member_only
def report(request: HubRequest, name: str) -> HttpResponse:
    """Give the report of the newest rehearsal to whom it was made for, with cases where they may hold the rows."""
    found, version = _rehearsal(request, name)
    cases = rehearsal_cases(request.acting.view, version, found)
    response = HttpResponse(render_report(found, None, language(), cases=cases))
    response["Content-Security-Policy"] = SANDBOX
    return response


@require_safe
@member_only
def log(request: HubRequest, name: str) -> HttpResponse:
    """Give everything that the application printed in its newest rehearsal, or why it is withheld."""
    found, version = _rehearsal(request, name)
    printed = rehearsal_log(version, found)
    if printed is None:
        raise NotFoundError("hub.not_found")
    return _file(printed.content, "text/plain; charset=utf-8", "application.log")


def _form(request: HubRequest) -> Runtime:
    """Return in which form the application is to begin."""
    asked = request.GET.get("runtime", "python")
    for runtime in FORM_TEMPLATES:
        if runtime == asked:
            return runtime
    raise NotFoundError("hub.not_found")


def _rehearsal(request: HubRequest, name: str) -> tuple[Report, ApplicationVersion]:
    view = request.acting.view
    record = record_of(view, subject_of("applications", name))
    digest = record.documents.get("rehearsal") if record else None
    stored = view.get(digest) if digest else None
    if record is None or stored is None:
        raise NotFoundError("hub.not_found")
    return stored.load(Report), view.load(record.documents["application"], ApplicationVersion)


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
