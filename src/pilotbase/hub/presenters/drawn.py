"""What pages draw: our own SVG as it is, what the figures of a base are called, parts that renew themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, isnan
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString

from pilotbase.catalogue.figures import STEPS, StageDurations
from pilotbase.charts.classes import format_share
from pilotbase.charts.columns import profile_chart
from pilotbase.charts.criterion import order_chart
from pilotbase.charts.drawing import stretched
from pilotbase.charts.scales import format_count
from pilotbase.charts.stages import Leg
from pilotbase.charts.watch import Alarm, AlarmMark, CohortMean, DriftStrip, Spell, WatchedPoint, alarm_chart
from pilotbase.documents.board import TenderResult
from pilotbase.documents.contract import DataType
from pilotbase.documents.quality import FieldProfile, RecordSetProfile
from pilotbase.documents.service import Service
from pilotbase.documents.texts import Language, Text, text
from pilotbase.documents.vocabularies import Signal
from pilotbase.documents.watch import RiskWarning
from pilotbase.hub.acting import language
from pilotbase.watch.detectors.loss import measure_in_words
from pilotbase.watch.status import alarm_history, drift_spells
from pilotbase.watch.warnings import standing_warnings
from pilotbase.workspace.store import View

_SHADES = 4


def drawn(svg: str, fixed: bool = False) -> SafeString:
    """Return a chart of `pilotbase.charts`, which escapes every word in it, as wide as its place on the page.

    ``fixed``: as a whole larger or smaller, for what is square or seen from afar.
    """
    return SafeString(svg if fixed or not svg else stretched(svg))


def drawn_order(result: TenderResult | None) -> SafeString:
    """Return the chart of the order that a tender has found; nothing before there is a result."""
    return drawn(order_chart(result, language()) if result is not None else "", fixed=True)


def drawn_alarm(view: View, service: Service, detector: str, acts: bool) -> SafeString:
    """Return the picture of what led to the colour of a criterion; nothing before its first cohort is entered.

    ``acts``: whether the reader sees what the base did.
    """
    found = alarm_history(view, service, detector, acts)
    if found is None:
        return SafeString("")
    means = [
        CohortMean(
            *(one.at, one.mean, one.accepted, None if isnan(bound) else bound, one.cases, one.labelled, one.predicted)
        )
        for one, bound in zip(found.means, found.exceeded, strict=True)
    ]
    reader = language()
    marks = [AlarmMark(one.at, one.what.render(reader), one.colour) for one in found.events]
    moments = [one.at for one in means] + [one.at for one in marks] + [point.at for point in found.path]
    begins, ends = min(moments), max(moments)
    spells = drift_spells(found.raised, begins, ends).items()
    strips = [DriftStrip(name, [Spell(one.begins, one.ends, one.colour) for one in own]) for name, own in spells if own]
    path = [WatchedPoint(point.at, point.seen, point.value, point.colour) for point in found.path]
    name = str(measure_in_words(detector.removeprefix("risk:")))
    return drawn(alarm_chart(Alarm(name, means, path, found.alpha, strips, marks, begins, ends), reader), fixed=True)


def drawn_alarms(view: View, service: Service) -> list[tuple[RiskWarning, SafeString]]:
    """Return the warnings about risks that stand now, each with its picture."""
    standing = [one for one in standing_warnings(view, service.name).values() if one.signal is Signal.RISK]
    found = [(one, drawn_alarm(view, service, one.detector, acts=True)) for one in standing]
    return [(one, picture) for one, picture in found if picture]


def shade(number: float, most: float) -> int:
    """Return how dark a cell of a table of class ``heat`` is: 0 for none, else 1 to `_SHADES`."""
    return ceil(_SHADES * number / most) if number and most else 0


def capitalised(vocabulary: str, value: str) -> str:
    """Return the name of a value of a vocabulary in the reader's language, as it begins a line."""
    name = Text(code=f"{vocabulary}.{value}").render(language())
    return name[:1].upper() + name[1:]


def legs_of(way: StageDurations, language: Language, steps: Iterable[str] = STEPS) -> tuple[Leg, ...]:
    """Return the steps from demand to use; one without a median has no days."""
    medians = [(Text(code=f"way.{step}").render(language), way.steps.get(step)) for step in steps]
    return tuple(Leg(name, one.value, one.count) if one else Leg(name, None) for name, one in medians)


@dataclass(frozen=True)
class DrawnColumn:
    """A column of a table: its kind, its values as a chart if they were counted, and what stands out."""

    name: str
    label: bool
    kind: Text
    chart: SafeString
    remarks: tuple[Text, ...]


@dataclass(frozen=True)
class DrawnTable:
    """The columns of a table; counts below ``least`` are withheld."""

    name: str
    columns: list[DrawnColumn]
    least: int | None = None


def tables_drawn(profiles: Iterable[RecordSetProfile], least: int | None = None) -> list[DrawnTable]:
    """Return the columns of each table as they are shown; ``least``: smaller counts are withheld."""
    return [DrawnTable(one.record_set, [_column(field, one.rows, least) for field in one.fields], least)
            for one in profiles]  # fmt: skip


def _column(one: FieldProfile, rows: int, least: int | None) -> DrawnColumn:
    def spell(count: int | None) -> str:
        return f"< {least}" if count is None else format_count(count)

    return DrawnColumn(
        one.field,
        one.label,
        text(f"hub.type.{DataType(one.data_type).name.lower()}"),
        drawn(profile_chart(one, text("quality.page.others").render(language()), spell)),
        tuple(_remarks(one, rows)),
    )


def _remarks(one: FieldProfile, rows: int) -> Iterator[Text]:
    if one.missing:
        yield text("profile.missing", count=one.missing, share=format_share(one.missing, rows, language()))
    if one.wrong:
        yield text("profile.wrong", count=one.wrong)
    if one.distinct == 1 and not one.wrong:
        yield text("profile.constant")
    elif one.distinct and not one.histogram and not one.wrong:
        yield text("profile.different", count=one.distinct)


def render_live(request: HttpRequest, page: str, part: str, shown: dict[str, Any]) -> HttpResponse:
    """Return the page, or the part of it that is asked for again; once ``live`` is over the whole page is loaded."""
    if not request.headers.get("HX-Request"):
        return render(request, f"hub/{page}.html", shown)
    response = render(request, f"hub/parts/{part}.html", shown)
    if not shown["live"]:
        response["HX-Refresh"] = "true"  # the rest of the page has changed with it
    return response
