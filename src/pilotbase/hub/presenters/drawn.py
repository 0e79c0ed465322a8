"""What pages draw: our own SVG as it is, what the figures of a base are called, parts that renew themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString

from pilotbase.catalogue.figures import STEPS, StageDurations
from pilotbase.charts.drawing import stretched
from pilotbase.charts.partial_order import order_chart
from pilotbase.charts.stages import Leg
from pilotbase.documents.board import TenderResult
from pilotbase.documents.texts import Language, Text
from pilotbase.hub.acting import language


def drawn(svg: str, fixed: bool = False) -> SafeString:
    """Return a chart of `pilotbase.charts`, which escapes every word in it, as wide as its place on the page.

    ``fixed``: as a whole larger or smaller, for what is square or seen from afar.
    """
    return SafeString(svg if fixed or not svg else stretched(svg))


def drawn_order(result: TenderResult | None) -> SafeString:
    """Return the chart of the order that a tender has found; nothing before there is a result."""
    return drawn(order_chart(result, language()) if result is not None else "", fixed=True)


def capitalised(vocabulary: str, value: str) -> str:
    """Return the name of a value of a vocabulary in the reader's language, as it begins a line."""
    name = Text(code=f"{vocabulary}.{value}").render(language())
    return name[:1].upper() + name[1:]


def legs_of(way: StageDurations, language: Language, steps: Iterable[str] = STEPS) -> tuple[Leg, ...]:
    """Return the steps from demand to use; one without a median has no days."""
    medians = [(Text(code=f"way.{step}").render(language), way.steps.get(step)) for step in steps]
    return tuple(Leg(name, one.value, one.count) if one else Leg(name, None) for name, one in medians)


def render_live(request: HttpRequest, page: str, part: str, shown: dict[str, Any]) -> HttpResponse:
    """Return the page, or the part of it that is asked for again; once ``live`` is over the whole page is loaded."""
    if not request.headers.get("HX-Request"):
        return render(request, f"hub/{page}.html", shown)
    response = render(request, f"hub/parts/{part}.html", shown)
    if not shown["live"]:
        response["HX-Refresh"] = "true"  # the rest of the page has changed with it
    return response
