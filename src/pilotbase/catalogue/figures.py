"""The figures of a base: from demand to use, how many, how long, at what price; each with its records.

figures(view, now)         what ``view`` sees, in all and in one year, by sector and action
records_of(view, ...)      the records that one of these figures counts
reached(figures, targets)  the operator's targets, with how far each is reached
published(view)            what everybody may see: of certified trials only, and never of a few

The days from one milestone to the next: of those that took the step, and of those still on it.

A step that was begun and not taken is never dropped. If it can still be taken it is *open*: its days so far are a lower
bound. If its record has left the way (withdrawn, declined, revoked) it has *ended*: it will not be taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from pilotbase.catalogue.records import everything
from pilotbase.catalogue.trends import Trends, trends
from pilotbase.documents.api.ledger import QuartilesTold, StepSpanTold
from pilotbase.documents.lifecycles import RecordKind, states
from pilotbase.documents.roadmap import Figure, Phase, Target, Targets
from pilotbase.documents.states import AT_WORK, PREPARED, SCENARIO_OVER, TRIAL_OVER, CommissionState, ScenarioState
from pilotbase.documents.vocabularies import ServingState, Support
from pilotbase.workspace.actors import BASE
from pilotbase.workspace.journeys import Journeys, RecordFilter, count_wanted, list_wanted, read_journeys, tally
from pilotbase.workspace.listings import Page, Query, count
from pilotbase.workspace.store import View
from pilotbase.workspace.tables import MILESTONES, OF_RECORDS

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


def read_trials(view: View, owner: str) -> Journeys:
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


def count_on(view: View, step: JourneyStep, progress: Progress, owner: str) -> int:
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


Places = npt.NDArray[np.bool_]
_MICROSECONDS_A_DAY = 86_400_000_000
FEWEST_TRIALS = 5
FEWEST_PARTIES = 3
"""A median is published only over at least so many trials, demand owners and suppliers."""


LEDGER = (
    Figure.OPENED,
    Figure.PROPOSED,
    Figure.TRIALS,
    Figure.VERDICTS,
    Figure.CERTIFIED,
    Figure.SERVED,
    Figure.IN_USE,
    Figure.UNCERTIFIED,
    Figure.WARNED,
    Figure.STOPPED,
)
"""The figures of a ledger, in the order of the way."""
FUNNEL = (Figure.OPENED, Figure.TRIALS, Figure.VERDICTS, Figure.CERTIFIED)
"""From demand to use."""
VERDICTS = (Figure.ACCEPTED, Figure.REJECTED, Figure.INCONCLUSIVE)
WANTED = {
    Figure.OPENED: RecordFilter("scenario", milestone="opened"),
    Figure.OPEN: RecordFilter("scenario", states=(ScenarioState.OPEN,)),
    Figure.PROPOSED: RecordFilter("commission", milestone="proposed"),
    Figure.TRIALS: RecordFilter("commission", milestone="agreed"),
    Figure.UNDER_WAY: RecordFilter("commission", states=(*PREPARED, *AT_WORK)),
    Figure.VERDICTS: RecordFilter("commission", milestone="reported"),
    Figure.ACCEPTED: RecordFilter("commission", milestone="reported", verdict="accept"),
    Figure.REJECTED: RecordFilter("commission", milestone="reported", verdict="reject"),
    Figure.INCONCLUSIVE: RecordFilter("commission", milestone="reported", verdict="inconclusive"),
    Figure.CERTIFIED: RecordFilter("commission", milestone="certified"),
    Figure.IN_FORCE: RecordFilter("commission", states=(CommissionState.CERTIFIED,)),
    Figure.SERVED: RecordFilter("service", milestone="served"),
    Figure.IN_USE: RecordFilter("service", states=(ServingState.SERVING, ServingState.FALLEN_BACK)),
    Figure.UNCERTIFIED: RecordFilter("endpoint", states=(ServingState.SERVING, ServingState.FALLEN_BACK)),
    Figure.WARNED: RecordFilter("service", milestone="warned"),
    Figure.STOPPED: RecordFilter("service", milestone="stopped"),
}
YEARLY = tuple(figure for figure, wanted in WANTED.items() if wanted.milestone)
"""Figures that happen at a moment, so that they can be counted by year; the others describe the present."""
PUBLISHED_STEPS = tuple(STEPS)[: len(OF_RECORDS) - 1]
"""Steps of `STEPS` in the public figures: those that a trial's record knows."""
_TARGETS = "targets"


