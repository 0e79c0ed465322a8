"""The director's overview and its wall screen: how the base does, each figure with the records behind it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from pilotbase.catalogue.figures import FUNNEL, STEPS, VERDICTS, Figures, Reached, reached, read_targets
from pilotbase.catalogue.records import newest_steps
from pilotbase.catalogue.trends import COHORT, QuarterCohort, Trend
from pilotbase.charts.columns import Bar, Legend, bar_chart
from pilotbase.charts.stages import FunnelStage, funnel_chart, sparkline, way_chart
from pilotbase.documents.api.ledger import FunnelPart
from pilotbase.documents.permissions import DeskAct, ReadScope
from pilotbase.documents.quantities import format_days
from pilotbase.documents.record import Record, StepTaken
from pilotbase.documents.roadmap import Figure
from pilotbase.documents.texts import Text, percent, text
from pilotbase.hub.acting import HubRequest, caller, language
from pilotbase.hub.forms.declared import do
from pilotbase.hub.pages.ledger import counted_records
from pilotbase.hub.presenters.drawn import capitalised, drawn, legs_of, render_live, shade
from pilotbase.hub.routing import page
from pilotbase.operations import figures
from pilotbase.worker.operations.ledger import counted
from pilotbase.workspace.jobs import live_jobs, queue_figures
from pilotbase.workspace.listings import count_late, count_waits, list_late
from pilotbase.workspace.store import View

SHOWN_LATE, SHOWN_JOBS, SHOWN_GROUPS, SHOWN_WAITS, SHOWN_STEPS = 8, 8, 7, 8, 9
_SECTOR = (Figure.OPENED, Figure.TRIALS, Figure.CERTIFIED, Figure.IN_USE, Figure.WARNED)
"""What the grid of sectors counts."""
_CRUMBS = [{"url": "/overview/", "label": text("overview.title")}]


@page("overview/", "overview", ReadScope.OVERVIEW)
def show(request: HubRequest) -> HttpResponse:
    """Show all figures, the queue, what is late and how far the targets of the year are reached."""
    if request.headers.get("HX-Request"):
        return render(request, "hub/parts/events.html", {"live": True, "steps": _steps(request.acting.view)})
    shown = {"title": text("overview.title"), "can_import": request.acting.may(DeskAct.IMPORT), "live": True}
    return render(request, "hub/overview.html", {**shown, **_content(request.acting.view)})


@page("overview/funnel/", "overview-funnel", ReadScope.OVERVIEW)
def funnel(request: HubRequest) -> HttpResponse:
    """Show how many pairs of a demand and a supplier come from a first look to a trial and into use."""
    found, reader = do(figures.FUNNEL, request.acting.view, {}), language()
    stages = tuple(FunnelStage(Text(code=f"funnel.{one.stage}").render(reader), one.reached) for one in found.stages)
    shown = {
        "title": text("funnel.title"),
        "crumbs": _CRUMBS,
        "found": found,
        "chart": drawn(funnel_chart(stages, reader)),
        "parts": (
            ("sector", text("funnel.by_sector"), [_part(one) for one in found.by_sector]),
            ("cohort", text("funnel.by_cohort"), [_part(one) for one in found.by_cohort]),
        ),
    }
    return render(request, "hub/overview_funnel.html", shown)


def _part(one: FunnelPart) -> tuple[str, list[tuple[int, int]]]:
    """Return the name of a part, and each number with how dark its cell is."""
    most = one.stages[0].reached
    return one.name, [(stage.reached, shade(stage.reached, most)) for stage in one.stages]


@page("overview/screen/", "overview-screen", ReadScope.OVERVIEW)
def screen(request: HubRequest) -> HttpResponse:
    """Show the figures on a wall: dark, or light with ``?ground=light``; it renews itself."""
    light = request.GET.get("ground") == "light"
    shown = {
        "title": text("overview.screen_title"),
        "ground": "light" if light else "dark",
        "live": True,
        **_content(request.acting.view, fixed=True),
    }
    return render_live(request, "screen", "screen", shown)


@page("overview/records/<str:figure>/", "overview-records", ReadScope.OVERVIEW)
def records(request: HubRequest, figure: str) -> HttpResponse:
    """List the records that a figure counts."""
    return counted_records(request, figure, _CRUMBS)


@page("overview/late/", "overview-late", ReadScope.OVERVIEW)
def late(request: HubRequest) -> HttpResponse:
    """List what is late."""
    act = request.GET.get("act", "")[:60]
    shown = {
        "title": text("overview.late"),
        "crumbs": _CRUMBS,
        "late": list_late(request.acting.view, request.acting.view.store.clock(), act),
    }
    return render(request, "hub/overview_late.html", shown)


def _content(view: View, fixed: bool = False) -> dict[str, Any]:
    found, reader = counted(caller(view)), language()
    numbers, now = found.figures.counts, view.store.clock()
    acts = count_late(view, now)
    jobs, queue = live_jobs(view), queue_figures(view.store)
    waits = count_waits(view, now)
    stages = tuple(FunnelStage(_name(one), numbers[one]) for one in FUNNEL)
    legs = legs_of(found.figures.way, reader)
    return {
        "at": found.at,
        "year": found.figures.year,
        "numbers": {figure.value: number for figure, number in numbers.items()},
        "funnel": [(figure.value, numbers[figure], found.figures.this_year[figure]) for figure in FUNNEL],
        "verdicts": [(figure.value, numbers[figure]) for figure in VERDICTS],
        "funnel_chart": drawn(funnel_chart(stages, reader), fixed),
        "way": found.figures.way,
        "whole": format_days(found.figures.way.whole.value) if found.figures.way.whole else "–",
        "legs": [
            (leg, format_days(leg.days), found.figures.spans.get(name)) for leg, name in zip(legs, STEPS, strict=True)
        ],
        "slowest": _slowest(found.figures),
        "trends": [_trend(one, fixed) for one in found.figures.trends.months],
        "cohort_stages": COHORT,
        "cohorts": [_cohort(one) for one in reversed(found.figures.trends.cohorts)],
        "sectors": _sectors(found.figures),
        "sector_figures": [one.value for one in _SECTOR],
        "waits": waits[:SHOWN_WAITS],
        "waits_total": sum(one.count for one in waits),
        "steps": _steps(view),
        "way_chart": drawn(way_chart(legs, reader), fixed),
        "groups": [_grouped(found.figures, name, fixed) for name in ("sector", "action")],
        "late_acts": acts[:SHOWN_LATE],
        "late_total": sum(one.count for one in acts),
        "jobs": jobs[:SHOWN_JOBS],
        "jobs_total": len(jobs),
        "queue": queue,
        "targets": _shown_targets(reached(found.figures, read_targets(view))),
    }


def _trend(one: Trend, fixed: bool) -> dict[str, Any]:
    """Return a trend as a tile shows it: its year, how that compares with the one before, and the months as a line."""
    title = Text(code=f"trend.{one.name}").render(language())
    days = one.name == "days"
    spelled = "–" if one.year is None else format_days(one.year) if days else f"{one.year:,.0f}"
    compared = None
    if one.year is not None and one.before is not None:
        change = round(one.year) - round(one.before)
        code = "same" if change == 0 else "more" if change > 0 else "fewer"
        compared = text(f"trend.{code}", number=f"{abs(change):,}")
    chart = sparkline(one.months, f"{title}: {text('trend.months').render(language())}")
    return {"name": one.name, "value": spelled, "compared": compared, "chart": drawn(chart, fixed)}


def _cohort(one: QuarterCohort) -> dict[str, Any]:
    """Return a cohort with the share that reached each stage, and how dark that is."""
    whole = one.reached[0]
    cells = [(number, percent(number / whole).render(language()), shade(number, whole)) for number in one.reached]
    return {"cohort": one, "cells": cells, "live": whole - one.ended - one.reached[COHORT.index("certified")]}


def _sectors(found: Figures) -> list[tuple[str, list[tuple[str, int, int]]]]:
    """Return sector → each figure of it, with how dark its cell is among those of the same figure."""
    groups = found.by("sector")
    most = {one: max((counts[one] for counts in groups.values()), default=0) for one in _SECTOR}
    return [
        (sector, [(one.value, counts[one], shade(counts[one], most[one])) for one in _SECTOR])
        for sector, counts in groups.items()
    ]


def _slowest(found: Figures) -> Text | None:
    """Return which step takes longest and at which one most records are now; None before any was taken."""
    taken = [(one.days.middle, one) for name, one in found.spans.items() if name in STEPS and one.days is not None]
    if not taken:
        return None
    days, slowest = max(taken, key=lambda one: one[0])
    _, held = max(taken, key=lambda one: one[1].open)
    step, named = Text(code=f"way.{slowest.step}"), Text(code=f"way.{held.step}")
    if not held.open or held.longest_open is None:
        return text("overview.slowest", step=step, days=format_days(days))
    longest = format_days(held.longest_open)
    return text("overview.sticks", held=named, open=held.open, longest=longest, step=step, days=format_days(days))


def _steps(view: View) -> list[tuple[Record, StepTaken]]:
    """Return the newest steps of all records, newest first."""
    return [(one, one.history[-1]) for one in newest_steps(view, SHOWN_STEPS)]


def _grouped(found: Figures, name: str, fixed: bool) -> dict[str, Any]:
    groups = found.by(name)
    bars = tuple(
        Bar(capitalised(name, value), counts[Figure.OPENED], counts[Figure.CERTIFIED])
        for value, counts in list(groups.items())[:SHOWN_GROUPS]
    )
    legend = Legend(text(f"overview.by_{name}").render(language()), _name(Figure.OPENED), _name(Figure.CERTIFIED))
    return {
        "name": name,
        "title": text(f"overview.by_{name}"),
        "chart": drawn(bar_chart(bars, legend, language()), fixed) if bars else SafeString(""),
        "rows": [(value, [(figure.value, counts[figure]) for figure in FUNNEL]) for value, counts in groups.items()],
    }


def _shown_targets(found: list[Reached]) -> list[dict[str, Any]]:
    return [
        {
            "target": one.target,
            "number": one.number,
            "percent": percent(one.share).render(language()),
            "tenths": min(10, int(one.share * 10)),
            "asked": urlencode(
                {
                    "year": one.target.year,
                    "sector": one.target.sector or "",
                    "action": one.target.action or "",
                }
            ),
        }
        for one in found
    ]


def _name(figure: Figure) -> str:
    return Text(code=f"figure.{figure}").render(language())
