"""Handing in over the API: a finished upload becomes a version of a record, and what the base keeps of it."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import HttpResponse

from pilotbase.catalogue.saving import Remarks
from pilotbase.documents.api.records import Erased
from pilotbase.documents.api.uploads import (
    HandedInApplication,
    HandedInScenario,
    KeptVersion,
)
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.documents.subjects import scenario_subject
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers, document, once, seen
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.records import Word
from pilotbase.hub.api.records import router as records
from pilotbase.hub.base import base
from pilotbase.hub.shown.addresses import address_of
from pilotbase.worker.intake.versions import take_uploaded_application, take_uploaded_scenario
from pilotbase.worker.jobs.retention import erase_kept_files, kept_files
from pilotbase.workspace.store import View


@records.post(
    "/scenarios", auth=MEMBERS, response=answers(Record, 201), by_alias=True, summary="Hand in a scenario's folder"
)
def hand_in_scenario(request: HubRequest, given: HandedInScenario) -> HttpResponse:
    """Make a scenario, or its newest version, of a zip that holds scenario.yaml and the data that it names."""
    request.acting.require(Act.SCENARIO_REGISTER)

    def act(view: View) -> HttpResponse:
        remarks = Remarks(given.note, seen(request), given.new, given.why_holds)
        most = settings.CONFIGURATION.unpacked_bytes
        return _made(request, take_uploaded_scenario(base(), view, given.upload, most, remarks))

    return once(request, act)


@records.post(
    "/applications",
    auth=MEMBERS,
    response=answers(Record, 201),
    by_alias=True,
    summary="Hand in an application's folder",
)
def hand_in_application(request: HubRequest, given: HandedInApplication) -> HttpResponse:
    """Make an application, or its newest version, of a zip that holds application.yaml and what it runs."""
    request.acting.require(Act.APPLICATION_REGISTER)

    def act(view: View) -> HttpResponse:
        made_for = (given.scenario, Remarks(given.note, seen(request)))
        most = settings.CONFIGURATION.unpacked_bytes
        return _made(request, take_uploaded_application(base(), view, given.upload, most, made_for))

    return once(request, act)


@records.get(
    "/scenarios/{owner}/{name}/files",
    auth=MEMBERS,
    response=answers(list[KeptVersion]),
    summary="Files that the base keeps of a scenario",
)
def kept(request: HubRequest, owner: Word, name: Word) -> list[KeptVersion]:
    """Return what the base keeps of each version, encrypted, and until when; for its owner and the operator."""
    days = timedelta(days=settings.CONFIGURATION.files_days)
    found = kept_files(base(), request.acting.view, scenario_subject(owner, name))
    return [KeptVersion(scenario=one.scenario, size=one.size, kept_until=one.stored_at + days) for one in found]


@records.delete(
    "/scenarios/{owner}/{name}/files", auth=MEMBERS, response=answers(Erased), summary="Erase the files of a scenario"
)
def erase_kept(request: HubRequest, owner: Word, name: Word) -> Erased:
    """Erase the files of every version at once; what is sealed for trials under way stays sealed."""
    return Erased(erased=erase_kept_files(base(), request.acting.view, scenario_subject(owner, name)))


def _made(request: HubRequest, record: Record) -> HttpResponse:
    response = document(request, record, 201, version=record.documents[record.kind])
    response["Location"] = f"/api{address_of(record.subject).rstrip('/')}"
    return response
