"""Every demand with every offer at once: judged as by `match`, with only the numbers kept.

Words are compared in one product; contracts only where they share a column, and constraints once for all demands and
offers that state the same, so that millions of pairs take seconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pilotbase.documents.vocabularies import Constraint, Fit, Verdict
from pilotbase.matching.comparing import Comparer
from pilotbase.matching.constraints import check_all, share_of
from pilotbase.matching.judging import (
    ALIKE_SHARE,
    ALIKE_WORDS,
    WEIGHTS,
    by_application,
    least_evidence,
    weighed,
)
from pilotbase.matching.pairs import ApplicationOffer, CaseContract, Need, ProvenPair
from pilotbase.matching.words import Values

_Mask = npt.NDArray[np.bool_]
_Groups = npt.NDArray[np.int64]
_Refusals = Mapping[tuple[int, int], tuple[Constraint, ...]]


@dataclass(frozen=True)
class Pairing:
    """All pairs: arrays with a row for each of ``needs`` and a column for each of ``offers``."""

    needs: Sequence[Need]
    offers: Sequence[ApplicationOffer]
    words: Values
    """Similarity of the texts, 0 where they cannot be compared."""
    shares: Values
    """Of the contract, 0 where it is unknown."""
    evidence: Values
    """As `evidence_of`."""
    alike: _Mask
    refused: _Mask
    """Alike, but a hard constraint excludes it."""
    _groups: tuple[_Groups, _Groups]
    _refusals: _Refusals

    @property
    def fitting(self) -> _Mask:
        """Return which pairs may fit."""
        return self.alike & ~self.refused

    @property
    def ease(self) -> Values:
        """Return the score of each pair without evidence: how little an application would have to change."""
        eased: Values = WEIGHTS.contract * self.shares + WEIGHTS.words * np.maximum(self.words, 0.0)
        return eased

    @property
    def scores(self) -> Values:
        """Return the score of each pair, whatever refuses it."""
        scores: Values = self.ease + WEIGHTS.evidence * self.evidence
        return scores

    def first(self, number: int) -> _Mask:
        """Return which pairs stand among the first ``number`` that may fit their need."""
        return first_of(self.scores, self.fitting, number)

    def refusals(self, need: int, offer: int) -> tuple[Constraint, ...]:
        """Return what refuses a pair that is alike."""
        return self._refusals.get((int(self._groups[0][need]), int(self._groups[1][offer])), ())


def first_of(scores: Values, fitting: _Mask, number: int) -> _Mask:
    """Return which of the pairs that are ``fitting`` stand among the first ``number`` of their row."""
    order = np.argsort(-np.where(fitting, scores, -np.inf), axis=1, kind="stable")[:, :number]
    first = np.zeros_like(fitting)
    np.put_along_axis(first, order, True, axis=1)
    return first & fitting


def pair_all(
    needs: Sequence[Need], offers: Sequence[ApplicationOffer], proofs: Sequence[ProvenPair], comparer: Comparer
) -> Pairing:
    """Return all pairs; ``proofs``: valid certificates of these applications."""
    proven = list({proof.scenario_version: proof.need for proof in proofs if proof.need is not None}.items())
    others: list[ApplicationOffer | Need] = [*offers, *(need for _, need in proven)]
    words = comparer.compare([need.passages for need in needs], [one.passages for one in others])
    shares = _shares([need.contract for need in needs], [one.contract for one in others])
    likeness = (shares + np.nan_to_num(words).clip(0)) / 2
    column = {version: len(offers) + place for place, (version, _) in enumerate(proven)}
    own = by_application(proofs)
    evidence = _evidence(needs, offers, own, {version: likeness[:, at] for version, at in column.items()})
    words, shares = words[:, : len(offers)], shares[:, : len(offers)]
    alike = (words >= ALIKE_WORDS[comparer.method]) | (shares >= ALIKE_SHARE)
    alike |= evidence >= least_evidence(comparer.method)
    groups = _grouped(_stated(one) for one in needs), _grouped(_offered(one, own[one.subject]) for one in offers)
    refusals = _refusals(needs, offers, own, alike, groups)
    excluded = np.zeros((groups[0].max(initial=-1) + 1, groups[1].max(initial=-1) + 1), bool)
    for place, constraints in refusals.items():
        excluded[place] = bool(constraints)
    refused = alike & excluded[groups[0]][:, groups[1]]
    return Pairing(needs, offers, np.nan_to_num(words), shares, evidence, alike, refused, groups, refusals)


def _shares(needs: Sequence[CaseContract | None], made_for: Sequence[CaseContract | None]) -> Values:
    """Return `share_of` of each pair, 0 for an unknown contract; contracts that share no column are not compared."""
    columns_of = defaultdict[int, list[int]](list)
    contracts: dict[int, CaseContract] = {}
    for place, one in enumerate(made_for):
        if one is not None:
            columns_of[id(one)].append(place)
            contracts[id(one)] = one
    with_name = defaultdict[str, list[int]](list)
    for known, one in contracts.items():
        for name in one.by_name:
            with_name[name].append(known)
    shares = np.zeros((len(needs), len(made_for)))
    for row, need in ((row, need) for row, need in enumerate(needs) if need is not None):
        for known in {known for name in need.by_name for known in with_name.get(name, ())}:
            shares[row, columns_of[known]] = share_of(need, contracts[known])
    return shares


def _evidence(
    needs: Sequence[Need],
    offers: Sequence[ApplicationOffer],
    own: Mapping[str, Sequence[ProvenPair]],
    likeness: Mapping[str, Values],
) -> Values:
    """Return the evidence of each pair, as `evidence_of`; ``likeness``: version of a scenario → to each need."""
    told, subjects = np.zeros((len(needs), len(offers))), np.array([need.subject for need in needs])
    for column, offer in enumerate(offers):
        sums = defaultdict[Verdict, Values](lambda: np.zeros(len(needs)))
        for proof in own[offer.subject]:
            like = likeness.get(proof.scenario_version, np.zeros(len(needs)))
            sums[proof.verdict] += np.where(subjects == proof.scenario, 1.0, like)
        told[:, column] = weighed(sums[Verdict.ACCEPT], sums[Verdict.REJECT])
    return told


def _stated(need: Need) -> Hashable:
    """Return all that constraints read of a need."""
    return need.conditions, need.isolation, need.limits, need.task, need.contract is None


def _offered(offer: ApplicationOffer, own: Iterable[ProvenPair]) -> Hashable:
    """Return all that constraints read of an offer and of its certificates."""
    task = offer.contract.task if offer.contract is not None else None
    return offer.licence, offer.resources, offer.terms, task, frozenset(proof.isolation for proof in own)


def _grouped(keys: Iterable[Hashable]) -> _Groups:
    """Return a number for each key, the same for equal ones."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)


def _refusals(
    needs: Sequence[Need],
    offers: Sequence[ApplicationOffer],
    own: Mapping[str, Sequence[ProvenPair]],
    alike: _Mask,
    groups: tuple[_Groups, _Groups],
) -> _Refusals:
    """Return (group of needs, group of offers) → what refuses their pairs, for the groups of which a pair is alike."""
    found: dict[tuple[int, int], tuple[Constraint, ...]] = {}
    for row, need in enumerate(needs):
        group = int(groups[0][row])
        for column in np.flatnonzero(alike[row]).tolist():
            place = group, int(groups[1][column])
            if place not in found:
                checks = check_all(need, offers[column], own[offers[column].subject])
                found[place] = tuple(check.constraint for check in checks if check.fit is Fit.REFUSED)
    return found
