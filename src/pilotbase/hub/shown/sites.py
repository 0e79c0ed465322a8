"""Sites as pages and API tell them."""

from __future__ import annotations

from pilotbase.documents.api.sites import OfferTold, PackTold, ReportTold, SentTold, SiteDetail, SiteTold
from pilotbase.hub.acting import language
from pilotbase.worker.progress import told
from pilotbase.worker.sites.enrolling import KnownSite
from pilotbase.worker.sites.orders import PackState, packs_of
from pilotbase.worker.sites.returning import Came, Returning, came_back, sent_reports
from pilotbase.workspace.store import View


def site_told(known: KnownSite) -> SiteTold:
    """Return a site as it stands."""
    return SiteTold.model_validate(_site(known))


def site_detail(view: View, known: KnownSite) -> SiteDetail:
    """Return a site with its packs and reports, as far as the actor sees them."""
    name = known.standing.site
    return SiteDetail.model_validate(
        {
            **_site(known),
            "packs": [pack_told(one) for one in packs_of(view, name)],
            "sent": [sent_told(one) for one in sent_reports(view, name)],
            "reports": [report_told(one) for one in came_back(view, name)],
        }
    )


def pack_told(state: PackState) -> PackTold:
    """Return how far a pack is."""
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
        reason=work.reason.render(language()) if work is not None and work.reason else None,
        file=kept.name if kept is not None else None,
        ends=kept.until if kept is not None else None,
    )


def sent_told(sent: Returning) -> SentTold:
    """Return how far the examination of a report is."""
    work = told(sent.job)
    return SentTold(
        identity=sent.identity, state=work.state, reason=work.reason.render(language()) if work.reason else None
    )


def report_told(came: Came) -> ReportTold:
    """Return a report that held."""
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
