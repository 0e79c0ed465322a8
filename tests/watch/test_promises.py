"""What the watch promises, simulated with the detectors that run: red, the early stage, labels late, chosen or missing.

Each promise has the tempting way beside it, which has to break: a simulation that cannot fail proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from pilotbase.documents.vocabularies import Colour, RedBy, Signal
from pilotbase.measures import Cases, RuleContext
from pilotbase.watch.detectors.loss import LossDetector, LossWatch
from pilotbase.watch.losses import Losses, WatchedLoss, in_period, promised_loss

ALPHA, THREE_ERRORS = 0.05, 3.0
SETTING = RuleContext("label", ("wrong", "right"))
COHORT = 500
Floats = np.ndarray


@dataclass(frozen=True)
class Scale:
    """How many runs of how many steps."""

    runs: int
    steps: int

    @property
    def allowed(self) -> float:
        """Return α with three standard errors of the simulation."""
        return ALPHA + THREE_ERRORS * float(np.sqrt(ALPHA * (1 - ALPHA) / self.runs))


QUICK, FULL = Scale(60, 4000), Scale(400, 100_000)
at_both_scales = pytest.mark.parametrize("scale", [QUICK, pytest.param(FULL, marks=pytest.mark.prove)])


def accepted(threshold: float = 0.85, tolerance: float = 0.02) -> WatchedLoss:
    loss = promised_loss(f"accuracy >= {threshold}", SETTING, tolerance)
    assert isinstance(loss, WatchedLoss)
    return loss


def share_red(draw: Callable[[np.random.Generator, int], Floats], r0: Callable[..., float], scale: Scale) -> float:
    """Return in which share of runs the losses that ``draw`` gives ever turn red; ``r0`` may be drawn too."""
    red = 0
    for run in range(scale.runs):
        rng = np.random.default_rng([20261126, run])
        detector = LossDetector(LossWatch(Signal.RISK, "accuracy >= 0.85", r0(rng), ALPHA))
        detector.update(Losses(draw(rng, scale.steps)))
        red += detector.colour is Colour.RED
    return red / scale.runs


def wrong_at(risk: float) -> Callable[[np.random.Generator, int], Floats]:
    return lambda rng, steps: (rng.random(steps) < risk).astype(float)


@at_both_scales
def test_ever_red_at_most_alpha_with_the_risk_at_its_bound(scale: Scale) -> None:
    r0 = accepted().r0
    assert r0 == pytest.approx(0.17)
    assert share_red(wrong_at(r0), lambda rng: r0, scale) <= scale.allowed


def test_a_risk_above_its_bound_turns_red() -> None:
    assert share_red(wrong_at(0.23), lambda rng: accepted().r0, QUICK) == 1.0


@at_both_scales
def test_r0_is_what_was_accepted_and_not_what_a_short_trial_estimated(scale: Scale) -> None:
    """An application of risk .10 is tried on 500 cases; its estimate lies below .10 in about half of all trials."""
    estimated = share_red(wrong_at(0.10), lambda rng: float((rng.random(500) < 0.10).mean()), scale)
    assert estimated > 2 * ALPHA
    assert share_red(wrong_at(0.10), lambda rng: accepted(threshold=0.88).r0, scale) <= scale.allowed


@pytest.mark.prove
@at_both_scales
def test_labels_enter_by_closed_cohorts_and_not_as_they_arrive(scale: Scale) -> None:
    """Complaints come first: of every cohort the labels of wrong answers arrive before those of right ones."""
    r0 = accepted().r0

    def as_they_arrive(rng: np.random.Generator, steps: int) -> Floats:
        cohorts = wrong_at(r0)(rng, steps).reshape(-1, COHORT)
        return np.ascontiguousarray(-np.sort(-cohorts, axis=1)).ravel()

    assert share_red(as_they_arrive, lambda rng: r0, QUICK) == 1.0
    assert share_red(wrong_at(r0), lambda rng: r0, scale) <= scale.allowed


@at_both_scales
def test_missing_labels_count_as_correct(scale: Scale) -> None:
    """Of right answers every second label never comes, of wrong ones all do."""
    loss = accepted()

    def cases(rng: np.random.Generator, steps: int) -> tuple[Cases, Floats]:
        truth = np.ones(steps, dtype=np.int64)
        right = rng.random(steps) >= loss.r0
        labelled = ~right | (rng.random(steps) < 0.5)
        return Cases(truth, right.astype(np.int64), classes=SETTING.classes), labelled

    def labelled_only(rng: np.random.Generator, steps: int) -> Floats:
        found, labelled = cases(rng, steps)
        return loss.of(found.among(np.flatnonzero(labelled))).values

    assert share_red(labelled_only, lambda rng: loss.r0, QUICK) == 1.0
    assert share_red(lambda rng, steps: loss.of(*cases(rng, steps)).values, lambda rng: loss.r0, scale) <= scale.allowed


def year_of_patients(rng: np.random.Generator, together: int, worse: float = 1.0) -> list[tuple[Floats, Floats]]:
    """Return the losses and patients of each day of a year: risk .10, all records of a patient wrong together."""
    risks = 0.10 * np.where(np.arange(365) < 120, 1.0, worse)
    patients = np.repeat(np.arange(200 // together), together).astype(str)
    return [(np.repeat(rng.random(200 // together) < risk, together).astype(float), patients) for risk in risks]


def red_days(red_by: RedBy, year: list[tuple[Floats, Floats]]) -> int | None:
    """Return the day on which a watch is red that accepts a risk of .12, if it ever is."""
    detector = LossDetector(LossWatch(Signal.RISK, "accuracy >= 0.88", 0.12, ALPHA, 10_000, None, red_by, 365))
    for day, (losses, patients) in enumerate(year):
        detector.update(in_period(Losses(losses), patients if red_by is RedBy.UNIT else None))
        if detector.colour is Colour.RED:
            return day
    return None


@pytest.mark.parametrize("together", [10, 20])
def test_records_of_a_patient_fool_red_by_case_and_neither_by_period_nor_by_unit(together: int) -> None:
    """The product's own detectors over whole years; the claim *watch-blocks* runs hundreds of them."""
    years = [year_of_patients(np.random.default_rng([7, run]), together) for run in range(6)]
    assert all(red_days(RedBy.CASE, year) is not None for year in years)
    assert sum(red_days(red_by, year) is not None for year in years for red_by in (RedBy.PERIOD, RedBy.UNIT)) <= 1
    worse = year_of_patients(np.random.default_rng(7), together, 3.0)
    for red_by in (RedBy.PERIOD, RedBy.UNIT):
        day = red_days(red_by, worse)
        assert day is not None and 120 <= day < 200


