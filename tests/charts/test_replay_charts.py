"""Strips and grouped bars: positions are the figures, and readers hear them all."""

from xml.etree import ElementTree

from pilotbase_estate.charts.strips import BarGroup, GroupedBar, Strip, Tick, grouped_chart, strips_chart

SVG = "{http://www.w3.org/2000/svg}"


def test_a_strip_holds_its_share_until_the_next_point():
    strips = [Strip("first", ((0.0, 0.5), (0.5, 1.0)), "75.0 %"), Strip("none", (), "–")]
    drawn = ElementTree.fromstring(strips_chart(strips, "Use", ["0 s", "1 h"]))
    (area,) = drawn.findall(f"{SVG}polygon")
    points = [tuple(map(float, point.split(","))) for point in area.get("points").split()]
    (left, floor), (_, half), (middle, _), (_, full), (right, _), (end, low) = points
    assert middle - left == right - middle and end == right and low == floor
    assert (floor - half) * 2 == floor - full
    assert drawn.find(f"{SVG}desc").text == "first: 75.0 %"
    assert strips_chart([Strip("none", (), "–")], "Use", []) == ""


def test_bars_reach_as_far_as_they_say():
    bars = (GroupedBar("a", 0.25, "1 h", 0.5, 1.0), GroupedBar("b", 0.0, "0 s"))
    drawn = ElementTree.fromstring(
        grouped_chart([BarGroup("lab <x>", bars)], "Waits", [Tick(0.0, "0 s"), Tick(1.0, "1 d")])
    )
    further, value = (float(one.get("width")) for one in drawn.findall(f"{SVG}rect"))
    assert further == 2 * value
    left, right = (float(line.get("x1")) for line in drawn.findall(f"{SVG}line")[:2])
    assert right - left == 4 * value
    assert float(drawn.findall(f"{SVG}line")[-1].get("x1")) == right, "the mark is at the longest"
    assert drawn.find(f"{SVG}desc").text == "lab <x>: a 1 h, b 0 s"
    assert grouped_chart([], "Waits", []) == ""
