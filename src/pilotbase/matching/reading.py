"""Scenarios, applications and certificates read from the store as an actor sees them, each kind at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import cast

from pilotbase.documents.record import ApplicationVersion
from pilotbase.documents.scenario import Scenario
from pilotbase.matching.pairs import ApplicationOffer, Need, ProvenPair, need_of, offer_of, offer_of_certificate
from pilotbase.workspace.listings import Listing, find_listings
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import View

MOST_CERTIFIED = 100
"""So many certified applications whose manifest is not seen are looked at, the newest certificates first."""


def needs_of(view: View, listings: Iterable[Listing]) -> list[Need]:
    """Return the need of each listed scenario; one that went out of sight meanwhile is left out."""
    listed = list(listings)
    stored = view.get_all([one.digest for one in listed])
    return [need_of(_scenario(stored[one.digest]), one.subject) for one in listed if one.digest in stored]


def offers_of(view: View, listings: Iterable[Listing]) -> list[ApplicationOffer]:
    """Return the offer of each listed application, with the contract of the scenario it was made for if seen."""
    listed = list(listings)
    stored = view.get_all([one.digest for one in listed])
    versions = {one.subject: _version(stored[one.digest]) for one in listed if one.digest in stored}
    made_for = find_listings(view, {version.scenario for version in versions.values() if version.scenario})
    needs = {need.subject: need for need in needs_of(view, made_for.values())}
    return [
        offer_of(version.application, needs.get(version.scenario or ""), version.scenario or "")
        for version in versions.values()
    ]


def with_needs(view: View, proofs: Sequence[ProvenPair]) -> list[ProvenPair]:
    """Return ``proofs`` with the scenarios on which they were tried, those that the actor sees."""
    stored = view.get_all(sorted({proof.scenario_version for proof in proofs}))
    needs = {digest: need_of(_scenario(one)) for digest, one in stored.items() if one.kind == "scenario"}
    return [replace(proof, need=needs.get(proof.scenario_version)) for proof in proofs]


def certified_offers(view: View, proofs: Sequence[ProvenPair]) -> list[ApplicationOffer]:
    """Return the offers of applications that certificates name and whose record the actor does not see."""
    newest = {proof.application: proof for proof in reversed(proofs) if proof.accepted}
    seen = find_listings(view, newest)
    hidden = [proof for proof in proofs if newest.get(proof.application) is proof and proof.application not in seen]
    found = with_needs(view, hidden[:MOST_CERTIFIED])
    return [offer_of_certificate(proof) for proof in found if proof.need is not None]


def _scenario(stored: Stored) -> Scenario:
    return cast(Scenario, _read(stored.body, Scenario))


def _version(stored: Stored) -> ApplicationVersion:
    return cast(ApplicationVersion, _read(stored.body, ApplicationVersion))


@lru_cache(maxsize=2048)
def _read(body: bytes, model: type[Scenario | ApplicationVersion]) -> Scenario | ApplicationVersion:
    """Return what the store has given; a body never changes, and who may see it the store has checked."""
    return model.model_validate_json(body)
