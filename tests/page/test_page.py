"""The report page: one file, both languages, nothing from elsewhere, strangers' text harmless, hidden parts hidden."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections import Counter
from collections.abc import Mapping
from html.parser import HTMLParser
from importlib import resources

import pytest

from pilotbase.documents.certificate import Certificate
from pilotbase.documents.report import Report
from pilotbase.documents.texts import LANGUAGES, Language, Text, catalogue
from pilotbase.trial.page import render_report

Reports = Mapping[str, Report]
KINDS = ("accepted", "rejected", "inconclusive", "broken-off", "rehearsal", "supplier")
VOID = {"meta", "input", "br", "link", "img"}
EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\u202egpj.exe\x07'


class Page(HTMLParser):
    """What a browser would see: tags with attributes, balanced or not, and the text by language."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {"en": [], "zh": []}
        self.language = ""
        self.depth = 0
        self.feed(source)
        assert self.open == [], "every tag is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append((tag, found))
        if found.get("id", "").startswith("page-"):
            self.language, self.depth = found["id"].removeprefix("page-"), len(self.open)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if len(self.open) == self.depth:
            self.language = ""

    def handle_data(self, data: str) -> None:
        if self.language and data.strip():
            self.texts[self.language].append(" ".join(data.split()))

    def read(self, language: str) -> str:
        return "\n".join(self.texts[language])


@pytest.mark.parametrize("kind", KINDS)
def test_one_file_without_scripts_or_foreign_resources(kind: str, reports: Reports) -> None:
    page = Page(render_report(reports[kind]))
    names = Counter(tag for tag, _ in page.tags)
    assert not names.keys() & {"script", "iframe", "object", "embed", "link", "img", "form", "base", "audio", "video"}
    attributes = [(name, value) for _, found in page.tags for name, value in found.items()]
    assert not [name for name, _ in attributes if name.startswith("on") or name in {"style", "src", "srcset"}]
    assert all(value.startswith("#") for name, value in attributes if name == "href")
    ids = Counter(value for name, value in attributes if name == "id")
    assert [name for name, count in ids.items() if count > 1] == []
    assert {value[1:] for name, value in attributes if name == "href"} <= ids.keys(), "every link leads somewhere"


def test_policy_allows_this_stylesheet_and_nothing_else(reports: Reports) -> None:
    source = render_report(reports["accepted"])
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', source)
    style = re.search(r"<style>(.*?)</style>", source, re.DOTALL)
    assert policy and style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy[1] == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"url\(|@import|expression", style[1])


@pytest.mark.parametrize("language", LANGUAGES)
def test_language_shown_first_is_the_asked_one(language: Language, reports: Reports) -> None:
    page = Page(render_report(reports["accepted"], language=language))
    checked = [found["id"] for tag, found in page.tags if tag == "input" and "checked" in found]
    assert checked == [f"language-{language}"]


@pytest.mark.parametrize("kind", KINDS)
def test_both_languages_say_the_same(kind: str, reports: Reports) -> None:
    page = Page(render_report(reports[kind]))
    assert len(page.texts["en"]) == len(page.texts["zh"]) > 80
    for code, language in (("report.criteria.title", "en"), ("report.criteria.title", "zh")):
        assert catalogue("report", language)[code] in page.read(language)
    figures = [re.findall(r"\d+(?:\.\d+)+", page.read(language)) for language in LANGUAGES]
    assert Counter(figures[0]) == Counter(figures[1])


def test_owner_s_title_is_shown_in_the_reader_s_language(reports: Reports) -> None:
    page = Page(render_report(reports["accepted"], language="zh"))
    assert "停线之前预测设备故障" in page.read("zh") and "停线之前预测设备故障" not in page.read("en")
    assert "Predict machine failure" in page.read("en")


def test_verdict_is_a_word_and_the_claim_one_sentence(reports: Reports, certificate: Certificate) -> None:
    page = Page(render_report(reports["accepted"], certificate))
    for language, word in (("en", "accept"), ("zh", "通过")):
        assert word in page.texts[language]
        assert certificate.claim.render(language) in page.read(language)
        assert all(remark.render(language) in page.read(language) for remark in certificate.remarks)
    assert "base-one" in page.read("en")


@pytest.mark.parametrize(
    ("kind", "word"), [("rejected", "reject"), ("inconclusive", "inconclusive"), ("broken-off", "reject")]
)
def test_every_reason_is_shown(kind: str, word: str, reports: Reports) -> None:
    page = Page(render_report(reports[kind]))
    assert word in page.texts["en"]
    for language in LANGUAGES:
        for reason in reports[kind].reasons:
            assert reason.render(language) in page.read(language)


