"""Records as pages: lists of a kind, and one record with what may be done to it, each cut to its reader."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode

from pilotbase.catalogue.application_draft import forms_for
from pilotbase.documents.application import Runtime
from pilotbase.documents.base import Document
from pilotbase.documents.lifecycles import listed_states
from pilotbase.documents.permissions import Act, DeskAct, SubjectRelation, permitted
from pilotbase.documents.record import ApplicationVersion, Record
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import ApplicationState, DatasetState, DemandState, ScenarioState
from pilotbase.documents.subjects import holder_of, name_of
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Sector
from pilotbase.hub.acting import HubRequest, RequestActor, actor_of, language
from pilotbase.hub.models import Membership, SignUpDomain
from pilotbase.hub.pages.demands import laid_out
from pilotbase.hub.pages.record_contents import contents
from pilotbase.hub.people.invitations import may_invite, open_invitations
from pilotbase.hub.presenters.addresses import KINDS, address_of, section_crumb, subject_of
from pilotbase.hub.presenters.choices import choices, ways_on
from pilotbase.hub.presenters.drawn import render_live
from pilotbase.hub.presenters.records import (
    RecordView,
    lines_of,
    names_shown,
    note_look,
    see,
    sites_shown,
    spelled_count,
    work_shown,
)
from pilotbase.hub.presenters.states import way
from pilotbase.hub.routing import EVERYBODY, page
from pilotbase.worker.operations.binding import there
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import Listing, Query, find_listing, list_page

PAGE = 50
_WORDS = 200


@page("<public:section>/", "records", EVERYBODY)
def public_list(request: HubRequest, section: str) -> HttpResponse:
    """List what visitors may see too: open scenarios, and what the actor's organisation has to do with."""
    return _list(request, section)


@page("<section:section>/", "records")
def member_list(request: HubRequest, section: str) -> HttpResponse:
    """List what only people of organisations see."""
    return _list(request, section)


def _list(request: HubRequest, section: str) -> HttpResponse:
    kind = KINDS[section]
    query = _query(request, kind)
    page = list_page(request.acting.view, query, request.GET.get("after") or None, PAGE)
    shown: dict[str, Any] = {
        "title": text(f"hub.nav_{section}"),
        "lead": text(f"hub.lead_{section}"),
        "section": section,
        "kind": kind,
        "rows": lines_of(request.acting.view, page.items),
        "asked": bool(query.words or query.states or query.sector),
        "total": spelled_count(request.acting.view, query),
        "query": query,
        "states": _choices(f"state.{kind}", listed_states(kind), query.states),  # type: ignore[arg-type]
        "sectors": _choices("sector", [sector.value for sector in Sector], [query.sector]),
        "next": urlencode({**request.GET.dict(), "after": page.after}) if page.after else "",
        "dated": bool(request.acting.organisation) and kind != "organisation",
        "can_register": request.acting.may(REGISTERING[kind]),
    }
    return render(request, "hub/records.html", shown)


REGISTERING = {
    "demand": Act.DEMAND_REGISTER,
    "scenario": Act.SCENARIO_REGISTER,
    "application": Act.APPLICATION_REGISTER,
    "commission": Act.COMMISSION_PROPOSE,
    "organisation": Act.ORGANISATION_REGISTER,
    "agreement": Act.AGREEMENT_TAKE,
}
"""Kind → the act that registers a new one."""


def _query(request: HubRequest, kind: str) -> Query:
    asked = request.GET
    state = asked.get("state", "")
    return Query(
        kind=kind,
        words=asked.get("q", "")[:_WORDS],
        states=(state,) if state else (),
        sector=asked.get("sector", ""),
        scenario=f"scenario:{asked['scenario']}" if asked.get("scenario") else "",
    )


def _choices(vocabulary: str, values: Any, chosen: Any) -> list[dict[str, Any]]:
    return [
        {"value": value, "label": Text(code=f"{vocabulary}.{value}").render(language()), "chosen": value in chosen}
        for value in values
    ]


