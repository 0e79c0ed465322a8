"""Site trials on a hub: packs ordered, agreed to, packed and fetched; reports sent in by the owner of the site.

A pack takes the application's code in the open to somebody else's machine: so nothing is packed before its supplier has
agreed to this very version at this very site.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.base import Document, Moment, Name
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest, digest_bytes, digest_json, hex_of
from pilotbase.documents.progress import OnProgress
from pilotbase.documents.record import ApplicationVersion
from pilotbase.documents.site import LONGEST_DAYS, AskedPack
from pilotbase.documents.subjects import Subject, certificate_head
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.worker.base import Base
from pilotbase.worker.retention_dates import KeptUntil, erase_over, seal, unseal
from pilotbase.worker.sites.enrolling import KnownSite, require_in_force, require_site
from pilotbase.worker.sites.packing import PackOrder, pack_for_site
from pilotbase.worker.sites.papers import Signed, SiteReport, read_envelope, read_paper
from pilotbase.worker.sites.taking_back import take_back_bytes, unreported
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.jobs import Job, JobState, enqueue, jobs_under
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

_KEY_FILE = "site-packs.key"


class PackConsent(Document):
    """The supplier's agreement that its application goes to that site, in the open."""

    document: Literal["site-pack-consent/1"] = "site-pack-consent/1"
    order: str
    supplier: Name
    at: Moment


class KeptPack(KeptUntil):
    """Records that the base keeps a pack for the owner of a site: an encrypted blob, until the pack has run out."""

    document: Literal["kept-site-pack/1"] = "kept-site-pack/1"
    order: str
    pack: Digest
    name: str
    size: int


@dataclass(frozen=True)
class PackState:
    """An ordered pack and its progress."""

    asked: AskedPack
    consent: PackConsent | None
    job: Job | None
    kept: KeptPack | None
    """Also None for actors who may not fetch it."""


@dataclass(frozen=True)
class Returning:
    """A report that was sent in, and the progress of its examination."""

    identity: str
    signed: Signed
    job: Job


@dataclass(frozen=True)
class Came:
    """A report that held, the certificate over it, and which earlier attempts never came back."""

    paper: SiteReport
    certificate: IssuedCertificate | None
    unreported: tuple[int, ...]


def ask_for_pack(view: View, site: str, scenario: str, application: Subject, days: int) -> PackState:
    """Order a trial of an application's newest version at a site; ordered again, it is the same order.

    Any actor who sees the application listed may order: that does not need the record, which belongs to its supplier.
    Once the supplier has agreed, an order whose pack has run out, or could not be packed, is packed again.

    Raises:
        NotFoundError: no such site or application is seen.
        RefusedError: the actor is neither the site's owner nor the operator; the site was revoked.
        InputError: the site has offered no such scenario; too many days.
    """
    known = _own_site(view, site)
    require_in_force(known.standing)
    known.offer(scenario)
    if not 1 <= days <= LONGEST_DAYS:
        raise InputError("site.days", found=days, longest=LONGEST_DAYS)
    listed = find_listing(view, application)
    if listed is None or listed.kind != "application":
        raise NotFoundError("record.not_found", subject=application)
    asked = AskedPack(
        site=site,
        owner=known.standing.owner,
        scenario=scenario,
        application=application,
        version=listed.digest,
        enrolment=known.standing.enrolment,
        days=days,
        asked_by=view.actor.organisation,
        asked_at=view.store.clock(),
    )
    state = _known(view, asked.identity)
    if state is None:
        with view.transaction("site.pack_asked") as change:
            digest = change.put(asked, parties(asked.supplier), owner=asked.owner, fields={"site": site})
            change.set_head(_head("site-order", asked.identity), digest, expected=None)
    elif state.consent is not None and _to_be_packed(view, state):
        with view.transaction("site.pack_asked") as change:
            change.record("site.pack_asked", [state.asked.digest()])
            _queue(change, state.asked)
    return find_pack(view, asked.identity)


def agree_to_pack(view: View, identity: str) -> PackState:
    """Agree, for the supplier, that its application goes to a site; the packing is queued. Again: no change.

    Raises:
        NotFoundError: the actor sees no such order.
        RefusedError: the actor is not the supplier.
    """
    state = find_pack(view, identity)
    view.actor.require_is(state.asked.supplier)
    if state.consent is None:
        with view.transaction("site.pack_agreed") as change:
            consent = PackConsent(order=identity, supplier=state.asked.supplier, at=change.now)
            digest = change.put(consent, parties(state.asked.owner), owner=consent.supplier)
            change.set_head(_head("site-consent", identity), digest, expected=None)
            _queue(change, state.asked)
    return find_pack(view, identity)


def find_pack(view: View, identity: str) -> PackState:
    """Return an order of a pack that the actor may see; raises `NotFoundError`."""
    state = _known(view, identity)
    if state is None:
        raise NotFoundError("site.no_order")
    return state


def packs_of(view: View, site: str | None = None) -> list[PackState]:
    """Return the orders of packs that the actor sees, newest first, of one site or all."""
    orders = view.every(AskedPack, {"site": site} if site else {})
    return [find_pack(view, identity) for identity in dict.fromkeys(one.identity for one in orders)]


def packs_to_agree(view: View) -> list[AskedPack]:
    """Return the packs that the actor's organisation is asked to agree to, newest first."""
    own = {one.identity: one for one in view.every(AskedPack) if one.supplier == view.actor.organisation}
    return [one for one in own.values() if view.head(_head("site-consent", one.identity)) is None]


