"""Reports of sites on a hub: sent by the owner of the site, examined and certified by the worker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import digest_json, hex_of
from pilotbase.documents.subjects import certificate_head
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.worker.base import Base
from pilotbase.worker.sites.enrolling import require_in_force, require_site
from pilotbase.worker.sites.papers import Signed, SiteReport, attempt_head
from pilotbase.worker.sites.signatures import read_envelope, read_paper
from pilotbase.worker.sites.taking_back import take_back_bytes
from pilotbase.workspace.actors import parties
from pilotbase.workspace.jobs import Job, JobState, enqueue, jobs_under
from pilotbase.workspace.store import View

KIND = WorkKind.SITE_REPORT
_FILE = Path("site-report.json")
_ALL = 1000


@dataclass(frozen=True)
class Returning:
    """A report that was sent in, and how far its examination is."""

    identity: str
    signed: Signed
    job: Job


@dataclass(frozen=True)
class Came:
    """A report that held, the certificate over it, and which attempts before it never came back."""

    paper: SiteReport
    certificate: IssuedCertificate | None
    unreported: tuple[int, ...]


def send_report(view: View, data: bytes) -> Returning:
    """Keep a signed report as it came, and queue its examination; the same one sent again is the same.

    Raises:
        InvalidProofError: it is malformed.
        NotFoundError: the actor sees no such site.
        RefusedError: the actor is neither the site's owner nor the operator; the site was revoked.
    """
    envelope = read_envelope(SiteReport, data)
    paper = read_paper(SiteReport, envelope)
    known = require_site(view, paper.release.site)
    owner = known.standing.owner
    if not view.actor.may_write_for(owner):
        raise RefusedError("workspace.not_yours", organisation=view.actor.organisation, owner=owner)
    require_in_force(known.standing)
    signed = Signed(about=paper.digest(), envelope=envelope)
    identity = hex_of(digest_json([paper.release.site, signed.digest()]))
    before = jobs_under(view, _head(identity))
    if not before or before[0].state in (JobState.FAILED, JobState.CANCELLED):
        with view.transaction("site.report_sent") as change:
            digest = change.put(signed, parties(), owner=owner, fields={"site": paper.release.site})
            if not before:
                change.set_head(_head(identity), digest, expected=None)
            change.record("site.report_sent", [digest])
            enqueue(change, KIND, _head(identity), {"signed": digest})
    return Returning(identity, signed, jobs_under(view, _head(identity))[0])


def sent_reports(view: View, site: str) -> list[Returning]:
    """Return the reports that were sent in of a site, newest first, to its owner and the base."""
    found = (stored.load(Signed) for stored in view.find("signed-paper", {"site": site}, limit=_ALL))
    named = {hex_of(digest_json([site, signed.digest()])): signed for signed in found}
    return [Returning(one, signed, jobs_under(view, _head(one))[0]) for one, signed in named.items()]


def examine_sent(base: Base, job: Job) -> None:
    """Examine what ``job`` names, keep and certify it; raises as `take_back`."""
    signed = base.lab.view.load(job.payload["signed"], Signed)
    take_back_bytes(base, signed.envelope.to_bytes(), _FILE)


def came_back(view: View, site: str) -> list[Came]:
    """Return the reports of a site that held, newest first."""
    papers = (stored.load(SiteReport) for stored in view.find("site-report", {"site": site}, limit=_ALL))
    return [_came(view, paper) for paper in papers]


def _came(view: View, paper: SiteReport) -> Came:
    digest = view.head(certificate_head(paper.report.digest()))
    attempt = paper.report.attempt.number if paper.report.attempt is not None else 1
    hidden = paper.plan.scenario.hidden_set
    lacking = tuple(number for number in range(1, attempt) if view.head(attempt_head(hidden, number)) is None)
    return Came(paper, view.load(digest, IssuedCertificate) if digest is not None else None, lacking)


def _head(identity: str) -> str:
    return f"site-return:{identity}"
