"""Red by whole periods, where cases depend on each other and days differ (statistics, second note, §5; issue 29)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from benchmarks.evidence.contract import AtMost, Between, Beyond, Claim, Floats, Reading, Study, Words, column, each
from pilotbase.evidence import LifeRestart, WeightedRestart

BASE, R0, WORSE, COLLAPSED, ALPHA = 0.10, 0.12, 2.0, 5.0, 0.05
DAYS, A_DAY, CHANGED = 365, 200, 120
"""A year of so many cases a day; from this day on the risk is twice as large, or five times."""
LEVEL = math.log(1 / ALPHA)
CUSUM_LEVEL = math.log(DAYS * A_DAY / ALPHA)
"""At which a CUSUM of independent cases is false in a year with probability at most α."""
Daily = Callable[[np.random.Generator], Floats]
"""Draws the factor of each day's risk, whose mean is 1."""


def even(rng: np.random.Generator) -> Floats:
    return np.ones(DAYS)


def bad_days(rng: np.random.Generator) -> Floats:
    """One day in fifty has a risk of .50."""
    return np.where(rng.random(DAYS) < 0.02, 5.0, 0.90 / 0.98)


def bad_weekday(rng: np.random.Generator) -> Floats:
    """Every seventh day is three times as bad as the others."""
    return np.where(np.arange(DAYS) % 7 == 6, 21 / 9, 7 / 9)


