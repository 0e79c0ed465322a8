"""At the site: a pack opened and checked. Nothing of it runs, and nothing is kept, before all of it holds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pydantic

from pilotbase.catalogue.folders import read_tree
from pilotbase.certificate.bounded_json import MAXIMUM_BYTES
from pilotbase.certificate.roots import TrustRoots
from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.documents.hashes import digest_file, digest_of
from pilotbase.documents.moments import format_minute
from pilotbase.documents.progress import OnProgress, ignore_progress
from pilotbase.documents.site import Release, Witness
from pilotbase.trial.running import kept_candidate
from pilotbase.trial.scoring import settle_criteria
from pilotbase.trial.sealed import OpenedScenario
from pilotbase.vault.sealing import HiddenSet
from pilotbase.worker.archives import PAPER, PackArchive, opened_archive
from pilotbase.worker.base import Base
from pilotbase.worker.sites.papers import (
    Problems,
    SiteEnrolment,
    SiteOffer,
    SitePack,
    named,
    pack_head,
    read_envelope,
    read_paper,
    release_head,
    sign,
    signer_of,
    this_software,
)
from pilotbase.worker.trials.kits import seal_in
from pilotbase.workspace.actors import parties
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


OFFER_HEAD = "site-offer"
"""The name under which a site keeps its latest offer."""


def offer_scenarios(
    base: Base, scenarios: Sequence[Path], release: Release, on_progress: OnProgress = ignore_progress
) -> bytes:
    """Return the signed enrolment of this site: its public keys, what it has sealed, ``release``.

    Scenarios that are not sealed yet are sealed now.

    Raises:
        InputError: scenarios or their data are wrong, or their owners differ.
    """
    sealed = [_prepared(base, scenario, on_progress) for scenario in scenarios]
    owners = sorted({one.scenario.owner.organisation for one in sealed})
    if len(owners) != 1:
        raise InputError("site.owners_differ", owners=owners)
    with base.lab.view.transaction("site.offered") as change:
        change.record("site.offered", [one.record.digest() for one in sealed])
    enrolment = SiteEnrolment(
        site=base.trust.issuer,
        owner=owners[0],
        roots=base.trust.roots(),
        log_key=str(base.lab.store.key.verifier),
        checkpoint=base.lab.view.checkpoint().note,
        software=this_software(),
        release=release,
        offers=tuple(
            SiteOffer(
                scenario=one.scenario,
                reference=one.reference,
                sealed=one.record.digest(),
                classes=one.record.classes,
                hidden=base.lab.view.load(one.record.hidden_set, HiddenSet),
            )
            for one in sealed
        ),
        signed_at=base.lab.store.clock(),
    )
    with base.lab.view.transaction("site.enrolment_signed") as change:
        digest = change.put(enrolment, parties(), owner=owners[0])
        change.let_stand(OFFER_HEAD, digest)
    return sign(enrolment, base.trust).to_bytes()


def release_of(figures: str, smallest_cell: int) -> Release:
    """Return what may leave, as an owner spells it; raises `InputError` for an unknown spelling."""
    try:
        return Release.model_validate({"figures": figures, "smallest_cell": smallest_cell})
    except pydantic.ValidationError:
        raise InputError("site.bad_release", figures=figures, cell=smallest_cell) from None


def _prepared(base: Base, scenario: Path, on_progress: OnProgress) -> OpenedScenario:
    """Return the sealed scenario; the requirements of its baseline are fetched now: later there is no network."""
    sealed = seal_in(base, scenario, Step.FREEZE, on_progress)
    if sealed.record.reference_application is not None:
        kept_candidate(base.lab, sealed.record.reference_application)
    return sealed
