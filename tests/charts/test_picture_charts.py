"""Pictures of kinds of answers: self-contained, on the paper, in both languages, true to their figures."""

import re
from xml.etree import ElementTree

import pytest

from pilotbase.charts.against_truth import (
    answer_grid,
    calibration_chart,
    coverage_chart,
    interval_chart,
    probability_chart,
    time_chart,
)
from pilotbase.charts.classes import class_chart, confusion_chart, format_share
from pilotbase.charts.columns import ChartColumn, column_chart
from pilotbase.charts.drawing import INK, width_of
from pilotbase.documents import figures as f
from pilotbase.documents.texts import LANGUAGES

SVG = "{http://www.w3.org/2000/svg}"
EVIL = '</text><script>alert(1)</script>\u202e"&'
MATRIX = f.Confusion(
    classes=(EVIL, "凹陷与划痕的复合缺陷类别名称很长", "a class whose name goes on and on"),
    folded=4,
    none=True,
    counts=((9, 1, 0, 0, 0), (0, 400, 0, 1, 0), (0, 0, 0, 0, 0), (1, 1, 1, 1, 1), (0, 0, 0, 0, 2)),
)
CALIBRATION = f.Calibration(
    label=EVIL,
    bins=(
        f.CalibrationBin(low=0, high=0.5, cases=40, answered=0.2, hits=4),
        f.CalibrationBin(low=0.5, high=1, cases=0, hits=0),
    ),
    error=0.1,
)
PROBABILITIES = f.Probabilities(label=EVIL, members=(0, 1, 0, 7), others=(90, 1, 0, 0))
GRID = f.AgainstTruth(low=-20, step=5, size=8, cells=((0, 0, 1), (7, 7, 120), (3, 4, 2)))
COURSE = f.TimeCourse(
    seconds=True,
    points=tuple(
        f.TimePoint(at=1.7e9 + 86_400 * day, cases=5, truth=day % 4, answered=None if day == 4 else day % 3)
        for day in range(9)
    ),
)
BANDS = f.TimeCourse(
    seconds=False,
    points=tuple(f.TimePoint(at=step, cases=5, truth=1e6 * step, lower=-1, upper=2e6 * step) for step in range(4)),
)
INTERVALS = f.Intervals(
    groups=(f.IntervalGroup(cases=5, truth=3, lower=1, upper=2, covered=0),),
    coverage=(f.CoveragePoint(cases=5, covered=4), f.CoveragePoint(cases=9, covered=7)),
)
CLASSES = f.ByClass(
    counted="box",
    overlap=0.5,
    rows=(f.ClassRow(name=EVIL, wanted=34, answered=40, hits=31), f.ClassRow(wanted=0, answered=3, hits=0)),
)
COLUMNS = [ChartColumn("1", 12, reached="60%"), ChartColumn("no answer", 3, apart=True), ChartColumn(EVIL, 0)]
CHARTS = {
    "confusion": lambda language: confusion_chart(MATRIX, language),
    "calibration": lambda language: calibration_chart(CALIBRATION, language),
    "probabilities": lambda language: probability_chart(PROBABILITIES, language),
    "grid": lambda language: answer_grid(GRID, language),
    "time": lambda language: time_chart(COURSE, language),
    "bands": lambda language: time_chart(BANDS, language),
    "intervals": lambda language: interval_chart(INTERVALS, language),
    "coverage": lambda language: coverage_chart(INTERVALS, language),
    "classes": lambda language: class_chart(CLASSES, language),
    "columns": lambda language: column_chart(COLUMNS, "title", "reached"),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CHARTS)
def test_self_contained_on_the_paper_and_said_in_words(name, language):
    svg = CHARTS[name](language)
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img" and root.find(f"{SVG}title").text and root.find(f"{SVG}desc").text
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "text", "line", "rect", "circle", "polygon", "polyline"}
    assert "\u202e" not in svg and svg == CHARTS[name](language)
    width, height = (float(part) for part in root.get("viewBox").split()[2:])
    for element in root.iter():
        for names, most in ((("x", "x1", "x2", "cx"), width), (("y", "y1", "y2", "cy"), height)):
            assert all(-0.5 <= float(element.get(each, "0")) <= most + 0.5 for each in names), element.attrib
    assert not [one.text for one in root.iter(f"{SVG}text") if cut_off(one, width)]


def cut_off(element, width):
    """Tell whether a text begins before the paper or ends behind it."""
    said, x = width_of(element.text, int(element.get("font-size", "12"))) * 0.92, float(element.get("x"))
    begins = x - said * {"middle": 0.5, "end": 1}.get(element.get("text-anchor"), 0)
    return begins < -2 or begins + said > width + 2


def test_texts_are_of_the_language():
    han = re.compile(r"[\u4e00-\u9fff]")
    for name in sorted(set(CHARTS) - {"columns", "confusion"}):
        assert han.search(CHARTS[name]("zh")) and not han.search(CHARTS[name]("en"))


def test_a_matrix_says_every_count_and_frames_what_is_right():
    root = ElementTree.fromstring(confusion_chart(MATRIX, "en"))
    said = [one.text for one in root.iter(f"{SVG}text")]
    assert said.count("0") == 15 and "400" in said and "> 99 %" in said and "90 %" in said and "4 others" in said
    assert [one.get("stroke") for one in root.iter(f"{SVG}rect")].count(INK) == len(MATRIX.classes)
    assert "→ no answer: 2" in root.find(f"{SVG}desc").text


@pytest.mark.parametrize(
    ("part", "whole", "said"), [(0, 0, "–"), (0, 9, "0 %"), (1, 900, "< 1 %"), (899, 900, "> 99 %"), (9, 9, "100 %")]
)
def test_a_share_is_never_rounded_to_none_or_all(part, whole, said):
    assert format_share(part, whole, "en") == said
    assert format_share(part, whole, "zh") == said.replace(" %", "%")


def test_a_disc_stands_where_its_bin_came_true():
    root = ElementTree.fromstring(calibration_chart(CALIBRATION, "en"))
    (disc,) = root.iter(f"{SVG}circle")
    assert float(disc.get("cx")) == pytest.approx(58 + 0.2 * (362 - 58))
    assert float(disc.get("cy")) == pytest.approx(272 - 0.1 * (272 - 30))


def test_a_gap_in_the_answers_is_a_gap_in_the_line():
    lines = list(ElementTree.fromstring(time_chart(COURSE, "en")).iter(f"{SVG}polyline"))
    assert [len(line.get("points").split()) for line in lines] == [9, 4, 4]
    assert [bool(line.get("stroke-dasharray")) for line in lines] == [False, True, True]
    (band,) = ElementTree.fromstring(time_chart(BANDS, "en")).iter(f"{SVG}polygon")
    assert len(band.get("points").split()) == 8
