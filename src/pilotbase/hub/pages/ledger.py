"""The ledger: figures with the records behind them, the map of actions and supports, the ranking of scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode

from pilotbase.catalogue.figures import STEPS, WHOLE, Chosen, records_of, records_on
from pilotbase.charts.grids import RatedSpot, quadrant_chart
from pilotbase.charts.stages import way_chart
from pilotbase.documents.api.ledger import AimTold, FlipTold, RankingTold, StepSpanTold
from pilotbase.documents.files import format_csv
from pilotbase.documents.permissions import DeskAct, ReadScope
from pilotbase.documents.quantities import format_days
from pilotbase.documents.roadmap import Driving, Figure, Phase, PotentialBy
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import Action, Sector, Support
from pilotbase.hub.acting import HubRequest, caller, language
from pilotbase.hub.forms.declared import do
from pilotbase.hub.presenters import taken
from pilotbase.hub.presenters.addresses import Crumb
from pilotbase.hub.presenters.drawn import capitalised, drawn, legs_of, shade
from pilotbase.hub.presenters.records import lines_of
from pilotbase.hub.routing import page
from pilotbase.operations import ledger as operations
from pilotbase.roadmap.ledger import owner_of
from pilotbase.roadmap.ranking import CRITERIA, scenarios_of
from pilotbase.roadmap.tables import format_driven, format_shift, ledger_table, map_table, ranking_table, task_table
from pilotbase.worker.operations.ledger import counted
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.journeys import Worth
from pilotbase.workspace.listings import Page

_CRUMBS: list[Crumb] = [{"url": "/ledger/", "label": text("roadmap.ledger")}]
LARGEST_WEIGHT = 10
"""Where the sliders end."""
_APART = 2
"""Grades between what is stated and what is shown, or scored, that are marked."""


@page("ledger/", "ledger", ReadScope.LEDGER)
def show(request: HubRequest) -> HttpResponse:
    """Show figures, days and costs by step, and targets."""
    view = request.acting.view
    found, told = counted(caller(view), owner_of(view.actor)), do(operations.SHOW, view, {})
    legs = legs_of(found.figures.way, language())
    shown = {
        "title": text("roadmap.ledger"),
        "ledger": told,
        "figures": [(name, number, told.this_year.get(name)) for name, number in told.counts.items()],
        "spans": [(span, _days(span)) for span in told.spans],
        "chart": drawn(way_chart(legs, language())),
        "targets": [(one, _asked(one)) for one in told.targets],
        "phases": [(one, _asked(one)) for one in told.phases],
        "sees_whole": view.actor.sees_all,
        "can_import": request.acting.may(DeskAct.IMPORT),
    }
    return render(request, "hub/ledger.html", shown)


@page("ledger/records/<str:figure>/", "ledger-records", ReadScope.LEDGER)
def records(request: HubRequest, figure: str) -> HttpResponse:
    """List the records that a figure of the ledger counts."""
    return counted_records(request, figure, _CRUMBS)


def counted_records(request: HubRequest, figure: str, crumbs: Sequence[Crumb]) -> HttpResponse:
    """Return the page of the records that a figure counts, narrowed as the address says."""
    if figure not in set(Figure):
        raise NotFoundError("hub.not_found")
    chosen = _chosen(request)
    page = records_of(request.acting.view, Figure(figure), chosen, request.GET.get("after") or None)
    return _listed(request, Text(code=f"figure.{figure}"), page, _narrowed(chosen), crumbs)


@page("ledger/steps/<str:step>/<str:progress>/", "ledger-step", ReadScope.LEDGER)
def step(request: HubRequest, step: str, progress: str) -> HttpResponse:
    """List the records that took a step, are still on it, or have ended before."""
    found = (STEPS | WHOLE).get(step)
    if found is None or progress not in ("taken", "open", "ended"):
        raise NotFoundError("hub.not_found")
    view = request.acting.view
    page = records_on(view, found, progress, owner_of(view.actor), request.GET.get("after") or None)  # type: ignore[arg-type]
    return _listed(request, Text(code=f"way.{step}"), page, [capitalised("span", progress)], _CRUMBS)


@page("ledger/map/", "ledger-map", ReadScope.LEDGER)
def show_map(request: HubRequest) -> HttpResponse:
    """Show six actions × eight supports."""
    told = do(operations.MAP, request.acting.view, {})
    cells = [one for one in told.cells if one.action and one.support]
    known = [one for one in told.cells if one.opened or one.certified or one.in_use]
    supports = [*Support, *([""] if any(not one.support for one in known) else [])]
    actions = [*Action, *([""] if any(not one.action for one in known) else [])]
    most = max((one.opened for one in cells), default=0)
    shown_cells = [(one, shade(one.opened, most)) for one in told.cells if one.support in supports]
    rows = [(action, [cell for cell in shown_cells if cell[0].action == action]) for action in actions]
    shown = {
        "title": text("roadmap.map"),
        "crumbs": _CRUMBS,
        "map": told,
        "supports": supports,
        "rows": rows,
        "empty": sum(not (one.opened or one.certified or one.in_use) for one in cells),
        "cells": len(cells),
    }
    return render(request, "hub/ledger_map.html", shown)


@page("ledger/ranking/", "ledger-ranking", ReadScope.LEDGER)
def ranking(request: HubRequest) -> HttpResponse:
    """Show the ranking of scenarios under the weights that are asked for, and what flips."""
    told = _ranking(request)
    reader = language()
    weights = dict(zip(CRITERIA, told.weights, strict=True))
    shown = {
        "title": text("roadmap.ranking"),
        "crumbs": _CRUMBS,
        "ranking": told,
        "weights": weights,
        "largest": LARGEST_WEIGHT,
        "most": operations.MOST_TOP,
        "within": f"{100 * told.within:g}",
        "rungs": [
            (one, *(format_shift(share, reader) for share in (one.passed_after, one.crosses_after, one.in_top)))
            for one in told.rungs
        ],
        "flips": [(one, format_shift(one.shift, reader), _moved(one)) for one in told.flips],
        "driving": _driving_rows(told),
        "by": _driving_by(request),
        "potential_by": _potential_by(request),
        "chart": drawn(quadrant_chart(_spots(told), reader)),
        "holds": None if told.top_holds_for is None else percent(told.top_holds_for, ".1f"),
        "asked": urlencode(
            [
                *weights.items(),
                ("driving", _driving_by(request)),
                ("potential_by", _potential_by(request)),
                ("top", told.top),
                ("within", f"{100 * told.within:g}"),
            ]
        ),
    }
    return render(request, "hub/ledger_ranking.html", shown)


def _driving_rows(told: RankingTold) -> list[dict[str, Any]]:
    """Return the top scenarios: potential and driving effect, stated and otherwise, and what they supply most to."""
    scored = {one.scenario: one for one in told.potentials}
    return [
        {
            "record": record,
            "found": found,
            "effect": f"{found.effect:.2f}",
            "apart": abs(found.stated - found.shown) >= _APART,
            "scored": scored.get(found.scenario),
            "scored_apart": found.scenario in scored
            and abs(scored[found.scenario].stated - scored[found.scenario].median) >= _APART,
            "largest": [format_driven(one, language()) for one in found.largest],
        }
        for record, found in zip(told.scenarios, told.driving, strict=True)
    ]


def _driving_by(request: HubRequest) -> Driving:
    return "shown" if request.GET.get("driving") == "shown" else "stated"


def _potential_by(request: HubRequest) -> PotentialBy:
    return "reviewed" if request.GET.get("potential_by") == "reviewed" else "stated"


def _spots(told: RankingTold) -> tuple[RatedSpot, ...]:
    return tuple(RatedSpot(one.potential, one.maturity, one.driving_effect, one.scenarios) for one in told.rungs)


@page("ledger/ranking/<int:potential>-<int:maturity>-<int:driving_effect>/", "ledger-rung", ReadScope.LEDGER)
def rung(request: HubRequest, potential: int, maturity: int, driving_effect: int) -> HttpResponse:
    """List the scenarios of one worth."""
    values = (potential, maturity, driving_effect)
    after, by = request.GET.get("after") or None, _driving_by(request)
    reviewed = _potential_by(request)
    page = scenarios_of(request.acting.view, Worth(*values), after, driving=by, potential_by=reviewed)
    narrowed = [f"{capitalised('roadmap', name)} {value}" for name, value in zip(CRITERIA, values, strict=True)]
    return _listed(request, text("roadmap.ranking"), page, narrowed, _CRUMBS)


@page("ledger/<str:name>.csv", "ledger-csv", ReadScope.LEDGER)
def download(request: HubRequest, name: str) -> HttpResponse:
    """Give the ledger, the map, the ranking or the task sheets as CSV."""
    reader = language()
    if name == "ledger":
        table = ledger_table(do(operations.SHOW, request.acting.view, {}), reader)
    elif name == "map":
        table = map_table(do(operations.MAP, request.acting.view, {}), reader)
    elif name == "ranking":
        table = ranking_table(_ranking(request), reader)
    elif name == "tasks":
        table = task_table(do(operations.TASKS, request.acting.view, request.GET.dict()), reader)
    else:
        raise NotFoundError("hub.not_found")
    return taken.download(format_csv(table.header, table.rows), taken.CSV, f"{name}.csv")


def _ranking(request: HubRequest) -> RankingTold:
    asked: dict[str, Any] = {name: _whole(request, name, 1, LARGEST_WEIGHT) for name in CRITERIA}
    asked |= {
        "driving": _driving_by(request),
        "potential_by": _potential_by(request),
        "within": _whole(request, "within", 10, 100),
        "top": max(1, _whole(request, "top", 10, operations.MOST_TOP)),
    }
    return do(operations.RANKING, request.acting.view, asked)


def _listed(request: HubRequest, title: Text, page: Page, narrowed: list[str], crumbs: Sequence[Crumb]) -> HttpResponse:
    shown = {
        "title": title,
        "crumbs": crumbs,
        "narrowed": narrowed,
        "rows": lines_of(request.acting.view, page.items),
        "next": urlencode({**request.GET.dict(), "after": page.after}) if page.after else "",
    }
    return render(request, "hub/overview_records.html", shown)


def _chosen(request: HubRequest) -> Chosen:
    asked, phase = request.GET, request.GET.get("phase", "")
    return Chosen(
        sector=asked.get("sector", "")[:40],
        action=asked.get("action", "")[:40],
        year=_whole(request, "year", 0, 2999) or None,
        phase=Phase(phase) if phase in set(Phase) else None,
        support=asked["support"] if asked.get("support") in set(Support) else "",
        owner=owner_of(request.acting.actor),
    )


def _narrowed(chosen: Chosen) -> list[str]:
    said = [
        capitalised(name, value)
        for name, value, known in (
            ("sector", chosen.sector, Sector),
            ("action", chosen.action, Action),
            ("support", chosen.support, Support),
            ("phase", chosen.phase or "", Phase),
        )
        if value in set(known)
    ]
    return said + ([str(chosen.year)] if chosen.year else [])


def _asked(aim: AimTold) -> str:
    """Return the part of a figure that a target is about, as an address asks for it."""
    given = {"year": aim.year, "phase": aim.phase, "sector": aim.sector, "action": aim.action}
    return urlencode({name: value for name, value in given.items() if value})


def _days(span: StepSpanTold) -> dict[str, str]:
    days = span.days
    return {
        "low": format_days(days.low if days else None),
        "middle": format_days(days.middle if days else None),
        "high": format_days(days.high if days else None),
        "half": format_days(span.half_after),
        "longest": format_days(span.longest_open),
    }


def _moved(flip: FlipTold) -> str:
    changes = zip(CRITERIA, flip.moved, strict=True)
    return ", ".join(
        f"{capitalised('roadmap', name)} {percent(by, '+.1f').render(language())}" for name, by in changes if by
    )


def _whole(request: HubRequest, name: str, default: int, most: int) -> int:
    found = request.GET.get(name, "")
    return min(int(found), most) if found.isascii() and found.isdigit() and len(found) < 10 else default
