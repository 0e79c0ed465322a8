"""Bars and bins as long as their numbers, said to those who do not see."""

from xml.etree import ElementTree

import pytest

from pilotbase.charts.columns import Bin, RankedBar, format_time, histogram_chart, ranked_chart
from pilotbase.charts.drawing import BLUE, PALE_BLUE, shortened

SVG = "{http://www.w3.org/2000/svg}"


def rectangles(svg: str, colour: str) -> list[dict[str, str]]:
    return [each.attrib for each in ElementTree.fromstring(svg).iter(f"{SVG}rect") if each.get("fill") == colour]


def test_bars_are_as_long_as_their_figures_and_parts_lie_over_them():
    svg = ranked_chart([RankedBar("a", 40, "40", 10), RankedBar("b", 20, "20", 0)], "t", lines=(30,))
    whole = [float(each["width"]) for each in rectangles(svg, PALE_BLUE)]
    assert whole[0] == pytest.approx(2 * whole[1], abs=0.02)
    assert float(rectangles(svg, BLUE)[0]["width"]) == pytest.approx(whole[0] / 4, abs=0.02)
    assert "a: 40; b: 20" in svg and "stroke-dasharray" in svg


def test_bins_are_as_high_as_their_counts_and_what_is_kept_back_has_no_height():
    svg = histogram_chart([Bin(0, 1, 10), Bin(1, 2, None), Bin(2, 3, 5)], "t")
    heights = [float(each["height"]) for each in rectangles(svg, BLUE)]
    assert len(heights) == 2 and heights[0] == pytest.approx(2 * heights[1], abs=0.02)


def test_of_one_value_there_is_one_bin():
    assert "<rect" in histogram_chart([Bin(7, 7, 3)], "t")


def test_nothing_is_no_picture():
    assert ranked_chart([], "t") == histogram_chart([], "t") == ""


@pytest.mark.parametrize(("seconds", "short", "said"), [
    (0, False, "1970-01-01"), (3600, True, "1970-01-01 01:00"), (-86400, False, "1969-12-31"), (1e18, False, "1e+18 s"),
])  # fmt: skip
def test_moments_are_spelled_as_far_as_there_are_years(seconds, short, said):
    assert format_time(seconds, short) == said


def test_a_name_that_is_too_long_is_cut():
    assert shortened("temperature of the bearing", 60) == "tempera…"