def test_end_of_a_broken_box_is_said_in_words(reports: Reports) -> None:
    page = Page(render_report(reports["broken-off"]))
    for language in LANGUAGES:
        assert catalogue("box", language)["box.end.memory_limit"] in page.read(language)


def test_digests_stand_in_full(reports: Reports) -> None:
    report = reports["accepted"]
    assert report.scenario is not None and report.plan is not None
    read = Page(render_report(report)).read("en")
    for digest in (
        report.digest(),
        report.plan,
        report.scenario.digest,
        report.scenario.hidden_set,
        report.application.digest,
    ):
        assert digest in read


def test_rehearsal_is_headed_not_evidence(reports: Reports) -> None:
    page = Page(render_report(reports["rehearsal"]))
    assert "Not evidence / 非证据" in page.read("en")
    assert "非证据" in page.read("zh")
    assert "certificate verify" not in page.read("en")
    assert "非证据" not in Page(render_report(reports["accepted"])).read("zh")


def test_supplier_sees_no_path_no_bounds_no_groups(reports: Reports) -> None:
    full, supplier = (Page(render_report(reports[kind])).read("en") for kind in ("accepted", "supplier"))
    for hidden in ("0.855", "Numbers of the path", "Hangzhou plant", "a1a1a1", "118", "1,240"):
        assert hidden in full
        assert hidden not in supplier
    assert "0.920" in supplier, "rounded to two digits"
    assert reports["accepted"].digest() in supplier


def strangers_report(report: Report) -> Report:
    application = report.application.model_copy(
        update={"version": EVIL, "supplier": report.application.supplier.model_copy(update={"organisation": EVIL})}
    )
    feature = report.contract.features[0].model_copy(update={"name": EVIL, "unit": EVIL})
    group = report.groups[0].model_copy(update={"group": EVIL, "column": EVIL, "measure": EVIL})
    return report.model_copy(
        update={
            "application_title": EVIL,
            "scenario_title": EVIL,
            "sector": EVIL,
            "application": application,
            "contract": report.contract.model_copy(update={"features": (feature,)}),
            "groups": (group,),
            "isolation": report.isolation.model_copy(update={"detail": EVIL, "start": EVIL}),
            "reasons": (Text(code="trial.reason.not_measured", params={"rule": EVIL}), Text(code=EVIL)),
            "criteria": (report.criteria[0].model_copy(update={"rule": f"recall({EVIL}) >= 0.80", "unit": EVIL}),),
            "software": EVIL,
        }
    )


def test_strangers_text_is_inert_and_visible(reports: Reports) -> None:
    source = render_report(strangers_report(reports["accepted"]))
    page = Page(source)
    assert not [tag for tag, _ in page.tags if tag in ("script", "img")]
    assert not [name for _, found in page.tags for name in found if name.startswith("on")]
    assert "\u202e" not in source and "\x07" not in source
    assert "⟨U+202E⟩" in page.read("en") and "⟨U+0007⟩" in page.read("zh")
    assert source.count("&lt;script&gt;") > 20


def test_old_reports_with_unknown_sentences_stay_readable(reports: Reports) -> None:
    report = reports["accepted"].model_copy(
        update={"reasons": (Text(code="gone.since", params={"count": 3}), Text(code="trial.reason.missed"))}
    )
    read = Page(render_report(report)).read("en")
    assert "gone.since (count=3)" in read
    assert "trial.reason.missed" in read


def test_quick_enough(reports: Reports) -> None:
    start = time.perf_counter()
    render_report(reports["accepted"])
    assert time.perf_counter() - start < 1.5


def test_colours_are_readable() -> None:
    style = resources.files("pilotbase.trial.page").joinpath("templates/report.css").read_text("utf-8")
    tokens = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", style))
    grounds = ("page", "paper")
    pairs = [(ink, ground) for ink in ("ink", "muted", "deep-blue", "green", "red", "amber") for ground in grounds]
    pairs += [("green", "pale-green"), ("red", "pale-red"), ("amber", "pale-amber"), ("ink", "pale-blue")]
    pairs += [("muted", "pale-green"), ("muted", "pale-red"), ("muted", "pale-amber"), ("paper", "deep-blue")]
    assert [pair for pair in pairs if contrast(tokens[pair[0]], tokens[pair[1]]) < 4.5] == []


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, definition of contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    shares = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
