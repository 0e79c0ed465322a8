"""The ranking: exact scores, ties said, and no smaller change of the weights flips a pair than the one that is told."""

import random
from fractions import Fraction
from itertools import product

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.documents.permissions import Act
from pilotbase.roadmap.ranking import (
    CriterionWeights,
    moves,
    rank,
    rank_scenarios,
    scenarios_of,
    smallest_flip,
    tell_ranking,
)
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.journeys import Worth
from tests.catalogue.records_for_tests import (
    COMMISSION,
    DESK,
    OTHER_OWNER,
    OWNER,
    SCENARIO,
    SUPPLIER,
    commission,
    scenario,
)

EVEN = CriterionWeights()
GRID = 24


def lead(above, below, shares):
    ahead = [getattr(above, name) - getattr(below, name) for name in Worth.__dataclass_fields__]
    return sum(share * by for share, by in zip(shares, ahead, strict=True))


def test_scores_and_ranks_by_hand():
    counts = {Worth(5, 1, 3): 2, Worth(3, 3, 3): 1, Worth(1, 1, 1): 4, Worth(4, 4, 4): 1, None: 7}
    found = rank(counts, EVEN, top=3)
    assert [(rung.worth, rung.score, rung.rank) for rung in found.rungs] == [
        (Worth(4, 4, 4), 4, 1),
        (Worth(5, 1, 3), 3, 2),
        (Worth(3, 3, 3), 3, 2),
        (Worth(1, 1, 1), 1, 5),
    ]
    assert found.unrated == 7
    assert rank(dict(reversed(counts.items())), EVEN, top=3) == found


def test_a_flip_by_hand():
    """4 · 3 · 3 leads 2 · 5 · 3 by 2 (w1 - w2): with weights 2, 1, 1 that is 1/2, gone once 1/8 has moved."""
    above, below, weights = Worth(4, 3, 3), Worth(2, 5, 3), CriterionWeights(2, 1, 1)
    flip = smallest_flip(above, below, weights)
    assert flip.shift == Fraction(1, 8)
    assert moves(flip, weights) == (Fraction(-1, 8), Fraction(1, 8), 0)
    assert smallest_flip(Worth(5, 5, 5), below, weights) is None
    assert smallest_flip(Worth(4, 3, 3), Worth(4, 2, 3), weights) is None


def test_a_tie_flips_at_once():
    found = rank({Worth(5, 1, 3): 1, Worth(1, 5, 3): 1}, EVEN, top=1)
    assert [rung.rank for rung in found.rungs] == [1, 1]
    assert [flip.shift for flip in found.flips] == [0] and found.rungs[0].passed_after == 0
    assert found.top_holds_for is None, "both share the first rank: the top is not cut between them"


@pytest.mark.parametrize("seed", range(40))
def test_at_the_flip_they_tie_and_no_smaller_change_flips_them(seed):
    chance = random.Random(seed)
    weights = CriterionWeights(*(chance.randrange(1, 9) for _ in range(3)))
    above, below = (Worth(*(chance.randrange(1, 6) for _ in range(3))) for _ in range(2))
    if lead(above, below, weights.shares) < 0:
        above, below = below, above
    flip = smallest_flip(above, below, weights)
    others = [
        (Fraction(one, GRID), Fraction(two, GRID), Fraction(GRID - one - two, GRID))
        for one, two in product(range(GRID + 1), repeat=2)
        if one + two <= GRID
    ]
    ahead = [one for one in others if lead(above, below, one) < 0]
    if flip is None:
        assert ahead == []
        return
    moved = moves(flip, weights)
    after = [share + by for share, by in zip(weights.shares, moved, strict=True)]
    assert sum(moved) == 0 and sum(by for by in moved if by > 0) == flip.shift and min(after) >= 0
    assert lead(above, below, after) == 0
    distances = [sum(abs(a - b) for a, b in zip(one, weights.shares, strict=True)) / 2 for one in ahead]
    assert ahead and min(distances) >= flip.shift


def test_the_top_holds_until_the_first_pair_crosses_its_edge():
    counts = {Worth(5, 2, 2): 1, Worth(2, 5, 2): 2, Worth(1, 1, 1): 3}
    found = rank(counts, CriterionWeights(2, 1, 1), top=1)
    assert found.top_holds_for == Fraction(1, 8)
    assert [rung.crosses_after for rung in found.rungs] == [Fraction(1, 8), Fraction(1, 8), None]
    tight = rank(counts, CriterionWeights(2, 1, 1), top=1, within=Fraction(1, 10))
    assert tight.flips == () and len(rank(counts, CriterionWeights(2, 1, 1), within=Fraction(1, 8)).flips) == 1


def test_nothing_ranks_nothing():
    found = rank({}, EVEN)
    assert found.rungs == found.flips == () and found.top_holds_for is None and found.unrated == 0


def test_records_outweigh_the_maturity_that_the_owner_stated(trial):
    view, stated = trial.store.as_actor(DESK), {"potential": 4, "maturity": 1, "driving_effect": 2}
    trial.scenario = scenario(value=stated)
    trial.open_scenario()
    assert rank_scenarios(view, EVEN, 10, Fraction(0)).rungs[0].worth == Worth(4, 1, 2)
    trial.submit_application()
    proposed = commission(trial.scenario, trial.version)
    trial.do(SUPPLIER, COMMISSION, Act.COMMISSION_PROPOSE, proposed)
    found = rank_scenarios(view, EVEN, 10, Fraction(0))
    assert found.rungs[0].worth == Worth(4, 3, 2) and found.by_records == 1
    assert [one.subject for one in scenarios_of(view, Worth(4, 3, 2)).items] == [SCENARIO]
    assert scenarios_of(view, Worth(4, 1, 2)).items == ()


@pytest.mark.parametrize("parts", [(0, 0, 0), (-1, 1, 1), (101, 1, 1)])
def test_weights_that_weigh_nothing_are_refused(parts):
    with pytest.raises(InputError):
        CriterionWeights(*parts)


def test_scenarios_are_ranked_by_what_their_newest_version_says(any_trial):
    trial, store = any_trial, any_trial.store
    from pilotbase.catalogue.saving import save

    def rated(name, **changes):
        save(store.as_actor(OWNER), scenario((), name=name, **changes))
        trial.do(OWNER, f"scenario:plant/{name}", Act.SCENARIO_SUBMIT)

    worth = {"potential": 5, "maturity": 2, "driving_effect": 1}
    for name in ("a", "b"):
        rated(name, value=worth)
    rated("c")
    save(store.as_actor(OWNER), scenario((), name="draft", value=worth))
    view = store.as_actor(DESK)
    told = tell_ranking(view, rank_scenarios(view, EVEN, 10, Fraction(1, 10)))
    assert [(rung.scenarios, rung.potential) for rung in told.rungs] == [(2, 5)] and told.unrated == 1
    assert [one.subject for one in told.scenarios] == ["scenario:plant/b", "scenario:plant/a"]
    assert [one.subject for one in scenarios_of(view, Worth(5, 2, 1)).items] == ["scenario:plant/b", "scenario:plant/a"]
    rated("a", value=worth | {"potential": 1})
    told = tell_ranking(view, rank_scenarios(view, EVEN, 1, Fraction(1, 10)))
    assert [one.subject for one in told.scenarios] == ["scenario:plant/b"] and len(told.rungs) == 2
    assert rank_scenarios(store.as_actor(OTHER_OWNER), EVEN, 10, Fraction(0)).rungs == ()
    with pytest.raises(NotFoundError):
        rank_scenarios(store.as_actor(SUPPLIER), EVEN, 10, Fraction(0))
