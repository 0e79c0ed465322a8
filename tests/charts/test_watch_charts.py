"""Pictures of the watch: true to the numbers, a word beside every colour, nothing where there is nothing."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from pilotbase.charts.drawing import FILLS
from pilotbase.charts.watch import (
    DRIFT_LEFT,
    DRIFT_RIGHT,
    DriftStrip,
    Spell,
    WatchedPath,
    WatchedPoint,
    drift_chart,
    watch_path_chart,
)
from pilotbase.documents.texts import LANGUAGES
from pilotbase.documents.vocabularies import Colour

SVG = "{http://www.w3.org/2000/svg}"
NOW = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def texts(svg):
    return ["".join(one.itertext()) for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def point(seen, value, colour=Colour.GREEN):
    return WatchedPoint(NOW + (seen // 100 - 1) * DAY, seen, value, colour)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_path_that_crosses_its_line_is_marked_there(language):
    points = [point(100, 0.0), point(200, 0.6, Colour.YELLOW), point(300, 1.4, Colour.RED)]
    svg = watch_path_chart(WatchedPath("risk:accuracy >= 0.85", points, Colour.RED, level=20), language)
    root = ElementTree.fromstring(svg)
    (line,) = root.iter(f"{SVG}polyline")
    heights = [float(place.split(",")[1]) for place in line.get("points").split()]
    (level,) = [one for one in root.iter(f"{SVG}line") if one.get("stroke-dasharray")]
    assert heights[-1] < float(level.get("y1")) < heights[-2] < heights[-3]
    words = texts(svg)
    assert "20" in words, "the line stands at the evidence that it asks for"
    red, yellow = ("红色", "黄色") if language == "zh" else ("red", "yellow")
    assert [word for word in words if word.startswith((red, yellow))] == [
        red,
        f"{yellow} · 2026-05-02",
        f"{red} · 2026-05-03",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_path_names_its_axes_and_says_where_it_leaves_the_paper(language):
    seconds = [timedelta(seconds=number) for number in range(3)]
    points = [WatchedPoint(NOW + at, 100, value, Colour.RED) for at, value in zip(seconds, (0, 2, 300), strict=True)]
    words = " | ".join(texts(watch_path_chart(WatchedPath("risk", points, Colour.RED, level=40), language)))
    assert ("evidence against the guarantee; red at 40 = 1/0.025" if language == "en" else "反对承诺的证据") in words
    assert "40 = 1/0.025" in words and "10^480.6" in words
    assert "2026-05-01 00:00:00" in words and "00:00:02 UTC" in words
    inside = WatchedPath("latency", points[:2], Colour.ORANGE)
    words = " | ".join(texts(watch_path_chart(inside, language)))
    assert "10^" not in words and ("share" in words or "份额" in words)


def test_without_a_point_or_a_column_there_is_no_picture():
    assert watch_path_chart(WatchedPath("latency", [], Colour.ORANGE), "en") == ""
    assert drift_chart([], NOW, NOW, "en") == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_strips_stand_where_the_column_had_the_colour(language):
    hour = timedelta(hours=1)
    strips = [DriftStrip("x", []), DriftStrip("速度", [Spell(NOW + hour, NOW + 2 * hour, Colour.ORANGE)])]
    svg = drift_chart(strips, NOW, NOW + 4 * hour, language)
    (spell,) = [
        one for one in ElementTree.fromstring(svg).iter(f"{SVG}rect") if one.get("fill") == FILLS[Colour.ORANGE]
    ]
    assert float(spell.get("x")) == pytest.approx(DRIFT_LEFT + (DRIFT_RIGHT - DRIFT_LEFT) / 4)
    assert float(spell.get("width")) == pytest.approx((DRIFT_RIGHT - DRIFT_LEFT) / 4)
    assert {"x", "速度", "橙色" if language == "zh" else "orange"} <= set(texts(svg))
