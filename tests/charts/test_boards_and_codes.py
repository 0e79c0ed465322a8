"""Charts of candidates and boards, and QR codes: true to what they show, self-contained, in the order that is given."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
import qrcode

from pilotbase.charts.criterion import CandidateRow, LeaderStep, candidates_chart, leader_chart, order_chart
from pilotbase.charts.drawing import width_of
from pilotbase.charts.marks import MODULE, QUIET, qr_code
from pilotbase.documents.api.trials import ComparedCriterion
from pilotbase.documents.board import Separated, TenderResult, TenderTerms
from pilotbase.documents.texts import LANGUAGES, Language
from pilotbase.documents.vocabularies import Outcome

SVG = "{http://www.w3.org/2000/svg}"


def row(name: str, estimate: float | None, lower: float | None = None, upper: float | None = None) -> CandidateRow:
    result = ComparedCriterion(
        rule="recall(failure) >= 0.80",
        outcome=Outcome.PASS if estimate else Outcome.NOT_MEASURED,
        threshold=0.8,
        estimate=estimate,
        lower=lower,
        upper=upper,
        baseline=0.5,
        guarantee="exact_anytime",
    )
    return CandidateRow(name, result)


def words(drawing: str) -> list[str]:
    return ["".join(node.itertext()) for node in ElementTree.fromstring(drawing).iter(f"{SVG}text")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_candidates_stand_in_the_order_that_is_given_with_their_intervals(language: Language) -> None:
    rows = [row("weaker 1.0.0", 0.82, 0.7, 0.9), row("stronger 1.0.0", 0.95, 0.9, 0.99), row("silent 1.0.0", None)]
    drawing = candidates_chart(rows, language)
    shown = [word for word in words(drawing) if word.endswith("1.0.0")]
    assert shown == ["weaker 1.0.0", "stronger 1.0.0", "silent 1.0.0"]
    described = ElementTree.fromstring(drawing).find(f"{SVG}desc")
    assert described is not None
    assert "weaker 1.0.0: 0.820 [0.700, 0.900]" in (described.text or "")
    assert {"0.820", "0.950"} <= set(words(drawing))


def test_candidates_fit_a_phone_and_nothing_is_cut_off() -> None:
    """Drawn for 440 units: at 390 px letters stay legible without scrolling, and no word begins or ends outside."""
    root = ElementTree.fromstring(candidates_chart([row("a name of some length 1.0.0", 0.999, 0.99, 1.0)], "zh"))
    width = float(root.attrib["viewBox"].split()[2])
    assert width <= 440
    for node in root.iter(f"{SVG}text"):
        size, x = width_of("".join(node.itertext())), float(node.attrib["x"])
        left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[node.attrib.get("text-anchor", "start")] * size
        assert left >= 0 and left + size <= width, "".join(node.itertext())


def test_no_candidate_with_a_score_is_no_chart() -> None:
    silent = row("silent", None)
    bare = silent.result.model_copy(update={"baseline": None})
    assert candidates_chart([CandidateRow("silent", bare)], "en") == ""


def test_a_long_name_of_a_stranger_is_cut_and_cannot_leave_its_place() -> None:
    drawing = candidates_chart([row("<script>" + "名" * 80, 0.9, 0.8, 1.0)], "zh")
    assert "<script>" not in drawing
    assert any(word.endswith("…") and len(word) < 30 for word in words(drawing))


@pytest.mark.parametrize("language", LANGUAGES)
def test_leaders_are_drawn_step_by_step(language: Language) -> None:
    steps = [LeaderStep("2026-05-01", 0.81), LeaderStep("2026-05-09", 0.9), LeaderStep("2026-06-02", 0.93)]
    drawing = leader_chart(steps, language)
    tree = ElementTree.fromstring(drawing)
    assert len(list(tree.iter(f"{SVG}circle"))) == 3
    heights = [float(node.get("cy", "0")) for node in tree.iter(f"{SVG}circle")]
    assert heights == sorted(heights, reverse=True)
    assert "0.930" in words(drawing)
    assert leader_chart([], language) == ""


def test_a_qr_code_holds_every_module_of_its_address() -> None:
    address = "https://hub.example/certificates/" + "ab" * 32 + "/"
    drawing = qr_code(address, "Check")
    code = qrcode.QRCode(border=QUIET)
    code.add_data(address)
    wanted = code.get_matrix()
    found = [[False] * len(wanted) for _ in wanted]
    (dark,) = ElementTree.fromstring(drawing).iter(f"{SVG}path")
    for tile in re.findall(r"M(\d+) (\d+)h(\d+)v", dark.get("d", "")):
        x, y, width = (int(number) // MODULE for number in tile)
        for step in range(width):
            found[y][x + step] = True
    assert found == wanted
    assert qr_code(address, "Check") == drawing


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_order_draws_each_pair_once_and_what_follows_not_at_all(language: Language) -> None:
    a, b, c, d = names = [f"application:acme/{name}" for name in "abcd"]
    separated = tuple(Separated(better=x, worse=y, cases=99) for x, y in ((a, b), (b, c), (a, c)))
    terms, rest = (
        TenderTerms(measure="accuracy", cases=99),
        {"copies": (), "ended": (), "decided_at": "2026-05-01T00:00:00Z"},
    )
    made = {"plan": "sha256:" + "0" * 64, "terms": terms, "entrants": names, "separated": separated, "best": (a,)}
    result = TenderResult.model_validate(made | rest)
    assert result.places() == {a: 1, b: 2, c: 3, d: 1}
    drawing = order_chart(result, language)
    assert words(drawing) == ["acme/a", "acme/d", "acme/b", "acme/c"]
    assert drawing.count("<line") == 2, "that a is better than c follows"
    turned = result.model_copy(update={"separated": (*separated, Separated(better=c, worse=a, cases=99))})
    assert max(turned.places().values()) <= len(names), "even a ring, which a false rejection could make, has an end"
    assert order_chart(turned, language)
