"""Programmes of vouchers over the API: rules that everybody reads and the operator sets, evidence for the auditor."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from ninja import Path, Router

from pilotbase.compute.vouchers.programmes import rules_of, set_rules
from pilotbase.documents.api.vouchers import ProgrammeListed
from pilotbase.documents.base import Name
from pilotbase.documents.voucher import VoucherRules
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers, asked, document
from pilotbase.hub.api.authentication import EVERYBODY, MEMBERS
from pilotbase.hub.api.media import BINARY
from pilotbase.hub.shown.programmes import evidence_response, programmes_told, require_named

router = Router(tags=["vouchers"], auth=EVERYBODY)
ARCHIVE = {"responses": {200: {"description": "The archive.", "content": BINARY}}}


@router.get("/voucher-programmes", response=answers(list[ProgrammeListed]), summary="Programmes of vouchers")
def read_all(request: HubRequest) -> list[ProgrammeListed]:
    """Return the programmes as they stand today, by name."""
    return programmes_told(request.acting.view)


@router.get(
    "/voucher-programmes/{programme}", response=answers(VoucherRules), by_alias=True, summary="The rules of a programme"
)
def read(request: HubRequest, programme: Path[Name]) -> HttpResponse:
    """Return the rules under which vouchers are issued today; a voucher keeps those that it was issued under."""
    digest, rules = rules_of(request.acting.view, programme)
    return document(request, rules, version=digest)


@router.put(
    "/voucher-programmes/{programme}",
    response=answers(VoucherRules),
    by_alias=True,
    auth=MEMBERS,
    summary="Set the rules of a programme",
)
def put(request: HubRequest, rules: VoucherRules, programme: Path[Name]) -> HttpResponse:
    """Let a programme go by these rules from now on; the operator alone. The same rules again change nothing."""
    require_named(rules, programme)
    digest = set_rules(asked(request), rules)
    return document(request, rules, version=digest)


@router.get(
    "/voucher-programmes/{programme}/evidence", auth=MEMBERS, summary="Evidence for the auditor", openapi_extra=ARCHIVE
)
def evidence(request: HubRequest, programme: Path[Name]) -> HttpResponseBase:
    """Give the auditor's folder as a zip to operator and regulator; that it was made stands in the log."""
    return evidence_response(request.acting.view, programme)
