"""An SVG being drawn: self-contained, without scripts or style rules, with a title and a description for readers.

Only presentation attributes are used, so that a page may forbid inline styles altogether; text stays text. Colours are
names of `tokens.css`, each the value of an attribute that CSS reads (``fill="var(--ink, …)"``): on a page a chart has
the page's theme; in a file of its own it is light.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Literal, TypeVar
from unicodedata import east_asian_width
from xml.etree import ElementTree

from pilotbase.charts.scales import Scale, format_ticks
from pilotbase.documents.texts import make_visible
from pilotbase.documents.vocabularies import Colour

_TOKEN = re.compile(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]
Found = TypeVar("Found")
Spelled = Callable[[float], str]
_SVG = "http://www.w3.org/2000/svg"


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


_ACROSS = {"x", "x1", "x2", "cx", "width"}
_SMALLEST, _MARK = 12, 24
"""Pixels: height of letters, and up to which width a shape is a mark."""


class Drawing:
    """A canvas of ``width`` × ``height`` units that scales to the room it is given."""

    def __init__(self, width: float, height: float, title: str, description: str) -> None:
        self._paper = PAPER
        self._root = ElementTree.Element(
            "svg",
            {
                "xmlns": _SVG,
                "viewBox": f"0 0 {_short(width)} {_short(height)}",
                "width": _short(width),
                "height": _short(height),
                "role": "img",
                "aria-label": make_visible(title),
                "font-family": FONT,
                "font-size": "12",
            },
        )
        ElementTree.SubElement(self._root, "title").text = make_visible(title)
        ElementTree.SubElement(self._root, "desc").text = make_visible(description)

    def text(
        self, at: Point, content: str, *, anchor: Anchor = "start", colour: str = INK, bold: bool = False, size: int = 0
    ) -> None:
        """Write ``content`` with its baseline at ``at``, readable over lines; ``size`` 0 is the drawing's own."""
        attributes = {"x": _short(at[0]), "y": _short(at[1]), "fill": colour}
        attributes |= {"stroke": self._paper, "stroke-width": "3", "stroke-linejoin": "round", "paint-order": "stroke"}
        if anchor != "start":
            attributes["text-anchor"] = anchor
        if bold:
            attributes["font-weight"] = "600"
        if size:
            attributes["font-size"] = str(size)
        ElementTree.SubElement(self._root, "text", attributes).text = make_visible(content)

    def line(self, start: Point, end: Point, colour: str = LINE, width: float = 1, dashes: str = "") -> None:
        """Draw a straight line."""
        attributes = {"x1": _short(start[0]), "y1": _short(start[1]), "x2": _short(end[0]), "y2": _short(end[1])}
        attributes |= {"stroke": colour, "stroke-width": _short(width)}
        if dashes:
            attributes["stroke-dasharray"] = dashes
        ElementTree.SubElement(self._root, "line", attributes)

    def rectangle(
        self, corner: Point, size: Point, fill: str, *, rounding: float = 0, outline: str = "", deep: float = 1
    ) -> None:
        """Draw a rectangle from its upper left ``corner``, ``deep``: how opaque; a negative size draws nothing."""
        if size[0] <= 0 or size[1] <= 0:
            return
        attributes = {"x": _short(corner[0]), "y": _short(corner[1])}
        attributes |= {"width": _short(size[0]), "height": _short(size[1]), "fill": fill}
        if rounding:
            attributes["rx"] = _short(rounding)
        if outline:
            attributes["stroke"] = outline
        if deep < 1:
            attributes["fill-opacity"] = _short(deep)
        ElementTree.SubElement(self._root, "rect", attributes)

    def tiles(self, tiles: Iterable[tuple[int, int, int, int]], fill: str) -> None:
        """Draw many rectangles of one colour as one shape; each has a corner, a width and a height."""
        drawn = "".join(f"M{x} {y}h{width}v{height}h-{width}z" for x, y, width, height in tiles)
        ElementTree.SubElement(self._root, "path", {"d": drawn, "fill": fill})

    def circle(self, centre: Point, radius: float, fill: str, outline: str = "", width: float = 2) -> None:
        """Draw a circle."""
        attributes = {"cx": _short(centre[0]), "cy": _short(centre[1]), "r": _short(radius), "fill": fill}
        if outline:
            attributes |= {"stroke": outline, "stroke-width": _short(width)}
        ElementTree.SubElement(self._root, "circle", attributes)

    def polygon(self, points: Sequence[Point], fill: str, outline: str = "") -> None:
        """Draw a closed shape."""
        attributes = {"points": _points(points), "fill": fill}
        if outline:
            attributes |= {"stroke": outline, "stroke-width": "2"}
        ElementTree.SubElement(self._root, "polygon", attributes)

    def path(self, points: Sequence[Point], colour: str, width: float = 2, dashes: str = "") -> None:
        """Draw an open line through ``points``."""
        attributes = {"points": _points(points), "fill": "none", "stroke": colour, "stroke-width": _short(width)}
        attributes |= {"stroke-linejoin": "round", "stroke-linecap": "round"}
        if dashes:
            attributes["stroke-dasharray"] = dashes
        ElementTree.SubElement(self._root, "polyline", attributes)

    def bottom_axis(
        self, across: Scale, ends: tuple[float, float], spell: Spelled | None = None, about: int = 4, unit: str = ""
    ) -> None:
        """Draw vertical hair lines at ticks from top to bottom (``ends``), and their labels below.

        ``spell``: how a tick reads, else as a number in the axis' ``unit``.
        """
        ticks = across.ticks(about, unit)
        for tick, label in zip(ticks, format_ticks(ticks, unit) if spell is None else map(spell, ticks), strict=True):
            self.line((across(tick), ends[0]), (across(tick), ends[1]), HAIR)
            self.text((across(tick), ends[1] + 16), label, anchor="middle", colour=MUTED)

    def across_ticks(self, across: Scale, ends: tuple[float, float]) -> None:
        """Draw vertical lines at ticks from top to bottom (``ends``), and their labels below."""
        ticks = across.ticks(4)
        for tick, label in zip(ticks, format_ticks(ticks), strict=True):
            self.line((across(tick), ends[0]), (across(tick), ends[1]), LINE)
            self.text((across(tick), ends[1] + 16), label, anchor="middle", colour=MUTED, size=11)

    def up_ticks(self, up: Scale, ends: tuple[float, float], about: int = 4) -> None:
        """Draw horizontal lines at ticks from left to right (``ends``), and their labels on the left."""
        ticks = up.ticks(about)
        for tick, label in zip(ticks, format_ticks(ticks), strict=True):
            self.line((ends[0], up(tick)), (ends[1], up(tick)), LINE)
            self.text((ends[0] - 6, up(tick) + 4), label, anchor="end", colour=MUTED, size=11)

    def labels_within(self, begins: float, ends: float, labels: Sequence[str], baseline: float) -> None:
        """Write labels evenly from ``begins`` to ``ends``, the outer ones within."""
        for number, label in enumerate(labels):
            position = begins + number / max(len(labels) - 1, 1) * (ends - begins)
            anchor: Anchor = "start" if number == 0 else "end" if number == len(labels) - 1 else "middle"
            self.text((position, baseline), label, anchor=anchor, colour=MUTED, size=11)

    @contextmanager
    def bare(self) -> Iterator[None]:
        """Draw the block's content on a background of its own: letters get no outline."""
        paper, self._paper = self._paper, "none"
        yield
        self._paper = paper

    def image(self, corner: Point, size: Point, png: bytes) -> None:
        """Show pixels, sharp however large they are drawn."""
        attributes = {"x": _short(corner[0]), "y": _short(corner[1])}
        attributes |= {"width": _short(size[0]), "height": _short(size[1]), "preserveAspectRatio": "none"}
        attributes |= {"href": f"data:image/png;base64,{b64encode(png).decode('ascii')}"}
        ElementTree.SubElement(self._root, "image", attributes | {"image-rendering": "pixelated"})

    def sharpen(self) -> None:
        """Align edges with whole pixels: for machine-readable codes, where seams would be read as light."""
        self._root.set("shape-rendering", "crispEdges")

    def to_svg(self) -> str:
        """Return the drawing as an ``<svg>`` element."""
        return ElementTree.tostring(self._root, encoding="unicode")