@dataclass(frozen=True)
class Chosen:
    """A part of a figure; empty fields do not restrict it."""

    sector: str = ""
    action: str = ""
    year: int | None = None
    phase: Phase | None = None
    support: str = ""
    owner: str = ""

    @property
    def years(self) -> range | None:
        """Return the chosen years; a phase counts only if no year is given."""
        if self.year is not None:
            return range(self.year, self.year + 1)
        return self.phase.years if self.phase is not None else None


@dataclass(frozen=True)
class FigureGroup:
    """The figures of one sector, action and set of supports."""

    sector: str
    action: str
    supports: frozenset[Support]
    counts: dict[Figure, int]
    this_year: dict[Figure, int]


@dataclass(frozen=True)
class Median:
    """The median of some values, and how many there are."""

    value: float
    count: int


@dataclass(frozen=True)
class StageDurations:
    """From demand to use: the days of each step, all of them together, and the price by currency."""

    steps: dict[str, Median]
    """Step → days; without the steps that nobody has taken."""
    whole: Median | None
    """To the certificate."""
    prices: dict[str, Median]
    """Currency → the price that the parties agreed on."""


@dataclass(frozen=True)
class Figures:
    """All figures of one view at one moment."""

    year: int
    groups: tuple[FigureGroup, ...]
    spans: dict[str, StepSpanTold]
    """Step of `STEPS` or `WHOLE` → its span; empty if the view may not see it."""
    costs: TrialCosts
    trends: Trends

    @property
    def way(self) -> StageDurations:
        """Return the medians of the days taken and the prices agreed."""
        taken = {name: Median(span.days.middle, span.days.count) for name, span in self.spans.items() if span.days}
        steps = {name: taken[name] for name in STEPS if name in taken}
        prices = {currency: Median(price.middle, price.count) for currency, price in self.costs.prices.items()}
        return StageDurations(steps, taken.get("demanded_certified"), prices)

    @property
    def counts(self) -> dict[Figure, int]:
        """Return each figure, summed over all sectors."""
        return _sum(group.counts for group in self.groups)

    @property
    def this_year(self) -> dict[Figure, int]:
        """Return each figure of the year, summed over all sectors."""
        return _sum(group.this_year for group in self.groups)

    def by(self, name: str) -> dict[str, dict[Figure, int]]:
        """Return the figures of each ``sector`` or ``action``, the largest first; empty ones are left out."""
        names = {getattr(group, name) for group in self.groups}
        found = {
            one: _sum(group.counts for group in self.groups if getattr(group, name) == one) for one in names if one
        }
        order = sorted(found, key=lambda one: (-found[one][Figure.OPENED], -found[one][Figure.TRIALS], one))
        return {one: found[one] for one in order if any(found[one].values())}


@dataclass(frozen=True)
class Published:
    """What everybody may see: counts of public things, and medians that reveal nobody."""

    open: int
    way: StageDurations


def figures(view: View, now: datetime, owner: str = "") -> Figures:
    """Return the figures of everything that ``view`` sees (of ``owner`` only), and of the year of ``now`` (UTC)."""
    year = now.astimezone(UTC).year
    everywhere = list(WANTED.values())
    in_year = [_narrowed(WANTED[figure], Chosen(year=year)) for figure in YEARLY]
    groups = []
    for found in tally(view, [*everywhere, *in_year], owner):
        counts = dict(zip(WANTED, found.counts, strict=False))
        this_year = dict(zip(YEARLY, found.counts[len(everywhere) :], strict=True))
        groups.append(FigureGroup(found.sector, found.action, found.supports, counts, this_year))
    trials = read_trials(view, owner)
    moved = trends(trials, read_journeys(view, "scenario", ("opened",), owner), now)
    return Figures(year, tuple(groups), spans(view, trials, now, owner), costs(trials), moved)


def records_of(view: View, figure: Figure, chosen: Chosen, after: str | None = None, limit: int = 50) -> Page:
    """Return the records that ``figure`` counts in what was ``chosen``; raises as `list_page`."""
    return list_wanted(view, _narrowed(WANTED[figure], chosen), after, limit)


def count_of(view: View, figure: Figure, chosen: Chosen) -> int:
    """Return how many records `records_of` returns, all pages together."""
    return count_wanted(view, _narrowed(WANTED[figure], chosen))