@at_both_scales
def test_the_promise_covers_all_groups_together(scale: Scale) -> None:
    """Every group at its bound: that any of four ever turns red has probability ≤ α; at α each it would be 4α."""
    steps, red = scale.steps // 4, 0
    for run in range(scale.runs):
        rng = np.random.default_rng([4, run])
        design = LossWatch(Signal.RISK, "worst(accuracy by site) >= 0.85", 0.17, ALPHA, by="site")
        detector = LossDetector(design)
        groups = rng.choice(["", "north", "south", "west"], steps)
        detector.update(Losses(wrong_at(0.17)(rng, steps), groups))
        red += detector.colour is Colour.RED
        assert len(detector.colours) == 4
    assert red / scale.runs <= scale.allowed


def early_warnings(scale: Scale, level: float) -> float:
    """Return the mean number of labels to the first early warning at the bound, runs without one cut at the end."""
    lengths = []
    for run in range(scale.runs):
        losses = wrong_at(0.17)(np.random.default_rng([5, run]), scale.steps)
        changes = LossDetector(LossWatch(Signal.RISK, "accuracy >= 0.85", 0.17, 1e-9, level)).update(Losses(losses))
        lengths.append(next((change.seen for change in changes), scale.steps))
    return float(np.mean(lengths))


def test_labels_to_a_false_early_warning() -> None:
    assert early_warnings(QUICK, 1000) >= 1000


@pytest.mark.prove
def test_labels_to_a_false_early_warning_in_full() -> None:
    assert early_warnings(FULL, 10_000) >= 10_000
