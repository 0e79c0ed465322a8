"""At the base: a site's report examined, kept, and certified. The same file again changes nothing.

Everything that can be checked without the cases is checked (`examining`). Whether the
site's data are what its owner says, and whether its machine ran what it signed, cannot be checked: the certificate says
that it relies on the owner's word for both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pilotbase.catalogue.applications import read_application
from pilotbase.certificate.bounded_json import read_evidence
from pilotbase.certificate.roots import TrustedKey
from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.report import Report
from pilotbase.documents.site import SiteStatement
from pilotbase.documents.texts import Text, text
from pilotbase.worker.base import Base
from pilotbase.worker.sites.enrolling import require_in_force, require_site
from pilotbase.worker.sites.examining import Returned, examine
from pilotbase.worker.sites.papers import (
    SiteEnrolment,
    SitePack,
    SiteReport,
    attempt_head,
    pack_head,
    read_envelope,
    read_paper,
    site_head,
    site_report_head,
)
from pilotbase.worker.trials.certificates import earlier_lines, issue_once, site_sentence
from pilotbase.worker.trials.folder import TrialFiles, write_trial
from pilotbase.workspace.actors import parties
from pilotbase.workspace.checks.proofs import proven_head
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.log.notes import LogVerifier
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

_ACTION = "site.taken_back"


@dataclass(frozen=True)
class TakenBack:
    """A site's trial as the base has it: the released report, the certificate, the folder of both."""

    report: Report
    issued: IssuedCertificate
    folder: Path
    unreported: tuple[int, ...]
    """Earlier attempts on the same cases whose report never came back."""


def take_back(base: Base, file: Path, out: Path | None = None) -> TakenBack:
    """Return the result of a pack: its report examined, stored and certified, once.

    Raises:
        InputError: there is no such file.
        InvalidProofError: it is malformed; or with every problem and its place: altered, signed by another key, of
            another application or scenario, of no pack of this base, more than is permitted, impossible times.
        RefusedError: another report came back for this pack or this attempt.
    """
    return take_back_bytes(base, read_evidence(file), file, out)


def take_back_bytes(base: Base, data: bytes, file: Path, out: Path | None = None) -> TakenBack:
    """Return the result of a pack from its report's bytes; ``file``: their name. Raises as `take_back`."""
    returned = _read(base, data, file)
    paper = returned.paper
    signer = examine(returned, file)
    head = site_report_head(paper.release.nonce)
    known = proven_head(base.lab.store, head, _ACTION)
    if known is None:
        known = _keep(base, returned)
    if known != paper.digest():
        raise RefusedError("site.other_report", nonce=paper.release.nonce)
    issued = _certify(base, paper, signer)
    folder = out or base.lab.folder("trials", "sites", paper.release.site, paper.release.nonce)
    folder.mkdir(parents=True, exist_ok=True)
    note = base.lab.view.checkpoint().note
    write_trial(folder, TrialFiles(paper.plan, paper.report, issued.certificate, issued.envelope, None, note))
    return TakenBack(paper.report, issued, folder, unreported(base.lab.view, paper))


def taken_lines(base: Base, taken: TakenBack, asked_at: datetime) -> Iterator[Text]:
    """Yield where the trial ran, other facts to know about it, and whether it had come back before ``asked_at``."""
    certificate = taken.issued.certificate
    assert certificate.site is not None
    yield site_sentence(certificate.site)
    if taken.unreported:
        numbers = ", ".join(map(str, taken.unreported))
        yield text("site.line_unreported", count=len(taken.unreported), numbers=numbers)
    yield from earlier_lines(base, certificate, asked_at)


def unreported(view: View, paper: SiteReport) -> tuple[int, ...]:
    """Return the earlier attempts on the same cases that never came back."""
    attempt, hidden = paper.report.attempt, paper.plan.scenario.hidden_set
    before = range(1, attempt.number if attempt is not None else 1)
    return tuple(number for number in before if view.head(attempt_head(hidden, number)) is None)


def _read(base: Base, data: bytes, file: Path) -> Returned:
    """Return what came back, with the pack that it answers; raises `InvalidProofError` if the base sent none."""
    envelope = read_envelope(SiteReport, data)
    paper = read_paper(SiteReport, envelope)
    pack = base.lab.view.load_head(pack_head(paper.release.nonce), SitePack)
    if pack is None:
        raise InvalidProofError("site.no_such_pack", file=file, nonce=paper.release.nonce)
    offers = base.lab.view.load(pack.enrolment, SiteEnrolment).offers
    offer = next(one for one in offers if one.sealed == pack.sealed)
    endpoint = read_application(base.lab.application_folder(pack.application.digest)).application.endpoint
    site = require_site(base.lab.view, pack.site)
    return Returned(paper, envelope, pack, site, offer, base.lab.store.clock(), endpoint)


def _keep(base: Base, returned: Returned) -> Digest:
    """Store what came back in one step: the report, that its attempt is spent, and the seen state of the site's log."""
    paper, owner = returned.paper, returned.site.standing.owner
    attempt, plan = paper.report.attempt, paper.plan
    assert attempt is not None
    hidden, supplier = plan.scenario.hidden_set, plan.application.supplier.organisation
    spent, head = attempt_head(hidden, attempt.number), site_report_head(paper.release.nonce)
    try:
        with base.lab.view.transaction(_ACTION) as change:
            digest = change.put(paper, parties(), owner=owner, fields={"site": paper.release.site})
            report = change.put(paper.report, parties(), owner=owner, fields={"scenario": plan.scenario.name})
            change.put(paper.report.supplier_view(), parties(), owner=supplier, fields={"full": report})
            change.put(plan, parties(supplier), owner=owner, fields={"scenario": plan.scenario.name})
            change.set_head(spent, digest, expected=None)
            change.set_head(head, digest, expected=None)
            _note_seen(base.lab.view.within(change), change, paper)
    except ConflictError:
        known = base.lab.view.head(head)
        if known is None:
            raise RefusedError("site.attempt_taken", number=attempt.number, site=paper.release.site) from None
        return known
    return digest


def _note_seen(view: View, change: Transaction, paper: SiteReport) -> None:
    """Note the newest state of the site's log; raises `RefusedError` if the site was revoked meanwhile."""
    known = require_site(view, paper.release.site)
    site = known.standing
    require_in_force(site)
    verifier, note = LogVerifier.from_text(known.enrolment.log_key), paper.excerpt.checkpoint
    if verifier.open(note).size > verifier.open(site.seen).size:
        newer = site.model_copy(update={"seen": note})
        digest = change.put(newer, parties(), owner=site.owner, fields={"site": site.site})
        change.set_head(site_head(site.site), digest, expected=site.digest())


def _certify(base: Base, paper: SiteReport, signer: TrustedKey) -> IssuedCertificate:
    release = paper.release
    pack = base.lab.view.load(release.pack, SitePack)
    smallest = pack.release.smallest_cell
    statement = filled(SiteStatement, release, signed_by=signer.key.key_id, smallest_cell=smallest)
    return issue_once(base, paper.report, paper.plan, (), statement)
