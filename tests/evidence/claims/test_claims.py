"""Every published claim by a short simulation, and the page that shows the long ones says what they showed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.evidence.claims import CLAIMS, planning
from benchmarks.evidence.contract import AtMost, Beyond, Claim, Shown, draw_batch, read, rows_from
from benchmarks.evidence.ingredients import share_of
from benchmarks.evidence.page import figure, page
from benchmarks.evidence.reader_pictures import pictures
from pilotbase.evidence import Design, feasibility_of

DOCS = Path(__file__).resolve().parents[3] / "docs"
RESULTS: dict[str, Any] = json.loads((DOCS / "evidence" / "results.json").read_text("utf-8"))
PUBLISHED = {entry["id"]: rows_from(entry) for entry in RESULTS["claims"]}

Every = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)


LONGEST = (
    *("judged-groups", "latency-blocks", "attempts-shared", "many-criteria", "fixed-number", "group-gap"),
    *("macro-means", "anytime-coverage", "tender", "linearised-ratios", "watch-threshold", "every-measure"),
    *("population-boundary", "late-labels", "clusters", "watch-false-alarms"),
)
"""The quick tests simulate much of the same in `test_guarantees` and its neighbours."""


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "claim",
    [pytest.param(claim, marks=[pytest.mark.prove] if claim.id in LONGEST else [], id=claim.id) for claim in CLAIMS],
)
def test_a_claim_holds_in_a_short_simulation(claim: Claim) -> None:
    failed = [f"{row.label}: {row.value:.4g}, {row.condition}" for row in claim.quick() if not row.holds]
    assert not failed, failed


@Every
def test_a_claim_says_what_it_assumes_in_both_languages(claim: Claim) -> None:
    for words in (claim.title, claim.sentence, claim.assumes):
        assert words.en.strip()
        assert re.search(r"[\u4e00-\u9fff]", words.zh), words


@Every
def test_what_a_trap_warns_of_fails_and_ours_is_asked_something(claim: Claim) -> None:
    readings = [reading for study in claim.studies for reading in study.readings]
    assert any(reading.way == "ours" for reading in readings)
    for reading in readings:
        if reading.way == "wrong":
            # A tempting way about which nothing is asked would prove nothing.
            assert not isinstance(reading.condition, Shown), reading.label


@Every
def test_the_published_rows_hold_and_are_drawn(claim: Claim) -> None:
    rows = PUBLISHED[claim.id]
    assert [row.label for row in rows if not row.holds] == []
    drawn = figure(claim, rows)
    if drawn is not None:
        path = DOCS / "evidence" / f"{claim.id}.svg"
        assert path.read_text("utf-8") == drawn, "run: make evidence"
        assert path.stat().st_size < 100_000


def test_the_page_is_made_of_the_results() -> None:
    assert (DOCS / "evidence.md").read_text("utf-8") == page(PUBLISHED, RESULTS), "run: make evidence"


def test_the_readers_pictures_are_fresh_and_shown() -> None:
    names = ("evidence-for-readers.md", "evidence-for-readers.zh.md")
    page_for_readers = "".join((DOCS / name).read_text("utf-8") for name in names)
    for name, drawn in pictures().items():
        assert (DOCS / "evidence" / name).read_text("utf-8") == drawn, "run: make evidence"
        assert f"(evidence/{name})" in page_for_readers


def test_no_file_is_left_of_a_claim_that_is_gone() -> None:
    left = {path.stem for path in (DOCS / "evidence").glob("*.svg") if not path.stem.startswith("reader-")}
    assert left <= {claim.id for claim in CLAIMS}


def test_numbers_do_not_depend_on_how_batches_are_spread() -> None:
    claim = next(claim for claim in CLAIMS if claim.id == "committed-order")
    last = len(claim.studies) - 1
    study = claim.studies[last]
    batches = [draw_batch(study, (claim.seed, last, start), 120) for start in (100, 0, 50)]
    rows = read(study, np.concatenate([batches[1], batches[2], batches[0]]))
    assert rows == claim.simulate(120, claim.seed)[-len(rows) :]


def test_conditions_allow_three_standard_errors_and_no_more() -> None:
    assert AtMost(0.05).holds(0.0646, 2000)
    assert not AtMost(0.05).holds(0.0647, 2000)
    assert not AtMost(0.0).holds(0.0005, 2000)
    assert Beyond(0.05).holds(0.0647, 2000)
    assert not Beyond(0.05).holds(0.0646, 2000)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "evidence.md",
            "a first attempt that fixes the number of cases needs {fixed} and one that may stop at any time {any}",
        ),
        ("evidence-for-readers.md", "it is {fixed} at a fixed n and {any} at any time in a first attempt"),
        ("evidence-for-readers.zh.md", "首次尝试若事先固定样本量需 {fixed} 个案例，允许随时停止则需 {any} 个"),
        ("read-a-report.md", "takes a first attempt {fixed} cases instead of {any}"),
    ],
)
def test_the_pages_name_the_figures_that_a_freeze_does(name: str, words: str) -> None:
    """Of a first attempt, by the function that the freeze asks, at the level that it asks at."""
    said = " ".join((DOCS / name).read_text("utf-8").split())
    assert words.format(fixed=planning.FIXED, any=planning.ANYTIME) in said
    right = share_of(np.ones(planning.FIXED), "0.90", "population")
    for cases in (planning.FIXED - 1, planning.FIXED):
        found = feasibility_of(right, np.arange(cases), planning.LEVELS, Design("full"))
        assert (found.feasible, found.needed) == (cases == planning.FIXED, planning.FIXED)
