"""Several runs a question: the case is what is independent, and the mean over its runs speaks for the noisy system."""

import numpy as np
import pytest

from pilotbase.documents.plan import DecisionPlan
from pilotbase.measures import Cases
from pilotbase.trial.deciding import decide_recorded
from pilotbase.trial.recorded_cases import Recorded

THRESHOLD, RUNS = 0.8, 5
ALPHA = 0.2
LEVEL = ALPHA / 2
"""Of a first attempt."""


def plan(estimand: str, stop: str = "early") -> DecisionPlan:
    criteria = [{"rule": f"accuracy >= {THRESHOLD}", "estimand": estimand}]
    prediction = {"kind": "label", "classes": ("no", "yes")}
    return DecisionPlan(criteria=criteria, prediction=prediction, alpha=ALPHA, design={"stop": stop})


def noisy_system(draw: np.random.Generator, cases: int, mean: float):
    """Return whether each run of each case is right, (cases, RUNS): most questions are nearly always answered alike."""
    hard = draw.random(cases) >= mean
    return draw.random((cases, RUNS)) < np.where(hard, 0.02, 0.98)[:, None]


def recorded(right, clustered: bool) -> Recorded:
    cases, runs = right.shape
    units = np.repeat(np.arange(cases), runs)
    known = Cases(
        truth=np.ones(cases * runs, np.int64),
        answers=right.reshape(-1).astype(np.int64),
        classes=("no", "yes"),
        units=units if clustered else None,
    )
    return Recorded(known, "question" if clustered else None)


def false_accepts(estimand: str, clustered: bool, rounds: int, cases: int = 60, stop: str = "early") -> int:
    """Return in how many of ``rounds`` a system that is right in less than the threshold is accepted."""
    accepted = 0
    for number in range(rounds):
        draw = np.random.default_rng(number)
        mean = (THRESHOLD - 0.001 - 0.02) / 0.96  # of cases drawn from the population
        right = noisy_system(draw, cases, mean)
        if estimand == "hidden_set":  # the claim is about these answers: make it false of them
            wanted = int(THRESHOLD * right.size) - 1
            excess = int(right.sum()) - wanted
            flat = right.reshape(-1)
            flipped = draw.permutation(np.flatnonzero(flat == (excess > 0)))[: abs(excess)]
            flat[flipped] = excess < 0
        found = decide_recorded(plan(estimand, stop), recorded(right, clustered), order_seed=number)
        accepted += found.verdicts[0].value == "accept"
    return accepted


def most(rounds: int) -> float:
    """Return how many accepts of ``rounds`` at the level are within three standard deviations."""
    return rounds * LEVEL + 3 * (rounds * LEVEL * (1 - LEVEL)) ** 0.5


@pytest.mark.parametrize("estimand", ["population", "hidden_set"])
def test_runs_of_a_case_hang_together_and_error_levels_hold(estimand):
    assert false_accepts(estimand, True, 60) <= most(60)
    assert false_accepts(estimand, True, 60, stop="full") <= most(60)


def test_runs_that_are_counted_as_cases_prove_what_is_false():
    assert false_accepts("population", False, 100, stop="full") > most(100)


@pytest.mark.prove
@pytest.mark.parametrize("estimand", ["population", "hidden_set"])
def test_error_levels_hold_over_many_rounds(estimand):
    assert false_accepts(estimand, True, 1500, 200) <= most(1500)


def test_more_runs_need_fewer_cases_where_the_noise_is_the_systems_own():
    def needed(runs: int) -> float:
        found = []
        for seed in range(15):
            right = np.random.default_rng(seed).random((500, RUNS))[:, :runs] < 0.9
            criterion = decide_recorded(plan("population"), recorded(right, True), seed).decisions[0].criteria[0]
            found.append((criterion.decided_at or 500 * runs) / runs)
        return float(np.median(found))

    assert needed(RUNS) < 0.7 * needed(1)
