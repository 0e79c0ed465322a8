"""The memory of a long run as a picture for the page."""

from __future__ import annotations

from benchmarks.publishing import ROOT
from pilotbase.charts.drawing import BLUE, MUTED, Drawing
from pilotbase.charts.scales import Scale

PICTURE = ROOT / "docs" / "images" / "quality-memory.svg"
LEFT, RIGHT, TOP, BOTTOM = 56, 620, 16, 180


def draw(mebibytes: list[float], seconds: float, millions: str) -> None:
    """Write the picture of ``mebibytes``, taken at equal distances over ``seconds``."""
    drawing = Drawing(
        640, 226, f"Memory while {millions} million rows are measured", f"at most {max(mebibytes):,.0f} MiB"
    )
    across = Scale(0, seconds, LEFT, RIGHT)
    upwards = Scale(0, 1.25 * max(mebibytes), BOTTOM, TOP)
    drawing.bottom_axis(across, (TOP, BOTTOM), about=6)
    for tick in upwards.ticks(4):
        drawing.text((LEFT - 8, upwards(tick) + 4), f"{tick:,.0f}", anchor="end", colour=MUTED)
    step = seconds / max(1, len(mebibytes) - 1)
    points = [(across(step * place), upwards(one)) for place, one in enumerate(mebibytes)]
    drawing.path(points, BLUE, 1.5)
    drawing.text((LEFT, TOP - 4), "MiB", colour=MUTED)
    drawing.text((RIGHT, BOTTOM + 36), f"s, {millions} million rows × 20 columns", anchor="end", colour=MUTED)
    PICTURE.write_text(drawing.to_svg() + "\n", "utf-8")
