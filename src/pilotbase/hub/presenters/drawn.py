"""Charts for templates: our own SVG as it is, and what the figures of a base are called."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.safestring import SafeString

from pilotbase.catalogue.figures import STEPS, StageDurations
from pilotbase.charts.partial_order import order_chart
from pilotbase.charts.stages import Leg
from pilotbase.documents.board import TenderResult
from pilotbase.documents.texts import Language, Text
from pilotbase.hub.acting import language


def drawn(svg: str) -> SafeString:
    """Return a chart of `pilotbase.charts`, which escapes every word in it, to stand in a page as it is."""
    return SafeString(svg)


def drawn_order(result: TenderResult | None) -> SafeString:
    """Return the chart of the order that a tender has found; nothing before there is a result."""
    return drawn(order_chart(result, language()) if result is not None else "")


def capitalised(vocabulary: str, value: str) -> str:
    """Return the name of a value of a vocabulary in the reader's language, as it begins a line."""
    name = Text(code=f"{vocabulary}.{value}").render(language())
    return name[:1].upper() + name[1:]


def legs_of(way: StageDurations, language: Language, steps: Iterable[str] = STEPS) -> tuple[Leg, ...]:
    """Return the steps from demand to use; one without a median has no days."""
    medians = [(Text(code=f"way.{step}").render(language), way.steps.get(step)) for step in steps]
    return tuple(Leg(name, one.value, one.count) if one else Leg(name, None) for name, one in medians)
