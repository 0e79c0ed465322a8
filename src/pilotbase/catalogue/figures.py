"""The figures of a base: from demand to use, how many, how long, at what price; each with the records behind it.

figures(view, now)         what ``view`` sees, of everything and of one year, by sector and action
records_of(view, ...)      the records that one of these figures counts
published(view)            what may be told to everybody: of certified trials only, and never of a few
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise

import numpy as np

from pilotbase.catalogue.records import everything
from pilotbase.workspace.journeys import Span, Wanted, list_wanted, spans, tally
from pilotbase.workspace.listings import Page, Query, count
from pilotbase.workspace.store import View
from pilotbase.workspace.tables import MILESTONES

FEWEST_TRIALS = 5
FEWEST_PARTIES = 3
"""A median is published only of so many trials, of so many demand owners and of so many suppliers."""


class Figure(StrEnum):
    """What is counted; names: text ``figure.<value>``."""

    OPENED = "opened"
    """Scenarios that were ever opened."""
    OPEN = "open"
    """Scenarios that are open now."""
    TRIALS = "trials"
    """Trials that the parties agreed on."""
    UNDER_WAY = "under_way"
    """Trials between agreement and report."""
    VERDICTS = "verdicts"
    """Trials that came to a verdict."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    INCONCLUSIVE = "inconclusive"
    CERTIFIED = "certified"
    """Trials that came to a certificate."""
    IN_FORCE = "in_force"
    """Trials whose certificate holds now."""


FUNNEL = (Figure.OPENED, Figure.TRIALS, Figure.VERDICTS, Figure.CERTIFIED)
"""From demand to use."""
VERDICTS = (Figure.ACCEPTED, Figure.REJECTED, Figure.INCONCLUSIVE)
_UNDER_WAY = ("agreed", "retest", "plan_review", "plan_approved", "freezing", "frozen", "queued", "running")
_WANTED = {
    Figure.OPENED: Wanted("scenario", milestone="opened"),
    Figure.OPEN: Wanted("scenario", states=("open",)),
    Figure.TRIALS: Wanted("commission", milestone="agreed"),
    Figure.UNDER_WAY: Wanted("commission", states=_UNDER_WAY),
    Figure.VERDICTS: Wanted("commission", milestone="reported"),
    Figure.ACCEPTED: Wanted("commission", milestone="reported", verdict="accept"),
    Figure.REJECTED: Wanted("commission", milestone="reported", verdict="reject"),
    Figure.INCONCLUSIVE: Wanted("commission", milestone="reported", verdict="inconclusive"),
    Figure.CERTIFIED: Wanted("commission", milestone="certified"),
    Figure.IN_FORCE: Wanted("commission", states=("certified",)),
}
YEARLY = tuple(figure for figure, wanted in _WANTED.items() if wanted.milestone)
"""Figures that happen at a moment, so that they can be counted by year; the others say how it is now."""

STEPS = tuple(f"{start}_{end}" for start, end in pairwise(MILESTONES))
"""From one milestone to the next; names: text ``way.<value>``."""


@dataclass(frozen=True)
class Chosen:
    """A part of a figure: empty fields ask for nothing."""

    sector: str = ""
    action: str = ""
    year: int | None = None


@dataclass(frozen=True)
class Group:
    """The figures of one sector and action."""

    sector: str
    action: str
    counts: dict[Figure, int]
    this_year: dict[Figure, int]


@dataclass(frozen=True)
class Median:
    """The middle of some values, and how many there are."""

    value: float
    count: int


@dataclass(frozen=True)
class Way:
    """From demand to use: the days of each step, all of them together, and the price by currency."""

    steps: dict[str, Median]
    """Step → days; a step that nobody has taken is not in it."""
    whole: Median | None
    prices: dict[str, Median]
    """Currency → what the parties agreed on."""


@dataclass(frozen=True)
class Figures:
    """All figures of one view at one moment."""

    year: int
    groups: tuple[Group, ...]
    way: Way

    @property
    def counts(self) -> dict[Figure, int]:
        """Return each figure over all sectors."""
        return _sum(group.counts for group in self.groups)

    @property
    def this_year(self) -> dict[Figure, int]:
        """Return each figure of the year over all sectors."""
        return _sum(group.this_year for group in self.groups)

    def by(self, name: str) -> dict[str, dict[Figure, int]]:
        """Return the figures of each ``sector`` or ``action``, the largest first; what has none is left out."""
        names = {getattr(group, name) for group in self.groups}
        found = {
            one: _sum(group.counts for group in self.groups if getattr(group, name) == one) for one in names if one
        }
        order = sorted(found, key=lambda one: (-found[one][Figure.OPENED], -found[one][Figure.TRIALS], one))
        return {one: found[one] for one in order if any(found[one].values())}


