"""Colours of charts and reports (design tokens): the palette, warning colours, and the light and the dark ground."""

from collections.abc import Mapping
from dataclasses import dataclass

from pilotbase.documents.vocabularies import Colour

INK = "#1f2733"
MUTED = "#596474"
LINE = "#d5dbe3"
HAIR = "#e9edf2"
PAPER = "#ffffff"

BLUE = "#1677ff"
DEEP_BLUE = "#0958d9"
PALE_BLUE = "#dbeaff"

GREEN = "#1d7a1d"
RED = "#cf1322"
AMBER = "#9a5b00"
PALE_GREEN = "#e9f6e6"

FONT = "system-ui, -apple-system, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"


FILLS: Mapping[Colour, str] = {
    Colour.GREEN: GREEN,
    Colour.BLUE: BLUE,
    Colour.YELLOW: "#a37a00",
    Colour.ORANGE: "#c4570a",
    Colour.RED: RED,
}
"""Each has a contrast of at least 3 to 1 with white, as graphics require (WCAG 2.2, 1.4.11)."""
_DEEPEST = 0.45
"""How far a ground goes from the paper to the strong colour: ink stays readable on it."""


@dataclass(frozen=True)
class Theme:
    """Colours of a chart by purpose."""

    ink: str
    muted: str
    line: str
    paper: str
    strong: str
    """The chart's subject."""
    soft: str
    """What the subject is compared with."""
    goal: str
    """A target."""


LIGHT = Theme(INK, MUTED, LINE, PAPER, strong=BLUE, soft="#a9cbff", goal=INK)
DARK = Theme("#f3f6fb", "#a9b6c9", "#2c3a52", "#111a2b", strong="#4096ff", soft="#27508f", goal="#ffc53d")


def shaded(theme: Theme, share: float) -> str:
    """Return a ground for ink, the deeper the larger ``share`` (0 … 1) is; of none the paper."""
    deep = _DEEPEST * min(max(share, 0.0), 1.0)
    pairs = zip(_parts(theme.paper), _parts(theme.strong), strict=True)
    return "#" + "".join(f"{round(paper + deep * (strong - paper)):02x}" for paper, strong in pairs)


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
