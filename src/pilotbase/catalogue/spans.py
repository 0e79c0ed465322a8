"""The days from one milestone to the next: of those that took the step, and of those still on it.

A step that was begun and not taken is never dropped. If it can still be taken it is *open*: its days so far are a lower
bound. If its record has left the way (withdrawn, declined, revoked) it has *ended*: it will not be taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from pilotbase.documents.api.ledger import QuartilesTold, StepSpanTold
from pilotbase.documents.lifecycles import RecordKind, states
from pilotbase.documents.states import SCENARIO_OVER, TRIAL_OVER
from pilotbase.workspace.journeys import Journeys, RecordFilter, count_wanted, list_wanted, read_journeys
from pilotbase.workspace.listings import Page
from pilotbase.workspace.store import View
from pilotbase.workspace.tables import MILESTONES

Values = npt.NDArray[np.float64]
Progress = Literal["taken", "open", "ended"]
"""How far a begun step is; names: text ``span.<value>``."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1) // _MICROSECOND
_DEMAND = ("demanded", "opened", "proposed")
"""Milestones of the scenario itself; from the proposal on, the trial takes the steps."""
_ENDED: Mapping[str, frozenset[str]] = {"scenario": frozenset(SCENARIO_OVER), "commission": frozenset(TRIAL_OVER)}


@dataclass(frozen=True)
class JourneyStep:
    """One step on the way from demand to use; names: text ``way.<name>``."""

    start: str
    end: str

    @property
    def name(self) -> str:
        return f"{self.start}_{self.end}"

    @property
    def kind(self) -> RecordKind:
        """Return which records take it: demands until an application is found, then trials."""
        return "scenario" if self.end in _DEMAND else "commission"

    def wanted(self, progress: Progress) -> RecordFilter:
        """Return the filter for records at this point of it."""
        if progress == "taken":
            return RecordFilter(self.kind, milestone=self.end, since=self.start)
        ended = _ENDED[self.kind]
        in_states = tuple(one for one in states(self.kind) if (one in ended) == (progress == "ended"))
        return RecordFilter(self.kind, in_states, milestone=self.start, missing=self.end)


STEPS = {step.name: step for step in (JourneyStep(*pair) for pair in pairwise(MILESTONES))}
"""From one milestone to the next, in order."""
WHOLE = {step.name: step for step in (JourneyStep("demanded", "certified"), JourneyStep("demanded", "served"))}


@dataclass(frozen=True)
class TrialCosts:
    """The known costs of trials that the parties agreed on; other costs are unknown."""

    trials: int
    prices: dict[str, QuartilesTold]
    """Currency → price of a trial."""
    cpu_seconds: QuartilesTold | None
    """CPU time of a trial with a report, over all its rounds, if it was metered."""
    reported: int
    """Trials with a report; those not in ``cpu_seconds`` were not metered."""


def read_trials(view: View, owner: str = "") -> Journeys:
    """Return the trials that ``view`` sees (of ``owner`` only), with their whole way."""
    return read_journeys(view, "commission", MILESTONES, owner)


def spans(view: View, trials: Journeys, now: datetime, owner: str = "") -> dict[str, StepSpanTold]:
    """Return step → its span over demands that ``view`` sees (of ``owner`` only) and ``trials``; then `WHOLE`.

    Only its owner and the base may know when a demand came, so others' scenarios do not count.
    """
    of_demand = owner or ("" if view.actor.sees_all else view.actor.organisation)
    tells = bool(of_demand) or view.actor.sees_all
    demand = read_journeys(view, "scenario", _DEMAND, of_demand) if tells else None
    found = {}
    for name, step in (STEPS | WHOLE).items():
        rows, milestones = (demand, _DEMAND) if step.kind == "scenario" else (trials, MILESTONES)
        if rows is not None:
            found[name] = _span(rows, milestones, step, now)
    return found


def records_on(
    view: View, step: JourneyStep, progress: Progress, owner: str = "", after: str | None = None, limit: int = 50
) -> Page:
    """Return the records that a span counts at this point of ``step``, of ``owner`` only; raises as `list_wanted`."""
    return list_wanted(view, replace(step.wanted(progress), owner=owner), after, limit)


def count_on(view: View, step: JourneyStep, progress: Progress, owner: str = "") -> int:
    """Return how many records `records_on` returns, all pages together."""
    return count_wanted(view, replace(step.wanted(progress), owner=owner))


def costs(trials: Journeys) -> TrialCosts:
    """Return the known costs of ``trials``, as `read_trials` returns them."""
    agreed, reported = (
        np.array([moment is not None for moment in trials.reached[MILESTONES.index(one)]], dtype=bool)
        for one in ("agreed", "reported")
    )
    amounts, currencies = np.array(trials.amounts, dtype=float) / 100, np.array(trials.currencies, dtype=object)
    metered = np.array(trials.cpu_ms, dtype=float) / 1000
    prices = {
        currency: quartiles(amounts[agreed & (currencies == currency) & ~np.isnan(amounts)])
        for currency in sorted({currency for currency in trials.currencies if currency})
    }
    return TrialCosts(
        trials=int(agreed.sum()),
        prices={currency: price for currency, price in prices.items() if price is not None},
        cpu_seconds=quartiles(metered[reported & ~np.isnan(metered)]),
        reported=int(reported.sum()),
    )


def quartiles(values: Values) -> QuartilesTold | None:
    """Return the quartiles of ``values`` (linear between neighbours), None if there are none."""
    if not len(values):
        return None
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return QuartilesTold(low=low, middle=middle, high=high, count=len(values))


def half_after(taken: Values, open_since: Values, ended: int) -> float | None:
    """Return after how many days half had taken a step, None if half have not.

    The product-limit estimate: an open one counts as at risk until its days so far, an ended one for ever.
    """
    at, events = np.unique(taken, return_counts=True)
    longer = len(taken) - np.searchsorted(np.sort(taken), at)
    still_open = len(open_since) - np.searchsorted(np.sort(open_since), at)
    left = np.cumprod(1 - events / (longer + still_open + ended))
    reached = np.flatnonzero(left <= 0.5 + 1e-12)
    return float(at[reached[0]]) if len(reached) else None


def _span(rows: Journeys, milestones: tuple[str, ...], step: JourneyStep, now: datetime) -> StepSpanTold:
    began, took = (np.array(rows.reached[milestones.index(one)], dtype=float) for one in (step.start, step.end))
    may_not = np.fromiter((state in _ENDED[step.kind] for state in rows.states), bool, len(rows.states))
    has_begun, has_taken = ~np.isnan(began), ~np.isnan(began) & ~np.isnan(took)
    is_open, has_ended = has_begun & ~has_taken & ~may_not, has_begun & ~has_taken & may_not
    days = np.maximum(took[has_taken] - began[has_taken], 0) / _DAY
    open_days = np.maximum((now - _EPOCH) // _MICROSECOND - began[is_open], 0) / _DAY
    return StepSpanTold(
        step=step.name,
        taken=int(has_taken.sum()),
        open=int(is_open.sum()),
        ended=int(has_ended.sum()),
        days=quartiles(days),
        half_after=half_after(days, open_days, int(has_ended.sum())),
        longest_open=float(open_days.max()) if len(open_days) else None,
    )
