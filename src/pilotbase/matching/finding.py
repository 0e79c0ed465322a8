"""Matches visible to an actor: the store finds candidates, then each one is judged and ranked.

The number of database statements doesn't depend on the size of the base.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import chain, islice
from typing import Any, cast

import numpy as np

from pilotbase.catalogue.capabilities import CAPABILITIES, capabilities_in
from pilotbase.documents.base import Localized
from pilotbase.documents.demand import WordedDemand
from pilotbase.documents.matching import Match, Matches, Side
from pilotbase.documents.record import ApplicationVersion
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import ApplicationState, DemandState, ScenarioState
from pilotbase.documents.vocabularies import Fit
from pilotbase.matching.comparing import Comparer, Kind, Method, Passage
from pilotbase.matching.concepts import CharacterComparer
from pilotbase.matching.index import KIND_OF, AskedMeaning, ask
from pilotbase.matching.judging import ALIKE_WORDS, SAME_DEMAND, WEIGHTS, is_alike, match, match_back
from pilotbase.matching.pairing import Pairing, pair_all
from pilotbase.matching.pairs import (
    ApplicationOffer,
    Need,
    ProvenPair,
    need_of,
    need_of_demand,
    offer_of,
    offer_of_capability,
    offer_of_certificate,
    proofs_of_capabilities,
)
from pilotbase.matching.words import texts_of
from pilotbase.workspace.listings import (
    MAXIMUM_PAGE,
    Listing,
    Query,
    count,
    every_listing,
    find_listings,
    list_page,
    list_resembling,
)
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import View

APPLICATIONS = Query("application", states=(ApplicationState.DRAFT, ApplicationState.SUBMITTED))
SCENARIOS = Query("scenario", states=(ScenarioState.OPEN,))
DEMANDS = Query("demand", states=(DemandState.OPEN,))
SUBMITTED = replace(APPLICATIONS, states=(ApplicationState.SUBMITTED,))
SHOWN = 50
"""How many matches are returned, and how many refusals."""
_DISTANT = 10
_BESIDE = 5
MOST = 500
NEAREST = 200
"""How many of a large base are judged by meaning, which misses less than words do."""
_KNOWN: dict[Kind, Query] = {"demand": SCENARIOS, "offer": APPLICATIONS}
"""Of each kind, what its mean is over."""
_OF_WORK: dict[Kind, Query] = {"demand": SCENARIOS, "offer": CAPABILITIES}
_SOUGHT: dict[Kind, tuple[Query, ...]] = {"demand": (SCENARIOS, DEMANDS), "offer": (APPLICATIONS,)}
_MOST_TERMS = 16
"""Per language."""
_FUNCTION_CHARACTERS = frozenset("的了在是和与及或等不有为以把被将对从到要个，。、；：？！“”（）")
_SHORTEST_WORD = 5
_Read = Scenario | ApplicationVersion | WordedDemand
MOST_CERTIFIED = 100
"""How many certified applications with a hidden manifest are considered, newest certificates first."""


def match_scenario(view: View, need: Need, proofs: Sequence[ProvenPair], by: Comparer | None = None) -> Matches:
    """Return the applications visible to the actor of ``view`` that may fit ``need``.

    ``proofs`` are the base's valid certificates, newest first; they are public. ``by``: None compares by meaning what
    a worker has read, else by characters.
    """
    tied = [replace(APPLICATIONS, scenario=need.subject)]
    asked = ask(view, _KNOWN, need.passages) if by is None else None
    found = _find_candidates(view, APPLICATIONS, tied, need, asked)
    comparer = by or (asked.comparer() if asked else CharacterComparer())
    certified = certified_offers(view, proofs)
    offers = [*offers_of(view, found.listings), *certified]
    known = {offer.subject for offer in offers}
    own = _with_needs(view, [proof for proof in proofs if proof.application in known])
    judged = match(need, offers, own, comparer)
    return matches_about(need, judged, found.listed + len(certified), _by_meaning(comparer, offers), comparer)


def match_application(
    view: View, offer: ApplicationOffer, proofs: Sequence[ProvenPair], by: Comparer | None = None
) -> Matches:
    """Return the open demands, with data or in words, that ``offer`` may fit; ``by`` as `match_scenario`.

    Of these only what the actor of ``view`` sees.
    """
    tied = [replace(SCENARIOS, sector=offer.sector)] if offer.sector else []
    asked = ask(view, _OF_WORK if offer.capability else _KNOWN, offer.passages) if by is None else None
    found = _find_candidates(view, SCENARIOS, tied, offer, asked)
    comparer = by or (asked.comparer() if asked else CharacterComparer())
    proofs = proofs_of_capabilities([offer.capability], proofs) if offer.capability else proofs
    own = _with_needs(view, [proof for proof in proofs if proof.application == offer.subject])
    in_words = _find_candidates(view, DEMANDS, (), offer, asked)
    needs = needs_of(view, (*found.listings, *in_words.listings))
    judged = match_back(offer, needs, own, comparer)
    listed = found.listed + in_words.listed
    return matches_about(offer, judged, listed, _by_meaning(comparer, needs), comparer)


def match_providers(view: View, need: Need, proofs: Sequence[ProvenPair]) -> Matches:
    """Return the capabilities visible to the actor of ``view`` that ``need`` may use; arguments as `match_scenario`."""
    asked = ask(view, _OF_WORK, need.passages)
    found = _find_candidates(view, CAPABILITIES, (), need, asked)
    comparer = asked.comparer() if asked else CharacterComparer()
    offers = offers_of(view, found.listings)
    own = _with_needs(view, proofs_of_capabilities([one.capability for one in offers if one.capability], proofs))
    judged = match(need, offers, own, comparer)
    return matches_about(need, judged, found.listed, _by_meaning(comparer, offers), comparer)


def _by_meaning(comparer: Comparer, others: Sequence[Need | ApplicationOffer]) -> int:
    return sum(comparer.knows(one.passages) for one in others)


def matches_about(
    about: Need | ApplicationOffer, judged: list[Match], listed: int, by_meaning: int, comparer: Comparer
) -> Matches:
    """Return the result for the judged pairs; ``listed``: how many there are, ``by_meaning``: how many it has read."""
    alike = [one for one in judged if is_alike(one, comparer.method)]
    ranked, refused = _parted(alike)
    distant, _ = _parted([one for one in judged if not is_alike(one, comparer.method)])
    return Matches(
        about=about.subject,
        title=about.title if isinstance(about.title, Localized) else Localized(en=about.title, zh=about.title),
        side=side_of(about),
        weights=WEIGHTS,
        method=comparer.method,
        by_meaning=by_meaning,
        looked_at=len(judged),
        listed=listed,
        may_fit=len(ranked),
        unlike=len(judged) - len(alike),
        ranked=tuple(ranked[:SHOWN]),
        refused=tuple(refused[:SHOWN]),
        distant=tuple(distant[:_DISTANT]),
    )


def side_of(about: Need | ApplicationOffer) -> Side:
    """Return what a match is asked for."""
    if isinstance(about, Need):
        return "scenario" if about.contract is not None else "demand"
    return "application" if about.capability is None else "capability"


def _parted(judged: Sequence[Match]) -> tuple[list[Match], list[Match]]:
    """Return the pairs that nothing refuses, and the others."""
    fitting = [one for one in judged if one.fit is not Fit.REFUSED]
    return fitting, [one for one in judged if one.fit is Fit.REFUSED]


@dataclass(frozen=True)
class DemandWords:
    """A demand of which there are only words."""

    words: tuple[str, ...]

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """Return its words as a `Comparer` reads them."""
        return (Passage("demand", texts_of(self.words)),)


@dataclass(frozen=True)
class BesideDemand:
    """What is beside a demand in words; ``same``: a scenario or another demand that may be the same one."""

    one: Need | ApplicationOffer
    likeness: float
    same: bool


def beside_demand(view: View, demand: DemandWords, kind: Kind) -> list[BesideDemand]:
    """Return the open scenarios and demands, or the applications, that the actor sees and that a demand resembles.

    The likest first, at most `_BESIDE`.
    """
    asked = ask(view, _KNOWN, demand.passages)
    comparer = asked.comparer() if asked else CharacterComparer()
    listings = [one for query in _SOUGHT[kind] for one in _find_candidates(view, query, (), demand, asked).listings]
    found: list[Need | ApplicationOffer] = (
        [*needs_of(view, listings)] if kind == "demand" else [*offers_of(view, listings)]
    )
    values = np.nan_to_num(comparer.compare([demand.passages], [one.passages for one in found])[:1]).ravel()
    spoken = demand.passages[0].texts.keys()
    told = []
    for one, likeness in zip(found, values.tolist(), strict=False):
        within, across = SAME_DEMAND[comparer.method]
        shared = any(spoken & passage.texts.keys() for passage in one.passages)
        told.append(BesideDemand(one, likeness, kind == "demand" and likeness >= (within if shared else across)))
    alike = [one for one in told if one.likeness >= ALIKE_WORDS[comparer.method]]
    return sorted(alike, key=lambda each: (-each.likeness, each.one.subject))[:_BESIDE]


@dataclass(frozen=True)
class Candidates:
    """Listings to judge, and how many the actor can see in all."""

    listings: tuple[Listing, ...]
    listed: int


def _find_candidates(
    view: View,
    query: Query,
    tied: Sequence[Query],
    about: Need | ApplicationOffer | DemandWords,
    asked: AskedMeaning | None,
) -> Candidates:
    """Return at most `MOST` listings that ``query`` finds.

    ``tied`` are narrower queries whose newest results come first (for example, made for this very scenario); the others
    are the nearest by meaning and, of those that no worker has read, those that hold most words of what they are
    ``about``.
    """
    listed = count(view, query)
    if listed <= MOST:
        return Candidates(tuple(every_listing(view, query)), listed)
    found = [one for narrower in tied for one in list_page(view, narrower, limit=MAXIMUM_PAGE).items]
    if asked is not None:
        nearest = asked.nearest(query, about.passages, NEAREST)
        listings = find_listings(view, nearest)
        found += [listings[subject] for subject in nearest if subject in listings]
        found += find_unread(view, query, about.words, asked, listed)
    else:
        found += list_resembling(view, query, _terms_of(about.words), MOST)
    return Candidates(tuple({one.subject: one for one in found}.values())[:MOST], listed)


def find_unread(view: View, query: Query, words: Sequence[str], asked: AskedMeaning, listed: int) -> list[Listing]:
    """Return those of the ``listed`` that no worker has read and that hold most of ``words``, at most `NEAREST`."""
    read = asked.read(query)
    if len(read) >= listed:
        return []
    return list_resembling(
        view, query, _terms_of(words), NEAREST, lambda sequences: np.setdiff1d(sequences, read).tolist()
    )


@dataclass(frozen=True)
class Market:
    """The newest open scenarios and demands in words, and submitted applications, pair by pair; how many there are."""

    pairs: Pairing
    scenarios_listed: int
    applications_listed: int
    method: Method
    by_meaning: int
    """How many of both were compared by meaning."""

    def said(self) -> dict[str, Any]:
        """Return what documents say of what was compared."""
        return {
            "scenarios": len(self.pairs.needs),
            "scenarios_listed": self.scenarios_listed,
            "applications": len(self.pairs.offers),
            "applications_listed": self.applications_listed,
            "method": self.method,
            "by_meaning": self.by_meaning,
        }


def pair_newest(view: View, proofs: Sequence[ProvenPair], most: int) -> Market:
    """Return the newest ``most`` of each side, paired; ``proofs``: the base's valid certificates, newest first."""
    wanted = chain(every_listing(view, SCENARIOS), every_listing(view, DEMANDS))
    needs, certified = needs_of(view, islice(wanted, most)), certified_offers(view, proofs)
    offers = [*offers_of(view, islice(every_listing(view, SUBMITTED), most)), *certified]
    known = {offer.subject for offer in offers}
    own = _with_needs(view, [proof for proof in proofs if proof.application in known])
    asked = ask(view, _KNOWN, ())
    comparer = asked.comparer() if asked else CharacterComparer()
    return Market(
        pair_all(needs, offers, own, comparer),
        count(view, SCENARIOS) + count(view, DEMANDS),
        count(view, SUBMITTED) + len(certified),
        comparer.method,
        _by_meaning(comparer, [*needs, *offers]),
    )


