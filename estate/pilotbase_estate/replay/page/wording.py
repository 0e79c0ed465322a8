"""What the page of a replay says in one language, and its pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from markupsafe import Markup

from pilotbase.charts.one_file import PageWording
from pilotbase.documents.quantities import MISSING, format_span
from pilotbase.documents.texts import Text, percent, text
from pilotbase_estate.charts.strips import BarGroup, GroupedBar, Strip, Tick, grouped_chart, strips_chart
from pilotbase_estate.documents.pool_replay import (
    OrganisationReplay,
    Policy,
    PolicyReplay,
    PoolReplay,
    ReplayedTrace,
    WaitFigures,
)
from pilotbase_estate.documents.resources import format_vector

MOST_GROUPS = 12
"""How many organisations are drawn; the document has all."""
MOST_ORGANISATIONS = 30
"""How many organisations a table lists."""
_AXIS = 5
_NAMED = ("cpu", "gpu", "memory", "disk")
_SPANS = (0, 60, 3600, 86_400, 10 * 86_400, 100 * 86_400)


@dataclass(frozen=True)
class FigureRow:
    """A line of a table: a policy, for one organisation or (empty) for all, and its figures."""

    policy: str
    cells: list[tuple[str, str]]
    """What a column is called, and its content."""
    organisation: str = ""


@dataclass(frozen=True)
class ReplayWording(PageWording):
    """The words and pictures of one replay in one language; its methods are what the template calls."""

    replay: PoolReplay
    named: Callable[[str], str] = str
    """Organisation → its name in pictures."""

    def policy(self, policy: Policy) -> str:
        """Return a policy's name."""
        return self.t(f"replay.policy.{policy.value}")

    @property
    def rows(self) -> list[tuple[str, PolicyReplay]]:
        """Return each policy's name and result, the pool as it is first."""
        before, found = self.replay.before, [(self.policy(one.policy), one) for one in self.replay.policies]
        if before is None:
            return found
        considered = self.t("replay.rules.considered")
        found = [(considered if one.policy is Policy.SHARED else name, one) for name, one in found]
        return [(self.t("replay.rules.as_it_is"), before), *found]

    @property
    def policies(self) -> list[FigureRow]:
        """Return the figures of each policy, the pool as it is first."""
        return [FigureRow(name, self._of_policy(one)) for name, one in self.rows]

    @property
    def organisations(self) -> list[FigureRow]:
        """Return a line for each organisation and policy, organisations with most jobs first."""
        found = {(own.organisation, name): own for name, one in self.rows for own in one.organisations}
        names = [name for name, _ in self.rows]
        order = [(organisation, name) for organisation in self._all()[:MOST_ORGANISATIONS] for name in names]
        return [FigureRow(name, self._of_organisation(found[who, name]), who) for who, name in order]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Return name and value of what was replayed."""
        trace = self.replay.trace
        found = [
            ("jobs", f"{trace.jobs:,}"),
            ("nodes", f"{trace.nodes:,} ({format_vector(trace.capacity.vector)})"),
            ("span", format_span(trace.span_seconds)),
            ("load", f"{trace.load:g}"),
            ("trace", trace.digest[:19] + "…"),
        ]
        return [(self.t(f"replay.fact.{name}"), value) for name, value in found]

    @property
    def dimensions(self) -> list[str]:
        """Return the dimensions of which any policy held something."""
        return sorted({name for _, one in self.rows for name, share in one.utilisation.items() if share})

    def dimension(self, name: str) -> str:
        """Return a dimension's name."""
        return self.t(f"replay.dimension.{name}") if name in _NAMED else name

    def used(self) -> Markup:
        """Return how much was in use over time, by policy."""
        shown = self.replay.shown_dimension
        strips = [
            Strip(
                name,
                tuple((number / len(one.used), share) for number, share in enumerate(one.used)),
                self._percent(one.utilisation.get(shown)),
            )
            for name, one in self.rows
        ]
        return _markup(
            strips_chart(strips, self.t("replay.page.used", dimension=self.dimension(shown)), self._labels())
        )

    def fragments(self) -> Markup:
        """Return how much of the free GPUs was useless over time, by policy; empty without GPUs."""
        whole = self.replay.trace.span_seconds or 1.0
        strips = [
            Strip(
                name,
                tuple((point.at / whole, point.share) for point in one.fragments),
                self._percent(one.fragmentation),
            )
            for name, one in self.rows
        ]
        return _markup(strips_chart(strips, self.t("replay.page.fragments"), self._labels()))

    def shares(self) -> Markup:
        """Return each organisation's mean dominant share under each policy."""
        most = max((one.share for _, each in self.rows for one in each.organisations), default=0.0) or 1.0
        groups = [
            BarGroup(self.named(name), tuple(self._share_bar(row, name, most) for row in self.rows))
            for name in self._drawn()
        ]
        ticks = [Tick(part, self._percent(part * most)) for part in (0.0, 0.5, 1.0)]
        return _markup(grouped_chart(groups, self.t("replay.page.shares"), ticks))

    def waits(self) -> Markup:
        """Return how long each organisation's jobs waited under each policy."""
        most = max((one.waits.longest or 0.0 for _, each in self.rows for one in each.organisations), default=0)
        groups = [
            BarGroup(self.named(name), tuple(_wait_bar(row, name, most) for row in self.rows)) for name in self._drawn()
        ]
        ticks = [Tick(_place(one, most), format_span(one)) for one in _SPANS if one == 0 or one <= most]
        return _markup(grouped_chart(groups, self.t("replay.page.waits"), ticks))

    @property
    def left_out(self) -> int:
        """Return how many organisations are not drawn."""
        return max(len(self._all()) - MOST_GROUPS, 0)

    @property
    def _marks(self) -> list[float]:
        """Return the demand at which `PoolReplay.inflated` is quoted."""
        return sorted({one.asked for one in self.replay.inflated})

    @property
    def placements(self) -> list[FigureRow]:
        """Return what each placement allocates at each demand."""
        names = dict.fromkeys(one.policy for one in self.replay.inflated)
        heads = {mark: self.t("replay.column.asked", share=percent(mark)) for mark in self._marks}
        found = {(one.policy, one.asked): self._percent(one.allocated) for one in self.replay.inflated}
        return [
            FigureRow(self.policy(name), [(head, found[name, mark]) for mark, head in heads.items()]) for name in names
        ]

    @property
    def assumptions(self) -> list[str]:
        """Return the assumptions, in sentences."""
        return [one.render(self.language) for one in assumptions(self.replay)]

    def _of_policy(self, one: PolicyReplay) -> list[tuple[str, str]]:
        used = [
            (self.t("replay.column.used", dimension=self.dimension(name)), self._percent(one.utilisation.get(name)))
            for name in self.dimensions
        ]
        return used + self._named(
            jain=f"{one.jain:.3f}",
            fragments=self._percent(one.fragmentation),
            **_spans(one.waits),
            evictions=f"{one.evictions:,}",
            lost=format_span(one.lost_seconds),
            impossible=f"{one.impossible:,}",
        )

    def _of_organisation(self, own: OrganisationReplay) -> list[tuple[str, str]]:
        ended = f"{own.waits.ended:,} / {own.waits.jobs:,}"
        return self._named(share=self._percent(own.share), ended=ended, **_spans(own.waits))

    def _share_bar(self, row: tuple[str, PolicyReplay], organisation: str, most: float) -> GroupedBar:
        name, one = row
        share = next(each.share for each in one.organisations if each.organisation == organisation)
        return GroupedBar(name, share / most, self._percent(share))

    def _percent(self, share: float | None) -> str:
        """Return a share in percent with one decimal; a dash for None."""
        return MISSING if share is None else percent(share, ".1f").render(self.language)

    def _named(self, **figures: str) -> list[tuple[str, str]]:
        return [(self.t(f"replay.column.{name}"), value) for name, value in figures.items()]

    def _labels(self) -> list[str]:
        return [format_span(self.replay.trace.span_seconds * part / (_AXIS - 1)) for part in range(_AXIS)]

    def _all(self) -> list[str]:
        """Return the organisations, those with most jobs first."""
        found = self.replay.policies[0].organisations if self.replay.policies else ()
        return [one.organisation for one in sorted(found, key=lambda one: (-one.waits.jobs, one.organisation))]

    def _drawn(self) -> list[str]:
        return self._all()[:MOST_GROUPS]


