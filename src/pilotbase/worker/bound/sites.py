"""Site trials: sites, packs for them, reports of them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pilotbase.documents.api.sites import OfferTold, PackTold, ReportTold, SentTold, SiteDetail, SiteTold
from pilotbase.documents.files import File
from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.texts import Language
from pilotbase.operations import sites as declared
from pilotbase.worker.bound.binding import Caller, does
from pilotbase.worker.intake.versions import own_names
from pilotbase.worker.progress import told
from pilotbase.worker.sites import orders
from pilotbase.worker.sites.enrolling import KnownSite, enrol_site, known_sites, require_site, revoke_site
from pilotbase.worker.sites.orders import Came, PackState, Returning, came_back, send_report, sent_reports
from pilotbase.workspace.store import View

does(declared.LIST)(lambda caller, asked: [SiteTold.model_validate(_site(one)) for one in known_sites(caller.view)])
does(declared.PACKS)(lambda caller, asked: [_pack(one, caller.language) for one in orders.packs_of(caller.view)])
does(declared.SHOW_PACK)(lambda caller, asked: _pack(orders.find_pack(caller.view, asked.asked), caller.language))
does(declared.AGREE)(lambda caller, asked: _pack(orders.agree_to_pack(caller.view, asked.asked), caller.language))


@does(declared.ENROL)
def enrol(caller: Caller, asked: declared.NewSite) -> SiteTold:
    """Enrol a site, or update what it offers."""
    with tempfile.TemporaryDirectory(dir=caller.base.home.scratch) as folder, own_names(Path(folder)):
        file = Path(folder, "site-enrolment.json")
        file.write_bytes(canonical_json(asked.enrolment))
        site = enrol_site(caller.base, caller.view, file, asked.key)
    return _told(caller.view, site.site)


@does(declared.SHOW)
def show(caller: Caller, asked: declared.OfSite) -> SiteDetail:
    """Return a site with the packs and results that the caller can see."""
    known, view = require_site(caller.view, asked.site), caller.view
    parts = {
        "packs": [_pack(one, caller.language) for one in orders.packs_of(view, asked.site)],
        "sent": [_sent(one, caller.language) for one in sent_reports(view, asked.site)],
        "reports": [_report(one) for one in came_back(view, asked.site)],
    }
    return SiteDetail.model_validate({**_site(known), **parts})


@does(declared.REVOKE)
def revoke(caller: Caller, asked: declared.SiteRevocation) -> SiteTold:
    """Revoke a site."""
    return _told(caller.view, revoke_site(caller.view, asked.site, asked.reason).site)


@does(declared.ASK)
def ask(caller: Caller, asked: declared.NewPack) -> PackTold:
    """Request a trial of an application at a site."""
    state = orders.ask_for_pack(caller.view, asked.site, asked.scenario, asked.application, asked.days)
    return _pack(state, caller.language)


@does(declared.FETCH)
def fetch(caller: Caller, asked: declared.OfPack) -> File:
    """Return the signed pack."""
    kept, archive = orders.fetch_pack(caller.base, caller.view, asked.asked)
    return File.of(kept.name, archive)


@does(declared.SEND)
def send(caller: Caller, asked: declared.SignedReport) -> SentTold:
    """Hand in a report that a site has signed."""
    return _sent(send_report(caller.view, canonical_json(asked.report)), caller.language)


def _told(view: View, site: str) -> SiteTold:
    return SiteTold.model_validate(_site(require_site(view, site)))


def _pack(state: PackState, reader: Language) -> PackTold:
    """Return the state of a pack."""
    asked, kept = state.asked, state.kept
    work = told(state.job) if state.job is not None else None
    return PackTold(
        identity=asked.identity,
        site=asked.site,
        scenario=asked.scenario,
        application=asked.application,
        supplier=asked.supplier,
        days=asked.days,
        asked_by=asked.asked_by,
        asked_at=asked.asked_at,
        agreed_at=state.consent.at if state.consent is not None else None,
        state=work.state if work is not None else "asked",
        reason=work.reason.render(reader) if work is not None and work.reason else None,
        file=kept.name if kept is not None else None,
        ends=kept.until if kept is not None else None,
    )


def _sent(sent: Returning, reader: Language) -> SentTold:
    """Return the progress of the check of a report."""
    work = told(sent.job)
    return SentTold(
        identity=sent.identity, state=work.state, reason=work.reason.render(reader) if work.reason else None
    )


def _report(came: Came) -> ReportTold:
    """Return a report that passed the check."""
    release, plan = came.paper.release, came.paper.plan
    attempt = came.paper.report.attempt
    return ReportTold(
        pack=release.pack,
        scenario=plan.scenario.name,
        application=f"{plan.application.supplier.organisation}/{plan.application.name}",
        verdict=came.paper.report.verdict.value,
        approximate=came.paper.report.approximate or None,
        attempt=attempt.number if attempt is not None else 1,
        unreported=list(came.unreported),
        witness=release.witness.name,
        witness_organisation=release.witness.organisation,
        signed_at=release.signed_at,
        certificate=came.certificate.certificate.serial if came.certificate is not None else None,
    )


def _site(known: KnownSite) -> dict[str, object]:
    standing, enrolment = known.standing, known.enrolment
    return {
        "site": standing.site,
        "owner": standing.owner,
        "key": standing.root_key,
        "software": enrolment.software.name,
        "figures": enrolment.release.figures,
        "smallest_cell": enrolment.release.smallest_cell,
        "revoked_at": standing.revoked_at,
        "reason": standing.reason,
        "offers": [
            OfferTold(scenario=one.scenario.name, version=one.reference.digest, cases=one.hidden.rows)
            for one in enrolment.offers
        ],
    }
