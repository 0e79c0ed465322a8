"""The noise keeps what it promises: simulated, with a bound that a right mechanism breaks once in 10⁸ runs."""

import math

import numpy as np
import pytest

from pilotbase.data.private import profiling as noise_room
from pilotbase.data.private.profiling import error_of, mechanism, noise_for, noisy
from pilotbase.documents.errors import InputError
from pilotbase.documents.private import Noise

DRAWS, SIX_SIGMA = 15_000, 6.0
CASES = [(1, 200_000), (1, 1_000_000), (5, 500_000)]


def excess_loss(of_one, of_other, epsilon: float) -> float:
    """Return by how many standard errors some outcome is more than exp(ε) times as likely under one as under the other.

    Outcomes: every tail, and every single value that is drawn often.
    """
    low, high = min(of_one.min(), of_other.min()), max(of_one.max(), of_other.max())
    values = [np.bincount(drawn - low, minlength=high - low + 1) / DRAWS for drawn in (of_one, of_other)]
    outcomes = [np.concatenate([one, one.cumsum(), one[::-1].cumsum()]) for one in values]
    return max(_excess(*outcomes, epsilon), _excess(*reversed(outcomes), epsilon))


def _excess(one, other, epsilon: float) -> float:
    spread = np.sqrt((one * (1 - one) + math.exp(2 * epsilon) * other * (1 - other) + 1 / DRAWS) / DRAWS)
    return float(((one - math.exp(epsilon) * other) / spread).max())


def neighbours(noise: Noise):
    """Return what is drawn of two counts that one unit sets furthest apart."""
    return tuple(np.array(noisy([count] * DRAWS, noise)) for count in (40, 40 + noise.sensitivity))


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("sensitivity", "epsilon"), CASES)
def test_neighbouring_counts_are_told_apart_no_better_than_epsilon(sensitivity, epsilon):
    assert excess_loss(*neighbours(noise_for(sensitivity, epsilon)), epsilon / 1e6) < SIX_SIGMA


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("sensitivity", "epsilon"), CASES)
def test_half_the_noise_would_be_noticed(sensitivity, epsilon):
    halved = noise_for(sensitivity, 2 * epsilon)
    assert excess_loss(*neighbours(halved), epsilon / 1e6) > SIX_SIGMA


@pytest.mark.parametrize(("sensitivity", "epsilon"), CASES)
def test_the_stated_error_is_that_of_95_percent(sensitivity, epsilon):
    noise = noise_for(sensitivity, epsilon)
    away = np.abs(np.array(noisy([0] * DRAWS, noise)))
    spread = SIX_SIGMA * math.sqrt(0.05 / DRAWS)
    assert (away > noise.error).mean() < 0.05 + spread
    assert noise.error == 0 or (away >= noise.error).mean() > 0.05 - spread


def test_noise_is_drawn_for_each_count_and_each_time():
    noise = noise_for(1, 10_000)
    drawn = noisy([0] * 200, noise)
    assert len(set(drawn)) > 50
    assert drawn != noisy([0] * 200, noise)
    assert all(isinstance(one, int) for one in drawn)


def test_less_budget_is_more_error():
    assert error_of(1, 1_000_000, 0.05) < error_of(1, 100_000, 0.05) < error_of(10, 100_000, 0.05)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(noise_room, "import_module", absent)
    noise_room._opendp.cache_clear()
    with pytest.raises(InputError, match="OpenDP") as refused:
        mechanism()
    assert "opendp>=" in refused.value.hint.render("en")
    noise_room._opendp.cache_clear()
