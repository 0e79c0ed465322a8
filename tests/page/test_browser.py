"""The report in a real browser: switches language without script, fits narrow and wide, breaks no policy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pilotbase.documents.certificate import Certificate
from pilotbase.documents.report import Report
from pilotbase.trial.page import render_report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: the report was not opened")
Reports = Mapping[str, Report]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as session:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        found = session.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield found
        found.close()


@pytest.fixture(scope="module")
def opened(browser: Any, reports: Reports, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("reports")

    def open_report(kind: str, width: int) -> tuple[Any, list[str], list[str]]:
        file = folder / f"{kind}.html"
        file.write_text(render_report(reports[kind], certificate if kind == "accepted" else None), "utf-8")
        context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=False)
        page = context.new_page()
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        return page, said, asked

    return open_report


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize(
    "kind", ["accepted", *(pytest.param(one, marks=pytest.mark.prove) for one in ("broken-off", "rehearsal"))]
)
def test_fits_and_switches_language_without_script(kind: str, width: int, opened: Any) -> None:
    page, said, asked = opened(kind, width)
    try:
        english, chinese = page.locator("#page-en"), page.locator("#page-zh")
        assert english.is_visible() and not chinese.is_visible()
        assert not overflows(page, width)
        page.click("label[for=language-zh]")
        assert chinese.is_visible() and not english.is_visible()
        assert not overflows(page, width)
        page.keyboard.press("ArrowUp")
        assert english.is_visible(), "the switch works by keyboard too"
        assert said == [], "no error, no violation of the policy"
        assert len(asked) == 1, "nothing is loaded from elsewhere"
    finally:
        page.context.close()


def overflows(page: Any, width: int) -> bool:
    """Tell whether the reader would have to scroll sideways; the page is asked by the debugger, not by its script."""
    session = page.context.new_cdp_session(page)
    size = session.send("Page.getLayoutMetrics")["cssContentSize"]
    return bool(size["width"] > width)


@pytest.mark.prove
def test_prints_the_chosen_language_only(opened: Any) -> None:
    page, _, _ = opened("accepted", 1280)
    try:
        page.click("label[for=language-zh]")
        page.emulate_media(media="print")
        assert page.locator("#page-zh main").is_visible()
        assert not page.locator("#page-en").is_visible()
        assert not page.locator(".languages").is_visible()
        assert page.pdf(format="A4").startswith(b"%PDF")
    finally:
        page.context.close()


@pytest.mark.prove
@pytest.mark.parametrize("language", [pytest.param("en", marks=pytest.mark.prove), "zh"])
def test_a_wrapped_finding_stays_beside_its_word(language: str, opened: Any) -> None:
    page, _, _ = opened("accepted", 375)
    try:
        page.click(f"label[for=language-{language}]")
        findings = page.locator(f"#sections-{language} .findings li").all()
        wrapped = 0
        for finding in findings:
            word, sentence = (found.bounding_box() for found in finding.locator("> span").all())
            assert sentence["x"] >= word["x"] + word["width"]
            wrapped += sentence["height"] > 1.5 * word["height"]
        assert wrapped
    finally:
        page.context.close()
