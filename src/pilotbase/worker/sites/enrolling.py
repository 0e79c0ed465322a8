"""At the base: the known sites. The operator enrols one after comparing its key with the one its owner states."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pilotbase.certificate.bounded_json import read_evidence
from pilotbase.documents.errors import InputError, InvalidProofError, RefusedError
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.moments import format_minute
from pilotbase.documents.texts import Text, text
from pilotbase.worker.base import Base
from pilotbase.worker.sites.papers import (
    EnrolledSite,
    Problems,
    SiteEnrolment,
    SiteOffer,
    named,
    read_envelope,
    read_paper,
    signer_of,
    site_head,
)
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.log.notes import LogVerifier
from pilotbase.workspace.store import View

SHORTEST_KEY = 20
"""Hex digits of a key that have to be compared: 80 bits, for which nobody finds a second key."""


@dataclass(frozen=True)
class KnownSite:
    """A site as a base knows it, with its latest statement about itself."""

    standing: EnrolledSite
    enrolment: SiteEnrolment

    def offer(self, scenario: str) -> SiteOffer:
        """Return what the site has sealed under that scenario's name.

        Raises:
            InputError: it has offered no such scenario.
        """
        found = {offer.scenario.name: offer for offer in self.enrolment.offers}
        if scenario not in found:
            raise InputError("site.not_offered", scenario=scenario, site=self.standing.site, offered=sorted(found))
        return found[scenario]


def look_at_enrolment(file: Path) -> SiteEnrolment:
    """Return the enrolment in ``file``, which agrees with itself and is signed by the keys that it names.

    Raises:
        InputError: there is no such file.
        InvalidProofError: it is malformed, or altered.
    """
    envelope = read_envelope(SiteEnrolment, read_evidence(file))
    enrolment = read_paper(SiteEnrolment, envelope)
    if signer_of(envelope, enrolment.roots, enrolment.site, enrolment.signed_at) is None:
        raise InvalidProofError("certificate.untrusted", what=named(SiteEnrolment))
    problems = Problems()
    for offer in enrolment.offers:
        _examine_offer(problems, enrolment, offer)
    with problems.about("checkpoint"):
        LogVerifier.from_text(enrolment.log_key).open(enrolment.checkpoint)
    problems.disprove(file)
    return enrolment


def enrol_site(base: Base, view: View, file: Path, key: str) -> EnrolledSite:
    """Return the site of the enrolment in ``file``, enrolled now, or brought up to date.

    ``key``: the site's root key, as its owner has stated it through another channel: at least `SHORTEST_KEY` hex
    digits.

    Raises:
        InputError, InvalidProofError: as `look_at_enrolment`.
        RefusedError: another key; the actor is neither operator nor the owner; the site was revoked, belongs to another
            owner, or its log does not continue the known one.
    """
    enrolment = look_at_enrolment(file)
    root_key = enrolment.roots.roots[-1].key.key_id
    if len(hex_of(key)) < SHORTEST_KEY or not hex_of(root_key).startswith(hex_of(key).lower()):
        raise RefusedError("site.other_key", site=enrolment.site, key=root_key, digits=SHORTEST_KEY)
    _require_never_revoked(base, enrolment, root_key)
    known = find_site(view, enrolment.site)
    if known is not None:
        _require_goes_on(known, enrolment)
    site = EnrolledSite(
        site=enrolment.site,
        owner=enrolment.owner,
        enrolment=enrolment.digest(),
        root_key=root_key,
        seen=known.standing.seen if known is not None else enrolment.checkpoint,
    )
    if known is not None and known.standing == site:
        return site
    with view.transaction("site.enrolled") as change:
        change.put(enrolment, parties(), owner=enrolment.owner)
        digest = change.put(site, parties(), owner=enrolment.owner, fields={"site": site.site})
        change.let_stand(site_head(site.site), digest)
    return site


def revoke_site(view: View, name: str, reason: str) -> EnrolledSite:
    """Return the site, revoked for ever: nothing that it signed is accepted any more. Again: no change.

    Raises:
        NotFoundError: there is no such site, or none that the actor may see.
        RefusedError: the actor is neither operator nor the owner.
    """
    known = require_site(view, name)
    if known.standing.revoked_at is not None:
        return known.standing
    with view.transaction("site.revoked") as change:
        site = known.standing.model_copy(update={"revoked_at": change.now, "reason": reason})
        digest = change.put(site, parties(), owner=site.owner, fields={"site": name})
        change.set_head(site_head(name), digest, expected=known.standing.digest())
        change.record("site.revoked", [site.root_key], {"site": name})
    return site


def find_site(view: View, name: str) -> KnownSite | None:
    """Return the newest version of the site of that name, or None."""
    standing = view.load_head(site_head(name), EnrolledSite)
    return None if standing is None else KnownSite(standing, view.load(standing.enrolment, SiteEnrolment))


def require_site(view: View, name: str) -> KnownSite:
    """Return the newest version of the site of that name, revoked or not; raises `NotFoundError`."""
    known = find_site(view, name)
    if known is None:
        raise NotFoundError("site.unknown", site=name)
    return known


def require_in_force(site: EnrolledSite) -> None:
    """Return if the site is not revoked; raises `RefusedError`."""
    if site.revoked_at is not None:
        raise RefusedError("site.revoked", site=site.site, at=format_minute(site.revoked_at), reason=site.reason)


def known_sites(view: View) -> list[KnownSite]:
    """Return the sites that the actor sees, by name."""
    return [require_site(view, name) for name in sorted({one.site for one in view.every(EnrolledSite)})]


def enrolment_lines(enrolment: SiteEnrolment) -> list[Text]:
    """Return what a site states about itself, in sentences, with its key for the owner to confirm."""
    release = enrolment.release
    facts = {"site": enrolment.site, "owner": enrolment.owner, "software": enrolment.software.name}
    return [
        text("site.line_who", **facts, key=enrolment.roots.roots[-1].key.key_id),
        text("site.line_release", figures=text(f"site.figures.{release.figures}"), cell=release.smallest_cell),
        *(text("site.line_offer", scenario=one.scenario.name, cases=one.hidden.rows) for one in enrolment.offers),
    ]


def site_lines(known: KnownSite) -> list[Text]:
    """Return the status of a site in sentences."""
    standing = known.standing
    at = standing.revoked_at
    ended = [text("site.line_revoked", at=format_minute(at), reason=standing.reason)] if at is not None else []
    return [*enrolment_lines(known.enrolment), *ended]


def _examine_offer(problems: Problems, enrolment: SiteEnrolment, offer: SiteOffer) -> None:
    name, scenario, hidden = offer.scenario.name, offer.scenario, offer.hidden
    facts = (scenario.name, scenario.owner, scenario.digest(), hidden.digest(), hidden.rows)
    said = offer.reference
    agrees = facts == (said.name, said.owner, said.digest, said.hidden_set, said.hidden_cases)
    problems.require(agrees, f"offers {name}", "site.offer_differs")
    of_owner = {scenario.owner.organisation, hidden.owner} == {enrolment.owner}
    problems.require(of_owner, f"offers {name}", "site.offer_of_other", owner=enrolment.owner)


def _require_never_revoked(base: Base, enrolment: SiteEnrolment, root_key: str) -> None:
    """Return if neither this name nor this key was ever revoked, in any combination."""
    for site in base.lab.view.every(EnrolledSite):
        if enrolment.site == site.site or root_key == site.root_key:
            require_in_force(site)


def _require_goes_on(known: KnownSite, enrolment: SiteEnrolment) -> None:
    before, site = known.enrolment, known.standing.site
    if before.owner != enrolment.owner:
        raise RefusedError("site.other_owner", site=site, owner=before.owner, found=enrolment.owner)
    if before.log_key != enrolment.log_key:
        raise RefusedError("site.other_log", site=site)
    verifier = LogVerifier.from_text(enrolment.log_key)
    if verifier.open(enrolment.checkpoint).size < verifier.open(known.standing.seen).size:
        raise RefusedError("site.log_rolled_back", site=site)
    if enrolment.signed_at < before.signed_at:
        raise RefusedError("site.older_enrolment", site=site, signed=format_minute(before.signed_at))
