"""The report page: one file, both languages, nothing from elsewhere, strangers' text harmless, hidden parts hidden."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import time
from collections import Counter
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import pytest
import typer.main

from pilotbase.cli import app
from pilotbase.documents.catalogues import catalogue
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.contract import Prediction
from pilotbase.documents.figures import CaseInput, CaseScore, ShownBox, ShownCase, ShownCases, TextPiece
from pilotbase.documents.report import GroupScore, Report
from pilotbase.documents.texts import LANGUAGES, Language, Text, text
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
    for hidden in ("0.855", "Values of the path", "Hangzhou plant", "a1a1a1", "118", "1,240"):
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


def test_what_all_cases_could_tell_apart_is_for_the_owner(reports: Reports) -> None:
    report = reports["inconclusive"]
    assert "± 0.031" in render_report(report)
    assert "0.031" not in render_report(report.supplier_view())


def test_strangers_text_is_inert_and_visible(reports: Reports) -> None:
    source = render_report(strangers_report(reports["accepted"]))
    page = Page(source)
    assert not [tag for tag, _ in page.tags if tag in ("script", "img")]
    assert not [name for _, found in page.tags for name in found if name.startswith("on")]
    assert "\u202e" not in source and "\x07" not in source
    assert "⟨U+202E⟩" in page.read("en") and "⟨U+0007⟩" in page.read("zh")
    assert source.count("&lt;script&gt;") > 20


@pytest.mark.parametrize("pieces", [(), (TextPiece(truth=EVIL, answer="x"), TextPiece(truth=EVIL, answer=EVIL))])
def test_what_was_answered_in_a_rehearsal_is_inert_and_visible(reports: Reports, pieces: tuple[TextPiece, ...]) -> None:
    report = reports["accepted"]
    box = ShownBox(state="false", label=EVIL, x=0, y=0, width=1, height=1, score=0.5)
    case = ShownCase(
        number=1,
        result="differs",
        given=(CaseInput(name=EVIL, value=EVIL), CaseInput(name="note", value=EVIL)),
        truth=EVIL,
        answer=EVIL,
        scores=(CaseScore(rule=EVIL, value=1.0),),
        pieces=pieces,
        boxes=(box,) if pieces else (),
    )
    cases = ShownCases(report=report.digest(), kind="text", cases=(case,))
    source = render_report(report, cases=cases)
    page = Page(source)
    assert not [tag for tag, _ in page.tags if tag in ("script", "img")]
    assert not [name for _, found in page.tags for name in found if name.startswith("on")]
    assert "\u202e" not in source and "\x07" not in source
    assert source.count("&lt;script&gt;") >= 10


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


def test_every_command_that_is_listed_exists(reports: Reports) -> None:
    source = html.unescape(render_report(reports["accepted"]))
    listed = [
        line for block in re.findall(r"<pre><code>(.*?)</code></pre>", source, re.DOTALL) for line in block.split("\n")
    ]
    assert any("certificate verify" in line and "--revocations" in line for line in listed)
    for line in listed:
        command: Any = typer.main.get_command(app)
        words = line.split()
        assert words.pop(0) == "pilotbase"
        while hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options


def criterion(report: Report, **changes: object) -> Report:
    return report.model_copy(update={"criteria": (report.criteria[0].model_copy(update=changes),)})


def test_a_measured_run_shows_no_bounds(reports: Reports) -> None:
    report = reports["accepted"]
    bounds = {"lower": 0.0112, "upper": 0.0112, "estimate": 0.0112, "unit_label": "s", "path": ()}
    run = criterion(report, guarantee="measured_run", rule="latency.p95 <= 50 ms", threshold=0.05, **bounds)
    read = Page(render_report(run)).read("en")
    assert "upper bound (to reject)" not in read and "with its bounds" not in read
    mixed = run.model_copy(update={"criteria": (report.criteria[0], run.criteria[0])})
    rows = re.findall(r"<td class=\"figure\">(.*?)</td>", render_report(mixed))
    assert "0.855 … 0.965" in rows and "–" in rows and "11.2 ms" not in rows


@pytest.mark.parametrize(
    ("score", "lower", "upper", "said"),
    [(0.9214, 0.9214, 0.9547, True), (0.93, 0.94, 0.96, True), (0.9, 0.85, 0.95, False), (0.9, 0.9, 0.9, False)],
)
def test_a_score_off_its_bounds_is_explained(
    score: float, lower: float, upper: float, said: bool, reports: Reports
) -> None:
    page = Page(render_report(criterion(reports["accepted"], estimate=score, lower=lower, upper=upper)))
    for language in LANGUAGES:
        assert page.read(language).count(catalogue("report", language)["report.criteria.score_is_no_bound"]) == said


def test_a_tolerance_is_part_of_its_criterion(reports: Reports) -> None:
    report = criterion(reports["accepted"], rule="within(tolerance=5) >= 0.80")
    contract = report.contract.model_copy(update={"prediction": Prediction(kind="value", unit="m3/h")})
    page = Page(render_report(report.model_copy(update={"contract": contract})))
    assert "Share within tolerance (±5 m3/h) at least 0.800" in page.read("en")
    assert "容差 ±5 m3/h" in page.read("zh")


@pytest.mark.parametrize(
    ("names", "shown"), [(("10", "12", "3"), ["3", "10", "12"]), (("b", "10", "3"), ["b", "10", "3"])]
)
def test_groups_of_numbers_stand_in_the_order_of_numbers(names: list[str], shown: list[str], reports: Reports) -> None:
    groups = tuple(GroupScore(column="year", group=name, measure="recall", cases=5, score=0.5) for name in names)
    source = render_report(reports["accepted"].model_copy(update={"groups": groups}))
    rows = re.findall(r"<tr><td>([^<]*)</td><td class=\"figure\">5<", source)
    assert rows == shown * 2


def test_one_of_anything_reads_well(reports: Reports) -> None:
    report = reports["accepted"]
    assert report.performance is not None and report.scenario is not None
    unit = text("evidence.unit.request")
    claims = [text("evidence.claim.run", used=1, unit=unit), text("evidence.claim.census", total=1, unit=unit)]
    claims += [text("evidence.claim.population", used=1, unit=unit)]
    claims += [text("evidence.claim.hidden_set", used=1, total=1, unit=unit)]
    once = report.model_copy(
        update={
            "criteria": tuple(report.criteria[0].model_copy(update={"claim": claim}) for claim in claims),
            "performance": report.performance.model_copy(update={"batches": 1, "batch_rows": 1}),
            "groups": (report.groups[0].model_copy(update={"cases": 1}),),
            "scenario": report.scenario.model_copy(update={"hidden_cases": 1}),
            "contract": report.contract.model_copy(update={"features": report.contract.features[:1]}),
            "sections": (),
        }
    )
    read = Page(render_report(once)).read("en")
    assert "entries: 1" in read
    assert re.findall(r"(?<![\d.,])1 (?:cases|rows|entries|features|scored entries|batches)\b", read) == []


def test_rehearsal_speaks_of_the_public_sample(reports: Reports) -> None:
    rehearsed = reports["rehearsal"]
    without_leakage = tuple(
        section.model_copy(update={"findings": tuple(item for item in section.findings if item.check != "exact")})
        for section in rehearsed.sections
    )
    page = Page(render_report(rehearsed.model_copy(update={"sections": without_leakage})))
    assert "hidden" not in page.read("en").lower()
    assert "隐藏" not in page.read("zh")
    assert "Rehearsed on the public sample (entries: 118, unit: case)" in page.read("en")
    assert "hidden" in Page(render_report(reports["accepted"])).read("en")


def test_the_address_of_the_check_stands_as_text_and_as_a_code(reports: Reports, certificate: Certificate) -> None:
    """Where a hub is configured its address leads from paper to the certificate, in both languages."""
    address = "https://hub.example/certificates/" + "ab" * 32 + "/"
    page = render_report(reports["accepted"], certificate, check_at=address)
    assert page.count(f"<code>{address}</code>") == 2
    for title in ("QR code of the address", "证书核验地址二维码"):
        assert title in page
    assert "二维码" not in render_report(reports["accepted"], certificate)


def test_a_verdict_that_is_approximate_says_so_beside_its_name(reports: Reports) -> None:
    accepted = reports["accepted"]
    rough = accepted.criteria[0].model_copy(update={"guarantee": "asymptotic"})
    page = render_report(accepted.model_copy(update={"criteria": (rough, *accepted.criteria[1:])}))
    assert "<strong>accept (approximate)</strong>" in page and "<strong>通过（近似）</strong>" in page
    assert "(approximate)" not in render_report(accepted)
