"""The page of a replay: one file in two languages, nothing loaded, nothing run, the same figures in both."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from pilotbase.documents.quantities import format_span
from pilotbase.documents.texts import LANGUAGES
from pilotbase_estate.documents.pool_replay import Policy, PoolReplay
from pilotbase_estate.replay.page import render_replay
from pilotbase_estate.replay.page.wording import assumptions
from pilotbase_estate.replay.reporting import replay, replay_inflated
from pilotbase_estate.replay.traces import hastened
from tests.estate.replay.traces_for_tests import gpus

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def found() -> PoolReplay:
    return replay(hastened(gpus(), 10), tuple(Policy))


def test_it_loads_and_runs_nothing(found: PoolReplay) -> None:
    for language in LANGUAGES:
        page = render_replay(found, language)
        assert "default-src 'none'; style-src 'sha256-" in page
        assert not re.search(r"<script|<link|<img|@import|url\(|style=|href=|src=", page)
        assert re.search(r'id="language-(..)"[^>]* checked', page)[1] == language  # type: ignore[index]


def test_both_languages_show_the_same_figures(found: PoolReplay) -> None:
    english, chinese = re.split(r'<div class="page" id="page-(?:en|zh)"', render_replay(found))[1:]
    figures, bars = (r'<td class="figure">([^<]*)', r"<rect [^>]*width=\"([0-9.]+)")
    assert [one.replace(" %", "%") for one in re.findall(figures, english)] == re.findall(figures, chinese) != []
    widths = [[float(one) for one in re.findall(bars, page)] for page in (english, chinese)]
    assert widths[0] == pytest.approx(widths[1], rel=0.02), "bars leave room for what stands beside them"
    assert "作业" in chinese and not re.search("[\u4e00-\u9fff]", english)
    assert english.count("<svg") == chinese.count("<svg") == 4


def test_what_is_assumed_is_said_where_it_holds(found: PoolReplay) -> None:
    def codes(one: PoolReplay) -> set[str]:
        return {said.code.removeprefix("replay.assumes.") for said in assumptions(one)}

    assert codes(found) == {"known", "evicted", "equal", "by_machine", "alike", "fragments", "nothing_else"}
    made_up = found.trace.model_copy(update={"made_up_organisations": True, "load": 3.0, "rows_left_out": 2})
    fifo = found.model_copy(update={"trace": made_up, "policies": found.policies[:1]})
    assert codes(fifo) == {"rows", "made_up", "load", "fragments", "nothing_else"}
    assert "虚构" in render_replay(fifo)
    inflated = replay_inflated(gpus(), (Policy.RANDOM, Policy.BEST_FIT), range(2))
    assert codes(inflated) == {"inflated"}
    assert "at 130 % demand" in render_replay(inflated)


def test_many_organisations_are_told_and_not_drawn(found: PoolReplay) -> None:
    one = found.policies[0]
    many = [one.organisations[0].model_copy(update={"organisation": f"<b>{number}</b>"}) for number in range(30)]
    page = render_replay(
        found.model_copy(update={"policies": (one.model_copy(update={"organisations": tuple(many)}),)})
    )
    assert "18 more organisations are in replay.json" in page
    assert "<b>" not in page


@pytest.mark.prove
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: the page was not opened")
def test_a_browser_shows_each_language_and_breaks_no_rule(found: PoolReplay, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    (tmp_path / "replay.html").write_text(render_replay(found), "utf-8")
    with sync_playwright() as session:
        browser = session.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"file://{tmp_path / 'replay.html'}")
        for language, other in (("zh", "en"), ("en", "zh")):
            page.locator(f"label[for=language-{language}]").click()
            assert page.locator(f"#page-{language}").is_visible()
            assert not page.locator(f"#page-{other}").is_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert said == []
        browser.close()


@pytest.mark.parametrize(
    ("seconds", "spelled"), [(None, "–"), (0, "0 s"), (59, "59 s"), (60, "1 min"), (5400, "1.5 h"), (1e7, "116 d")]
)
def test_lengths_of_time_as_people_compare_them(seconds: float | None, spelled: str) -> None:
    assert format_span(seconds) == spelled
