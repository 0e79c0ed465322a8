"""At the site: a pack opened and checked. Nothing of it runs, and nothing is kept, before all of it holds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pilotbase.catalogue.folders import read_tree
from pilotbase.certificate.bounded_json import MAXIMUM_BYTES
from pilotbase.certificate.roots import TrustRoots
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import digest_file, digest_of
from pilotbase.documents.moments import format_minute
from pilotbase.documents.site import Witness
from pilotbase.trial.scoring import settle_criteria
from pilotbase.trial.sealed import OpenedScenario
from pilotbase.worker.base import Base
from pilotbase.worker.sites.archives import PAPER, PackArchive, opened_archive
from pilotbase.worker.sites.offering import OFFER_HEAD
from pilotbase.worker.sites.papers import (
    Problems,
    SiteEnrolment,
    SitePack,
    named,
    pack_head,
    read_envelope,
    read_paper,
    release_head,
    signer_of,
    this_software,
)
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.log.entries import prove_consistency
from pilotbase.workspace.log.merkle import verify_consistency
from pilotbase.workspace.log.notes import Checkpoint

SKEW = timedelta(hours=1)
"""How far the clocks of a base and of a machine without a network may differ."""


@dataclass(frozen=True)
class OpenedPack:
    """A pack whose signature and contents hold, and the temporary place of its files."""

    pack: SitePack
    application: Path
    wheels: tuple[Path, ...]
    """In the pack's order."""


@contextmanager
def opened_pack(file: Path, roots: TrustRoots, scratch: Path) -> Iterator[OpenedPack]:
    """Unpack ``file`` into a folder within ``scratch`` that is removed when the block ends.

    The signature is checked before any other member is read.

    Raises:
        InputError: there is no such file, it is no pack, or larger than one may be.
        InvalidProofError: it is not signed under ``roots``, or its contents differ from what was signed.
    """
    with opened_archive(file) as archive, tempfile.TemporaryDirectory(dir=scratch) as temporary:
        pack = _signed_pack(archive, roots)
        _require_members(archive, pack, file)
        application, wheels = Path(temporary) / "application", Path(temporary) / "wheels"
        archive.extract("application/", application)
        archive.extract("wheels/", wheels)
        found = read_tree(application)
        if found.digest != pack.application.digest or found.uncovered:
            raise InvalidProofError("site.member_differs", file=file, name="application/")
        places = tuple(wheels / wheel.sha256 / wheel.name for wheel in pack.wheels)
        for wheel, place in zip(pack.wheels, places, strict=True):
            if digest_file(place) != digest_of(wheel.sha256):
                raise InvalidProofError("site.member_differs", file=file, name=wheel.name)
        yield OpenedPack(pack, application, places)


def require_runnable(base: Base, pack: SitePack, sealed: OpenedScenario, witness: Witness, file: Path) -> None:
    """Return if this site may run ``pack`` now on what it has sealed.

    Raises:
        RefusedError: with every reason: made for another site, scenario or software; requires more than the site
            releases; expired; used before by another; the clock or the log of this site has been set back; the witness
            belongs to the supplier.
    """
    problems = Problems()
    _examine_parties(base, pack, witness, problems)
    said = (pack.scenario, pack.sealed)
    problems.require(said == (sealed.reference, sealed.record.digest()), "scenario", "site.other_scenario")
    rules = tuple(criterion.rule for criterion in settle_criteria(sealed.scenario))
    problems.require(pack.criteria == rules, "criteria", "site.other_criteria")
    here = this_software()
    problems.require(pack.software == here, "software", "site.runner_differs", there=pack.software.name, here=here.name)
    _examine_time(base, pack, problems)
    _examine_terms(pack, sealed.scenario.data.dataset, sealed.scenario.owner.organisation, problems)
    problems.refuse(file)


def _signed_pack(archive: PackArchive, roots: TrustRoots) -> SitePack:
    envelope = read_envelope(SitePack, archive.read(PAPER, MAXIMUM_BYTES))
    pack = read_paper(SitePack, envelope)
    if signer_of(envelope, roots, pack.issuer, pack.made_at) is None:
        raise InvalidProofError("certificate.untrusted", what=named(SitePack))
    return pack


def _require_members(archive: PackArchive, pack: SitePack, file: Path) -> None:
    """Return if the archive holds the paper, an application, and exactly the listed wheels."""
    wheels = {f"wheels/{wheel.sha256}/{wheel.name}" for wheel in pack.wheels}
    beside = {name for name in archive.names if not name.startswith("application/")}
    for name in sorted(beside ^ {PAPER, *wheels}):
        raise InvalidProofError("site.member_odd", file=file, name=name)


def _examine_parties(base: Base, pack: SitePack, witness: Witness, problems: Problems) -> None:
    site, supplier = base.trust.issuer, pack.application.supplier.organisation
    problems.require(pack.site == site, "site", "site.made_for_other", found=pack.site, site=site)
    problems.require(witness.organisation != supplier, "witness", "site.witness_of_supplier", supplier=supplier)
    offered = base.lab.view.load_head(OFFER_HEAD, SiteEnrolment)
    allowed = offered is not None and pack.release.within(offered.release)
    problems.require(allowed, "release", "site.asks_for_more")
    known = base.lab.view.head(pack_head(pack.nonce))
    problems.require(known in (None, pack.digest()), "nonce", "site.nonce_used", nonce=pack.nonce)


def _examine_time(base: Base, pack: SitePack, problems: Problems) -> None:
    """Note whether the pack expired before it was begun, and whether clock or log of this site have been set back."""
    now = base.lab.store.clock()
    begun = base.lab.view.head(pack_head(pack.nonce)) is not None
    released = base.lab.view.head(release_head(pack.nonce)) is not None
    if not released:
        problems.require(now >= pack.made_at - SKEW, "clock", "site.clock_behind", made=format_minute(pack.made_at))
    ends = format_minute(pack.expires_at)
    problems.require(begun or now < pack.expires_at, "expires_at", "site.pack_expired", ends=ends)
    if begun and not released:
        ended = format_minute(pack.ends_at)
        problems.require(now < pack.ends_at, "expires_at", "site.pack_over", ends=ended)
    with problems.about("log"):
        growth_since(base, pack.seen, base.lab.view.checkpoint())


def growth_since(base: Base, note: str, newer: Checkpoint) -> tuple[str, ...]:
    """Return the proof that the log of this site has grown from the state in ``note`` to ``newer``.

    Raises:
        InvalidProofError: the state is not one of this log, or the log is shorter: it was set back.
    """
    older = base.lab.store.key.verifier.open(note)
    with suppress(NotFoundError), base.lab.store.database.read() as connection:
        path = prove_consistency(connection, older, newer)
        if verify_consistency((older.size, newer.size), (older.root, newer.root), path):
            return tuple(map(bytes.hex, path))
    raise InvalidProofError("site.log_set_back", seen=older.size, size=newer.size)


def _examine_terms(pack: SitePack, dataset: str | None, owner: str, problems: Problems) -> None:
    """Note where the terms in a pack are not those of the scenario's dataset, or of its owner."""
    terms = pack.terms
    about = terms.dataset_record.subject if terms is not None else None
    problems.require(about == dataset, "terms", "site.other_terms")
    if terms is not None:
        owners = {terms.dataset.owner.organisation, terms.dataset_record.owner}
        owners |= {terms.agreement.assigner} if terms.agreement is not None else set()
        problems.require(owners == {owner}, "terms", "site.offer_of_other", owner=owner)