def assumptions(replay: PoolReplay) -> Iterator[Text]:
    """Yield the assumptions of a replay."""
    policies = {one.policy for one in replay.policies}
    if replay.trace.rows_left_out and replay.trace.recorded_of is None:
        yield text("replay.assumes.rows", number=f"{replay.trace.rows_left_out:,}")
    if replay.inflated:
        yield text("replay.assumes.inflated", runs=replay.runs)
        return
    yield from _of_the_trace(replay.trace)
    if Policy.SHARED in policies:
        yield from _of_the_shared_pool(replay)
    if policies - {Policy.SHARED}:
        yield from _passed_over_by_others(replay.trace)
    if {Policy.FIFO, Policy.BEST_FIT} <= policies:
        yield text("replay.assumes.alike")
    if any(one.fragments for one in replay.policies):
        yield text("replay.assumes.fragments")
    yield text("replay.assumes.nothing_else")


def _of_the_trace(trace: ReplayedTrace) -> Iterator[Text]:
    if trace.made_up_organisations:
        yield text("replay.assumes.made_up")
    if trace.recorded_of is not None:
        yield text("replay.assumes.recorded", pool=trace.recorded_of, number=f"{trace.rows_left_out:,}")
    if trace.load != 1:
        yield text("replay.assumes.load", load=f"{trace.load:g}")


def _of_the_shared_pool(replay: PoolReplay) -> Iterator[Text]:
    yield text("replay.assumes.known")
    yield text("replay.assumes.evicted")
    yield text("replay.assumes.equal") if replay.pool is None else text("replay.assumes.pool", digest=replay.pool)
    if replay.pool_before is not None:
        yield text("replay.assumes.before", digest=replay.pool_before)
    if any(name.startswith("gpu/") for name in replay.trace.capacity.vector):
        yield text("replay.assumes.by_machine")


def _passed_over_by_others(trace: ReplayedTrace) -> Iterator[Text]:
    if trace.labelled_jobs:
        yield text("replay.assumes.labels", number=f"{trace.labelled_jobs:,}")
    if trace.windows:
        yield text("replay.assumes.windows", number=f"{trace.windows:,}")


def _spans(waits: WaitFigures) -> dict[str, str]:
    return {name: format_span(getattr(waits, name)) for name in ("median", "p90", "longest")}


def _wait_bar(row: tuple[str, PolicyReplay], organisation: str, most: float) -> GroupedBar:
    name, one = row
    waits = next(each.waits for each in one.organisations if each.organisation == organisation)
    if waits.median is None:
        return GroupedBar(name, 0.0, MISSING)
    places = [_place(seconds or 0.0, most) for seconds in (waits.median, waits.p90, waits.longest)]
    return GroupedBar(name, places[0], " · ".join(_spans(waits).values()), places[1], places[2])


def _place(seconds: float, most: float) -> float:
    """Return a wait's position on a logarithmic axis, about even from a minute on."""
    return math.log1p(seconds / 10) / math.log1p(most / 10) if most > 0 else 0.0


def _markup(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704 - built as an XML tree by pilotbase.charts, which escapes
