"""Labelling rounds over the API: opened by an owner, labelled blind, decided, stated."""

from __future__ import annotations

import pydantic
from django.http import HttpResponse
from ninja import Query, Router

from pilotbase.documents.api.labelling import NewExport, NewLabel, NewRound, RoundDetail, RoundTold, SheetTold
from pilotbase.documents.api.shapes import InAddress
from pilotbase.documents.labelling import LabelledItems
from pilotbase.documents.labelling_round import PublishedLabels
from pilotbase.documents.subjects import dataset_subject
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers, document, once, told
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.records import Identity, Word
from pilotbase.hub.base import base
from pilotbase.hub.shown.labelling import is_member, round_detail, round_told, sheet_told
from pilotbase.worker.datasets.label_imports import order_import
from pilotbase.worker.datasets.label_rounds import find_round, open_round, rounds_of
from pilotbase.worker.datasets.labelling import (
    close_round,
    give_label,
    items_document,
    outcome_of,
    publish_labels,
    sheet_of,
)
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.store import View

router = Router(tags=["labelling"], auth=MEMBERS)


class Shown(InAddress):
    """Which item."""

    item: str = pydantic.Field("", max_length=500, pattern=r"^[^\x00]*$")
    """Empty: the first one that is open."""


@router.get("/labelling", response=answers(list[RoundTold]), summary="Labelling rounds")
def read_all(request: HubRequest) -> list[RoundTold]:
    """Return the rounds in which the caller has a part, or whose dataset is the caller's."""
    return [round_told(request.acting.view, one) for one in rounds_of(request.acting.view)]


@router.post("/datasets/{owner}/{name}/labelling", response=answers(RoundTold, 201), summary="Open a labelling round")
def start(request: HubRequest, wanted: NewRound, owner: Word, name: Word) -> HttpResponse:
    """Open a round over items of one's own dataset: two blind annotators by account, and who decides."""

    def act(view: View) -> HttpResponse:
        made = open_round(base(), view, dataset_subject(owner, name), wanted, is_member)
        return told(round_told(view, made), 201, f"/api/labelling/{made.identity}")

    return once(request, act)


@router.get("/labelling/{asked}", response=answers(RoundDetail), by_alias=True, summary="A labelling round")
def read(request: HubRequest, asked: Identity) -> HttpResponse:
    """Return a round to the owner of its dataset: counts, and agreement once it is closed; no label of anybody."""
    view = request.acting.view
    outcome = outcome_of(base(), view, asked)
    return told(round_detail(view, find_round(view, asked), outcome))


@router.get("/labelling/{asked}/sheet", response=answers(SheetTold), summary="What is to be labelled")
def sheet(request: HubRequest, asked: Identity, shown: Query[Shown]) -> HttpResponse:
    """Return the caller's own sheet and one item of it; who decides sees the items on which annotators differ."""
    view = request.acting.view
    of, found = find_round(view, asked), sheet_of(base(), view, asked)
    return told(sheet_told(view, of, found, shown.item or found.next_item))


@router.post("/labelling/{asked}/labels", response=answers(SheetTold), summary="Label an item")
def label(request: HubRequest, given: NewLabel, asked: Identity) -> HttpResponse:
    """Keep a label of the caller, or a decision with its reason; given again it takes the place of the one before."""

    def act(view: View) -> HttpResponse:
        give_label(base(), view, asked, given.item, (given.label, given.reason))
        of, found = find_round(view, asked), sheet_of(base(), view, asked)
        return told(sheet_told(view, of, found, None))

    return once(request, act)


@router.post("/labelling/{asked}/import", response=answers(RoundTold, 202), summary="Import labels")
def import_export(request: HubRequest, given: NewExport, asked: Identity) -> HttpResponse:
    """Take labels from an export of Label Studio, read in a box: all of them, or every problem told."""

    def act(view: View) -> HttpResponse:
        order_import(base(), view, asked, given.upload)
        return told(round_told(view, find_round(view, asked)), 202)

    return once(request, act)


@router.post("/labelling/{asked}/close", response=answers(RoundTold), summary="Close a labelling round")
def close(request: HubRequest, asked: Identity) -> HttpResponse:
    """Take no label any more; where annotators differ, the adjudicator decides."""

    def act(view: View) -> HttpResponse:
        close_round(base(), view, asked)
        return told(round_told(view, find_round(view, asked)))

    return once(request, act)


@router.get(
    "/labelling/{asked}/items", response=answers(LabelledItems), by_alias=True, summary="Where final labels come from"
)
def items(request: HubRequest, asked: Identity) -> HttpResponse:
    """Return, to the owner of the dataset, who labelled what by opaque names, and what was decided why."""
    view = request.acting.view
    outcome = outcome_of(base(), view, asked)
    if outcome is None:
        raise ConflictError("labelling.not_now")
    return document(request, items_document(find_round(view, asked), outcome))


@router.post("/labelling/{asked}/publish", response=answers(PublishedLabels), by_alias=True, summary="State agreement")
def publish(request: HubRequest, asked: Identity) -> HttpResponse:
    """State for everybody how far annotators agreed; trials of scenarios on the dataset say it from now on."""
    return once(request, lambda view: document(request, publish_labels(base(), view, asked)))
