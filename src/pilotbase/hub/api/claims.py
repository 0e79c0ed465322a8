"""Claims on vouchers over the API: what may be claimed, claims with every rule, decisions, payouts. In hundredths."""

from __future__ import annotations

from django.http import HttpResponse
from ninja import Router

from pilotbase.compute.vouchers.claiming import Verdict
from pilotbase.documents.api.vouchers import (
    ClaimDetail,
    ClaimTold,
    NewClaim,
    NewPayout,
    NewVerdict,
    ReconciliationTold,
    UseTold,
)
from pilotbase.documents.hashes import digest_of, hex_of
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers, once, told
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.media import BINARY
from pilotbase.hub.api.records import Identity, Sha256
from pilotbase.hub.base import base
from pilotbase.hub.shown.attachments import download
from pilotbase.hub.shown.claims import claim_detail, claims_told, reconciliation_told, uses_to_claim
from pilotbase.worker.computing.claim_files import take_claim_file
from pilotbase.worker.computing.claims import decide_claim, hand_in_claim, pay_claim
from pilotbase.workspace.store import View

router = Router(tags=["vouchers"], auth=MEMBERS)
FILE = {"responses": {200: {"description": "The file.", "content": BINARY}}}


@router.get("/voucher-uses", response=answers(list[UseTold]), summary="What I may claim")
def read_uses(request: HubRequest) -> list[UseTold]:
    """Return the settled uses of the caller's organisation of which a voucher has paid something, and who claimed."""
    return uses_to_claim(request.acting.view)


@router.get("/voucher-claims", response=answers(list[ClaimTold]), summary="Claims")
def read_all(request: HubRequest) -> list[ClaimTold]:
    """Return one's own claims, and those of the other party to one's own uses; operator and regulator see all."""
    return claims_told(request.acting.view)


@router.post("/voucher-claims", response=answers(ClaimDetail, 201), summary="Claim a settled use")
def make(request: HubRequest, given: NewClaim) -> HttpResponse:
    """Claim what a voucher has paid, with uploaded evidence; it is decided at once, or waits for a person."""

    def act(view: View) -> HttpResponse:
        claim = hand_in_claim(base(), view, given).claim
        return told(claim_detail(view, claim), 201, f"/api/voucher-claims/{hex_of(claim)}")

    return once(request, act)


@router.get("/voucher-claims/{asked}", response=answers(ClaimDetail), summary="A claim")
def read(request: HubRequest, asked: Identity) -> ClaimDetail:
    """Return a claim with the outcome of every rule, to its claimant, the other party, operator and regulator."""
    return claim_detail(request.acting.view, digest_of(asked))


@router.post("/voucher-claims/{asked}/decision", response=answers(ClaimDetail), summary="Decide a claim")
def decide(request: HubRequest, given: NewVerdict, asked: Identity) -> HttpResponse:
    """Grant or refuse a claim that waits for a person; operator or regulator, who is no party to it."""

    def act(view: View) -> HttpResponse:
        decide_claim(base(), view, Verdict(digest_of(asked), given.granted, given.note))
        return told(claim_detail(view, digest_of(asked)))

    return once(request, act)


@router.post("/voucher-claims/{asked}/payout", response=answers(ClaimDetail), summary="Say that a claim was paid out")
def pay(request: HubRequest, given: NewPayout, asked: Identity) -> HttpResponse:
    """Say that a granted claim was paid out, under which reference; the operator alone. Again changes nothing."""

    def act(view: View) -> HttpResponse:
        pay_claim(view, digest_of(asked), given.reference)
        return told(claim_detail(view, digest_of(asked)))

    return once(request, act)


@router.get("/voucher-claims/{asked}/files/{digest}", summary="A file of a claim", openapi_extra=FILE)
def read_file(request: HubRequest, asked: Identity, digest: Sha256) -> HttpResponse:
    """Give a file of a claim to its claimant, operator and regulator; logged each time."""
    found, content = take_claim_file(base(), request.acting.view, digest_of(asked), digest)
    return download(content, found.name)


@router.get("/voucher-metering", response=answers(ReconciliationTold), summary="Metered beside settled and posted")
def read_metering(request: HubRequest) -> ReconciliationTold:
    """Return each settled use beside its counters and postings, and hours of calls; to operator and regulator alone."""
    return reconciliation_told(request.acting.view)
