"""Colours of charts: names of `tokens.css`. On a page a chart has the page's theme; in a file of its own it is light.

Each is a value of a presentation attribute, which CSS reads: ``fill="var(--ink, …)"`` needs no style rule.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from pilotbase.documents.vocabularies import Colour

_TOKEN = re.compile(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")


@cache
def tokens_sheet() -> str:
    """Return the stylesheet that holds every colour of the hub, of reports and of charts."""
    return (files("pilotbase.charts") / "look" / "tokens.css").read_text("utf-8")


@cache
def tokens() -> Mapping[str, tuple[str, str]]:
    """Return each colour by its name: on light ground, on dark ground."""
    return {name: (light, dark) for name, light, dark in _TOKEN.findall(tokens_sheet())}


def paint(name: str) -> str:
    """Return the colour ``name`` as an attribute of an SVG: the theme's, or the light one where no page gives it."""
    return f"var(--{name}, {tokens()[name][0]})"


INK, MUTED, LINE, HAIR, PAPER = map(paint, ("ink", "ink2", "line", "hair", "paper"))
BLUE, DEEP_BLUE, PALE_BLUE = paint("brand"), paint("link"), paint("tint2")
"""The chart's subject, its name or outline, and what the subject is compared with."""
GREEN, RED, AMBER, PALE_GREEN = paint("green"), paint("red"), paint("amber"), paint("green-bg")

FONT = "system-ui, -apple-system, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"

FILLS: Mapping[Colour, str] = {
    Colour.BLUE: BLUE,
    **{one: paint(f"{one}-mark") for one in (Colour.GREEN, Colour.YELLOW, Colour.ORANGE, Colour.RED)},
}
INKS: Mapping[Colour, str] = {one: paint(one.value) for one in Colour}
"""A warning's colour as a mark and as a word."""
DEEPEST = 0.45
"""How opaque a ground of `BLUE` is at the most: ink stays readable on it."""