def _terms_of(sentences: Sequence[str]) -> list[str]:
    """Return the search terms: English words, longest first, and Chinese character pairs in the order of the text."""
    texts = texts_of(sentences)
    english = dict.fromkeys(word for word in _words(texts.get("en", "")) if len(word) >= _SHORTEST_WORD)
    chinese = dict.fromkeys(pair for pair in _pairs(texts.get("zh", "")))
    return [*sorted(english, key=lambda word: (-len(word), word))[:_MOST_TERMS], *list(chinese)[:_MOST_TERMS]]


def _words(text: str) -> list[str]:
    return "".join(letter if letter.isalpha() else " " for letter in text).split()


def _pairs(text: str) -> Iterator[str]:
    for place in range(len(text) - 1):
        pair = text[place : place + 2]
        if not pair.isascii() and pair.isalpha() and not _FUNCTION_CHARACTERS.intersection(pair):
            yield pair


def matched_of(view: View, listing: Listing) -> Need | ApplicationOffer | None:
    """Return the need or the offer of one listing; None: it is of another kind, or has become invisible meanwhile."""
    kind = KIND_OF.get(listing.kind)
    if kind == "demand":
        return next(iter(needs_of(view, [listing])), None)
    return next(iter(offers_of(view, [listing])), None) if kind == "offer" else None


