"""Incidents 事件 and the duty desk 值班台 as pages: what is shown, and for each act the form that it asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString

from pilotbase.documents.base import Localized
from pilotbase.documents.permissions import Act, IncidentAct, ReadScope
from pilotbase.documents.quantities import in_whole_units
from pilotbase.documents.service import CertifiedRoute, Service
from pilotbase.documents.subjects import incident_subject
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Colour, Role, Signal
from pilotbase.documents.watch import Incident, RiskWarning, TimelineEntry
from pilotbase.hub.acting import HubRequest, RequestActor, language, posted
from pilotbase.hub.forms.declared import Choices, OperationForm, form_of, tell
from pilotbase.hub.presenters.addresses import Crumb, address_of, crumb
from pilotbase.hub.presenters.drawn import drawn_alarm, drawn_alarms, render_live
from pilotbase.hub.presenters.mission import mission_shown
from pilotbase.hub.presenters.records import names_shown
from pilotbase.hub.routing import FORM, page
from pilotbase.operations import incidents
from pilotbase.watch.incidents import (
    draft_report,
    list_incidents,
    load_book,
    load_incident,
    may_edit,
    possible_acts,
    read_runbook,
)
from pilotbase.watch.standings import service_of
from pilotbase.worker.services.duty_desk import clocks_of, duty_desk
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import find_listings
from pilotbase.workspace.store import View

_LISTED, _MOST_PICTURES = 200, 3
_ALARMING = (Colour.RED, Colour.ORANGE)
FORMS: Mapping[str, type[OperationForm]] = {
    IncidentAct.NOTE: form_of(incidents.NOTE),
    IncidentAct.GRADE: form_of(incidents.GRADE),
    IncidentAct.REPORT: form_of(incidents.REPORT),
    IncidentAct.MITIGATE: form_of(incidents.MITIGATE),
    IncidentAct.CLOSE: form_of(incidents.CLOSE),
    IncidentAct.CORRECT: form_of(incidents.CORRECT),
}
"""Act → its form."""


def _choices_of(act: str, incident: Incident) -> dict[str, Choices]:
    """Return what there is to choose from: reports that are due, lines of the timeline."""
    if act == IncidentAct.REPORT:
        return {"clock": [(one.clock, one.to.render(language())) for one in incident.clocks if one.done_at is None]}
    if act == IncidentAct.CORRECT:
        lines = enumerate(incident.timeline, 1)
        return {"line": [(str(at), f"{at}. {line.what.render(language())[:100]}") for at, line in lines]}
    return {}


@page("desk/", "duty-desk", ReadScope.DESK)
def desk(request: HubRequest) -> HttpResponse:
    """Show every service on one screen."""
    view = request.acting.view
    lines = duty_desk(view)
    alarmed = [line for line in lines if line.colour in _ALARMING][:_MOST_PICTURES]
    alarms = [(line, *drawn) for line in alarmed for drawn in drawn_alarms(view, line.service)][:_MOST_PICTURES]
    shown = {"title": text("incident.desk"), "lines": lines, "alarms": alarms, "live": True}
    return render_live(request, "duty_desk", "desk", shown)


@page("incidents/", "incidents", ReadScope.DESK)
def show_all(request: HubRequest) -> HttpResponse:
    """List the incidents, closed ones too."""
    shown = {"title": text("incident.incidents"), "incidents": list_incidents(request.acting.view, limit=_LISTED)}
    return render(request, "hub/incidents.html", {**shown, "crumbs": _crumbs()[:1]})


@page("services/<slug:name>/runbook/", "runbook", ReadScope.DESK)
def show_runbook(request: HubRequest, name: str) -> HttpResponse:
    """Show what is done when a warning about a service reaches a colour, and who must then be told."""
    view = request.acting.view
    service, runbook = read_runbook(view, name)
    book = load_book(runbook.book)
    reporter = next(one for one in book.reporters if one.name == runbook.reporter)
    shown = {
        "title": text("incident.runbook"),
        "service": service,
        "runbook": runbook,
        "book": book,
        "reporter": reporter,
        "clocks": [(rule, _within(rule.minutes)) for rule in book.clocks if reporter.name in rule.reporters],
        "may_edit": may_edit(view, service),
        "crumbs": _crumbs()[:1],
    }
    return render(request, "hub/runbook.html", shown)


@page("incidents/<int:number>/", "incident", ReadScope.DESK)
def show(request: HubRequest, number: int) -> HttpResponse:
    """Show an incident: three fields that are three things, its timeline, its clocks."""
    view = request.acting.view
    incident, _ = load_incident(view, number)
    service = service_of(view, incident.service)
    running = {one.clock.clock: one for one in clocks_of([incident], view.store.clock())}
    shown = {
        "title": service.title,
        "incident": incident,
        "service": service,
        "clocks": [(clock, running.get(clock.clock)) for clock in incident.clocks],
        "book": load_book(incident.book),
        "lines": list(_lines(incident)),
        "picture": _picture(view, service, incident),
        "people": names_shown(request.acting.actor, ((one.organisation, one.person) for one in incident.timeline)),
        "acts": [act for act in FORMS if act in possible_acts(view, incident)],
        "order": _order_address(request.acting, service),
        "versions": _versions(view, service),
        "reads_ledger": request.acting.reads(ReadScope.LEDGER),
        **mission_shown(request.acting, service.subject, incident_subject(number)),
        "crumbs": _crumbs(),
    }
    return render(request, "hub/incident.html", shown)


@page("incidents/<int:number>/draft/", "incident-draft", ReadScope.DESK)
def draft(request: HubRequest, number: int) -> HttpResponse:
    """Show what the next report about an incident says, with the picture of what led to it; it prints as it stands."""
    view = request.acting.view
    incident, _ = load_incident(view, number)
    service = service_of(view, incident.service)
    shown = {
        "title": text("incident.draft.page"),
        "draft": draft_report(view, number, language()),
        "picture": _picture(view, service, incident),
        "crumbs": [*_crumbs(), crumb("incident", service.title, number=number)],
    }
    return render(request, "hub/incident_draft.html", shown)


def _picture(view: View, service: Service, incident: Incident) -> SafeString:
    """Return the picture of the warning that the incident was opened for, if it is of a risk."""
    stored = view.get(incident.warning)
    warning = stored.load(RiskWarning) if stored is not None and stored.kind == "risk-warning" else None
    if warning is None or warning.signal is not Signal.RISK:
        return SafeString("")
    return drawn_alarm(view, service, warning.detector, acts=True)


@page("incidents/<int:number>/<str:act>/", "incident-act", ReadScope.DESK, FORM)
def take(request: HubRequest, number: int, act: str) -> HttpResponse:
    """Show the form of an act on an incident; do it."""
    view = request.acting.view
    incident, head = load_incident(view, number)
    if act not in FORMS or act not in possible_acts(view, incident):
        raise NotFoundError("hub.not_found")
    choices, initial = _choices_of(act, incident), _initial(incident, head)
    form = FORMS[act](posted(request), given={"number": number}, choices=choices, initial=initial)
    if form.done(view):
        tell(request, form.operation)
        return redirect("incident", number=number)
    service = service_of(view, incident.service)
    crumbs = [*_crumbs(), crumb("incident", service.title, number=number)]
    shown = {"title": Text(code=f"act.{act}"), "lead": incident.title, "form": form, "crumbs": crumbs}
    return render(request, "hub/said.html", shown)


def _within(minutes: int) -> Text:
    """Return a time limit in the largest unit that spells it whole."""
    whole = in_whole_units(minutes, {"days": 1440, "hours": 60, "minutes": 1})
    return text(f"incident.{whole.unit}", count=whole.amount)


def _initial(incident: Incident, head: str) -> dict[str, str]:
    unknown = "\n".join(incident.unknown)
    return {"seen": head, "grade": incident.grade, "response": incident.response, "unknown": unknown}


def _lines(incident: Incident) -> Iterator[tuple[int, TimelineEntry, Localized | None]]:
    """Yield the timeline, newest first: number, line, and who was told where it says so."""
    told = {clock.clock: clock.to for clock in incident.clocks}
    for number, line in reversed(list(enumerate(incident.timeline, 1))):
        yield number, line, told.get(line.clock or "")


def _order_address(acting: RequestActor, service: Service) -> str:
    """Return where the regulator gives an order about what is certified, empty where there is no such place."""
    route = service.routes[0]
    if not acting.has(Role.REGULATOR) or not isinstance(route, CertifiedRoute) or route.commission is None:
        return ""
    return f"{address_of(route.commission)}acts/{Act.ORDER_GIVE}/"


def _versions(view: View, service: Service) -> list[tuple[CertifiedRoute, bool]]:
    """Return what the service answers with and falls back to, and whether the reader sees the trial that it is from."""
    routes = [route for route in service.routes if isinstance(route, CertifiedRoute)]
    seen = find_listings(view, [route.commission for route in routes if route.commission is not None])
    return [(route, route.commission in seen) for route in routes]


def _crumbs() -> list[Crumb]:
    return [
        crumb("duty-desk", text("incident.desk")),
        crumb("incidents", text("incident.incidents")),
    ]