@page("<section:section>/<name:name>/", "record", EVERYBODY)
def show(request: HubRequest, section: str, name: str) -> HttpResponse:
    """Show a record to who may see it."""
    view, kind = request.acting.view, KINDS[section]
    try:
        seen = see(view, subject_of(section, name))
    except NotFoundError:
        return _elsewhere(request, subject_of(section, name))
    if request.headers.get("HX-Request") and kind == "application":
        return _at_work(request, seen)
    ways = ways_on(request.acting, seen)
    note_look(request.acting, "opened", seen.listing)
    opened = kind == "scenario" and seen.listing.state == ScenarioState.OPEN
    shown: dict[str, Any] = {
        "title": seen.title,
        "seen": seen,
        "kind": kind,
        "section": section,
        "crumbs": [section_crumb(section)],
        "history": list(reversed(seen.record.history)) if seen.record else [],
        "acts": choices(view, seen.record) if seen.record else [],
        "way": way(kind, seen.listing.state),
        "people": names_shown(request.acting.actor, _standing(seen.record)) if seen.record else {},
        "can_agree": _may_agree(request.acting, seen.listing),
        "makes_scenario": _makes_scenario(request.acting, seen.listing),
        "proposing": _proposing(request.acting, seen),
        "kit_forms": _other_forms(seen.document) if opened else (),
        **contents(view, seen.document, seen.record),
        **laid_out(view, seen.document),
        **sites_shown(view, seen),
        **ways,
        **(_members(request.acting, name) if kind == "organisation" else {}),
    }
    return render(request, "hub/record.html", shown)


def _proposing(acting: RequestActor, seen: RecordView) -> str:
    """Return what the form of a trial begins with: an open scenario, or an application that was submitted."""
    if isinstance(seen.document, ApplicationVersion) and seen.listing.state == ApplicationState.SUBMITTED:
        own = SubjectRelation(supplier=holder_of(seen.subject))
        made_for = {"scenario": name_of(seen.document.scenario)} if seen.document.scenario else {}
        begun = {"application": seen.name, **made_for}
        return urlencode(begun) if permitted(Act.COMMISSION_PROPOSE, acting.actor, own) else ""
    opened = isinstance(seen.document, Scenario) and seen.listing.state == ScenarioState.OPEN
    return urlencode({"scenario": seen.name}) if opened and acting.may(Act.COMMISSION_PROPOSE) else ""


def _at_work(request: HubRequest, seen: RecordView) -> HttpResponse:
    """Give the part of an application's page that is refreshed while work on it goes on."""
    work = work_shown(request.acting.view, seen.subject) if seen.record is not None else {"job": None, "live": False}
    shown = {**work, "place": "progress", "address": address_of(seen.subject)}
    return render_live(request, "record", "at_work", shown)


def _other_forms(document: Document) -> tuple[Runtime, ...]:
    """Return in which forms but Python an application for a scenario may begin."""
    assert isinstance(document, Scenario)
    return tuple(runtime for runtime in forms_for(document.contract(())) if runtime != "python")


def _may_agree(acting: RequestActor, listing: Listing) -> bool:
    """Return whether the reader may offer an agreement on a dataset, or take up what is offered."""
    if listing.state != DatasetState.PUBLISHED:
        return False
    return acting.may(Act.AGREEMENT_OFFER if listing.owner == acting.organisation else Act.AGREEMENT_TAKE)


def _makes_scenario(acting: RequestActor, listing: Listing) -> bool:
    """Return whether the reader may make a scenario of a demand in words."""
    own = listing.state == DemandState.OPEN and listing.owner == acting.organisation
    return listing.kind == "demand" and own and acting.may(Act.SCENARIO_REGISTER)


def _elsewhere(request: HubRequest, subject: str) -> HttpResponse:
    """Offer to act for the organisation of the reader that sees the record; raises `NotFoundError`: none does."""
    organisation = there(_other_organisation(request.acting, subject))
    shown = {"title": text("hub.other_organisation_title"), "organisation": organisation}
    return render(request, "hub/other_organisation.html", shown, status=404)


def _other_organisation(acting: RequestActor, subject: str) -> str | None:
    """Return the first of the person's other organisations that sees ``subject``, or None."""
    if acting.person is None:
        return None
    for membership in acting.memberships:
        view = acting.view.store.as_actor(actor_of(membership, acting.person))
        if membership.organisation != acting.organisation and find_listing(view, subject) is not None:
            return membership.organisation
    return None


def _standing(record: Record) -> list[tuple[str, str | None]]:
    """Return organisation and person of everybody who stands in a record."""
    taken = [(step.organisation, step.person) for step in record.history]
    return taken + [(reviewer.organisation, reviewer.person) for reviewer in record.reviewers]


def _members(acting: RequestActor, name: str) -> dict[str, Any]:
    """Return the people of an organisation for its members, the operator and the regulator."""
    if not (acting.actor.sees_all or acting.organisation == name):
        return {}
    invites = may_invite(acting.view, name)
    domains = SignUpDomain.objects.filter(organisation=name).order_by("domain") if invites else ()
    return {
        "members": Membership.objects.filter(organisation=name).select_related("person").order_by("person__name"),
        "invites": invites,
        "invitations": open_invitations(name) if invites else (),
        "domains": domains,
        "adds_domains": bool(settings.SOCIALACCOUNT_PROVIDERS) and acting.may(DeskAct.MANAGE),
    }
