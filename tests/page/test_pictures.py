"""Pictures and cases on a report's page: in both languages, with their numbers, harmless, readable for everybody."""

import base64
import re

import numpy as np
import pytest

from pilotbase.charts.boxed_image import png_of
from pilotbase.documents import figures as f
from pilotbase.documents.contract import Prediction
from pilotbase.documents.figures import CaseInput, CaseScore, ShownBox, ShownCase, ShownCases, ShownImage, TextPiece
from pilotbase.documents.report import GroupScore, Report
from pilotbase.trial.page import render_report
from pilotbase.trial.page.wording import pictures_of
from tests.charts.test_picture_charts import (
    BANDS,
    CALIBRATION,
    CLASSES,
    COURSE,
    GRID,
    INTERVALS,
    MATRIX,
    PROBABILITIES,
)
from tests.hub.accessibility_for_tests import RULES
from tests.page.conftest import build, rehearsal
from tests.page.test_browser import browser, overflows  # noqa: F401 - a fixture
from tests.page.test_page import EVIL, Page

RESIDUALS = f.Residuals(low=-5, step=2.5, counts=(1, 4, 9, 2), mean=0.5)
PLACES = f.Places(counts=(6, 2, 0, 0, 0, 0, 0, 0, 0, 0), later=1, never=1)
TEXTS = f.TextDifferences(same=7, ends=(0.1,), differing=(2, 1), absent=1, refused=3, not_refused=1)
FIGURES = (MATRIX, CALIBRATION, PROBABILITIES, GRID, RESIDUALS, COURSE, BANDS, INTERVALS, CLASSES, PLACES, TEXTS)
IMAGE = ShownImage(png=base64.b64encode(png_of(np.zeros((20, 30), dtype=np.uint8))).decode(), height=20, width=30)


def cases(**changes) -> ShownCases:
    case = {
        "number": 7,
        "result": "differs",
        "given": (CaseInput(name=EVIL, value=EVIL),),
        "truth": EVIL,
        "answer": EVIL,
    }
    scores = (CaseScore(rule="cer", value=0.25),)
    return ShownCases(
        report=rehearsal().digest(), kind="text", cases=(ShownCase(**{**case, "scores": scores, **changes}),)
    )


BOXES = (
    ShownBox(state="missed", label=EVIL, x=-5, y=18, width=400, height=900),
    ShownBox(state="false", label="bolt", x=29, y=0, width=1, height=1, score=0.125),
)
SHOWN = {
    "table": cases(),
    "boxes": cases(image=IMAGE, boxes=BOXES, truth=None, answer=None),
    "mask": cases(image=IMAGE, differing=3, truth=None, answer=None),
    "pieces": cases(pieces=(TextPiece(truth="a", answer="a"), TextPiece(truth=EVIL, answer="b"))),
    "nothing": cases(result="none", truth=None, answer=None, given=()),
}


def with_figures(**changes) -> Report:
    return build(figures=FIGURES, **changes)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: type(figure).__name__)
def test_each_picture_has_its_numbers_in_words_of_its_language(figure, language):
    for picture in pictures_of(figure, language, "MW"):
        said = "\n".join([picture.title, picture.note, *picture.head])
        assert bool(re.search(r"[\u4e00-\u9fff]", said.replace(MATRIX.classes[1], ""))) == (language == "zh")
        assert picture.svg.startswith("<svg") and picture.rows and picture.note
        assert {len(row) for row in picture.rows} == {len(picture.head)}


def test_numbers_behind_pictures_are_the_figures():
    (matrix,) = pictures_of(MATRIX, "en")
    assert matrix.rows[0][1:] == ("9 (90 %)", "1 (10 %)", "0 (0 %)", "0 (0 %)", "0 (0 %)") and matrix.wide
    (calibration,) = pictures_of(CALIBRATION, "en")
    assert calibration.rows[0] == ("0.0 – 0.5", "40", "0.200", "0.100") and "0.100" in calibration.note
    (places,) = pictures_of(PLACES, "en")
    assert [row[2] for row in places.rows[:3]] == ["60", "80", "80"] and places.rows[-1] == ("never", "1", "–")
    (texts,) = pictures_of(TEXTS, "en")
    assert [row[0] for row in texts.rows] == ["same", "≤10 %", ">10 %", "no answer", "refused", "not refused"]
    (off,) = pictures_of(RESIDUALS, "en", "MW")
    assert "Mean 0.5." in off.note and off.note.endswith("In MW.")


def test_a_report_shows_its_pictures_and_one_without_figures_is_as_it_was():
    page = Page(render_report(with_figures()))
    for language, title in (("en", "Answers in pictures"), ("zh", "回答图示")):
        assert page.read(language).count(title) == 2, "in the contents, and above the pictures"
    assert "Answers in pictures" not in Page(render_report(build())).read("en")
    assert build().digest() == Report.from_json_value(build().to_json_value()).digest()
    assert "figures" not in build().to_json_value()
    assert Report.from_json_value(with_figures().to_json_value()) == with_figures()


def test_a_supplier_sees_no_figure():
    view = with_figures().supplier_view()
    assert view.figures is None and "Answers in pictures" not in Page(render_report(view)).read("en")


