"""Sample bundles over the API."""

from __future__ import annotations

from django.http import HttpResponse
from ninja import Path, Query, Router

from pilotbase.documents.api.shapes import InAddress
from pilotbase.documents.api.trials import OrderedBundle
from pilotbase.documents.base import Name
from pilotbase.documents.hashes import Digest
from pilotbase.documents.subjects import commission_subject
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.base import base
from pilotbase.hub.presenters.taken import bundle_response
from pilotbase.worker.progress import told
from pilotbase.worker.sample_bundles.orders import fetch_bundle, find_order, order_bundle
from pilotbase.workspace.failures import ConflictError

router = Router(tags=["trials"], auth=MEMBERS)
ZIP = "application/zip"
PACKING_SECONDS = "2"


class RoundQuery(InAddress):
    """Of which round."""

    report: Digest | None = None
    again: bool = False
    """Whether to pack it anew where that has failed before."""


@router.get(
    "/trials/{name}/bundle",
    operation_id="trials.bundle",
    response={200: None, 202: OrderedBundle},
    summary="The sample bundle",
    openapi_extra={
        "responses": {
            200: {"description": "The archive", "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}}
        }
    },
)
def bundle(request: HubRequest, name: Path[Name], wanted: Query[RoundQuery]) -> HttpResponse:
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
