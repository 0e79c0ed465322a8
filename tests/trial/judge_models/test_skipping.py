"""Who labels may stop when it likes, knowing the next answer: what is counted up to there keeps the level."""

import numpy as np
import pytest

from pilotbase.documents.plan import DecisionPlan
from pilotbase.measures import Cases
from pilotbase.trial.deciding import decide_recorded, order_of_seed
from pilotbase.trial.recorded_cases import RecordedCases

POOL, ALPHA = 300, 0.2
PLAN = DecisionPlan(
    criteria=["accuracy >= 0.8"],
    prediction={"kind": "label", "classes": ("right", "wrong"), "positive": "right"},
    labels="score",
    alpha=ALPHA,
    judge_weight=0.6,
)
RIGHT, WRONG = 0, 1


def accepted(seed: int, counted) -> bool:
    """Tell whether a pool that misses the threshold by one answer is accepted on the labels that ``counted`` leaves."""
    draw = np.random.default_rng(seed)
    truth = np.full(POOL, RIGHT)
    truth[draw.permutation(POOL)[: POOL // 5 + 1]] = WRONG
    judge = np.where(draw.random(POOL) < 0.1, truth == WRONG, truth == RIGHT).astype(float)
    order = order_of_seed(POOL, seed)[:200]
    labelled = np.zeros(POOL, np.bool_)
    labelled[order[counted(truth[order] == RIGHT)]] = True
    cases = Cases(truth=np.where(labelled, truth, -1), answers=np.full(POOL, RIGHT), classes=("right", "wrong"))
    found = decide_recorded(PLAN, RecordedCases(cases, None, judge, labelled), order_seed=seed)
    return found.verdicts[0].value == "accept"


def best_prefix(right):
    """Stop where the share of right labels is highest from the twentieth on."""
    shares = np.cumsum(right) / np.arange(1, len(right) + 1)
    return np.arange(20 + int(shares[19:].argmax()))


def without_the_wrong(right):
    """Leave out three of four wrong ones, as a labeller could whom nobody stops."""
    kept = right | (np.cumsum(~right) % 4 == 0)
    return np.flatnonzero(kept)


@pytest.mark.prove
@pytest.mark.parametrize("counted", [lambda right: np.arange(len(right)), best_prefix])
def test_labels_up_to_a_chosen_one_keep_the_level(counted):
    rounds, level = 80, ALPHA / 2
    most = rounds * level + 3 * (rounds * level * (1 - level)) ** 0.5
    assert sum(accepted(seed, counted) for seed in range(rounds)) <= most


def test_labels_that_are_left_out_one_by_one_do_not():
    assert sum(accepted(seed, without_the_wrong) for seed in range(20)) > 15, "so calibrate counts none behind a gap"