def needs_of(view: View, listings: Iterable[Listing]) -> list[Need]:
    """Return the need of each listed scenario or demand; one that has become invisible meanwhile is left out."""
    listed = list(listings)
    stored = view.get_all([one.digest for one in listed])
    return [_need(stored[one.digest], one) for one in listed if one.digest in stored]


def _need(stored: Stored, listing: Listing) -> Need:
    if listing.kind == "demand":
        return need_of_demand(cast(WordedDemand, _read(stored.body, WordedDemand)))
    return need_of(_scenario(stored), listing.subject)


def offers_of(view: View, listings: Iterable[Listing]) -> list[ApplicationOffer]:
    """Return the offer of each listed application, with the contract of its scenario if visible, and capability."""
    listed = list(listings)
    stored = view.get_all([one.digest for one in listed])
    applications = [one for one in listed if one.kind == "application" and one.digest in stored]
    versions = {one.subject: _version(stored[one.digest]) for one in applications}
    made_for = find_listings(view, {version.scenario for version in versions.values() if version.scenario})
    needs = {need.subject: need for need in needs_of(view, made_for.values())}
    made = (
        offer_of(version.application, needs.get(version.scenario or ""), version.scenario or "")
        for version in versions.values()
    )
    stated = capabilities_in(stored[one.digest] for one in listed if one.kind == "capability" and one.digest in stored)
    return [*made, *map(offer_of_capability, stated)]


