"""Handing in over the API: a file comes in pieces that survive any interruption, then becomes a version of a record.

POST /uploads               name, size and digest of what is to come → its address
PUT  /uploads/…/pieces/N    the bytes from N on; N is what GET /uploads/… says was received
POST /uploads/…/finish      all is there and is what was announced
POST /scenarios, /applications  take it in: it is unpacked in a box, checked, kept, and the upload is erased
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import pydantic
from django.conf import settings
from django.http import HttpResponse
from ninja import Path, Router

from pilotbase.catalogue.saving import Remarks
from pilotbase.documents.api.records import Erased
from pilotbase.documents.api.shapes import SHORT
from pilotbase.documents.api.uploads import (
    MAXIMUM_PIECE,
    HandedInApplication,
    HandedInScenario,
    KeptVersion,
    NewUpload,
    OpenUpload,
)
from pilotbase.documents.permissions import Act, DeskAct
from pilotbase.documents.record import Record
from pilotbase.documents.subjects import scenario_subject
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers, document, once, seen
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.media import BINARY, BYTES, require_type
from pilotbase.hub.api.records import Word
from pilotbase.hub.api.records import router as records
from pilotbase.hub.base import base
from pilotbase.hub.bodies import BodyTooLargeError
from pilotbase.hub.shown.addresses import address_of
from pilotbase.vault.place import Vault
from pilotbase.vault.uploads import (
    UploadTerms,
    append_piece,
    erase_upload,
    find_upload,
    finish_upload,
    list_uploads,
    start_upload,
)
from pilotbase.worker.intake.versions import take_uploaded_application, take_uploaded_scenario, vault_of
from pilotbase.worker.jobs.retention import erase_kept_files, kept_files
from pilotbase.workspace.store import View

router = Router(tags=["uploads"], auth=MEMBERS)
UploadId = Path[Annotated[str, pydantic.StringConstraints(pattern=r"^[0-9a-f]{32}$")]]
Offset = Path[Annotated[int, pydantic.Field(ge=0, le=1 << 40), SHORT]]
PIECE = {"requestBody": {"required": True, "content": BINARY}}


@router.get("/uploads", response=answers(list[OpenUpload]), summary="Uploads of my organisation")
def uploads(request: HubRequest) -> list[OpenUpload]:
    """Return what the organisation has sent and not yet handed in, newest first."""
    if not request.acting.organisation:
        return []
    return [OpenUpload.model_validate(one) for one in list_uploads(_vault(request))]


@router.post("/uploads", response=answers(OpenUpload, 201), summary="Announce an upload")
def start(request: HubRequest, wanted: NewUpload) -> HttpResponse:
    """Say what is to come. Only suppliers and demand owners hand in, and the operator for them."""
    request.acting.require(DeskAct.UPLOAD)

    def act(view: View) -> HttpResponse:
        return _told(start_upload(vault_of(base(), view), wanted.name, wanted.size, wanted.digest, _terms()), 201)

    return once(request, act)


@router.get("/uploads/{identity}", response=answers(OpenUpload), summary="How much of an upload was received")
def read(request: HubRequest, identity: UploadId) -> HttpResponse:
    """Return where to go on: ``received`` bytes are on the disk."""
    return _told(find_upload(_vault(request), identity))


@router.put(
    "/uploads/{identity}/pieces/{start}",
    response=answers(OpenUpload),
    summary="Send a piece of an upload",
    openapi_extra=PIECE,
)
def send(request: HubRequest, identity: UploadId, start: Offset) -> HttpResponse:
    """Send the bytes from ``start`` on, 4 MiB at most; 409 says in ``Upload-Offset`` where the upload ends instead."""
    vault = _vault(request)
    find_upload(vault, identity)
    require_type(request, BYTES)
    piece = request.read(MAXIMUM_PIECE + 1)
    if len(piece) > MAXIMUM_PIECE:
        raise BodyTooLargeError("api.body_too_large", allowed=MAXIMUM_PIECE)
    return _told(append_piece(vault, identity, start, piece, _lifetime()))


@router.post("/uploads/{identity}/finish", response=answers(OpenUpload), summary="Finish an upload")
def finish(request: HubRequest, identity: UploadId) -> HttpResponse:
    """Say that all was sent; where the digest is another than announced, the upload is erased."""
    return _told(finish_upload(_vault(request), identity))


@router.delete("/uploads/{identity}", response=answers(None, 204), summary="Erase an upload")
def erase(request: HubRequest, identity: UploadId) -> HttpResponse:
    """Erase what was sent, at once."""
    erase_upload(_vault(request), identity)
    return HttpResponse(status=204)


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


def _vault(request: HubRequest) -> Vault:
    return vault_of(base(), request.acting.view)


def _terms() -> UploadTerms:
    configuration = settings.CONFIGURATION
    return UploadTerms(configuration.upload_bytes, configuration.upload_room_bytes, _lifetime())


def _lifetime() -> timedelta:
    return timedelta(hours=settings.CONFIGURATION.upload_hours)


def _told(upload: Any, status: int = 200) -> HttpResponse:
    told = OpenUpload.model_validate(upload)
    response = HttpResponse(told.model_dump_json(), status=status, content_type="application/json")
    response["Upload-Offset"] = str(told.received)
    if status == 201:
        response["Location"] = f"/api/uploads/{told.identity}"
    return response


def _made(request: HubRequest, record: Record) -> HttpResponse:
    response = document(request, record, 201, version=record.documents[record.kind])
    response["Location"] = f"/api{address_of(record.subject).rstrip('/')}"
    return response