def stretched(svg: str) -> str:
    """Return a drawing that is as wide as its room: lengths across are shares of the width, text keeps its size.

    Lines through many points lie in a layer that is stretched without their strokes; what is as small as a mark is
    moved as a whole. Letters are at least 12 pixels high.
    """
    # Without its namespace, whose prefix any library of the process may set: `svg:svg` is no drawing in HTML.
    root = ElementTree.fromstring(svg.replace(f' xmlns="{_SVG}"', "", 1))  # noqa: S314 - a drawing of our own
    whole = float(root.get("width", "0"))
    del root.attrib["viewBox"]
    layer = {"viewBox": f"0 0 {_short(whole)} {root.get('height')}", "preserveAspectRatio": "none", "width": "100%"}
    for place, part in enumerate(list(root)):
        for name in _ACROSS & part.attrib.keys():
            part.set(name, f"{100 * float(part.attrib[name]) / whole:.3g}%")
        if "font-size" in part.attrib:
            part.set("font-size", str(max(int(part.attrib["font-size"]), _SMALLEST)))
        if "points" in part.attrib:
            points = [tuple(map(float, point.split(","))) for point in part.attrib["points"].split()]
            left, right = min(x for x, _ in points), max(x for x, _ in points)
            if right - left <= _MARK:
                part.set("points", _points([(x - left, y) for x, y in points]))
                around = {"x": f"{100 * left / whole:.3g}%", "overflow": "visible"}
            else:
                part.set("vector-effect", "non-scaling-stroke")
                around = {**layer, "height": root.get("height", "")}
            root[place] = ElementTree.Element("svg", around)
            root[place].append(part)
    root.attrib |= {"xmlns": _SVG, "width": "100%", "overflow": "visible"}
    return ElementTree.tostring(root, encoding="unicode")


def width_of(content: str, size: int = 12) -> float:
    """Return about how wide ``content`` is drawn; Chinese characters fill a square."""
    return sum(size if east_asian_width(letter) in "WF" else 0.6 * size for letter in content)


def shortened(name: str, room: float) -> str:
    """Return ``name``, or as much of it as there is room for and an ellipsis."""
    if width_of(name) <= room:
        return name
    while name and width_of(name + "…") > room:
        name = name[:-1]
    return name + "…"


def unbroken(values: Iterable[Found | None]) -> list[list[Found]]:
    """Return the runs of neighbours between which none is missing."""
    runs: list[list[Found]] = [[]]
    for value in values:
        if value is not None:
            runs[-1].append(value)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{_short(x)},{_short(y)}" for x, y in points)


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
