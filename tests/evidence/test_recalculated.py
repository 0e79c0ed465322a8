"""Bets recalculated towards the target: golden figures, the promised level, and power near the z-test's."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pilotbase.documents.errors import InputError
from pilotbase.evidence.recalculated import RecalculatedBets

LEVEL = 0.025


def of_shares(values: NDArray[np.float64], null: float) -> NDArray[np.float64]:
    return (values - null) / null


def test_golden_figures_of_two_samples() -> None:
    right = (np.random.default_rng(0).random(1000) < 0.93).astype(np.float64)
    assert RecalculatedBets(LEVEL, 1000).crossing(of_shares(right, 0.9)) == 856
    gains = of_shares(np.random.default_rng(1).beta(8, 2, 400), 0.78)
    assert RecalculatedBets(LEVEL, 400).crossing(gains) == 165
    sequence, bets = RecalculatedBets(LEVEL, 100), []
    for gain in gains[:4]:
        sequence.update(np.array([gain]))
        bets.append(sequence.state.bet)
    assert bets == pytest.approx([0.73237, 0.81634, 0.86595, 0.91628], abs=2e-5)


def test_once_reached_the_capital_rests() -> None:
    sequence = RecalculatedBets(LEVEL, 200)
    path = sequence.update(np.full(200, 0.2))
    assert sequence.reached and path[-1] == path[-2] == sequence.state.log_capital
    with pytest.raises(InputError, match=r"200"):
        sequence.update(np.zeros(1))


def share_reached(draw: object, null: float, size: int, runs: int) -> float:
    rng = np.random.default_rng(20)
    reached = sum(
        RecalculatedBets(LEVEL, size).crossing(of_shares(draw(rng, size), null)) is not None  # type: ignore[operator]
        for _ in range(runs)
    )
    return reached / runs


WORLDS = {
    "yes and no": (lambda rng, n: (rng.random(n) < 0.9) * 1.0, 0.9),
    "shares": (lambda rng, n: rng.beta(8, 2, n), 0.8),
    "a rare loss": (lambda rng, n: (rng.random(n) >= 0.01) * 1.0, 0.99),
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("draw", "null"), WORLDS.values(), ids=WORLDS)
def test_a_mean_at_the_null_is_confirmed_no_more_often_than_promised(draw: object, null: float) -> None:
    assert share_reached(draw, null, 100, 200) <= LEVEL + 3 * (LEVEL * (1 - LEVEL) / 200) ** 0.5


@pytest.mark.prove
@pytest.mark.parametrize(("draw", "null"), WORLDS.values(), ids=WORLDS)
def test_at_many_entries_too(draw: object, null: float) -> None:
    assert share_reached(draw, null, 1000, 3000) <= LEVEL + 3 * (LEVEL * (1 - LEVEL) / 3000) ** 0.5


def test_power_is_near_that_of_the_z_test() -> None:
    """Beta(8, 2) against 0.78 with 400: 0.81, where z has 0.89 and the mixture, looked at once, 0.40."""
    assert share_reached(lambda rng, n: rng.beta(8, 2, n), 0.78, 400, 60) > 0.65
