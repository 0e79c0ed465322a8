"""Site trials: sites, packs for them, reports of them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TypeVar

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.api.sites import OfferTold, PackTold, ReportTold, SentTold, SiteDetail, SiteTold
from pilotbase.documents.files import File
from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.texts import Language
from pilotbase.operations import sites as declared
from pilotbase.worker.intake.versions import own_names
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.worker.progress import told
from pilotbase.worker.sites import orders
from pilotbase.worker.sites.enrolling import KnownSite, enrol_site, known_sites, require_site, revoke_site
from pilotbase.worker.sites.orders import Came, PackState, Returning, came_back, send_report, sent_reports
from pilotbase.workspace.store import View

_Site = TypeVar("_Site", bound=SiteTold)

does(declared.LIST)(lambda caller, asked: [_site(SiteTold, one) for one in known_sites(caller.view)])
does(declared.PACKS)(lambda caller, asked: [_pack(one, caller.language) for one in orders.packs_of(caller.view)])
does(declared.SHOW_PACK)(lambda caller, asked: _pack(orders.find_pack(caller.view, asked.asked), caller.language))
does(declared.AGREE)(lambda caller, asked: _pack(orders.agree_to_pack(caller.view, asked.asked), caller.language))

does(declared.ASK)(
    lambda caller, asked: _pack(
        orders.ask_for_pack(caller.view, asked.site, asked.scenario, asked.application, asked.days), caller.language
    )
)
does(declared.SEND)(
    lambda caller, asked: _sent(send_report(caller.view, canonical_json(asked.report)), caller.language)
)
does(declared.REVOKE)(lambda caller, asked: _told(caller.view, revoke_site(caller.view, asked.site, asked.reason).site))


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
    packs = [_pack(one, caller.language) for one in orders.packs_of(view, asked.site)]
    sent = [_sent(one, caller.language) for one in sent_reports(view, asked.site)]
    return _site(SiteDetail, known, packs=packs, sent=sent, reports=list(map(_report, came_back(view, asked.site))))


@does(declared.FETCH)
def fetch(caller: Caller, asked: declared.OfPack) -> File:
    """Return the signed pack."""
    kept, archive = orders.fetch_pack(caller.base, caller.view, asked.asked)
    return File.of(kept.name, archive)


def _told(view: View, site: str) -> SiteTold:
    return _site(SiteTold, require_site(view, site))


def _pack(state: PackState, reader: Language) -> PackTold:
    """Return the state of a pack."""
    kept, work = state.kept, told(state.job).spoken(reader) if state.job is not None else None
    return filled(
        PackTold,
        state.asked,
        agreed_at=state.consent.at if state.consent is not None else None,
        state=work.state if work is not None else "asked",
        reason=work.reason if work is not None else None,
        file=kept.name if kept is not None else None,
        ends=kept.until if kept is not None else None,
    )


def _sent(sent: Returning, reader: Language) -> SentTold:
    """Return the progress of the check of a report."""
    return filled(SentTold, sent, told(sent.job).spoken(reader))


def _report(came: Came) -> ReportTold:
    """Return a report that passed the check."""
    report, release, plan = came.paper.report, came.paper.release, came.paper.plan
    return filled(
        ReportTold,
        came,
        release,
        scenario=plan.scenario.name,
        application=f"{plan.application.supplier.organisation}/{plan.application.name}",
        verdict=report.verdict.value,
        approximate=report.approximate or None,
        attempt=report.attempt.number if report.attempt is not None else 1,
        witness=release.witness.name,
        witness_organisation=release.witness.organisation,
        certificate=came.certificate.certificate.serial if came.certificate is not None else None,
    )


def _site(model: type[_Site], known: KnownSite, **parts: object) -> _Site:
    standing, enrolment = known.standing, known.enrolment
    offers = [
        OfferTold(scenario=one.scenario.name, version=one.reference.digest, cases=one.hidden.rows)
        for one in enrolment.offers
    ]
    software, release = enrolment.software.name, enrolment.release
    return filled(model, standing, release, key=standing.root_key, software=software, offers=offers, **parts)
