"""A match as an actor may see it: candidates found by the store, then every one of them judged and ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pilotbase.documents.base import Localized
from pilotbase.documents.matching import Match, Matches
from pilotbase.documents.states import ApplicationState, ScenarioState
from pilotbase.documents.vocabularies import Fit
from pilotbase.matching.candidates import find_candidates
from pilotbase.matching.judging import WEIGHTS, match, match_back
from pilotbase.matching.pairs import ApplicationOffer, Need, ProvenPair
from pilotbase.matching.reading import certified_offers, needs_of, offers_of, with_needs
from pilotbase.matching.words import Comparer
from pilotbase.workspace.listings import Query
from pilotbase.workspace.store import View

APPLICATIONS = Query("application", states=(ApplicationState.DRAFT, ApplicationState.SUBMITTED))
SCENARIOS = Query("scenario", states=(ScenarioState.OPEN,))
SHOWN = 50
"""So many matches are told, and so many refusals."""


def match_scenario(view: View, need: Need, proofs: Sequence[ProvenPair], comparer: Comparer) -> Matches:
    """Return the applications that may fit ``need``, of those that the actor of ``view`` sees.

    ``proofs`` are the base's certificates that hold, newest first; they are public.
    """
    tied = [replace(APPLICATIONS, scenario=need.subject)]
    found = find_candidates(view, APPLICATIONS, tied, need.sentences)
    certified = certified_offers(view, proofs)
    offers = [*offers_of(view, found.listings), *certified]
    known = {offer.subject for offer in offers}
    own = with_needs(view, [proof for proof in proofs if proof.application in known])
    judged = match(need, offers, own, comparer)
    return matches_about(need, judged, found.listed + len(certified), comparer)


def match_application(view: View, offer: ApplicationOffer, proofs: Sequence[ProvenPair], comparer: Comparer) -> Matches:
    """Return the open scenarios that ``offer`` may fit, of those that the actor of ``view`` sees."""
    tied = [replace(SCENARIOS, sector=offer.sector)] if offer.sector else []
    found = find_candidates(view, SCENARIOS, tied, offer.sentences)
    own = with_needs(view, [proof for proof in proofs if proof.application == offer.subject])
    judged = match_back(offer, needs_of(view, found.listings), own, comparer)
    return matches_about(offer, judged, found.listed, comparer)


def matches_about(about: Need | ApplicationOffer, judged: list[Match], listed: int, comparer: Comparer) -> Matches:
    """Return what is told of pairs that were judged; ``listed`` is how many there are."""
    ranked = [one for one in judged if one.fit is not Fit.REFUSED]
    return Matches(
        about=about.subject,
        title=about.title if isinstance(about.title, Localized) else Localized(en=about.title, zh=about.title),
        side="scenario" if isinstance(about, Need) else "application",
        weights=WEIGHTS,
        method=comparer.method,
        looked_at=len(judged),
        listed=listed,
        may_fit=len(ranked),
        ranked=tuple(ranked[:SHOWN]),
        refused=tuple(judged[len(ranked) :][:SHOWN]),
    )
