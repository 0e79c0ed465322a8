"""Trials as they go, over the API: the queue, what hidden data still hold, candidates side by side, sample bundles."""

from __future__ import annotations

from django.http import HttpResponse
from ninja import Query, Router

from pilotbase.catalogue.records import record_of
from pilotbase.documents.api.comparison import Budget, Comparison
from pilotbase.documents.api.shapes import InAddress
from pilotbase.documents.api.trials import EstimateTold, OrderedBundle, QueuedWork
from pilotbase.documents.hashes import Digest
from pilotbase.documents.subjects import commission_subject, scenario_subject
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.api.answers import answers
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.records import Word
from pilotbase.hub.base import base
from pilotbase.hub.shown.bundles import bundle_response
from pilotbase.hub.shown.estimates import estimate_told
from pilotbase.worker.bundles.orders import fetch_bundle, find_order, order_bundle
from pilotbase.worker.jobs.waiting_line import waiting_line
from pilotbase.worker.progress import told
from pilotbase.worker.trials.comparing import compare
from pilotbase.worker.trials.hidden_budgets import budget_of_scenario
from pilotbase.workspace.failures import ConflictError, NotFoundError

router = Router(tags=["trials"], auth=MEMBERS)
ZIP = "application/zip"
PACKING_SECONDS = "2"


class Wanted(InAddress):
    """Of which round."""

    report: Digest | None = None
    again: bool = False
    """Whether to pack it anew where that has failed before."""


@router.get("/queue", response=answers(list[QueuedWork]), summary="What runs and what waits")
def queue(request: HubRequest) -> list[QueuedWork]:
    """Return what runs and waits on records that the caller sees, in the order in which it is taken."""
    return [
        QueuedWork(
            subject=line.subject,
            work=line.progress.kind,
            state=line.progress.state,
            position=line.progress.position,
            stage=line.progress.stage.render(language()) if line.progress.stage else None,
            percent=line.progress.share,
            reason=line.progress.reason.render(language()) if line.progress.reason else None,
            organisation=line.organisation,
            since=line.since,
        )
        for line in waiting_line(request.acting.view)
    ]


@router.get("/trials/{name}/estimate", response=answers(EstimateTold), summary="What a trial takes and costs")
def estimate(request: HubRequest, name: Word) -> EstimateTold:
    """Return what it takes in all: two digits to owner, operator and regulator, steps to other parties while it waits.

    404 before its first batches are answered, and once it has its report. Consent is the step ``consent.give``.
    """
    view = request.acting.view
    record = record_of(view, commission_subject(name))
    found = estimate_told(view, record) if record is not None else None
    if found is None:
        raise NotFoundError("hub.not_found")
    return found


@router.get("/scenarios/{owner}/{name}/budget", response=answers(Budget), summary="What its hidden data still hold")
def budget(request: HubRequest, owner: Word, name: Word) -> Budget:
    """Return attempts used and cases left, to owner, operator and regulator; 404 before the data are sealed."""
    found = budget_of_scenario(base(), request.acting.view, scenario_subject(owner, name))
    if found is None:
        raise NotFoundError("hub.not_found")
    return found


@router.get("/scenarios/{owner}/{name}/comparison", response=answers(Comparison), summary="Candidates side by side")
def comparison(request: HubRequest, owner: Word, name: Word) -> Comparison:
    """Return the candidates for a scenario to its owner and the operator, as their trials ended: no ranking."""
    return compare(request.acting.view, scenario_subject(owner, name))


@router.get(
    "/trials/{name}/bundle",
    response={200: None, 202: OrderedBundle},
    summary="The sample bundle",
    openapi_extra={
        "responses": {
            200: {"description": "The archive", "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}}
        }
    },
)
def bundle(request: HubRequest, name: Word, wanted: Query[Wanted]) -> HttpResponse:
    """Return plan, commitments, records, report and certificate in one archive, to owner, operator and regulator.

    Of the newest trial that has a report, or of the round whose report is named. A worker packs it: until it has, the
    answer is 202 and where to ask again; 409 says why it could not. The archive is kept for a day, for the caller
    alone. It holds true labels of hidden cases: whoever takes it stands in the log.
    """
    view, subject = request.acting.view, commission_subject(name)
    order = find_order(base(), view, subject, wanted.report)
    if order is not None and order.failed and not wanted.again:
        raise ConflictError("bundle.not_packed", reason=order.job.reason or "")
    order = order_bundle(base(), view, subject, wanted.report)
    if order.packed is not None:
        return bundle_response(fetch_bundle(base(), view, subject, order.report))
    work = told(order.job)
    answer = OrderedBundle(report=order.report, state=work.state, position=work.position)
    response = HttpResponse(answer.model_dump_json(), status=202, content_type="application/json")
    response["Location"] = f"/api/trials/{name}/bundle?report={order.report}"
    response["Retry-After"] = PACKING_SECONDS
    return response
