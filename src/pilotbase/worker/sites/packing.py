"""At the base: the order to a site. Application, its wheels, software, terms, a nonce and an end, signed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pilotbase.catalogue.applications import Submission, read_application, store_application
from pilotbase.catalogue.records import load_record
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import Digest, digest_json
from pilotbase.documents.moments import format_minute
from pilotbase.documents.plan import ApplicationReference
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.site import LONGEST_DAYS, Release
from pilotbase.documents.subjects import kind_of
from pilotbase.documents.texts import Text, text
from pilotbase.sandbox.box.locks import parse_lock
from pilotbase.sandbox.box.settings import running_interpreter
from pilotbase.sandbox.box.wheels import CachedWheel as KeptWheel
from pilotbase.sandbox.box.wheels import provide_wheels
from pilotbase.trial.entering import AccessMode, enter
from pilotbase.trial.running import prepare_candidate
from pilotbase.trial.scoring import settle_criteria, unit_of
from pilotbase.worker.archives import PAPER, ArchiveEntry, write_archive
from pilotbase.worker.base import Base
from pilotbase.worker.sites.enrolling import KnownSite, require_in_force, require_site
from pilotbase.worker.sites.papers import (
    CarriedTerms,
    Signed,
    SiteOffer,
    SitePack,
    Wheel,
    pack_head,
    sign,
    site_report_head,
    this_software,
)
from pilotbase.workspace.actors import parties
from pilotbase.workspace.store import View

DAYS = 30
"""The days that a site has to begin, by default."""


@dataclass(frozen=True)
class PackOrder:
    """Which application is to run on which scenario at which site, and for how many days the order is valid."""

    site: str
    scenario: str
    application: Path
    days: int = DAYS

    @property
    def lifetime(self) -> timedelta:
        """Return the days as a time span; raises `InputError` for none or too many."""
        if not 1 <= self.days <= LONGEST_DAYS:
            raise InputError("site.days", found=self.days, longest=LONGEST_DAYS)
        return timedelta(days=self.days)


@dataclass(frozen=True)
class Packed:
    """A pack and the file that holds it."""

    pack: SitePack
    file: Path

    @property
    def line(self) -> Text:
        """Return in a sentence what was packed for whom, and until when it is valid."""
        pack = self.pack
        return text(
            "site.packed_file",
            file=self.file,
            application=f"{pack.application.name} {pack.application.version}",
            scenario=pack.scenario.name,
            site=pack.site,
            ends=format_minute(pack.expires_at),
        )


@dataclass(frozen=True)
class _Contents:
    """An application as a site can run it without a network."""

    submission: Submission
    reference: ApplicationReference
    wheels: tuple[KeptWheel, ...]


def pack_for_site(base: Base, order: PackOrder, out: Path | None, on_progress: OnProgress = ignore_progress) -> Packed:
    """Return the pack of an application for a scenario at a site, written to ``out``.

    The same order gives the same pack, until it has run out without a report.

    Raises:
        InputError: application or lock are wrong; the site is unknown or has not offered the scenario.
        RefusedError: the site was revoked, or stated other software; no agreement on the scenario's dataset permits it.
    """
    known = require_site(base.lab.view, order.site)
    require_in_force(known.standing)
    offer = known.offer(order.scenario)
    here, there = this_software(), known.enrolment.software
    if there != here:
        raise RefusedError("site.other_software", site=known.standing.site, there=there.name, here=here.name)
    contents = _contents(base, order.application, on_progress)
    head = _head(known, offer, contents.reference)
    signed = _standing_pack(base, head) or _new_pack(base, known, offer, contents, (head, order.lifetime))
    pack = base.lab.view.load(signed.about, SitePack)
    file = out or Path(f"{order.scenario}-{pack.application.name}-{pack.nonce[:8]}.pack")
    write_archive(file, _members(contents, signed))
    return Packed(pack, file)


def _contents(base: Base, folder: Path, on_progress: OnProgress) -> _Contents:
    submission = read_application(folder)
    on_progress(Progress(text("trial.progress.environment", application=submission.application.name)))
    kept = store_application(submission, base.lab.applications)
    reference = prepare_candidate(base.lab, kept).reference
    requirements = parse_lock(kept.lock, kept.application.requirements)
    cache = base.lab.folder("environments", reference.supplier.organisation)
    wheels = provide_wheels(requirements, cache.resolve(), running_interpreter().tag) if requirements else ()
    return _Contents(kept, reference, wheels)


def _standing_pack(base: Base, head: str) -> Signed | None:
    """Return the pack that was already made for this order, if it may still be begun or has its report."""
    signed = base.lab.view.load_head(head, Signed)
    if signed is None:
        return None
    pack = base.lab.view.load(signed.about, SitePack)
    answered = base.lab.view.head(site_report_head(pack.nonce)) is not None
    return signed if answered or base.lab.store.clock() < pack.expires_at else None


def _new_pack(
    base: Base, known: KnownSite, offer: SiteOffer, contents: _Contents, terms: tuple[str, timedelta]
) -> Signed:
    head, lifetime = terms
    now = base.lab.store.clock()
    owner, supplier = known.standing.owner, contents.reference.supplier.organisation
    release, key = known.enrolment.release, digest_json([head, base.lab.view.head(head) or ""])
    pack = SitePack(
        issuer=base.trust.issuer,
        site=known.standing.site,
        enrolment=known.standing.enrolment,
        scenario=offer.reference,
        sealed=offer.sealed,
        criteria=tuple(criterion.rule for criterion in settle_criteria(offer.scenario)),
        application=contents.reference,
        wheels=tuple(
            Wheel(name=one.path.name, sha256=one.sha256, size=one.path.stat().st_size) for one in contents.wheels
        ),
        software=this_software(),
        release=release,
        terms=_permitted_terms(base.lab.view, offer, supplier, release, key),
        nonce=secrets.token_hex(16),
        seen=known.standing.seen,
        made_at=now,
        expires_at=min(now + lifetime, base.trust.state.signing_until),
    )
    signed = Signed(about=pack.digest(), envelope=sign(pack, base.trust))
    with base.lab.view.transaction("site.packed") as change:
        change.put(pack, parties(supplier), owner=owner, fields={"site": pack.site, "nonce": pack.nonce})
        digest = change.put(signed, parties(), owner=owner)
        change.let_stand(head, digest)
        change.set_head(pack_head(pack.nonce), pack.digest(), expected=None)
    return signed


def _members(contents: _Contents, signed: Signed) -> Iterator[ArchiveEntry]:
    yield ArchiveEntry(PAPER, signed.envelope.to_bytes())
    for file in contents.submission.tree.files:
        yield ArchiveEntry(f"application/{file.path}", contents.submission.folder / file.path)
    for wheel in contents.wheels:
        yield ArchiveEntry(f"wheels/{wheel.sha256}/{wheel.path.name}", wheel.path)


def _head(known: KnownSite, offer: SiteOffer, application: ApplicationReference) -> str:
    parts: list[str | Digest] = [known.standing.site, offer.sealed, application.digest, application.environment]
    return f"site-pack-for:{digest_json(parts)}"


def _permitted_terms(view: View, offer: SiteOffer, supplier: str, release: Release, key: Digest) -> CarriedTerms | None:
    """Return the terms that a pack needs, counted as the use that ``key`` names; None without a dataset.

    The base passes its own gate; the site has the same one. An agreement in force at the base is then in force at the
    site too, so that the vault there opens under it, until it expires. A revocation reaches a site only with the next
    pack: nothing else goes there.

    Raises:
        RefusedError: no agreement of the supplier permits it, with every reason; nothing is counted.
    """
    dataset = offer.scenario.data.dataset
    if dataset is None:
        return None
    # How many cases a draw of whole units has is known only where the hidden set is.
    cases = None if unit_of(offer.scenario.criteria) else offer.scenario.trial.cases_per_attempt
    cases = cases or offer.hidden.rows
    leave = enter(view, offer.scenario, supplier, key, AccessMode.of_trial(cases, release))
    record, _ = load_record(view, dataset)
    agreed = load_record(view, leave.by)[0] if kind_of(leave.by) == "agreement" else None
    return CarriedTerms(
        dataset_record=record,
        dataset=view.load(record.documents["dataset"], Dataset),
        agreement_record=agreed,
        agreement=view.load(agreed.documents["agreement"], Agreement) if agreed is not None else None,
    )
