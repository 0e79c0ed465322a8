"""The page of one record: what it is, where it stands, what waits, what the reader may do next."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pilotbase.catalogue.advancing import possible_acts
from pilotbase.catalogue.subjects import subject_of as subject_of_part
from pilotbase.documents.record import ApplicationVersion, Commission, Record
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import Acting, HubRequest
from pilotbase.hub.addresses import KINDS, subject_of
from pilotbase.hub.models import Membership, Person
from pilotbase.hub.pages.trials import certificate_of, progress_of, report_of
from pilotbase.hub.people.invitations import open_invitations
from pilotbase.hub.reading import SHOWN, see
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View


@require_safe
def show(request: HubRequest, section: str, name: str) -> HttpResponse:
    """Show a record to who may see it."""
    view, kind = request.acting.view, KINDS[section]
    seen = see(view, subject_of(section, name))
    shown: dict[str, Any] = {
        "title": seen.title,
        "seen": seen,
        "kind": kind,
        "section": section,
        "crumbs": [{"url": f"/{section}/", "label": text(f"hub.nav_{section}")}],
        "history": list(reversed(seen.record.history)) if seen.record else [],
        "acts": possible_acts(view, seen.record) if seen.record else [],
        "people": names_of(seen.record, request.acting.actor) if seen.record else {},
        "can_propose": kind == "scenario" and seen.listing.state == "open" and request.acting.has(Role.SUPPLIER),
        **_contents(view, seen.document, seen.record),
        **(_members(request.acting, name) if kind == "organisation" else {}),
    }
    return render(request, "hub/record.html", shown)


@require_safe
def version(request: HubRequest, section: str, name: str, digest: str) -> HttpResponse:
    """Show one version of a scenario or an application."""
    view = request.acting.view
    seen = see(view, subject_of(section, name))
    stored = view.get(f"sha256:{digest}")
    document = stored.load(SHOWN[stored.kind]) if stored and stored.kind in SHOWN else None
    if stored is None or document is None or subject_of_part(document) != seen.subject:
        raise NotFoundError("hub.not_found")
    crumbs = [
        {"url": f"/{section}/", "label": text(f"hub.nav_{section}")},
        {"url": f"/{section}/{name}/", "label": seen.title},
    ]
    title = text("hub.version_title", digest=digest[:12])
    shown = {"title": title, "crumbs": crumbs, "digest": stored.digest, "stored": stored}
    return render(request, "hub/version.html", {**shown, **_contents(view, document, None)})


def names_of(record: Record, actor: Actor) -> dict[str, str]:
    """Return opaque identifier → name of who stands in a record: colleagues' names; all to operator and regulator."""
    standing = [(step.organisation, step.person) for step in record.history]
    standing += [(reviewer.organisation, reviewer.person) for reviewer in record.reviewers]
    identities = {person for organisation, person in standing if actor.sees_all or organisation == actor.organisation}
    return dict(Person.objects.filter(identity__in=identities).values_list("identity", "name"))


def _contents(view: View, document: object, record: Record | None) -> dict[str, Any]:
    """Return the documents that the page of a record lays out, those that are seen."""
    found: dict[str, Any] = {"document": document}
    if isinstance(document, Scenario):
        found["scenario"] = document
    elif isinstance(document, ApplicationVersion):
        found["application"] = document.application
        found["folder"] = document.folder
    if record is not None:
        found["record"] = record
    if record is not None and record.kind == "commission":
        found |= _of_trial(view, record)
    return found


def _of_trial(view: View, record: Record) -> dict[str, Any]:
    terms = record.documents.get("commission")
    issued = certificate_of(view, record)
    job = progress_of(view, record)
    return {
        "commission": view.load(terms, Commission) if terms else None,
        "report": report_of(view, record),
        "certificate": issued.certificate if issued else None,
        "job": job,
        "live": job is not None and job.live,
    }


def _members(acting: Acting, name: str) -> dict[str, Any]:
    """Return the people of an organisation for its members, the operator and the regulator."""
    if not (acting.actor.sees_all or acting.organisation == name):
        return {}
    manages = acting.has(Role.OPERATOR)
    return {
        "members": Membership.objects.filter(organisation=name).select_related("person").order_by("person__name"),
        "manages": manages,
        "invitations": open_invitations(name) if manages else (),
    }
