"""The director's overview and its wall screen: how the base does, each figure with the records behind it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from pilotbase.catalogue.figures import FUNNEL, VERDICTS, Figures, Reached, reached, read_targets
from pilotbase.charts.bars import Bar, Legend, bar_chart
from pilotbase.charts.stages import FunnelStage, funnel_chart, way_chart
from pilotbase.documents.permissions import DeskAct, ReadScope
from pilotbase.documents.quantities import format_days
from pilotbase.documents.roadmap import Figure
from pilotbase.documents.texts import Text, text
from pilotbase.hub.acting import HubRequest, caller, language
from pilotbase.hub.pages.ledger import counted_records
from pilotbase.hub.presenters.drawn import capitalised, drawn, legs_of, render_live
from pilotbase.hub.routing import page
from pilotbase.worker.operations.ledger import counted
from pilotbase.workspace.jobs import live_jobs, queue_figures
from pilotbase.workspace.listings import count_late, list_late
from pilotbase.workspace.store import View

SHOWN_LATE, SHOWN_JOBS, SHOWN_GROUPS = 8, 8, 7
_CRUMBS = [{"url": "/overview/", "label": text("overview.title")}]


@page("overview/", "overview", ReadScope.OVERVIEW)
def show(request: HubRequest) -> HttpResponse:
    """Show all figures, the queue, what is late and how far the targets of the year are reached."""
    shown = {"title": text("overview.title"), "can_import": request.acting.may(DeskAct.IMPORT)}
    return render(request, "hub/overview.html", {**shown, **_content(request.acting.view)})


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
        "legs": [(leg, format_days(leg.days)) for leg in legs],
        "way_chart": drawn(way_chart(legs, reader), fixed),
        "groups": [_grouped(found.figures, name, fixed) for name in ("sector", "action")],
        "late_acts": acts[:SHOWN_LATE],
        "late_total": sum(one.count for one in acts),
        "jobs": jobs[:SHOWN_JOBS],
        "jobs_total": len(jobs),
        "queue": queue,
        "targets": _shown_targets(reached(found.figures, read_targets(view))),
    }


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
            "percent": f"{one.share:.0%}",
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
