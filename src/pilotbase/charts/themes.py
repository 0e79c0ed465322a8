"""The two grounds on which charts of the hub are drawn: a page, and a dark wall screen. Both keep WCAG 2.2 AA."""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.charts import palette


@dataclass(frozen=True)
class Theme:
    """Colours of a chart by what they are for."""

    ink: str
    muted: str
    line: str
    paper: str
    strong: str
    """What the chart is about."""
    soft: str
    """What it is compared with."""
    goal: str
    """A target."""


LIGHT = Theme(
    ink=palette.INK,
    muted=palette.MUTED,
    line=palette.LINE,
    paper=palette.PAPER,
    strong=palette.BLUE,
    soft="#a9cbff",
    goal=palette.INK,
)
DARK = Theme(
    ink="#f3f6fb",
    muted="#a9b6c9",
    line="#2c3a52",
    paper="#111a2b",
    strong="#4096ff",
    soft="#27508f",
    goal="#ffc53d",
)

_DEEPEST = 0.45
"""How far a ground goes from the paper to the strong colour: ink stays readable on it."""


def shaded(theme: Theme, share: float) -> str:
    """Return a ground for ink, the deeper the larger ``share`` (0 … 1) is; of none the paper."""
    deep = _DEEPEST * min(max(share, 0.0), 1.0)
    pairs = zip(_parts(theme.paper), _parts(theme.strong), strict=True)
    return "#" + "".join(f"{round(paper + deep * (strong - paper)):02x}" for paper, strong in pairs)


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
