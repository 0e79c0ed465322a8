"""Detectors: the recursion from its definition, delays and false alarms of the table in statistics.md 2.5."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from pilotbase.evidence.martingale import FRACTIONS, MeanMartingale
from pilotbase.evidence.monitoring import LifeRestart, ShiryaevRoberts, WeightedRestart, exceeded

R0 = 0.15


def restart_by_hand(losses: np.ndarray) -> list[float]:
    cash, wealth, path = 1.0, np.zeros(len(FRACTIONS)), []
    for t, loss in enumerate(losses):
        weight = math.log(2) / math.log(t + 2) - math.log(2) / math.log(t + 3)
        cash -= weight
        wealth = (wealth + weight / len(FRACTIONS)) * (1 + FRACTIONS / R0 * (loss - R0))
        path.append(cash + float(wealth.sum()))
    return path


def test_weighted_restart_is_its_definition() -> None:
    losses = np.random.default_rng(0).random(400) * 0.5
    assert np.exp(WeightedRestart(R0).update(losses)) == pytest.approx(restart_by_hand(losses), rel=1e-9)


def test_shiryaev_roberts_is_its_definition() -> None:
    losses = (np.random.default_rng(1).random(300) < 0.2).astype(float)
    sums, of_sums = np.zeros(len(FRACTIONS)), []
    for loss in losses:
        factor = 1 + FRACTIONS / R0 * (loss - R0)
        sums = (sums + 1 / len(FRACTIONS)) * factor
        of_sums.append(sums.sum())
    assert np.exp(ShiryaevRoberts(R0).update(losses)) == pytest.approx(of_sums, rel=1e-9)


def test_life_restart_is_its_definition() -> None:
    """Half over a life of T, 1/T a start, the rest of it in cash; half with the largest bet after bad ones."""
    losses, life, bets = np.random.default_rng(2).random(60) * 0.5, 40, LifeRestart.bets
    assert {loss >= 2 * R0 for loss in losses[:life]} == {True, False}
    wealth, path, bad = np.zeros(len(bets)), [], 0
    for t, loss in enumerate(losses):
        start = 1 / (2 * life) / len(bets) if t < life else 0.0
        wealth = (wealth + start) * (1 + bets / R0 * (loss - R0))
        if loss >= 2 * R0 and t < life:
            bad += 1
            wealth[0] += 1 / (2 * bad * (bad + 1))
        path.append(max(1 - (t + 1) / life, 0) / 2 + float(wealth.sum()))
    assert np.exp(LifeRestart(R0, life).update(losses)) == pytest.approx(path, rel=1e-9)


def test_a_collapse_is_red_within_days_after_months_of_health() -> None:
    """Half of the cases wrong where .12 was accepted: five days, where weight spread over a year needs eight."""
    red = LifeRestart(0.12, 365).update(np.concatenate((np.full(120, 0.10), np.full(20, 0.50)))) >= math.log(20)
    assert not red[:124].any() and red[124]


def test_what_was_exceeded_is_above_r0_exactly_once_the_restart_is_red() -> None:
    """The bound that a page draws says the same as red, and never more than the risk was."""
    means = np.concatenate((np.full(20, 0.10), np.full(40, 0.30)))
    found = exceeded(means, 365, 0.05)
    red = LifeRestart(0.18, 365).update(means) >= math.log(20)
    assert red.any() and ((np.nan_to_num(found) >= 0.18) == red).all()
    assert np.nanmax(found) < 0.30 and np.isnan(found[0])
    assert (np.diff(found[~np.isnan(found)]) >= 0).all()


def test_weights_sum_to_one_however_long_it_runs() -> None:
    """With losses at r0 exactly nothing is won or lost: the value stays 1."""
    path = WeightedRestart(R0).update(np.full(200_000, R0))
    assert np.abs(path).max() < 1e-9


def test_a_long_bad_spell_overflows_nothing_and_is_remembered() -> None:
    detector = WeightedRestart(R0)
    assert not detector.ever_reached(20)
    detector.update(np.ones(100_000))
    assert np.isfinite(detector.update(np.zeros(300_000))).all()
    assert detector.ever_reached(1e300)


def delay(kind: type[WeightedRestart] | type[ShiryaevRoberts], level: float, healthy: int, risk: float) -> float:
    """Return the median number of losses at ``risk`` until the alarm, after ``healthy`` losses at .10 (60 runs)."""
    delays = []
    for run in range(60):
        rng = np.random.default_rng([healthy, run])
        losses = np.concatenate((rng.random(healthy) < 0.10, rng.random(3000) < risk))
        late = np.flatnonzero(kind(R0).update(losses)[healthy:] >= math.log(level))
        delays.append(late[0] + 1 if len(late) else math.inf)
    return float(np.median(delays))


@pytest.mark.parametrize(("healthy", "published"), [(0, 130), (5000, 392)])
def test_delays_of_the_restart_process(healthy: int, published: float) -> None:
    assert delay(WeightedRestart, 20, healthy, 0.25) == pytest.approx(published, rel=0.2)


@pytest.mark.parametrize(("healthy", "published"), [(0, 182), (5000, 177)])
def test_delays_of_the_shiryaev_roberts_detector(healthy: int, published: float) -> None:
    assert delay(ShiryaevRoberts, 1e4, healthy, 0.25) == pytest.approx(published, rel=0.2)


def test_without_restarts_a_good_history_delays_the_alarm() -> None:
    """The trap: evidence from time 0 must first win back what healthy losses have cost it."""
    rng = np.random.default_rng(2)
    losses = np.concatenate((rng.random(5000) < 0.10, rng.random(6000) < 0.25)).astype(np.int64)
    plain = np.flatnonzero(MeanMartingale.with_replacement(Fraction(15, 100), 0).update(losses)[5000:] >= math.log(20))
    restarted = np.flatnonzero(WeightedRestart(R0).update(losses)[5000:] >= math.log(20))
    assert plain[0] > 5 * restarted[0]


def false_alarms(runs: int, horizon: int) -> tuple[float, float]:
    """Return how often the restart process ever alarms, and the mean run of e-SR (A = 1000), at risk r0 exactly."""
    ever, lengths = 0, []
    for run in range(runs):
        losses = np.random.default_rng([9, run]).random(horizon) < R0
        detector = WeightedRestart(R0)
        detector.update(losses)
        ever += detector.ever_reached(20)
        high = np.flatnonzero(ShiryaevRoberts(R0).update(losses) >= math.log(1000))
        lengths.append(high[0] + 1 if len(high) else horizon)
    return ever / runs, float(np.mean(lengths))


@pytest.mark.prove
def test_false_alarms_at_the_boundary() -> None:
    ever, mean_run = false_alarms(100, 8000)
    assert ever <= 0.06
    assert mean_run >= 1000


@pytest.mark.prove
def test_false_alarms_of_the_table() -> None:
    ever, mean_run = false_alarms(400, 100_000)
    assert ever <= 0.05
    assert mean_run >= 1000


@pytest.mark.prove
@pytest.mark.parametrize(
    ("healthy", "risk", "restart", "sr"),
    [
        (0, 0.25, 130, 182),
        (1000, 0.25, 329, 165),
        (5000, 0.25, 392, 177),
        (20_000, 0.25, 433, 174),
        (1000, 0.20, 1042, 464),
        (20_000, 0.20, 1496, 457),
    ],
)
def test_delays_of_the_table(healthy: int, risk: float, restart: float, sr: float) -> None:
    assert delay(WeightedRestart, 20, healthy, risk) == pytest.approx(restart, rel=0.25)
    assert delay(ShiryaevRoberts, 1e4, healthy, risk) == pytest.approx(sr, rel=0.25)