def _with_needs(view: View, proofs: Sequence[ProvenPair]) -> list[ProvenPair]:
    """Return ``proofs`` with the scenarios on which they were tried, where the actor can see them."""
    stored = view.get_all(sorted({proof.scenario_version for proof in proofs}))
    needs = {digest: need_of(_scenario(one)) for digest, one in stored.items() if one.kind == "scenario"}
    return [replace(proof, need=needs.get(proof.scenario_version)) for proof in proofs]


def certified_offers(view: View, proofs: Sequence[ProvenPair]) -> list[ApplicationOffer]:
    """Return the offers of applications that certificates name but whose record the actor can't see."""
    newest = {proof.application: proof for proof in reversed(proofs) if proof.accepted}
    seen = find_listings(view, newest)
    hidden = [proof for proof in proofs if newest.get(proof.application) is proof and proof.application not in seen]
    found = _with_needs(view, hidden[:MOST_CERTIFIED])
    return [offer_of_certificate(proof) for proof in found if proof.need is not None]


def _scenario(stored: Stored) -> Scenario:
    return cast(Scenario, _read(stored.body, Scenario))


def _version(stored: Stored) -> ApplicationVersion:
    return cast(ApplicationVersion, _read(stored.body, ApplicationVersion))


@lru_cache(maxsize=2048)
def _read(body: bytes, model: type[_Read]) -> _Read:
    """Parse a body from the store; a body never changes, and the store has already checked who may see it."""
    return model.model_validate_json(body)
