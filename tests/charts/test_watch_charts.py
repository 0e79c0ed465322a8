"""Pictures of the watch: true to the numbers, a word beside every colour, nothing where there is nothing."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from pilotbase.charts.drawing import BLUE, FILLS
from pilotbase.charts.watch import (
    DRIFT_LEFT,
    DRIFT_RIGHT,
    Alarm,
    AlarmMark,
    CohortMean,
    DriftStrip,
    Spell,
    WatchedPath,
    WatchedPoint,
    alarm_chart,
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


def alarm(**changes) -> Alarm:
    means = [
        CohortMean(NOW + day * DAY, 0.1 + 0.02 * day, 0.12, 0.13 if day > 8 else None, 200, 60) for day in range(12)
    ]
    marks = [
        AlarmMark(NOW, "armed: forest 1.0.0"),
        AlarmMark(NOW + 5 * DAY, "orange", Colour.ORANGE),
        AlarmMark(NOW + 9 * DAY, "red", Colour.RED),
        AlarmMark(NOW + 9 * DAY, "fall back"),
    ]
    path = [point(100 * day, day / 8) for day in range(1, 12)]
    spell = Spell(NOW + 3 * DAY, NOW + 11 * DAY, Colour.ORANGE)
    told = {"strips": [DriftStrip("torque", [spell])], "marks": marks}
    told |= {"means": means, "evidence": path} | changes
    return Alarm("Error rate", alpha=0.05, begins=NOW, ends=NOW + 11 * DAY, **told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_alarm_shows_risk_evidence_labels_inputs_and_acts_over_one_axis(language):
    svg = alarm_chart(alarm(), language)
    words = texts(svg)
    bands = (
        ["风险", "证据", "标签", "输入", "处置"]
        if language == "zh"
        else ["Risk", "Evidence", "Labels", "Inputs", "Actions"]
    )
    assert [word for word in words if word in bands] == bands
    assert ("accepted: at most 12 %" if language == "en" else "可接受：至多 12%") in words
    assert ("red at 20" if language == "en" else "20 时变红") in words
    assert ("latest 32 %; has exceeded 13 %" if language == "en" else "最近 32%；曾高于 13%") in words
    assert {"torque", "armed: forest 1.0.0", "fall back", "2026-05-01", "2026-05-12"} <= set(words)
    dashed = [one for one in ElementTree.fromstring(svg).iter(f"{SVG}line") if one.get("stroke-dasharray")]
    assert [one.get("stroke") for one in dashed] == [FILLS[Colour.ORANGE], FILLS[Colour.RED]]


def test_each_arming_has_a_line_of_its_own():
    path = [point(100, 0.5), point(200, 0.9), WatchedPoint(NOW + 6 * DAY, 200, 0.1, Colour.GREEN), point(900, 0.2)]
    lines = list(ElementTree.fromstring(alarm_chart(alarm(evidence=path), "en")).iter(f"{SVG}polyline"))
    assert len([one for one in lines if one.get("stroke") == BLUE]) == 3, "the risk, and evidence twice"


def test_what_is_predicted_without_labels_is_dotted_and_nothing_where_nothing_is():
    means = [CohortMean(NOW + day * DAY, 0.2, 0.12, None, 200, 60, 0.1 if day != 2 else None) for day in range(6)]
    lines = list(ElementTree.fromstring(alarm_chart(alarm(means=means), "en")).iter(f"{SVG}polyline"))
    assert len([one for one in lines if one.get("stroke-dasharray")]) == 2, "before and after the gap"


def test_words_of_acts_cover_none_and_there_is_no_alarm_without_a_cohort():
    crowd = [AlarmMark(NOW + 9 * DAY, f"a long name of what was done {number}") for number in range(9)]
    drawn = [word for word in texts(alarm_chart(alarm(marks=crowd), "en")) if word.startswith("a long name")]
    assert len(drawn) == 5
    assert alarm_chart(alarm(means=[]), "en") == ""