@dataclass(frozen=True)
class Published:
    """What everybody may know: counts of what is public, and medians that speak of nobody."""

    open: int
    way: Way


def figures(view: View, now: datetime) -> Figures:
    """Return the figures of everything that ``view`` sees, and of the year of ``now`` (UTC)."""
    year = now.astimezone(UTC).year
    everywhere = list(_WANTED.values())
    in_year = [_of_year(_WANTED[figure], year) for figure in YEARLY]
    groups = []
    for found in tally(view, [*everywhere, *in_year]):
        counts = dict(zip(_WANTED, found.counts, strict=False))
        this_year = dict(zip(YEARLY, found.counts[len(everywhere) :], strict=True))
        groups.append(Group(found.sector, found.action, counts, this_year))
    return Figures(year, tuple(groups), _way(list(spans(view)), lambda _: True))


def records_of(view: View, figure: Figure, chosen: Chosen, after: str | None = None, limit: int = 50) -> Page:
    """Return the records that ``figure`` counts in what was ``chosen``; raises as `list_page`."""
    return list_wanted(view, _narrowed(figure, chosen), after, limit)


def published(view: View) -> Published:
    """Return what everybody may know, whoever asks.

    The days of steps come from trials whose certificate is public, and only where so many stand behind a median that
    it tells nothing of one of them (`FEWEST_TRIALS`, `FEWEST_PARTIES`), in whole days and two digits of a price;
    what is under way never counts.
    """
    certified = list(spans(everything(view), certified=True))
    way = _way(certified, _speaks_of_nobody)
    steps = {step: Median(round(days.value), days.count) for step, days in way.steps.items()}
    whole = way.whole and Median(round(way.whole.value), way.whole.count)
    prices = {currency: Median(float(f"{price.value:.2g}"), price.count) for currency, price in way.prices.items()}
    return Published(count(view, Query("scenario", states=("open",))), Way(steps, whole, prices))


def _way(trials: Sequence[Span], may_tell: Callable[[Sequence[Span]], bool]) -> Way:
    steps, currencies = {}, sorted({trial.currency for trial in trials if trial.currency})
    for place, step in enumerate(STEPS):
        took = [trial for trial in trials if trial.days[place] is not None]
        if took and may_tell(took):
            steps[step] = _median([trial.days[place] for trial in took])
    whole = [trial for trial in trials if trial.whole is not None]
    prices = {}
    for currency in currencies:
        priced = [trial for trial in trials if trial.currency == currency and trial.amount is not None]
        if priced and may_tell(priced):
            prices[currency] = _median([(trial.amount or 0) / 100 for trial in priced])
    return Way(steps, _median([trial.whole for trial in whole]) if whole and may_tell(whole) else None, prices)


def _speaks_of_nobody(trials: Sequence[Span]) -> bool:
    owners, suppliers = {trial.owner for trial in trials}, {trial.supplier for trial in trials}
    return len(trials) >= FEWEST_TRIALS and min(len(owners), len(suppliers)) >= FEWEST_PARTIES


def _median(values: Sequence[float | None]) -> Median:
    return Median(float(np.median(np.array(values, dtype=float))), len(values))


def _narrowed(figure: Figure, chosen: Chosen) -> Wanted:
    wanted = _WANTED[figure] if chosen.year is None else _of_year(_WANTED[figure], chosen.year)
    return Wanted(
        wanted.kind, wanted.states, wanted.milestone, wanted.verdict, wanted.span, chosen.sector, chosen.action
    )


def _of_year(wanted: Wanted, year: int) -> Wanted:
    span = (datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC))
    return Wanted(wanted.kind, wanted.states, wanted.milestone, wanted.verdict, span)


def _sum(counts: Iterable[dict[Figure, int]]) -> dict[Figure, int]:
    total: Counter[Figure] = Counter()
    for one in counts:
        total.update(one)
    return {figure: total[figure] for figure in Figure}
