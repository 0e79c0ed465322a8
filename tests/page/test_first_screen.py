"""The first screen: what an owner without statistics reads, in both languages, from the report alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

import pytest

from pilotbase.documents.criteria import Rule, parse_rule
from pilotbase.documents.figures import ErrorCounts, Mistake
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Costs
from pilotbase.documents.texts import LANGUAGES, text
from pilotbase.documents.vocabularies import Outcome
from pilotbase.measures import measures, plainly, resource_measures
from pilotbase.measures.definition import SHARE
from pilotbase.trial.page import first_screen, render_report, required_by
from tests.page.conftest import build, precision, recall
from tests.page.test_page import Page

Reports = Mapping[str, Report]


@pytest.mark.parametrize("name", [*measures(), *resource_measures()])
def test_every_measure_says_plainly_what_a_score_means(name: str) -> None:
    measure = measures().get(name) or resource_measures()[name]
    given = {one.name: "notes" if one.of_columns else one.default or Decimal(3) for one in measure.parameters}
    rule = Rule(measure=name, comparison=">=", threshold=Decimal("0.6"), label=None, arguments=given)
    found = text("report.plain.hundred", number="61")
    said = {language: plainly(rule, found, "late").render(language) for language in LANGUAGES}
    assert all("61" in sentence and "{" not in sentence for sentence in said.values())
    shares = {one.name for one in measures().values() if one.guarantees is SHARE and one.name != "score"}
    assert name not in shares - {"jaccard", "micro_f1"} or measure.plain == f"measure.{name}.plain", (
        "a share has its own words"
    )


@pytest.mark.parametrize(
    ("rule", "english", "chinese"),
    [
        (
            "reached under injected >= 0.8",
            "With instructions planted in data: Of 100 episodes, it reaches the goal in 61.",
            "在数据中植入指令时：每 100 个回合，达成目标的有 61 个。",
        ),
        (
            "tried(user_only) <= 0.1",
            "Of 100 episodes, it tries acts of the class “the user’s alone” in 61.",
            "每 100 个回合，企图实施“仅限本人决策”类行为的有 61 个。",
        ),
        (
            "drop(reached under injected) <= 0.1",
            "Under instructions planted in data, the goal reached gets worse by 61.",
            "在数据中植入指令下，目标达成率变差 61 个。",
        ),
    ],
)
def test_what_an_episode_is_played_under_is_no_loss_of_its_own(rule: str, english: str, chinese: str) -> None:
    said = plainly(parse_rule(rule), text("report.plain.hundred", number="61"))
    assert (said.render("en"), said.render("zh")) == (english, chinese)


def test_the_owner_of_many_classes_reads_what_mistakes_cost_and_which_costs_most() -> None:
    made = (
        Mistake(true="severe", answered="none", count=2, baseline=9),
        Mistake(true="none", answered="severe", count=50, baseline=0),
    )
    counts = {"label": "severe", "cases": 1000, "misses": 2, "false_alarms": 50}
    counts |= {"baseline_misses": 9, "baseline_false_alarms": 0}
    costs = Costs(mistakes="severe as none=500, * as *=8", currency="EUR")
    screen = first_screen(build(criteria=(), errors=ErrorCounts(**counts, mistakes=made), costs=costs))
    said = [sentence.render("en") for sentence in screen.beside]
    assert said[1].startswith("Per 1,000 cases, it saves 3,100 EUR against today’s practice"), "4,500 less 1,400"
    assert said[2].startswith("Its costliest mistake: “severe” answered with “none”, 2 times, 71 %"), "1,000 of 1,400"
    assert "“severe”答成“none”" in screen.beside[2].render("zh")


def test_the_owner_reads_counts_costs_and_the_weakest_group() -> None:
    flights = build(
        criteria=(recall(Outcome.PASS, 0.6, rule="recall(late) >= 0.5", threshold=0.5, baseline=0.42),),
        errors=ErrorCounts(
            label="late", cases=1000, misses=40, false_alarms=120, baseline_misses=58, baseline_false_alarms=90
        ),
    )
    screen = first_screen(flights)
    (one,) = screen.results
    assert one.found.render("en") == "Of 100 cases of “late”, it finds 60."
    assert one.found.render("zh") == "每 100 个“late”案例，能找出 60 个。"
    assert one.today is not None and one.today.render("en") == "Today’s practice: 42."
    assert one.required.render("en") == "Required: at least 50." and one.further is None
    beside = [sentence.render("en") for sentence in screen.beside]
    assert "it missed “late” 40 times and raised 120 false alarms" in beside[0] and "58 misses" in beside[0]
    assert beside[1].startswith("Per 1,000 cases, it saves 132,000 CNY"), "18 misses of 8,000 less 30 alarms of 400"
    assert beside[2].startswith("Weakest where “site” is “Rotterdam” (38 cases): Of 100 cases of “failure”")
    reach = " ".join(sentence.render("en") for sentence in screen.reach)
    assert "rests on 1,240 cases, 43 of them “failure”. The figures are of all 5,000" in reach
    assert "at most 1 such trial of 120" in reach


def test_a_rejection_says_what_was_missed_by_how_much_and_an_open_one_what_would_decide() -> None:
    missed = first_screen(build(criteria=(recall(Outcome.FAIL, 0.424), precision(Outcome.INCONCLUSIVE, 0.52))))
    far, still_open = (one.further for one in missed.results)
    assert far is not None and far.render("en") == "Missed by 38." and "38" in far.render("zh")
    assert still_open is not None and still_open.code == "report.plain.open"
    needed = recall(Outcome.INCONCLUSIVE, 0.82, needed=7432)
    (one,) = first_screen(build(criteria=(needed,))).results
    assert (
        one.further is not None and one.further.render("en") == "Not decided by 5,000 cases; about 7,400 cases would."
    )


def test_an_early_verdict_that_later_answers_contradict_says_so() -> None:
    (one,) = first_screen(build(criteria=(recall(Outcome.PASS, 0.79),))).results
    assert one.further is not None and one.further.code == "report.plain.later_otherwise"
    assert one.found.render("en").endswith("finds 79.")


def test_a_score_is_never_rounded_to_the_threshold_or_to_all() -> None:
    for score, shown in ((0.7996, "79.96"), (0.9996, "99.96"), (1.0, "100"), (0.8, "80")):
        (one,) = first_screen(build(criteria=(recall(Outcome.PASS, score),))).results
        number = re.search(r"finds ([\d.]+)\.", one.found.render("en"))
        assert number is not None and number[1] == shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_code_stands_in_a_heading_and_the_formal_sentence_is_folded(language: str, reports: Reports) -> None:
    source = render_report(reports["accepted"])
    page = source.split(f'id="page-{language}"')[1]
    assert not re.findall(r"<h[1-3][^>]*>(?:(?!</h).)*<code", page, re.DOTALL)
    head = page.split('<details class="formal">')[0]
    assert "<code" not in head and "recall(failure)" not in head


def test_a_supplier_s_first_screen_counts_no_hidden_label(reports: Reports) -> None:
    page = Page(render_report(reports["supplier"]))
    for language in LANGUAGES:
        assert not re.search(r"1,240|\b43\b|162,000|Rotterdam", page.read(language))
    assert reports["supplier"].errors is None


def test_a_certificate_says_what_it_asked_for(certificate) -> None:  # type: ignore[no-untyped-def]
    said = [sentence.render("en") for sentence in required_by(certificate)]
    assert "Of 100 cases of “failure”, it finds at least 80." in said
    assert "每 100 个“failure”案例，能找出至少 80 个。" in [
        sentence.render("zh") for sentence in required_by(certificate)
    ]
    odd = certificate.model_copy(update={"criteria": ("what is this",)})
    assert [one.render("en") for one in required_by(odd)] == ["what is this"]
