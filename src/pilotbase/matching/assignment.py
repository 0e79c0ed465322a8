"""The assignment of a base: the most valuable and the stable one beside each other, with what each gives up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from pilotbase.documents.matching import AssignedPair, Assignment, BlockingPair, DemandAssigned, SupplierAssigned, Way
from pilotbase.matching.assigning import NOBODY, assign_best, assign_stably, blocking_pairs, worth_of_one_more
from pilotbase.matching.finding import pair_newest
from pilotbase.matching.pairing import Pairing
from pilotbase.matching.pairs import ProvenPair
from pilotbase.matching.words import Values
from pilotbase.workspace.store import View

MOST_ASSIGNED = 2000
SHOWN_BLOCKING = 50
_TINY = 1e-6
_Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Field:
    """Demands (rows) and suppliers (columns); NaN where a pair must not be or is worth nothing."""

    pairs: Pairing
    suppliers: Sequence[str]
    offers: _Numbers
    """Of each pair the offer of this supplier that is worth most."""
    values: Values
    wishes: Values
    places: _Numbers


def assign(
    view: View, proofs: Sequence[ProvenPair], now: datetime, capacity: int, capacities: Mapping[str, int]
) -> Assignment:
    """Return both assignments over what the actor of ``view`` can see.

    ``capacity``: how many demands each supplier takes at most, if ``capacities`` says no other number for it.
    """
    market = pair_newest(view, proofs, MOST_ASSIGNED)
    field = field_of(market.pairs, capacity, capacities)
    best, stable = assign_best(field.values, field.places), assign_stably(field.values, field.wishes, field.places)
    both, gains = (best, stable), [_gained(field, taken) for taken in (best, stable)]
    blocking = [blocking_pairs(field.values, field.wishes, field.places, taken) for taken in both]
    ways = [_way(both[at], gains[at], gains[1 - at], int(blocking[at].sum())) for at in (0, 1)]
    return Assignment(
        at=now,
        **market.said(),
        capacity=capacity,
        best=ways[0],
        stable=ways[1],
        demands=tuple(_demands(field, *both)),
        suppliers=tuple(_suppliers(field, both, gains)),
        blocking=tuple(_blocking(field, best, blocking[0])),
    )


def field_of(pairs: Pairing, capacity: int, capacities: Mapping[str, int]) -> _Field:
    """Return who may take what: a pair is worth the score of the supplier's best application that fits.

    A supplier prefers the demand for which its application would have to change least: evidence convinces the demand
    and gains the supplier nothing.
    """
    fitting = pairs.fitting & (pairs.scores > 0)
    scores, ease = np.where(fitting, pairs.scores, np.nan), pairs.ease
    offers_of = defaultdict[str, list[int]](list)
    for at, offer in enumerate(pairs.offers):
        offers_of[offer.owner].append(at)
    suppliers = sorted(offers_of)
    shape = len(pairs.needs), len(suppliers)
    offers, values, wishes = np.zeros(shape, np.int64), np.full(shape, np.nan), np.zeros(shape)
    rows = np.arange(shape[0])
    for column, supplier in enumerate(suppliers):
        own = np.array(offers_of[supplier])
        first = own[np.nan_to_num(scores[:, own], nan=-1.0).argmax(axis=1)]
        offers[:, column], values[:, column], wishes[:, column] = first, scores[rows, first], ease[rows, first]
    places = np.array([capacities.get(supplier, capacity) for supplier in suppliers], np.int64)
    return _Field(pairs, suppliers, offers, values, wishes, places)


@dataclass(frozen=True)
class _Gained:
    """What a way gives: the value for each demand, and for each supplier."""

    demands: Values
    suppliers: Values


def _gained(field: _Field, taken: _Numbers) -> _Gained:
    there = np.flatnonzero(taken != NOBODY)
    demands: Values = np.zeros(len(taken))
    demands[there] = field.values[there, taken[there]]
    suppliers: Values = np.bincount(taken[there], demands[there], minlength=len(field.suppliers)).astype(np.float64)
    return _Gained(demands, suppliers)


def _way(taken: _Numbers, own: _Gained, other: _Gained, blocking: int) -> Way:
    return Way(
        assigned=int((taken != NOBODY).sum()),
        value=float(own.demands.sum()),
        blocking=blocking,
        worse_demands=int((own.demands < other.demands - _TINY).sum()),
        worse_suppliers=int((own.suppliers < other.suppliers - _TINY).sum()),
    )


def _demands(field: _Field, best: _Numbers, stable: _Numbers) -> list[DemandAssigned]:
    """Return what each demand gets; those that fare differently come first."""
    found = [
        DemandAssigned(
            subject=need.subject,
            title=need.title,
            best=_pair(field, row, int(best[row])),
            stable=_pair(field, row, int(stable[row])),
        )
        for row, need in enumerate(field.pairs.needs)
    ]
    return sorted(found, key=lambda one: (one.best == one.stable, one.best is None, one.subject))


def _pair(field: _Field, row: int, column: int) -> AssignedPair | None:
    if column == NOBODY:
        return None
    offer = field.pairs.offers[field.offers[row, column]]
    return AssignedPair(
        supplier=field.suppliers[column],
        application=offer.subject,
        title=offer.title,
        known_by=offer.known_by,
        score=float(field.values[row, column]),
    )


def _suppliers(field: _Field, both: tuple[_Numbers, _Numbers], gains: Sequence[_Gained]) -> list[SupplierAssigned]:
    """Return what each supplier takes that could take a demand."""
    taken = [np.bincount(one[one != NOBODY], minlength=len(field.suppliers)) for one in both]
    more = worth_of_one_more(field.values, both[0])
    able = np.asarray((~np.isnan(field.values)).any(axis=0)).tolist()
    return [
        SupplierAssigned(
            organisation=supplier,
            places=int(field.places[at]),
            best=int(taken[0][at]),
            stable=int(taken[1][at]),
            best_value=float(gains[0].suppliers[at]),
            stable_value=float(gains[1].suppliers[at]),
            one_more=float(more[at]),
        )
        for at, supplier in enumerate(field.suppliers)
        if able[at]
    ]


def _blocking(field: _Field, taken: _Numbers, blocking: npt.NDArray[np.bool_]) -> list[BlockingPair]:
    """Return the pairs that would leave the most valuable assignment, by how much the demand gains."""
    found = []
    for row, column in np.argwhere(blocking).tolist():
        instead = _pair(field, row, column)
        if instead is not None:
            now = field.values[row, taken[row]] if taken[row] != NOBODY else 0.0
            found.append(
                BlockingPair(
                    subject=field.pairs.needs[row].subject,
                    title=field.pairs.needs[row].title,
                    instead=instead,
                    gains=float(instead.score - now),
                )
            )
    return sorted(found, key=lambda one: (-one.gains, one.subject, one.instead.supplier))[:SHOWN_BLOCKING]
