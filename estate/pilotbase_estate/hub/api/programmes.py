"""Evidence of a programme of vouchers over the API."""

from __future__ import annotations

from django.http import HttpResponseBase
from ninja import Path, Router

from pilotbase.documents.base import Name
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import BINARY
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase_estate.hub.presenters.programmes import evidence_response

router = Router(tags=["vouchers"], auth=MEMBERS)
ARCHIVE = {"responses": {200: {"description": "The archive.", "content": BINARY}}}


@router.get(
    "/voucher-programmes/{programme}/evidence",
    operation_id="vouchers.evidence",
    summary="Evidence for the auditor",
    openapi_extra=ARCHIVE,
)
def evidence(request: HubRequest, programme: Path[Name]) -> HttpResponseBase:
    """Return the auditor's folder as a zip, to operator and regulator; the log records that it was made."""
    return evidence_response(request.acting.view, programme)