SEASON = 1 + 0.3 * np.cos(2 * np.pi * (np.arange(DAYS) // 30.42 + 0.5) / 12)


def season(rng: np.random.Generator) -> Floats:
    return SEASON


def year(rng: np.random.Generator, daily: Daily, together: int, worse: float) -> Floats:
    """Return the losses of a year, shape (days, cases); ``together`` records of one patient are wrong together."""
    risk = BASE * daily(rng) * np.where(np.arange(DAYS) < CHANGED, 1.0, worse)
    wrong = rng.random((DAYS, A_DAY // together)) < np.minimum(risk, 1)[:, None]
    return np.repeat(wrong, together, axis=1).astype(float)


def by_case(losses: Floats) -> Floats:
    return WeightedRestart(R0).update(losses.ravel())


def by_patient(losses: Floats, together: int) -> Floats:
    return WeightedRestart(R0).update(losses[:, ::together].ravel())


def by_day(losses: Floats, seasonal: bool) -> Floats:
    factors = SEASON / SEASON.mean() if seasonal else np.ones(DAYS)
    return LifeRestart(R0, DAYS).update(losses.mean(axis=1) / factors)


def cusum(losses: Floats) -> Floats:
    """Return the CUSUM of r0 against the risk after the change, with all that is known about both."""
    after = BASE * WORSE
    gains = np.where(losses.ravel() > 0, math.log(after / R0), math.log((1 - after) / (1 - R0)))
    summed = np.cumsum(gains)
    return summed - np.minimum.accumulate(np.minimum(summed, 0))


def _draw(daily: Daily, together: int, worse: float) -> Callable[[np.random.Generator], list[float]]:
    seasonal = daily is season

    def one(rng: np.random.Generator) -> list[float]:
        losses = year(rng, daily, together, worse)
        paths = (
            (by_case(losses), A_DAY, LEVEL),
            (by_day(losses, seasonal), 1, LEVEL),
            (by_patient(losses, together), A_DAY // together, LEVEL),
            (cusum(losses), A_DAY, CUSUM_LEVEL),
        )
        if worse == 1:
            return [float((path >= level).any()) for path, _, level in paths]
        return [days(path[CHANGED * a_day :] >= level, a_day) for path, a_day, level in paths]

    return one


def days(reached: np.ndarray, a_day: int) -> float:
    """Return after how many whole days the level was reached."""
    hits = np.flatnonzero(reached)
    return float(hits[0] // a_day + 1) if len(hits) else math.inf


def median(values: Floats) -> float:
    return float(np.median(values))


def _collapse(daily: Daily, together: int) -> Callable[[np.random.Generator], list[float]]:
    """Return the days to red by day after the risk has risen at once to .50: with the start after it, and without."""

    def one(rng: np.random.Generator) -> list[float]:
        factors = SEASON / SEASON.mean() if daily is season else np.ones(DAYS)
        means = year(rng, daily, together, COLLAPSED).mean(axis=1) / factors
        return [days(path[CHANGED:] >= LEVEL, 1) for path in (LifeRestart(R0, DAYS).update(means), spread(means))]

    return one


def spread(means: Floats) -> Floats:
    """Return the log of the e-SR evidence whose starts are spread over the year, whatever comes."""
    wealth, path = np.zeros(len(LifeRestart.bets)), np.empty(len(means))
    for day, mean in enumerate(means):
        wealth = (wealth + 1 / DAYS) * (1 + LifeRestart.bets * (mean / R0 - 1))
        path[day] = math.log(wealth.mean() + 1 - (day + 1) / DAYS)
    return path


def _world(name: str, daily: Daily, together: int, target: float, trap: bool) -> tuple[Study, ...]:
    """Return the studies of a world: false reds in a healthy year, days to red after a doubled risk and a collapse."""
    fooled = Beyond(ALPHA) if trap else AtMost(1)
    false = [
        Reading(f"{name}: by case, falsely red", "wrong" if trap else "fact", fooled, None, column(0)),
        Reading(f"{name}: by day, falsely red", "ours", AtMost(ALPHA), 0.0, column(1)),
        Reading(f"{name}: CUSUM of cases, false", "fact", AtMost(1), None, column(3)),
    ]
    delays = [
        Reading("… days until red by day, median", "ours", Between(1, 1.3 * target), target, column(1, median), False),
        Reading("… until CUSUM of cases", "fact", Between(0, DAYS), None, column(3, median), False),
    ]
    if together > 1:
        false.insert(2, Reading(f"{name}: by patient, falsely red", "ours", AtMost(ALPHA), 0.0, column(2)))
        delays.insert(1, Reading("… by patient", "ours", Between(1, 120), None, column(2, median), False))
    healthy = Study(each(_draw(daily, together, 1.0)), tuple(false), 300, 12, 10)
    collapse = (
        Reading("… after a collapse to .50, by day", "ours", Between(1, 8), None, column(0, median), False),
        Reading("… with starts spread over the year", "fact", Between(1, 12), None, column(1, median), False),
    )
    doubled = Study(each(_draw(daily, together, WORSE)), tuple(delays), 100, 0, 10)
    return healthy, doubled, Study(each(_collapse(daily, together)), collapse, 100, 0, 10)


WORLDS = (
    ("independent", even, 1, 19, False),
    ("2 % bad days", bad_days, 1, 20, True),
    ("a bad day a week", bad_weekday, 1, 22, True),
    ("10 records a patient", even, 10, 26, True),
    ("20 records a patient", even, 20, 32, True),
    ("season ± 30 %, declared", season, 1, 19, True),
)
CLAIM = Claim(
    id="watch-blocks",
    source="statistics, second note, §5; issue 29, item 1",
    title=Words("Red by whole days is no cry of wolf", "按整日判断的红色不会误报"),
    sentence=Words(
        "Where records of a patient fail together, or some days are bad while the certified mean holds, red by single "
        "cases is false in most years. Red by whole days, or by patients, keeps its promise; it costs two to five "
        "weeks until a doubled risk is red, and five to seven days after a collapse to one half, where a CUSUM of "
        "single cases takes days and is false in most years.",
        "若同一患者的记录一同出错，或个别日子较差而认证的均值仍成立，按单个案例判断的红色在多数年份里是误报。"
        "按整日或按患者判断则兑现承诺；代价是风险翻倍后需两到五周才变红，"
        "骤升到一半则需五到七天，而单个案例的 CUSUM 虽只需数日，却在多数年份里误报。",
    ),
    assumes=Words(
        "The mean of each day, given the days before it, is at most r0; within a day anything may depend on anything. "
        "A bad day a week breaks that on one day in seven and is held by simulation only; a season is declared with "
        "its factors, whose mean is 1.",
        "在给定此前各日的条件下，每日的均值不超过 r0；同一日内可以任意相关。每周一个坏日子在七天中的一天违反此假设，"
        "只由模拟支持；季节以均值为 1 的因子声明。",
    ),
    studies=tuple(study for world in WORLDS for study in _world(*world)),
    note="Risk 0.10, r0 0.12, 200 cases a day for 365 days, α 0.05; twice or five times the risk from day 120. The "
    "CUSUM knows both risks, and its level promises α for independent cases.",
)
