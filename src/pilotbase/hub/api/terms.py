"""Terms of use over the API: agreements made, uses read; an agreement then moves as every record does."""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpResponse
from ninja import Router

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.catalogue.records import load_record
from pilotbase.catalogue.subjects import new_agreement
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.api.terms import SeenUse
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.documents.subjects import agreement_subject, dataset_subject
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers, document, once
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.records import Word
from pilotbase.hub.shown.addresses import address_of
from pilotbase.hub.shown.records import see
from pilotbase.workspace.store import View
from pilotbase.workspace.uses import Use, uses_of

router = Router(tags=["terms"], auth=MEMBERS)


@router.post("/agreements", response=answers(Record, 201), by_alias=True, summary="Make an agreement on a dataset")
def make_agreement(request: HubRequest, terms: Agreement) -> HttpResponse:
    """Offer an agreement on a dataset of one's own, or take up a published offer; its address is in Location."""

    def act(view: View) -> HttpResponse:
        chosen = Act.AGREEMENT_OFFER if terms.assigner == view.actor.organisation else Act.AGREEMENT_TAKE
        subject = new_agreement(view.request)
        response = document(request, advance(view, subject, chosen, Move(terms, key=view.request)), 201)
        response["Location"] = f"/api{address_of(subject).rstrip('/')}"
        return response

    return once(request, act)


@router.get("/datasets/{owner}/{name}/uses", response=answers(list[SeenUse]), summary="Uses of a dataset")
def read_uses(request: HubRequest, owner: Word, name: Word) -> list[SeenUse]:
    """Return the uses that the caller may see, newest first: all to owner, operator, regulator; else one's own."""
    view, subject = request.acting.view, dataset_subject(owner, name)
    see(view, subject)
    return [_shown(use) for use in uses_of(view, subject)]


@router.get("/agreements/{name}/uses", response=answers(list[SeenUse]), summary="Uses under an agreement")
def read_agreement_uses(request: HubRequest, name: Word) -> list[SeenUse]:
    """Return what was used under an agreement, newest first."""
    view = request.acting.view
    record, _ = load_record(view, agreement_subject(name))
    return [_shown(use) for use in uses_of(view, record.subjects["dataset"], record.subject)]


def _shown(use: Use) -> SeenUse:
    told = asdict(use)
    return SeenUse(**{name: told[name] for name in SeenUse.model_fields})
