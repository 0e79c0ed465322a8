"""How a base does over time: month by month, and what became of what was proposed in each quarter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from pilotbase.documents.states import TRIAL_OVER
from pilotbase.documents.vocabularies import Verdict
from pilotbase.workspace.journeys import Journeys
from pilotbase.workspace.tables import MILESTONES

MONTHS, MOST_COHORTS = 12, 8
COHORT = ("proposed", "agreed", "frozen", "reported", "accepted", "certified", "served")
"""Milestones of a trial up to which a cohort is followed, in order; names: text ``cohort.stage.<name>``."""
_Moments = npt.NDArray[np.float64]
_Whole = npt.NDArray[np.int64]
_MICROSECONDS_A_DAY = 86_400_000_000


@dataclass(frozen=True)
class Trend:
    """Twelve months of one figure, oldest first, the present one last; names: text ``trend.<name>``."""

    name: str
    months: tuple[float | None, ...]
    """A number, or a median that the trials of this month have; None: there are none."""
    year: float | None
    """Of all twelve months together."""
    before: float | None
    """Of the twelve months before these."""


@dataclass(frozen=True)
class QuarterCohort:
    """The trials that were proposed in one quarter, and how far they have come by now."""

    year: int
    quarter: int
    reached: tuple[int, ...]
    """How many of them have reached each milestone of `COHORT`; the first is how many they are."""
    ended: int
    """Of those without a certificate: declined, cancelled or revoked."""


@dataclass(frozen=True)
class Trends:
    """All trends and cohorts of one view at one moment."""

    months: tuple[Trend, ...] = ()
    cohorts: tuple[QuarterCohort, ...] = ()


def trends(trials: Journeys, opened: Journeys, now: datetime) -> Trends:
    """Return the trends of ``trials``, with all `MILESTONES`, and of scenarios with the one milestone ``opened``."""
    at = {name: np.array(column, dtype=float) for name, column in zip(MILESTONES, trials.reached, strict=True)}
    rejected = np.array([one == Verdict.REJECT for one in trials.verdicts], dtype=bool)
    days = np.maximum(at["certified"] - at["demanded"], 0) / _MICROSECONDS_A_DAY
    months = (
        _medians("days", at["certified"], days, now),
        _counts("opened", np.array(opened.reached[0] if opened.reached else (), dtype=float), now),
        _counts("verdicts", at["reported"], now),
        _counts("certified", at["certified"], now),
        _counts("prevented", at["reported"][rejected] if len(rejected) else at["reported"], now),
    )
    return Trends(months, tuple(_cohorts(at, trials.states)))


def _months(moments: _Moments) -> _Whole:
    """Return the calendar month (UTC) of each moment, counted from the year 0; -1 for none."""
    known = ~np.isnan(moments)
    found = np.full(len(moments), -1, dtype=np.int64)
    months = moments[known].astype(np.int64).astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    found[known] = months + 1970 * 12
    return found


def _ago(moments: _Moments, now: datetime) -> _Whole:
    """Return how many calendar months before that of ``now`` each moment lies; -1 for none."""
    this, months = now.astimezone(UTC).year * 12 + now.astimezone(UTC).month - 1, _months(moments)
    return np.where(months < 0, -1, this - months)


def _counts(name: str, moments: _Moments, now: datetime) -> Trend:
    ago = _ago(moments, now)
    months = tuple(float((ago == back).sum()) for back in reversed(range(MONTHS)))
    return Trend(name, months, sum(months), float(((ago >= MONTHS) & (ago < 2 * MONTHS)).sum()))


def _medians(name: str, moments: _Moments, values: _Moments, now: datetime) -> Trend:
    ago, known = _ago(moments, now), ~np.isnan(values)

    def median(chosen: npt.NDArray[np.bool_]) -> float | None:
        found = values[chosen & known]
        return float(np.median(found)) if len(found) else None

    months = tuple(median(ago == back) for back in reversed(range(MONTHS)))
    return Trend(name, months, median((ago >= 0) & (ago < MONTHS)), median((ago >= MONTHS) & (ago < 2 * MONTHS)))


def _cohorts(at: dict[str, _Moments], states: Iterable[str]) -> Iterable[QuarterCohort]:
    """Yield the newest cohorts, oldest first."""
    months = _months(at["proposed"])
    known, quarters = months >= 0, months // 3
    over = np.array([one in TRIAL_OVER for one in states], dtype=bool) & np.isnan(at["certified"])
    for quarter in sorted(set(quarters[known].tolist()))[-MOST_COHORTS:]:
        here = quarters == quarter
        reached = tuple(int((here & ~np.isnan(at[name])).sum()) for name in COHORT)
        yield QuarterCohort(quarter // 4, quarter % 4 + 1, reached, int((here & over).sum()))
