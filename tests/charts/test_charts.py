"""Charts: well-formed, self-contained, in both languages, and true to the numbers they show."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from pilotbase.charts.confidence_sequence import confidence_sequence_chart
from pilotbase.charts.criterion import criterion_chart, group_chart
from pilotbase.charts.drawing import AMBER, BLUE, DEEP_BLUE, GREEN, MUTED, RED, width_of
from pilotbase.charts.latency import latency_chart
from pilotbase.charts.marks import status_mark, verdict_strip
from pilotbase.documents.report import CriterionResult, GroupScore, PairedScores, PathPoint, Performance, Section
from pilotbase.documents.texts import LANGUAGES, Language, text
from pilotbase.documents.vocabularies import Estimand, Outcome, Verification

SVG = "{http://www.w3.org/2000/svg}"


def result(**changes: object) -> CriterionResult:
    path = tuple(PathPoint(cases=10 * step, lower=0.9 - 1 / step, upper=0.9 + 0.5 / step) for step in range(1, 20))
    value: dict[str, object] = {
        "rule": "recall(failure) >= 0.80",
        "outcome": Outcome.PASS,
        "threshold": 0.8,
        "estimate": 0.9,
        "lower": 0.85,
        "upper": 0.95,
        "estimand": Estimand.HIDDEN_SET,
        "unit": "case",
        "confidence": 0.95,
        "guarantee": "exact_anytime",
        "claim": text("verdict.accept"),
        "baseline": 0.4,
        "path": path,
    }
    return CriterionResult.model_validate({**value, **changes})


def group(name: str, score: float | None) -> GroupScore:
    return GroupScore(column="site", group=name, measure="recall", cases=40, score=score)


DROP = result(
    rule="drop(recall(failure) under noise(0.1)) <= 0.05",
    threshold=0.05,
    estimate=0.02,
    lower=-0.01,
    upper=0.04,
    baseline=None,
    paired=PairedScores(under="noise(0.1)", clean=0.9, perturbed=0.88),
)
PERFORMANCE = Performance(
    batches=100,
    batch_rows=256,
    load_seconds=1,
    wall_seconds=1,
    cases_per_second=1000,
    latency_quantiles={"p50": 0.004, "p95": 0.006, "p99": 0.3, "max": 0.4},
    latency_histogram=((0.001, 0.005, 80), (0.005, 0.4, 20)),
)
SECTIONS = (
    Section(verification=Verification.DESIGN, outcome=Outcome.PASS),
    Section(verification=Verification.FUNCTION, outcome=Outcome.FAIL),
    Section(verification=Verification.PROCESS, outcome=Outcome.INCONCLUSIVE),
)
CHARTS: dict[str, Callable[[Language], str]] = {
    "strip": lambda language: verdict_strip(SECTIONS, language),
    "stacked": lambda language: verdict_strip(SECTIONS, language, stacked=True),
    "criterion": lambda language: criterion_chart(result(), language),
    "drop": lambda language: criterion_chart(DROP, language),
    "sequence": lambda language: confidence_sequence_chart(result(), language),
    "groups": lambda language: group_chart([group("a", 0.9), group("b", None)], language),
    "latency": lambda language: latency_chart(PERFORMANCE, language),
    "mark": lambda language: status_mark(Outcome.PASS, language),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CHARTS)
def test_self_contained_and_accessible(name: str, language: Language) -> None:
    svg = CHARTS[name](language)
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    title = root.find(f"{SVG}title")
    assert title is not None and title.text
    assert root.get("role") == "img"
    assert root.find(f"{SVG}desc") is not None
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "text", "line", "rect", "circle", "polygon", "polyline"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not attributes & {"style", "id", "href", "class"} and not any(name.startswith("on") for name in attributes)
    assert svg == CHARTS[name](language), "the same bytes every time"


@pytest.mark.parametrize("name", sorted(set(CHARTS) - {"groups"}))
def test_words_are_those_of_the_language(name: str) -> None:
    han = re.compile(r"[\u4e00-\u9fff]")
    assert han.search(CHARTS[name]("zh"))
    assert not han.search(CHARTS[name]("en"))


@pytest.mark.parametrize("name", CHARTS)
def test_everything_lies_on_the_paper(name: str) -> None:
    root = ElementTree.fromstring(CHARTS[name]("en"))
    width, height = (float(part) for part in root.get("viewBox", "").split()[2:])
    horizontal, vertical = ("x", "x1", "x2", "cx"), ("y", "y1", "y2", "cy")
    for element in root.iter():
        for names, most in ((horizontal, width), (vertical, height)):
            assert all(-0.5 <= float(element.get(name, "0")) <= most + 0.5 for name in names), element.attrib


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_strip_shows_all_five_even_where_the_report_lacks_them() -> None:
    for stacked in (False, True):
        words = texts(verdict_strip(SECTIONS, "en", stacked=stacked))
        assert words.count("Not measured") == 2
        assert {"Pass", "Fail", "Inconclusive"} <= set(words)


def test_red_means_bad_only() -> None:
    for outcome, colour in (
        (Outcome.PASS, GREEN),
        (Outcome.FAIL, RED),
        (Outcome.INCONCLUSIVE, AMBER),
        (Outcome.NOT_MEASURED, MUTED),
    ):
        for svg in (status_mark(outcome), criterion_chart(result(outcome=outcome), "en")):
            assert colour in svg
            assert (RED in svg) == (outcome is Outcome.FAIL)
    neutral = group_chart([group("a", 0.1)], "en") + latency_chart(PERFORMANCE, "en")
    assert RED not in neutral and GREEN not in neutral


def test_shapes_differ_without_colour() -> None:
    shapes = set()
    for outcome in Outcome:
        root = ElementTree.fromstring(status_mark(outcome))
        shapes.add(tuple(element.tag for element in root if element.tag not in (f"{SVG}title", f"{SVG}desc")))
    assert len(shapes) >= 3
    assert "polygon" in status_mark(Outcome.INCONCLUSIVE) and "rect" in status_mark(Outcome.FAIL)


def circle(svg: str) -> float:
    found = ElementTree.fromstring(svg).find(f"{SVG}circle")
    assert found is not None
    return float(found.get("cx", ""))


def shaded(svg: str) -> tuple[float, float]:
    rectangle = ElementTree.fromstring(svg).find(f"{SVG}rect")
    assert rectangle is not None
    start = float(rectangle.get("x", ""))
    return start, start + float(rectangle.get("width", ""))


@pytest.mark.parametrize(
    ("rule", "estimate", "good"),
    [
        ("recall >= 0.80", 0.81, True),
        ("recall >= 0.80", 0.79, False),
        ("brier <= 0.80", 0.79, True),
        ("brier <= 0.80", 0.81, False),
    ],
)
def test_score_stands_on_its_side_of_the_threshold(rule: str, estimate: float, good: bool) -> None:
    svg = criterion_chart(result(rule=rule, estimate=estimate, lower=0.5, upper=0.99), "en")
    start, end = shaded(svg)
    assert (start <= circle(svg) <= end) == good


def test_numbers_stand_in_the_description() -> None:
    description = ElementTree.fromstring(criterion_chart(result(), "en")).findtext(f"{SVG}desc") or ""
    for number in ("0.900", "0.850", "0.950", "0.800", "0.400"):
        assert number in description


def test_missing_figures_are_said_not_drawn() -> None:
    empty = result(outcome=Outcome.NOT_MEASURED, estimate=None, lower=None, upper=None, baseline=None, path=())
    svg = criterion_chart(empty, "en")
    assert "not measured" in texts(svg)
    assert "circle" not in svg
    assert confidence_sequence_chart(empty, "en") == ""
    assert latency_chart(PERFORMANCE.model_copy(update={"latency_histogram": ()}), "en") == ""
    open_path = result(path=(PathPoint(cases=1), PathPoint(cases=2)))
    assert confidence_sequence_chart(open_path, "en") == ""


def test_sequence_shows_where_the_bounds_ended() -> None:
    early = tuple(PathPoint(cases=step, lower=0.0, upper=20.0) for step in range(1, 10))
    late = tuple(PathPoint(cases=100 * step, lower=3.0, upper=3.7) for step in range(1, 11))
    svg = confidence_sequence_chart(
        result(rule="capped_mae(cap=20) <= 3.2", threshold=3.2, unit_label="MW", path=(*early, *late)), "en"
    )
    ends = [float(found.get("cy", "")) for found in ElementTree.fromstring(svg).iter(f"{SVG}circle")]
    assert abs(ends[0] - ends[1]) > 60, "the wide first bounds do not flatten the rest"


def test_one_value_only_is_drawable() -> None:
    same = PERFORMANCE.model_copy(update={"latency_histogram": ((0.0, 0.0, 5),), "latency_quantiles": {"p50": 0.0}})
    assert latency_chart(same, "en")
    assert group_chart([group("a", None)], "en")
    assert criterion_chart(result(threshold=0.0, estimate=0.0, lower=0.0, upper=0.0, baseline=0.0), "en")


def test_strangers_text_is_escaped_and_visible() -> None:
    svg = group_chart([group('<script>alert("1")</script>\u202eevil', 0.5)], "en")
    assert "<script" not in svg
    assert "&lt;script" in svg
    assert "\u202e" not in svg
    assert ElementTree.fromstring(svg) is not None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("unit", ["m3/h", "公斤/小时"])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e6, 1e9])
def test_axes_name_a_unit_once_and_keep_every_tick_whole(unit: str, language: Language, size: float) -> None:
    path = tuple(PathPoint(cases=10 * n, lower=(3 - 2 / n) * size, upper=(3 + 2 / n) * size) for n in range(1, 20))
    changes = {"threshold": 3.4 * size, "estimate": 3 * size, "lower": 2.9 * size, "upper": 3.1 * size}
    regression = result(rule="capped_mae(cap=20) <= 3.4", unit_label=unit, path=path, baseline=4.4 * size, **changes)
    for svg in (criterion_chart(regression, language), confidence_sequence_chart(regression, language)):
        root = ElementTree.fromstring(svg)
        width = float(root.get("width", ""))
        assert [unit in shown for shown in texts(svg)].count(True) == 1
        ticks = [shown for shown in texts(svg) if re.fullmatch(r"[\d.,e+]+", shown)]
        assert len(set(ticks)) >= 4, "ticks differ from one another"
        for element in root.iter(f"{SVG}text"):
            if not re.search(r"\d", element.text or ""):
                continue
            x, wide = float(element.get("x", "")), width_of(element.text or "")
            start = x - wide * {"start": 0, "middle": 0.5, "end": 1}[element.get("text-anchor", "start")]
            assert start >= -1 and start + wide <= width + 1, element.text


def test_a_measured_run_has_no_interval() -> None:
    once = result(guarantee="measured_run", lower=0.9, upper=0.9)
    lines = ElementTree.fromstring(criterion_chart(once, "en")).findall(f"{SVG}line")
    assert not [line for line in lines if line.get("stroke") in (BLUE, DEEP_BLUE)]
    lines = ElementTree.fromstring(criterion_chart(result(), "en")).findall(f"{SVG}line")
    assert [line for line in lines if line.get("stroke") in (BLUE, DEEP_BLUE)]


@pytest.mark.parametrize(
    "bars",
    [((-0.4877, 0.5123, 1),), ((-0.4877, 0.0123, 0), (0.0123, 0.5123, 3)), ((0.0123, 0.0123, 1),)],
)
def test_one_latency_is_a_narrow_bar_at_its_value(bars: tuple[tuple[float, float, int], ...]) -> None:
    quantiles = dict.fromkeys(("p50", "p95", "p99", "max"), 0.0123)
    once = PERFORMANCE.model_copy(update={"latency_histogram": bars, "latency_quantiles": quantiles})
    root = ElementTree.fromstring(latency_chart(once, "en"))
    (bar,) = root.findall(f"{SVG}rect")
    (line,) = {found.get("x1") for found in root.findall(f"{SVG}line") if found.get("stroke-dasharray")}
    width, middle = float(bar.get("width", "")), float(bar.get("x", "")) + float(bar.get("width", "")) / 2
    assert width <= 6 and abs(middle - float(line or "")) < 1
    assert not [shown for shown in texts(latency_chart(once, "en")) if "500 ms" in shown]


def test_a_difference_of_two_answers_has_no_row_for_a_baseline() -> None:
    drawn, alone = (criterion_chart(found, "en") for found in (result(), DROP))
    assert "baseline" in drawn
    assert "baseline" not in alone
    heights = [int(ElementTree.fromstring(svg).attrib["viewBox"].split()[3]) for svg in (drawn, alone)]
    assert heights[0] - heights[1] == 36
