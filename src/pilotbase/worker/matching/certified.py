"""Matching joined with certificates: which certificates hold is told by their dates and by the base's revocations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pilotbase.certificate.status import (
    MOST_CERTIFICATES,
    CertificateStatus,
    certificate_in,
    issued_certificates,
    revocations_of,
    standing_of,
)
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.limits import IsolationLevel
from pilotbase.documents.matching import GapMap, Matches, OfferedApplication
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import certificate_head
from pilotbase.documents.vocabularies import Verdict
from pilotbase.matching import gaps
from pilotbase.matching.finding import match_application, match_scenario, needs_of, offers_of
from pilotbase.matching.pairs import ApplicationOffer, Need, ProvenPair, need_of, offer_of
from pilotbase.matching.words import CharacterComparer, Comparer
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View


def match_subject(view: View, subject: str, comparer: Comparer | None = None) -> Matches:
    """Return what may fit the scenario or application ``subject``, in what the actor of ``view`` sees.

    Raises:
        NotFoundError: the actor sees no such record, or it is of another kind.
    """
    listing = find_listing(view, subject)
    if listing is None or listing.kind not in ("scenario", "application"):
        raise NotFoundError("record.not_found", subject=subject)
    found = (needs_of if listing.kind == "scenario" else offers_of)(view, [listing])
    if not found:
        raise NotFoundError("record.not_found", subject=subject)
    return _match(view, found[0], comparer)


def match_document(view: View, asked: Scenario | OfferedApplication, comparer: Comparer | None = None) -> Matches:
    """Return what may fit a scenario or an application that need not be in the base."""
    return _match(view, asked_of(asked), comparer)


def asked_of(asked: Scenario | OfferedApplication) -> Need | ApplicationOffer:
    """Return what a match looks at of a document."""
    if isinstance(asked, Scenario):
        return need_of(asked)
    return offer_of(asked.application, need_of(asked.made_for) if asked.made_for else None)


def gap_map(view: View) -> GapMap:
    """Return demand without supply and supply without demand, in what the actor of ``view`` sees."""
    now = view.store.clock()
    return gaps.gap_map(view, proofs_that_hold(view, now), now)


def proofs_that_hold(view: View, now: datetime) -> list[ProvenPair]:
    """Return the certificates that are neither expired, revoked nor suspended, newest first; rejections too."""
    listed = revocations_of(view)
    return [
        _proven(one)
        for one in issued_certificates(view)
        if one.verdict is not Verdict.INCONCLUSIVE and standing_of(one, listed, now).status is CertificateStatus.VALID
    ]


@dataclass(frozen=True)
class Withheld:
    """A certificate that was issued and counts for nothing now; ``why``: ``suspended`` or ``revoked``."""

    serial: str
    application: str
    scenario: str
    why: Literal["suspended", "revoked"]


def withheld_proofs(view: View) -> list[Withheld]:
    """Return the certificates that no match counts because they are suspended or revoked, as the base's list says."""
    listed = revocations_of(view)
    if listed is None:
        return []
    entries: dict[str, Literal["suspended", "revoked"]] = {entry.serial: "suspended" for entry in listed.suspended}
    entries |= {entry.serial: "revoked" for entry in listed.revoked}
    names = {certificate_head(serial): serial for serial in list(entries)[-MOST_CERTIFICATES:]}
    found = []
    for name, stored in view.named(list(names)).items():
        proven = _proven(certificate_in(stored))
        found.append(Withheld(proven.serial, proven.application, proven.scenario, entries[names[name]]))
    return found


def _match(view: View, asked: Need | ApplicationOffer, comparer: Comparer | None) -> Matches:
    proofs, by = proofs_that_hold(view, view.store.clock()), comparer or CharacterComparer()
    if isinstance(asked, Need):
        return match_scenario(view, asked, proofs, by)
    return match_application(view, asked, proofs, by)


def _proven(certificate: Certificate) -> ProvenPair:
    application, scenario = certificate.application, certificate.scenario
    return ProvenPair(
        serial=certificate.serial,
        application=application.subject,
        scenario=scenario.subject,
        scenario_version=scenario.digest,
        verdict=certificate.verdict,
        approximate=certificate.approximate or None,
        isolation=IsolationLevel(certificate.isolation),
        name=application.name,
        supplier=application.supplier.organisation,
    )
