"""Charts of the hub: true to their numbers, in both languages."""

import re
from xml.etree import ElementTree

import pytest

from pilotbase.charts.columns import Bar, Legend, bar_chart
from pilotbase.charts.drawing import BLUE, PALE_BLUE, Drawing, stretched
from pilotbase.charts.stages import FunnelStage, Leg, funnel_chart, way_chart
from pilotbase.documents.quantities import format_days
from pilotbase.documents.texts import LANGUAGES

SVG = "{http://www.w3.org/2000/svg}"
STAGES = (
    FunnelStage("Opened", 1280),
    FunnelStage("Trials", 320),
    FunnelStage("Verdicts", 160),
    FunnelStage("Certified", 0),
)
LEGS = (Leg("Publish", 10, 12), Leg("Find", 20, 9), Leg("Agree", None))
BARS = (Bar("制造", 40, 10, 80), Bar("Health", 0, 0))
LEGEND = Legend("By sector", "opened", "certified")
CHARTS = {
    "funnel": lambda language: funnel_chart(STAGES, language),
    "way": lambda language: way_chart(LEGS, language),
    "bars": lambda language: bar_chart(BARS, LEGEND, language),
}


def read(svg):
    return ElementTree.fromstring(svg)


def texts(svg):
    return [element.text for element in read(svg).iter(f"{SVG}text")]


def filled(svg, colour):
    return [float(one.get("width")) for one in read(svg).iter(f"{SVG}rect") if one.get("fill") == colour]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_stands_alone_and_says_its_numbers_to_those_who_do_not_see(name, language):
    svg = CHARTS[name](language)
    root = read(svg)
    assert root.find(f"{SVG}title").text and root.get("role") == "img"
    described = root.find(f"{SVG}desc").text
    assert name != "bars" or "80" in described
    shown = [number for word in texts(svg) for number in re.findall(r"\d[\d,]*", word) if "%" not in word]
    assert shown and [number for number in shown if number not in described] == []
    assert not re.search(r"<script|style=|href|url\(", svg)
    assert svg == CHARTS[name](language)


def test_bars_of_a_funnel_are_as_long_as_their_numbers():
    widths = filled(funnel_chart(STAGES, "en"), BLUE)
    assert [round(width / widths[0], 3) for width in widths] == [1, 0.25, 0.125]
    assert "25 % of the previous stage" in texts(funnel_chart(STAGES, "en"))
    assert "为上一阶段的 50%" in texts(funnel_chart(STAGES, "zh"))


def test_steps_begin_where_the_one_before_ends_and_what_is_not_known_has_no_bar():
    bars = [one for one in read(way_chart(LEGS, "en")).iter(f"{SVG}rect")]
    assert len(bars) == 2
    first, second = ((float(bar.get("x")), float(bar.get("width"))) for bar in bars)
    assert second[0] == pytest.approx(sum(first), abs=0.02) and second[1] == pytest.approx(2 * first[1], abs=0.02)
    assert "–" in texts(way_chart(LEGS, "en"))


def test_a_part_lies_over_its_whole_and_a_target_stands_beside_them():
    svg = bar_chart(BARS, LEGEND, "en")
    whole, part = filled(svg, PALE_BLUE)[1], filled(svg, BLUE)[1]
    assert part == pytest.approx(whole / 4)
    assert {"target", "10 / 40", "0 / 0"} <= set(texts(svg))
    assert "target" not in texts(bar_chart(BARS[1:], LEGEND, "en"))


def test_charts_of_nothing_are_drawn():
    assert "<svg" in funnel_chart((), "en") and "<svg" in way_chart((), "zh") and "<svg" in bar_chart((), LEGEND, "en")


@pytest.mark.parametrize(
    ("days", "said"), [(None, "–"), (0, "0"), (2.25, "2.2"), (3.0, "3"), (21.5, "22"), (1234.4, "1,234")]
)
def test_days_are_spelled_as_people_say_them(days, said):
    assert format_days(days) == said


@pytest.mark.parametrize("name", CHARTS)
def test_on_a_page_letters_keep_their_size_and_everything_else_is_as_wide_as_its_room(name):
    fixed, wide = read(CHARTS[name]("en")), read(stretched(CHARTS[name]("en")))
    assert wide.get("viewBox") is None and wide.get("width") == "100%"
    assert texts(stretched(CHARTS[name]("en"))) == texts(CHARTS[name]("en"))
    assert all(int(one.get("font-size", "12")) >= 12 for one in wide.iter(f"{SVG}text"))
    whole = float(fixed.get("width"))
    for before, after in zip(fixed.iter(f"{SVG}rect"), wide.iter(f"{SVG}rect"), strict=True):
        assert float(after.get("width").removesuffix("%")) / 100 * whole == pytest.approx(
            float(before.get("width")), rel=0.01
        )


def test_a_prefix_that_another_library_registers_does_not_reach_a_page():
    """As `qrcode` does, and with it the page of a second factor."""
    ElementTree.register_namespace("svg", "http://www.w3.org/2000/svg")
    drawing = Drawing(100, 20, "title", "words")
    drawing.line((0, 0), (100, 20))
    assert stretched(drawing.to_svg()).startswith("<svg ") and "svg:" not in stretched(drawing.to_svg())


def test_a_long_line_is_stretched_without_its_stroke_and_a_mark_is_moved_as_a_whole():
    drawing = Drawing(400, 100, "title", "told")
    drawing.path([(0, 0), (200, 50), (400, 0)], "red")
    drawing.polygon([(200, 10), (206, 20), (194, 20)], "red")
    line, mark = read(stretched(drawing.to_svg())).findall(f"{SVG}svg")
    assert line.get("preserveAspectRatio") == "none" and line[0].get("vector-effect") == "non-scaling-stroke"
    assert mark.get("viewBox") is None and mark.get("x") == "48.5%" and mark[0].get("points") == "6,10 12,20 0,20"
