"""The map of gaps: every number stands in it and is told to those who do not see it."""

import re
from xml.etree import ElementTree

import pytest

from pilotbase.charts.drawing import BLUE, INK, LINE
from pilotbase.charts.grids import gap_chart
from pilotbase.documents.matching import GapCell
from pilotbase.documents.texts import LANGUAGES

SVG = "{http://www.w3.org/2000/svg}"
SQUARES = tuple(
    GapCell(sector=sector, action=action, demand=demand, unmet=unmet, supply=supply, unused=unused)
    for sector, action, demand, unmet, supply, unused in (
        ("Manufacturing", "Industrial development", 40, 10, 7, 0),
        ("医疗", "民生福祉", 0, 0, 4, 3),
        ("A sector <b>with a long name that has no room</b>", "民生福祉", 5, 5, 0, 0),
    )
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_is_drawn_and_described(language):
    root = ElementTree.fromstring(gap_chart(SQUARES, language))
    drawn = [one.text for one in root.iter(f"{SVG}text")]
    described = root.find(f"{SVG}desc").text
    assert [word for word in drawn if re.fullmatch(r"\d+ / \d+", word)] == [
        "10 / 40", "0 / 7", "0 / 0", "3 / 4", "5 / 5", "0 / 0",
    ]  # fmt: skip
    assert "10" in described and "40" in described and "<b>" in described
    assert root.find(f"{SVG}title").text


def test_a_bar_is_as_long_as_what_is_left_over():
    root = ElementTree.fromstring(gap_chart(SQUARES, "en"))
    drawn = [one for one in root.iter(f"{SVG}rect") if one.get("height") == "6"]
    bars = {
        colour: [float(one.get("width")) for one in drawn if one.get("fill") == colour] for colour in (BLUE, INK, LINE)
    }
    whole = bars[LINE][0]
    assert [round(one / whole, 3) for one in bars[BLUE]] == [0.25, 1]
    assert [round(one / whole, 3) for one in bars[INK]] == [0.75]


def test_nothing_to_draw():
    assert gap_chart((), "en") == ""
