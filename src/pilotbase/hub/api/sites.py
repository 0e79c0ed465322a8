"""Site trials over the API: sites, packs for them, reports of them."""

from __future__ import annotations

from typing import Annotated

import pydantic
from django.http import HttpResponse
from ninja import Path, Router

from pilotbase.documents.api.sites import (
    NewPack,
    NewSite,
    PackTold,
    SentTold,
    SignedReport,
    SiteDetail,
    SiteRevocation,
    SiteTold,
)
from pilotbase.documents.hashes import canonical_json
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers, once, told
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.media import BINARY
from pilotbase.hub.api.records import Identity
from pilotbase.hub.base import base
from pilotbase.hub.forms.private_files import private_folder
from pilotbase.hub.shown.attachments import download
from pilotbase.hub.shown.sites import pack_told, sent_told, site_detail, site_told
from pilotbase.worker.sites.enrolling import enrol_site, known_sites, require_site, revoke_site
from pilotbase.worker.sites.orders import agree_to_pack, ask_for_pack, fetch_pack, find_pack, packs_of
from pilotbase.worker.sites.returning import send_report
from pilotbase.workspace.store import View

router = Router(tags=["sites"], auth=MEMBERS)
SiteName = Path[Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]]
PACK = {"responses": {200: {"description": "The pack.", "content": BINARY}}}


@router.get("/sites", response=answers(list[SiteTold]), summary="Sites")
def read_all(request: HubRequest) -> list[SiteTold]:
    """Return the sites that the caller sees: one's own; operator and regulator see all."""
    return [site_told(one) for one in known_sites(request.acting.view)]


@router.post("/sites", response=answers(SiteTold, 201), summary="Enrol a site")
def enrol(request: HubRequest, given: NewSite) -> HttpResponse:
    """Take in a site, or what it newly offers, once its key is the one that its owner names."""

    def act(view: View) -> HttpResponse:
        with private_folder() as folder:
            file = folder / "site-enrolment.json"
            file.write_bytes(canonical_json(given.enrolment))
            site = enrol_site(base(), view, file, given.key)
        return told(site_told(require_site(view, site.site)), 201, f"/api/sites/{site.site}")

    return once(request, act)


@router.get("/sites/{site}", response=answers(SiteDetail), summary="A site")
def read(request: HubRequest, site: SiteName) -> HttpResponse:
    """Return a site with its packs and what came back of it, to its owner, operator and regulator."""
    view = request.acting.view
    return told(site_detail(view, require_site(view, site)))


@router.post("/sites/{site}/revoke", response=answers(SiteTold), summary="Revoke a site")
def revoke(request: HubRequest, given: SiteRevocation, site: SiteName) -> HttpResponse:
    """Take nothing more that a site has signed, for ever; certificates over its earlier trials stay."""

    def act(view: View) -> HttpResponse:
        revoke_site(view, site, given.reason)
        return told(site_told(require_site(view, site)))

    return once(request, act)


@router.get("/site-packs", response=answers(list[PackTold]), summary="Packs that were asked for")
def read_packs(request: HubRequest) -> list[PackTold]:
    """Return the packs of the caller's sites, and those that carry the caller's applications."""
    return [pack_told(one) for one in packs_of(request.acting.view)]


@router.post("/sites/{site}/packs", response=answers(PackTold, 201), summary="Ask for a pack")
def ask(request: HubRequest, given: NewPack, site: SiteName) -> HttpResponse:
    """Ask that a site tries an application; it is packed once the supplier has agreed."""

    def act(view: View) -> HttpResponse:
        state = ask_for_pack(view, site, given.scenario, given.application, given.days)
        return told(pack_told(state), 201, f"/api/site-packs/{state.asked.identity}")

    return once(request, act)


@router.get("/site-packs/{asked}", response=answers(PackTold), summary="A pack")
def read_pack(request: HubRequest, asked: Identity) -> HttpResponse:
    """Return how far a pack is, to the site's owner, the supplier and the base."""
    return told(pack_told(find_pack(request.acting.view, asked)))


@router.post("/site-packs/{asked}/agree", response=answers(PackTold), summary="Agree to a pack")
def agree(request: HubRequest, asked: Identity) -> HttpResponse:
    """Agree, for the supplier, that the application goes to the site, its code in the open; a worker packs it then."""

    def act(view: View) -> HttpResponse:
        return told(pack_told(agree_to_pack(view, asked)))

    return once(request, act)


@router.get("/site-packs/{asked}/file", summary="Fetch a pack", openapi_extra=PACK)
def fetch(request: HubRequest, asked: Identity) -> HttpResponse:
    """Give the signed pack to the owner of the site or the operator, until it has run out; logged each time."""
    kept, archive = fetch_pack(base(), request.acting.view, asked)
    return download(archive, kept.name)


@router.post("/site-reports", response=answers(SentTold, 202), summary="Send the report of a site")
def send(request: HubRequest, given: SignedReport) -> HttpResponse:
    """Send what a site has signed; a worker examines it, every problem at once, keeps it and certifies it."""

    def act(view: View) -> HttpResponse:
        return told(sent_told(send_report(view, canonical_json(given.report))), 202)

    return once(request, act)