def published(view: View) -> Published:
    """Return what everybody may see, the same for every ``view``.

    The days of steps come from trials with a public certificate, and only if enough trials contribute to a median that
    it reveals none of them (`FEWEST_TRIALS`, `FEWEST_PARTIES`), in whole days and two digits of a price; trials that
    are under way never count.
    """
    way = _way(read_journeys(everything(view), "commission", OF_RECORDS, certified=True))
    steps = {step: Median(round(days.value), days.count) for step, days in way.steps.items()}
    whole = way.whole and Median(round(way.whole.value), way.whole.count)
    prices = {currency: Median(float(f"{price.value:.2g}"), price.count) for currency, price in way.prices.items()}
    return Published(count(view, Query("scenario", states=(ScenarioState.OPEN,))), StageDurations(steps, whole, prices))


def _way(trials: Journeys) -> StageDurations:
    """Return the medians of certified trials that reveal nobody."""
    times = [np.array(column, dtype=float) / _MICROSECONDS_A_DAY for column in trials.reached]

    def median(values: Values, known: Places) -> Median | None:
        tells = _speaks_of_nobody(trials, known)
        return Median(float(np.median(values[known])), int(known.sum())) if tells else None

    def between(start: Values, end: Values) -> Median | None:
        days = np.maximum(end - start, 0)
        return median(days, ~np.isnan(days))

    steps = {name: between(*pair) for name, pair in zip(PUBLISHED_STEPS, pairwise(times), strict=True)}
    amounts, currencies = np.array(trials.amounts, dtype=float) / 100, np.array(trials.currencies, dtype=object)
    prices = {
        currency: median(amounts, (currencies == currency) & ~np.isnan(amounts))
        for currency in sorted({currency for currency in trials.currencies if currency})
    }
    return StageDurations(_told(steps), between(times[0], times[-1]), _told(prices))


def _told(found: dict[str, Median | None]) -> dict[str, Median]:
    return {name: median for name, median in found.items() if median is not None}


def _speaks_of_nobody(trials: Journeys, known: Places) -> bool:
    places = np.flatnonzero(known)
    owners, suppliers = {trials.owners[place] for place in places}, {trials.suppliers[place] for place in places}
    return len(places) >= FEWEST_TRIALS and min(len(owners), len(suppliers)) >= FEWEST_PARTIES


def _narrowed(wanted: RecordFilter, chosen: Chosen) -> RecordFilter:
    years = chosen.years
    return replace(
        wanted,
        sector=chosen.sector,
        action=chosen.action,
        support=chosen.support,
        owner=chosen.owner,
        span=(_new_year(years.start), _new_year(years.stop)) if years is not None else None,
    )


def _new_year(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


def _sum(counts: Iterable[dict[Figure, int]]) -> dict[Figure, int]:
    total: Counter[Figure] = Counter()
    for one in counts:
        total.update(one)
    return {figure: total[figure] for figure in Figure}


@dataclass(frozen=True)
class Reached:
    """A target of a year with the number reached."""

    target: Target
    number: int

    @property
    def share(self) -> float:
        """Return the number reached as a share of the target; a target of 0 is always reached."""
        return self.number / self.target.number if self.target.number else 1.0


def read_targets(view: View) -> Targets:
    """Return the targets that ``view`` sees; none if none are set."""
    head = view.head(_TARGETS)
    return Targets() if head is None else view.load(head, Targets)


def set_targets(view: View, new: Iterable[Target]) -> Targets:
    """Set targets, replacing those about the same figure; raises `RefusedError` for all but the operator."""
    with view.transaction("targets.set") as change:
        change.require_operator()
        targets = _merged(read_targets(view.within(change)), new)
        change.let_stand(_TARGETS, change.put(targets, BASE))
    return targets


def _merged(known: Targets, new: Iterable[Target]) -> Targets:
    """Return ``known`` with ``new`` in place of targets about the same, in order of year, figure, sector, action."""
    by_subject = {target.about: target for target in (*known.targets, *new)}
    return Targets(targets=tuple(by_subject[about] for about in sorted(by_subject)))


def reached(figures: Figures, targets: Targets) -> list[Reached]:
    """Return the targets of the year of ``figures`` with the number reached of each."""
    return [Reached(target, _number(figures, target)) for target in targets.targets if target.year == figures.year]


def _number(figures: Figures, target: Target) -> int:
    chosen = (
        group.this_year
        for group in figures.groups
        if (target.sector or group.sector) == group.sector and (target.action or group.action) == group.action
    )
    return sum(counts[Figure(target.figure)] for counts in chosen)
