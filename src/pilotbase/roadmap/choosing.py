"""Which scenarios to take up next: those under review or open, ranked, with those behind each rung."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pilotbase.catalogue.wording import Address, listed
from pilotbase.documents.api.ledger import FlipTold, RankingTold, RungTold
from pilotbase.documents.states import ScenarioState
from pilotbase.operations.ledger import MOST_TOP, RankingAsked
from pilotbase.roadmap.ledger import owner_of
from pilotbase.roadmap.ranking import CriterionWeights, Flip, Ranking, Rung, moves, rank
from pilotbase.workspace.journeys import RecordFilter, Worth, count_by_worth, list_wanted
from pilotbase.workspace.listings import Listing, Page
from pilotbase.workspace.store import View

STATES = (ScenarioState.REVIEW, ScenarioState.OPEN)
"""States of a scenario that may be chosen."""
MOST_FLIPS = 50


def rank_scenarios(view: View, weights: CriterionWeights, top: int, within: Fraction) -> Ranking:
    """Return the ranking of the scenarios that ``view`` may choose from; raises as `owner_of`."""
    return rank(count_by_worth(view, STATES, owner_of(view.actor)), weights, max(1, min(top, MOST_TOP)), within)


def rank_as_asked(view: View, asked: RankingAsked, address: Address) -> RankingTold:
    """Return the ranking by the weights that are asked for; raises as `owner_of` and `CriterionWeights`."""
    weights = CriterionWeights(asked.potential, asked.maturity, asked.driving_effect)
    return tell_ranking(view, rank_scenarios(view, weights, asked.top, Fraction(asked.within, 100)), address)


def scenarios_of(view: View, worth: Worth, after: str | None = None, limit: int = 50) -> Page:
    """Return the scenarios on the rung of ``worth``, newest first; raises as `list_wanted` and `owner_of`."""
    wanted = RecordFilter("scenario", STATES, worth=worth, owner=owner_of(view.actor))
    return list_wanted(view, wanted, after, limit)


def tell_ranking(view: View, found: Ranking, address: Address = lambda _: "") -> RankingTold:
    """Return a ranking with the scenarios of its top."""
    return RankingTold(
        weights=found.weights.parts,
        top=found.top,
        top_holds_for=_told(found.top_holds_for),
        unrated=found.unrated,
        rungs=[_rung(one) for one in found.rungs],
        scenarios=[listed(one, address) for one in _top(view, found)],
        within=float(found.within),
        flips=[_flip(one, found.weights) for one in found.flips[:MOST_FLIPS]],
    )


def _top(view: View, found: Ranking) -> Iterator[Listing]:
    """Yield scenarios from the top, as many as it holds: of the last rung the newest."""
    left = found.top
    for rung in found.rungs:
        if left <= 0:
            return
        items = scenarios_of(view, rung.worth, limit=left).items
        yield from items
        left -= len(items)


def _rung(rung: Rung) -> RungTold:
    return RungTold(
        rank=rung.rank,
        score=float(rung.score),
        **rung.worth.__dict__,
        scenarios=rung.scenarios,
        passed_after=_told(rung.passed_after),
        crosses_after=_told(rung.crosses_after),
    )


def _flip(flip: Flip, weights: CriterionWeights) -> FlipTold:
    above, below = ((one.potential, one.maturity, one.driving_effect) for one in (flip.above, flip.below))
    potential, maturity, driving_effect = map(float, moves(flip, weights))
    return FlipTold(above=above, below=below, shift=float(flip.shift), moved=(potential, maturity, driving_effect))


def _told(share: Fraction | None) -> float | None:
    return None if share is None else float(share)
