"""Stages of a loss: red stays, yellow ends after a calm spell, groups are told apart, reasons say what was seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import numpy as np
import pytest
from pydantic import ValidationError

from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Colour, RedBy, Signal
from pilotbase.documents.watch import WatchedRisk, WatchTerms
from pilotbase.watch.detectors.loss import CALM, MOST_GROUPS, LossDetector, LossWatch
from pilotbase.watch.losses import Losses, expected_share, in_period

RISK = LossWatch(Signal.RISK, "accuracy >= 0.85", 0.15)


def wrong(share: float, count: int, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random(count) < share).astype(float)


def colours(design: LossWatch, losses: np.ndarray) -> list[Colour]:
    return [change.colour for change in LossDetector(design).update(Losses(losses))]


def test_a_bad_spell_is_yellow_first_then_red_and_red_stays() -> None:
    detector = LossDetector(RISK)
    changes = detector.update(Losses(np.concatenate((wrong(0.08, 5000), wrong(0.3, 1000, 1), wrong(0.02, 20_000, 2)))))
    assert [change.colour for change in changes] == [Colour.YELLOW, Colour.RED]
    assert 5000 < changes[0].seen < changes[1].seen < 6000
    assert detector.colour is Colour.RED
    assert detector.value >= 1


def test_a_short_bad_spell_is_yellow_and_ends() -> None:
    losses = np.concatenate((wrong(0.08, 20_000), wrong(0.35, 120, 1), wrong(0.05, 4000, 2)))
    changes = LossDetector(RISK).update(Losses(losses))
    assert [change.colour for change in changes] == [Colour.YELLOW, Colour.GREEN]
    assert changes[1].seen - changes[0].seen == CALM


def test_yellow_holds_while_early_alarms_go_on() -> None:
    design = LossWatch(Signal.RISK, "accuracy >= 0.85", 0.15, alpha=1e-300)
    assert colours(design, np.concatenate((wrong(0.08, 1000), wrong(0.25, 10_000, 1)))) == [Colour.YELLOW]


@pytest.mark.parametrize("signal", [Signal.CONTRACT, Signal.LATENCY])
def test_only_a_risk_is_ever_red(signal: Signal) -> None:
    found = colours(LossWatch(signal, "late", 0.05), wrong(0.5, 3000))
    assert found[-1] is Colour.ORANGE
    assert Colour.RED not in found


def test_cases_that_do_not_count_are_passed_over() -> None:
    losses = wrong(0.3, 2000)
    spread = np.full(6000, np.nan)
    spread[::3] = losses
    thin, dense = LossDetector(RISK).update(Losses(spread)), LossDetector(RISK).update(Losses(losses))
    assert [(change.colour, (change.seen - 1) // 3 + 1) for change in thin] == [(c.colour, c.seen) for c in dense]


def test_the_bad_group_is_named_and_the_good_one_is_not() -> None:
    sites = np.tile(["north", "south"], 3000)
    losses = np.where(sites == "south", wrong(0.3, 6000), wrong(0.1, 6000, 1))
    detector = LossDetector(LossWatch(Signal.RISK, "worst(accuracy by site) >= 0.85", 0.15, by="site"))
    changes = detector.update(Losses(losses, sites))
    assert {change.part for change in changes} == {"south"}
    assert detector.colours == {"north": Colour.GREEN, "south": Colour.RED}
    assert "group south" in changes[-1].reason.render("en")


@pytest.mark.parametrize("batch", [pytest.param(1, marks=pytest.mark.prove), 7, 5000])
def test_a_reason_compares_the_losses_that_speak_against_the_bound_with_it(batch: int) -> None:
    good, bad = np.zeros(5000), np.ones(14)
    losses, detector = np.concatenate((good, bad)), LossDetector(RISK)
    changes = [change for start in range(0, 5014, batch) for change in detector.update(Losses(losses[start:][:batch]))]
    assert changes and losses[:5014][-100:].mean() < RISK.r0, "the latest hundred together look as accepted"
    for change in changes:
        told = change.reason.params
        assert (told["mean"], told["count"]) == ("1", change.seen - 5000), "what was good before is no part of it"
        assert f"the latest {told['count']} of {told['labels']} losses, whose mean is 1;" in change.reason.render("en")


@pytest.mark.parametrize(("language", "signal"), [("en", "risk"), ("zh", "风险")])
def test_a_warning_names_its_signal_once(language: Literal["en", "zh"], signal: str) -> None:
    (*_, red) = LossDetector(RISK).update(Losses(wrong(0.5, 500)))
    said = text("reaction.warned", colour=text("colour.red"), signal=text("signal.risk"), reason=red.reason)
    assert said.render(language).removeprefix("Risk warning").count(signal) == 1


def test_groups_beyond_the_limit_are_counted_and_not_watched() -> None:
    names = np.array([f"site {number}" for number in range(MOST_GROUPS + 6)])
    detector = LossDetector(LossWatch(Signal.RISK, "worst(accuracy by site) >= 0.85", 0.15, by="site"))
    detector.update(Losses(np.ones(len(names)), names))
    assert len(detector.colours) == MOST_GROUPS
    assert detector.state.left_out == 6


def test_the_reason_gives_the_latest_mean_beside_what_was_accepted() -> None:
    losses = np.concatenate((np.zeros(5000), np.ones(400)))
    reason = LossDetector(RISK).update(Losses(losses))[-1].reason
    assert reason.params["r0"] == "0.15"
    assert 0.0 < float(str(reason.params["mean"])) <= 1.0
    assert int(str(reason.params["labels"])) > 5000


def test_a_watched_risk_is_the_design_of_a_detector() -> None:
    risk = WatchedRisk(criterion="worst(recall(failure) by site) >= 0.8", r0=0.22, alpha=0.01, early=5000)
    design = LossWatch.of_risk(risk)
    assert (design.by, design.r0, design.alpha, design.early) == ("site", 0.22, 0.01, 5000)
    promise = LossDetector(design).promise.render("en")
    assert "≤ 0.22 at every step) ≤ 0.01" in promise
    assert "early warning ≥ 5000" in promise


BY_PERIOD = replace(RISK, red_by=RedBy.PERIOD, periods=365)


def days(detector: LossDetector, risks: np.ndarray, seed: int = 0, cases: int = 200) -> list[Colour]:
    """Give the detector a day for each risk; return the colours it takes."""
    random = np.random.default_rng(seed)
    found = []
    for risk in risks:
        found += detector.update(in_period(Losses((random.random(cases) < risk).astype(float)), None))
    return [change.colour for change in found]


def test_by_period_one_bad_day_is_a_suspicion_and_weeks_of_them_are_red() -> None:
    detector = LossDetector(BY_PERIOD)
    assert days(detector, np.array([0.1] * 30 + [0.6] + [0.1] * 30)) == [Colour.YELLOW, Colour.ORANGE, Colour.GREEN]
    assert days(detector, np.full(60, 0.3))[-1] is Colour.RED


def test_red_by_period_tells_the_means_of_periods() -> None:
    detector = LossDetector(BY_PERIOD)
    changes = [change for _ in range(20) for change in detector.update(in_period(Losses(np.ones(50)), None))]
    red = changes[-1]
    assert red.colour is Colour.RED
    told = red.reason.params
    assert told["mean"] == "1" and int(str(told["count"])) == int(str(told["labels"])) == red.seen // 50
    assert "whole periods" in red.reason.render("en") and "按整期" in red.reason.render("zh")


def test_records_of_a_unit_count_as_one() -> None:
    losses, units = np.array([1.0, 1.0, 1.0, 0.0, np.nan]), np.array(["a", "a", "a", "b", "b"])
    found = in_period(Losses(losses), units)
    assert found.values[~np.isnan(found.values)].tolist() == [1.0, 0.0]
    assert found.periods is not None and found.periods[~np.isnan(found.periods)].tolist() == [0.5]


def test_groups_have_periods_of_their_own() -> None:
    found = in_period(Losses(np.array([1.0, 0.0, 0.0, 0.0]), np.array(["n", "s", "n", "s"])), None)
    assert found.periods is not None and np.nan_to_num(found.periods, nan=-1).tolist() == [-1, -1, 0.5, 0]


def test_a_declared_season_is_divided_out_of_losses() -> None:
    weekdays = (1.3, 1.0, 1.0, 1.0, 1.0, 1.0, 0.7)
    assert expected_share(weekdays, datetime(2026, 1, 5, tzinfo=UTC)) == 1.3
    found = in_period(Losses(np.array([1.0, 0.0])), None, 1.25)
    assert found.values.tolist() == [0.8, 0.0] and found.periods is not None and found.periods[-1] == 0.4


@pytest.mark.parametrize("season", [(1.0, 1.0), (1.1,) * 7, (1.0,) * 13])
def test_a_season_that_would_allow_more_than_was_accepted_is_refused(season: tuple[float, ...]) -> None:
    with pytest.raises((InputError, ValidationError)):
        WatchTerms(season=season)
