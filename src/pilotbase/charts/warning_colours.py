"""The four warning colours as they are drawn; a word or a shape always stands beside them."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.charts.palette import BLUE, GREEN, RED
from pilotbase.documents.vocabularies import Colour

FILLS: Mapping[Colour, str] = {
    Colour.GREEN: GREEN,
    Colour.BLUE: BLUE,
    Colour.YELLOW: "#a37a00",
    Colour.ORANGE: "#c4570a",
    Colour.RED: RED,
}
"""Each stands out from white by 3 to 1 and more, as graphics must (WCAG 2.2, 1.4.11)."""
