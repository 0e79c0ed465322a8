"""The gap map: demand without supply and supply without demand, by sector, action and task, and why.

The newest open scenarios and submitted applications are compared pair by pair, as for a match: an application may meet
a demand if words, contract or evidence have enough in common and nothing refuses it. An application that names no
scenario stands with the demand that it resembles most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from pilotbase.documents.matching import Gap, GapCell, GapMap, SupplierExposure
from pilotbase.documents.texts import Text, text
from pilotbase.matching.finding import pair_newest
from pilotbase.matching.judging import ALIKE_SHARE
from pilotbase.matching.pairing import Pairing
from pilotbase.matching.pairs import ApplicationOffer, Need, ProvenPair
from pilotbase.workspace.listings import MAXIMUM_PAGE
from pilotbase.workspace.store import View

SHOWN = 100
_Place = tuple[str, str, str]
_NOWHERE: _Place = ("", "", "")


def gap_map(view: View, proofs: Sequence[ProvenPair], now: datetime) -> GapMap:
    """Return the map over what the actor of ``view`` can see; ``proofs`` are the valid certificates."""
    market = pair_newest(view, proofs, MAXIMUM_PAGE)
    pairs = market.pairs
    met, used = (np.asarray(pairs.fitting.any(axis=axis)).tolist() for axis in (1, 0))
    return GapMap(
        at=now,
        **market.said(),
        least_share=ALIKE_SHARE,
        cells=_cells(pairs, met, used),
        unmet=_gaps(pairs.needs, met, lambda row: _why_unmet(pairs, row)),
        unused=_gaps(pairs.offers, used, lambda column: _why_unused(pairs, column)),
        suppliers=len({offer.owner for offer in pairs.offers}),
        exposure=_exposure(pairs, {proof.supplier for proof in proofs if proof.accepted}),
    )


def _exposure(pairs: Pairing, certified: Collection[str]) -> tuple[SupplierExposure, ...]:
    """Return how often suppliers without a certificate, and small ones, come first, against how often they may fit."""
    owners = [offer.owner for offer in pairs.offers]
    number, first, ten = Counter(owners), pairs.first(1), pairs.first(10)
    groups = {"uncertified": [one not in certified for one in owners], "small": [number[one] == 1 for one in owners]}
    return tuple(
        SupplierExposure.model_validate(
            {
                "group": group,
                "suppliers": len({owner for owner, is_one in zip(owners, of_group, strict=True) if is_one}),
                "of_fitting": _share_of(pairs.fitting, of_group),
                "of_ten": _share_of(ten, of_group),
                "of_first": _share_of(first, of_group),
            }
        )
        for group, of_group in groups.items()
    )


def _share_of(chosen: npt.NDArray[np.bool_], columns: Sequence[bool]) -> float | None:
    return float(chosen[:, np.array(columns, bool)].sum() / chosen.sum()) if chosen.any() else None


def _gaps(side: Sequence[Need | ApplicationOffer], met: Sequence[bool], why: Callable[[int], Text]) -> tuple[Gap, ...]:
    left = sorted((at for at, is_met in enumerate(met) if not is_met), key=lambda at: side[at].subject)[:SHOWN]
    return tuple(Gap(subject=side[at].subject, title=side[at].title, why=why(at)) for at in left)


def _why_unmet(pairs: Pairing, row: int) -> Text:
    if not pairs.offers:
        return text("match.gap_no_application")
    columns = np.flatnonzero(pairs.alike[row]).tolist()
    refused = _most_refusing(pairs.refusals(row, column) for column in columns)
    return refused or text("match.gap_unlike", nearest=pairs.offers[int(pairs.scores[row].argmax())].subject)


def _why_unused(pairs: Pairing, column: int) -> Text:
    if not pairs.needs:
        return text("match.gap_no_scenario")
    rows = np.flatnonzero(pairs.alike[:, column]).tolist()
    refused = _most_refusing(pairs.refusals(row, column) for row in rows)
    return refused or text("match.gap_unlike", nearest=pairs.needs[int(pairs.scores[:, column].argmax())].subject)


def _most_refusing(refusals: Iterable[Iterable[object]]) -> Text | None:
    """Return the sentence about the constraint that refuses most of what is alike; None: nothing is."""
    counted = Counter(str(constraint) for some in refusals for constraint in some)
    if not counted:
        return None
    constraint = min(counted, key=lambda one: (-counted[one], one))
    return text("match.gap_all_refused", constraint=text(f"constraint.{constraint}"))


def _cells(pairs: Pairing, met: Sequence[bool], used: Sequence[bool]) -> tuple[GapCell, ...]:
    wanted, offered = [_place_of(need) for need in pairs.needs], _places_of_offers(pairs)
    asked, there = Counter(wanted), Counter(offered)
    unmet = Counter(place for place, is_met in zip(wanted, met, strict=True) if not is_met)
    unused = Counter(place for place, is_used in zip(offered, used, strict=True) if not is_used)
    return tuple(
        GapCell(
            sector=place[0],
            action=place[1],
            task=place[2],
            demand=asked[place],
            unmet=unmet[place],
            supply=there[place],
            unused=unused[place],
        )
        for place in sorted(asked.keys() | there.keys())
    )


def _places_of_offers(pairs: Pairing) -> list[_Place]:
    """Return where each offer stands: as the scenario that it was made for, else as the demand it resembles most."""
    return [
        _place_of(offer)
        if offer.contract is not None
        else _place_of(pairs.needs[int(pairs.words[:, column].argmax())])
        if pairs.alike[:, column].any()
        else _NOWHERE
        for column, offer in enumerate(pairs.offers)
    ]


def _place_of(one: Need | ApplicationOffer) -> _Place:
    if isinstance(one, Need):
        return one.sector, one.action, one.task
    return one.sector, one.action, one.contract.task if one.contract is not None else ""
