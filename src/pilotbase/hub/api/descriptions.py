"""Files described over the API: a worker reads uploads in a box, the owner answers, and a draft dataset is made.

POST /descriptions                uploads, and what is known of them → its address
GET  /descriptions/…              how far it is; then the draft, the ground of each guess, what is asked, what is wrong
PUT  /descriptions/…/answers      the answers, all of them, in place of those before: it is described anew
POST /descriptions/…/dataset      it becomes a draft dataset, which is then published like any other
"""

from __future__ import annotations

from django.http import HttpResponse
from ninja import Path, Router

from pilotbase.documents.api.uploads import DescriptionTold, NewDescription, OpenDescription, SavedDescription, UploadId
from pilotbase.documents.described import Answers
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.api.answers import answers, document, idempotent, json_response
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.base import base
from pilotbase.hub.presenters.addresses import address_of
from pilotbase.worker.datasets.describing import (
    answer_describing,
    describings,
    description_told,
    find_describing,
    forget_describing,
    order_told,
    save_described,
    start_describing,
)
from pilotbase.workspace.store import View

router = Router(tags=["records"], auth=MEMBERS)
Identity = Path[UploadId]


@router.get("/descriptions", response=answers(list[OpenDescription]), summary="Descriptions under way")
def list_descriptions(request: HubRequest) -> list[OpenDescription]:
    """Return the descriptions under way of the caller's organisation, newest first."""
    return [order_told(one) for one in describings(request.acting.view)]


@router.post("/descriptions", response=answers(DescriptionTold, 201), by_alias=True, summary="Describe uploads")
def start(request: HubRequest, given: NewDescription) -> HttpResponse:
    """Let a worker read finished uploads in a box and guess what they hold; whoever sends them owns the dataset."""
    request.acting.require(Act.DATASET_REGISTER)

    def act(view: View) -> HttpResponse:
        found = start_describing(base(), view, given.uploads, given.answers, given.dataset)
        return json_response(description_told(found, language()), 201, f"/api/descriptions/{found.order.identity}")

    return idempotent(request, act)


@router.get(
    "/descriptions/{identity}", response=answers(DescriptionTold), by_alias=True, summary="A description under way"
)
def read(request: HubRequest, identity: Identity) -> HttpResponse:
    """Return how far it is, and what was found: the draft, the ground of each guess, questions, problems."""
    return json_response(description_told(find_describing(base(), request.acting.view, identity), language()))


@router.put(
    "/descriptions/{identity}/answers",
    response=answers(DescriptionTold),
    by_alias=True,
    summary="Answer what a description asks",
)
def answer(request: HubRequest, given: Answers, identity: Identity) -> HttpResponse:
    """Describe the files anew with these answers, in place of all before."""

    def act(view: View) -> HttpResponse:
        return json_response(description_told(answer_describing(base(), view, identity, given), language()))

    return idempotent(request, act)


@router.post(
    "/descriptions/{identity}/dataset",
    response=answers(Record, 201),
    by_alias=True,
    summary="Save a description as a dataset",
)
def save(request: HubRequest, given: SavedDescription, identity: Identity) -> HttpResponse:
    """Make the description a draft dataset, or the newest version of the one that it was begun for."""

    def act(view: View) -> HttpResponse:
        record = save_described(base(), view, identity, given.usual_terms, given.keep)
        response = document(request, record, 201, version=record.documents[record.kind])
        response["Location"] = f"/api{address_of(record.subject).rstrip('/')}"
        return response

    return idempotent(request, act)


@router.delete("/descriptions/{identity}", response=answers(None, 204), summary="Give a description up")
def forget(request: HubRequest, identity: Identity) -> HttpResponse:
    """Erase a description under way and its uploads, at once."""
    forget_describing(base(), request.acting.view, identity)
    return HttpResponse(status=204)