@pytest.mark.parametrize("shown", SHOWN.values(), ids=SHOWN)
def test_strangers_texts_are_harmless_in_pictures_and_cases(shown):
    report = rehearsal().model_copy(update={"figures": FIGURES})
    source = render_report(report, cases=shown)
    page = Page(source)
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "iframe", "object", "embed", "link", "img", "form", "base"}
    attributes = [(name, value) for _, found in page.tags for name, value in found.items()]
    assert not [name for name, _ in attributes if name.startswith("on") or name in {"style", "src", "srcset"}]
    assert all(value.startswith(("#", "data:image/png;base64,")) for name, value in attributes if name == "href")
    assert "\u202e" not in source and "\x07" not in source
    assert ("img-src data:" in source) == any(case.image for case in shown.cases)


def test_cases_say_what_was_found_and_what_differs():
    boxes = Page(render_report(rehearsal(), cases=SHOWN["boxes"]))
    assert "false alarm: bolt 0.12" in boxes.read("en") and "误报: bolt 0.12" in boxes.read("zh")
    mask = Page(render_report(rehearsal(), cases=SHOWN["mask"])).read("en")
    assert "3 of 600 pixels" in mask
    pieces = render_report(rehearsal(), cases=SHOWN["pieces"])
    assert "<ins>b</ins>" in pieces and "<del>&lt;script&gt;" in pieces
    table = Page(render_report(rehearsal(), cases=SHOWN["table"])).read("zh")
    assert "cer: 0.25" in table and "依据" in table and "无回答" not in table
    assert "无回答" in Page(render_report(rehearsal(), cases=SHOWN["nothing"])).read("zh")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    place = tmp_path_factory.mktemp("pictures")
    contract = build().contract.model_copy(update={"prediction": Prediction(kind="text")})
    once = tuple(figure for figure in FIGURES if figure is not BANDS)
    report = rehearsal().model_copy(update={"figures": once, "contract": contract})
    files = {}
    for name in ("boxes", "pieces", "table"):
        files[name] = place / f"{name}.html"
        files[name].write_text(render_report(report, cases=SHOWN[name]), "utf-8")
    return files


@pytest.mark.prove
@pytest.mark.parametrize("width", [390, 1280])
def test_fits_every_width_and_loads_nothing(browser, written, width):  # noqa: F811
    for file in written.values():
        page = browser.new_page(viewport={"width": width, "height": 900}, java_script_enabled=False)
        said, asked = [], []
        page.on("console", lambda message, said=said: said.append(message.text))
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(file.as_uri())
        for language in ("en", "zh"):
            page.click(f"label[for=language-{language}]")
            assert not overflows(page, width)
        assert said == [] and [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
        page.context.close()


@pytest.mark.prove
@pytest.mark.parametrize(("shown", "language"), [("boxes", "zh"), ("table", "en"), ("pieces", "en")])
def test_nothing_is_wrong_with_pictures_for_people_who_see_little(browser, written, shown, language):  # noqa: F811
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(written[shown].as_uri())
    page.click(f"label[for=language-{language}]")
    for closed in page.locator(f"#pictures-{language} summary").all():
        closed.click()
    wrong = []
    for part in ("pictures", "cases"):
        found = axe.run(page, context=f"#{part}-{language}", options=RULES).response["violations"]
        wrong += [(rule["id"], node["html"][:160]) for rule in found for node in rule["nodes"]]
    assert wrong == []
    page.context.close()


def test_the_coverage_marks_where_scoring_stopped_and_older_figures_end_there():
    coverage = (f.CoveragePoint(cases=200, covered=190), f.CoveragePoint(cases=400, covered=370))
    figure = f.Intervals(groups=(), coverage=coverage)

    def shown(*counts: int) -> str:
        (picture,) = pictures_of(figure, "en", counts=counts or None)
        return picture.svg + picture.note

    assert "scoring stopped" in shown(150, 400) and "stopped after 150" in shown(150, 400)
    assert "stopped after 300" in shown(150, 200), "each case was asked twice"
    for counts in ((), (400, 400), (400, 1000)):
        assert "topped" not in shown(*counts)


def test_a_level_that_the_number_of_the_attempt_does_not_give_says_how_it_came():
    attempt = build().attempt
    for level, said in ((0.05 / 6, "(α/(j(j+1)))"), (0.05 / 4, "split among k suppliers")):
        found = attempt.model_copy(update={"number": 2, "alpha": level, "alpha_of_all": 0.05})
        assert said in render_report(build(attempt=found))


def test_scores_of_groups_beyond_the_stop_say_so():
    report = build()
    scored, rule = report.attempt.scored, report.criteria[0]
    group = GroupScore(column="site", group="a", measure="accuracy", cases=scored + 1, score=0.5)
    worst = rule.model_copy(update={"rule": "worst(accuracy by site) >= 0.5", "scored": scored})
    stopped = report.attempt.model_copy(update={"reserved": scored + 1})
    said = "only the cases scored before the stop"
    early = report.model_copy(update={"criteria": (worst,), "groups": (group,), "attempt": stopped})
    assert said in render_report(early)
    older = early.model_copy(update={"groups": (group.model_copy(update={"cases": scored}),)})
    assert said not in render_report(older)