def pack_ordered(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Pack the order of ``job`` and keep the pack for the site's owner; raises as `pack_for_site`."""
    view = base.lab.view
    asked = view.load(job.payload["order"], AskedPack)
    before = view.head(_head("kept-site-pack", asked.identity))
    folder = base.lab.application_folder(view.load(asked.version, ApplicationVersion).folder)
    with tempfile.TemporaryDirectory(dir=base.home.scratch) as scratch:
        order = PackOrder(asked.site, asked.scenario, folder, asked.days)
        packed = pack_for_site(base, order, Path(scratch, "trial.pack"), on_progress)
        archive = packed.file.read_bytes()
    sealed = seal(base, _KEY_FILE, archive, _context(asked.identity))
    kept = KeptPack(
        order=asked.identity,
        pack=packed.pack.digest(),
        name=f"{asked.scenario}-{packed.pack.application.name}-{packed.pack.nonce[:8]}.pack",
        blob=digest_bytes(sealed),
        size=len(archive),
        until=packed.pack.expires_at,
    )
    with view.transaction("site.pack_kept") as change:
        digest = change.put(kept, parties(), owner=asked.owner, fields={"site": asked.site})
        change.set_head(_head("kept-site-pack", asked.identity), digest, expected=before)
    base.lab.vault.blobs.put(sealed)


def fetch_pack(base: Base, view: View, identity: str) -> tuple[KeptPack, bytes]:
    """Return a pack to the owner of its site or the operator; the log records each time that it is given out.

    Raises:
        NotFoundError: the actor sees no such order; nothing is kept, or no longer.
        RefusedError: the actor is neither the site's owner nor the operator; the site was revoked.
        InvalidProofError: the bytes that were kept were altered.
    """
    state = find_pack(view, identity)
    known = _own_site(view, state.asked.site)
    require_in_force(known.standing)
    if state.kept is None or state.kept.until <= base.lab.store.clock():
        raise NotFoundError("site.no_pack_kept")
    sealed = base.lab.vault.blobs.get(state.kept.blob)
    with view.transaction("site.pack_fetched") as change:
        change.record("site.pack_fetched", [state.kept.pack, state.kept.blob])
    return state.kept, unseal(base, _KEY_FILE, sealed, _context(identity), (state.kept.blob, state.asked.owner))


def erase_old_packs(base: Base) -> int:
    """Erase the packs that have run out, and return how many."""
    return erase_over(base, KeptPack, "site.pack_erased", lambda kept: kept.pack)


def send_report(view: View, data: bytes) -> Returning:
    """Keep a signed report as it came, and queue its examination; sent again, it is the same one.

    Raises:
        InvalidProofError: it is malformed.
        NotFoundError: the actor sees no such site.
        RefusedError: the actor is neither the site's owner nor the operator; the site was revoked.
    """
    envelope = read_envelope(SiteReport, data)
    paper = read_paper(SiteReport, envelope)
    known = _own_site(view, paper.release.site)
    require_in_force(known.standing)
    signed = Signed(about=paper.digest(), envelope=envelope)
    identity = hex_of(digest_json([paper.release.site, signed.digest()]))
    before = jobs_under(view, _head("site-return", identity))
    if not before or before[0].state in (JobState.FAILED, JobState.CANCELLED):
        with view.transaction("site.report_sent") as change:
            digest = change.put(signed, parties(), owner=known.standing.owner, fields={"site": paper.release.site})
            if not before:
                change.set_head(_head("site-return", identity), digest, expected=None)
            change.record("site.report_sent", [digest])
            enqueue(change, WorkKind.SITE_REPORT, _head("site-return", identity), {"signed": digest})
    return Returning(identity, signed, jobs_under(view, _head("site-return", identity))[0])


def sent_reports(view: View, site: str) -> list[Returning]:
    """Return the reports that a site has sent in, newest first, to its owner and the base."""
    found = view.every(Signed, {"site": site})
    named = {hex_of(digest_json([site, signed.digest()])): signed for signed in found}
    return [Returning(one, signed, jobs_under(view, _head("site-return", one))[0]) for one, signed in named.items()]


def examine_sent(base: Base, job: Job) -> None:
    """Examine the report that ``job`` names, keep and certify it; raises as `take_back`."""
    signed = base.lab.view.load(job.payload["signed"], Signed)
    take_back_bytes(base, signed.envelope.to_bytes(), Path("site-report.json"))


def came_back(view: View, site: str) -> list[Came]:
    """Return the reports of a site that held, newest first."""
    return [
        Came(paper, view.load_head(certificate_head(paper.report.digest()), IssuedCertificate), unreported(view, paper))
        for paper in view.every(SiteReport, {"site": site})
    ]


def _own_site(view: View, site: str) -> KnownSite:
    known = require_site(view, site)
    view.actor.require_writes_for(known.standing.owner)
    return known


def _known(view: View, identity: str) -> PackState | None:
    asked = view.load_head(_head("site-order", identity), AskedPack)
    if asked is None:
        return None
    consent = view.load_head(_head("site-consent", identity), PackConsent)
    job = next(iter(jobs_under(view, _head("site-order", identity))), None)
    return PackState(asked, consent, job, view.load_head(_head("kept-site-pack", identity), KeptPack))


def _to_be_packed(view: View, state: PackState) -> bool:
    """Return whether packing failed, or its pack has run out."""
    if state.job is None or not state.job.ended:
        return state.job is None
    return state.job.state is not JobState.DONE or state.kept is None or state.kept.until <= view.store.clock()


def _queue(change: Transaction, asked: AskedPack) -> None:
    enqueue(change, WorkKind.SITE_PACK, _head("site-order", asked.identity), {"order": asked.digest()})


def _head(kind: str, identity: str) -> str:
    return f"{kind}:{identity}"


def _context(identity: str) -> list[str]:
    return [WorkKind.SITE_PACK, identity]
