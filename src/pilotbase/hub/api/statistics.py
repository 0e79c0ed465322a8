"""Private statistics of closed datasets over the API: priced, asked for, answered by a worker."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from ninja import Router

from pilotbase.data.terms.budgets import budgets
from pilotbase.documents.api.statistics import (
    NewStatistics,
    PriceTold,
    StatisticsAnswer,
    StatisticsPage,
    StatisticsTold,
)
from pilotbase.documents.subjects import dataset_subject
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers, once, told
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.media import BINARY
from pilotbase.hub.api.records import Identity, Word
from pilotbase.hub.base import base
from pilotbase.hub.shown.statistics import answer_told, asked_told, budget_told, price_told
from pilotbase.hub.shown.taken import file_response
from pilotbase.worker.datasets.samples import fetch_sample
from pilotbase.worker.datasets.statistics import asked_of, find_asked, order_statistics, price_of
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View

router = Router(tags=["statistics"], auth=MEMBERS)
ARCHIVE = {"responses": {200: {"description": "The archive.", "content": BINARY}}}


@router.get(
    "/datasets/{owner}/{name}/statistics", response=answers(StatisticsPage), summary="Budgets, and what was asked"
)
def read_all(request: HubRequest, owner: Word, name: Word) -> HttpResponse:
    """Return the budgets of ε and the questions that the caller may know of: their own; to the owner all."""
    view, subject = request.acting.view, _subject(request, owner, name)
    items = [asked_told(one) for one in asked_of(view, subject)]
    return told(StatisticsPage(budgets=[budget_told(one) for one in budgets(view, subject)], items=items))


@router.post(
    "/datasets/{owner}/{name}/statistics/price", response=answers(PriceTold), summary="What statistics would cost"
)
def price(request: HubRequest, asked: NewStatistics, owner: Word, name: Word) -> HttpResponse:
    """Return what a question costs and how far its answers may be from the truth; nothing is spent."""
    return told(price_told(price_of(base(), request.acting.view, dataset_subject(owner, name), asked)))


@router.post(
    "/datasets/{owner}/{name}/statistics", response=answers(StatisticsTold, 202), summary="Ask for private statistics"
)
def ask(request: HubRequest, asked: NewStatistics, owner: Word, name: Word) -> HttpResponse:
    """Order a profile, or a synthetic sample; a worker pays for it, once, and answers. ε that is spent stays spent."""

    def act(view: View) -> HttpResponse:
        found = order_statistics(base(), view, dataset_subject(owner, name), asked)
        place = f"/api/datasets/{owner}/{name}/statistics/{found.order.identity}"
        return told(asked_told(found), 202, place)

    return once(request, act)


@router.get(
    "/datasets/{owner}/{name}/statistics/{asked}",
    response=answers(StatisticsAnswer),
    by_alias=True,
    summary="A question and its answer",
)
def read(request: HubRequest, owner: Word, name: Word, asked: Identity) -> HttpResponse:
    """Return a question to the organisation that asked and to the owner, with its profile once that stands."""
    return told(answer_told(find_asked(request.acting.view, dataset_subject(owner, name), asked)))


@router.get("/datasets/{owner}/{name}/statistics/{asked}/sample", summary="The synthetic sample", openapi_extra=ARCHIVE)
def sample(request: HubRequest, owner: Word, name: Word, asked: Identity) -> HttpResponseBase:
    """Give the archive: made-up records that say of themselves that they are, their description, their sums."""
    found = find_asked(request.acting.view, dataset_subject(owner, name), asked)
    return file_response(fetch_sample(base(), request.acting.view, found.order.identity))


def _subject(request: HubRequest, owner: str, name: str) -> str:
    subject = dataset_subject(owner, name)
    if find_listing(request.acting.view, subject) is None:
        raise NotFoundError("record.not_found", subject=subject)
    return subject
