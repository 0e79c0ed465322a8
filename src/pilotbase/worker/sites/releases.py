"""At the site: what of a finished trial may leave, written to the log, proven by it, signed. Once and for all."""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.certificate import Envelope
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Report
from pilotbase.documents.site import Witness
from pilotbase.trial.lab import name_once
from pilotbase.worker.base import Base
from pilotbase.worker.bundles.course import Logged, Proceedings, excerpt_of
from pilotbase.worker.sites.aggregates import permitted
from pilotbase.worker.sites.papers import (
    Signed,
    SitePack,
    SiteRelease,
    SiteReport,
    release_head,
    site_report_head,
)
from pilotbase.worker.sites.signatures import read_paper, sign
from pilotbase.worker.sites.software import this_software
from pilotbase.worker.sites.unpacking import growth_since
from pilotbase.workspace.actors import parties
from pilotbase.workspace.log.entries import STORED


@dataclass(frozen=True)
class Released:
    """What may leave of a trial, and the envelope that holds it."""

    paper: SiteReport
    envelope: Envelope


def release_trial(base: Base, pack: SitePack, plan: TrialPlan, report: Report, witness: Witness) -> Released:
    """Return the signed report of a pack; the first that was made is the one."""
    head = site_report_head(pack.nonce)
    known = base.lab.view.head(head)
    if known is None:
        signed = _sign(base, pack, _release(base, pack, plan, report, witness), plan)
        with base.lab.view.transaction("site.signed") as change:
            digest = change.put(signed, parties(), owner=plan.scenario.owner.organisation)
        known = name_once(base.lab.view, head, digest)
    envelope = base.lab.view.load(known, Signed).envelope
    return Released(read_paper(SiteReport, envelope), envelope)


def logged(release: SiteRelease) -> tuple[Logged, ...]:
    """Return what the site's log must say of a release, besides what it says of every trial."""
    return (
        Logged("pack", "site.pack_taken", f"{STORED}{release.pack}", "site-pack"),
        Logged("release", "site.released", f"{STORED}{release.digest()}", "site-release"),
    )


def _release(base: Base, pack: SitePack, plan: TrialPlan, report: Report, witness: Witness) -> SiteRelease:
    """Return what is let out of a trial, as the log of this site says from now on."""
    head, owner = release_head(pack.nonce), plan.scenario.owner.organisation
    known = base.lab.view.head(head)
    if known is not None:
        return base.lab.view.load(known, SiteRelease)
    leaving = permitted(report, pack.release)
    release = SiteRelease(
        site=base.trust.issuer,
        owner=owner,
        pack=pack.digest(),
        nonce=pack.nonce,
        plan=plan.digest(),
        report=leaving.digest(),
        full_report=report.digest(),
        witness=witness,
        software=this_software(),
        signed_at=base.lab.store.clock(),
    )
    with base.lab.view.transaction("site.released") as change:
        change.put(leaving, parties(), owner=owner)
        change.set_head(head, change.put(release, parties(), owner=owner), expected=None)
    return release


def _sign(base: Base, pack: SitePack, release: SiteRelease, plan: TrialPlan) -> Signed:
    leaving = base.lab.view.load(release.report, Report)
    excerpt = excerpt_of(base.lab.store, Proceedings(plan, leaving, beside=logged(release)))
    growth = growth_since(base, pack.seen, base.lab.store.key.verifier.open(excerpt.checkpoint))
    paper = SiteReport(release=release, plan=plan, report=leaving, excerpt=excerpt, growth=growth)
    return Signed(about=release.digest(), envelope=sign(paper, base.trust))
