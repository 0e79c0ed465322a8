"""Drift: quiet when nothing changes, quick when something does, the reference's own error charged, reasons that fit."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from benchmarks.peers.programs.watch_stream import CATEGORIES, NUMBERS, rows
from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.vocabularies import Colour
from pilotbase.documents.watch import CategoryColumn, NumericColumn, ReferenceProfile
from pilotbase.watch.detectors import drift
from pilotbase.watch.detectors.drift import CALM, DriftDetector, DriftWatch, bets_of
from pilotbase.watch.detectors.interface import DetectorChange
from pilotbase.watch.profiles import profile_of

FIELDS = [Field(name=name, data_type=DataType.FLOAT) for name in NUMBERS] + [
    Field(name=name, data_type=DataType.TEXT) for name in CATEGORIES
]


def reference(count: int, seed: int = 0) -> ReferenceProfile:
    return profile_of(rows(np.random.default_rng([1, seed]), count), FIELDS)


def run(profile: ReferenceProfile, *tables: Any, design: DriftWatch = DriftWatch()) -> list[DetectorChange]:  # noqa: B008
    detector = DriftDetector(profile, design)
    return [change for table in tables for change in detector.update(table)]


def alarms(profile: ReferenceProfile, seed: int, chunks: int = 200) -> int:
    """Return how often a column takes a colour while nothing changes."""
    detector, rng, found = DriftDetector(profile, DriftWatch()), np.random.default_rng([2, seed]), 0
    for _ in range(chunks // 20):
        found += sum(change.colour is not Colour.GREEN for change in detector.update(rows(rng, 20_000)))
    return found


def chunks_to_find(profile: ReferenceProfile, shift: float, seed: int) -> float:
    changes = run(profile, rows(np.random.default_rng([3, seed]), 12_000, shift))
    return next((change.seen // 1000 for change in changes if change.part in NUMBERS[:3]), np.inf)


@pytest.mark.prove
def test_200_quiet_chunks_are_quiet() -> None:
    assert sum(alarms(reference(30_000, seed), seed) for seed in range(2)) <= 2


@pytest.mark.prove
@pytest.mark.parametrize("count", [10_000, 30_000])
def test_200_quiet_chunks_bring_at_most_one_alarm_on_average(count: int) -> None:
    assert np.mean([alarms(reference(count, seed), seed) for seed in range(20)]) <= 1


def test_a_small_shift_of_three_columns_is_found() -> None:
    profile = reference(30_000)
    assert max(chunks_to_find(profile, 0.2, seed) for seed in range(8)) == 1
    assert np.median([chunks_to_find(profile, 0.1, seed) for seed in range(8)]) <= 3


def test_the_error_of_the_reference_is_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference of 2,000 rows is itself off: taken as exact it alarms without end."""
    assert sum(alarms(reference(2000, seed), seed, chunks=100) for seed in range(2)) <= 2
    monkeypatch.setattr(drift, "charge", lambda chunk, rows: 0.0)
    assert sum(alarms(reference(2000, seed), seed, chunks=100) for seed in range(2)) > 20


def test_a_bet_wins_nothing_on_average(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly, over all chunks of three rows of a column with few cells, when the reference is taken as exact."""
    monkeypatch.setattr(drift, "charge", lambda chunk, rows: 0.0)
    column = CategoryColumn(counts={"a": 500, "b": 300, "c": 198}, missing=0)
    found = bets_of(column, 100)
    shares = np.array([500, 300, 198, 0, 1, 1]) / 1000
    mean = np.zeros(len(found.costs))
    for chunk in itertools.product(range(6), repeat=3):
        mean += np.prod(shares[list(chunk)]) * np.exp(found.gains(np.bincount(chunk, minlength=6)[None])[0])
    assert mean == pytest.approx(np.ones(len(mean)), rel=1e-6)


def test_the_charge_grows_as_the_reference_shrinks() -> None:
    large = NumericColumn(edges=(0.0, 1.0), counts=(30_000, 40_000, 30_000))
    small = NumericColumn(edges=(0.0, 1.0), counts=(300, 400, 300))
    assert (bets_of(small, 1000).costs[:-3] > bets_of(large, 1000).costs[:-3]).all()


def changed(what: Any) -> dict[str, Any]:
    table: dict[str, Any] = rows(np.random.default_rng(5), 3000)
    what(table, np.random.default_rng(6))
    return table


def with_words(table: dict[str, Any], name: str, share: float, word: Any, rng: np.random.Generator) -> None:
    table[name] = [word if hit else old for old, hit in zip(table[name], rng.random(3000) < share, strict=True)]


@pytest.mark.parametrize(
    ("column", "what", "code"),
    [
        ("n0", lambda t, rng: t.update(n0=t["n0"] + 0.5), "detector.drift_of_shift"),
        ("n2", lambda t, rng: t.update(n2=t["n2"] / 2), "detector.drift_of_shift"),
        ("n0", lambda t, rng: t.update(n0=t["n0"] * 1.6), "detector.drift_of_spread"),
        ("n1", lambda t, rng: t["n1"].__setitem__(rng.random(3000) < 0.03, np.nan), "detector.drift_of_missing"),
        ("n3", lambda t, rng: with_words(t, "n3", 0.02, "n/a", rng), "detector.drift_of_unreadable"),
        ("c1", lambda t, rng: with_words(t, "c1", 0.15, "level 2", rng), "detector.drift_of_category"),
        ("c2", lambda t, rng: with_words(t, "c2", 0.03, None, rng), "detector.drift_of_missing"),
        ("c5", lambda t, rng: with_words(t, "c5", 0.02, "level 50", rng), "detector.drift_of_new"),
    ],
)
def test_what_has_changed_is_said(column: str, what: Any, code: str) -> None:
    changes = run(reference(30_000), changed(what))
    assert {change.part for change in changes} == {column}
    said = changes[0].reason.params["what"]
    assert getattr(said, "code", None) == code
    assert column in changes[0].reason.render("en")


@pytest.mark.parametrize(("shift", "colour"), [(0.15, Colour.BLUE), (0.4, Colour.YELLOW), (2.0, Colour.ORANGE)])
def test_the_size_of_the_change_gives_the_colour(shift: float, colour: Colour) -> None:
    detector = DriftDetector(reference(30_000), DriftWatch())
    detector.update(changed(lambda table, rng: table.update(n0=table["n0"] + shift)))
    assert detector.colours["n0"] is colour
    assert detector.colour is colour


def test_it_comes_down_after_calm_chunks_and_not_before() -> None:
    detector, rng = DriftDetector(reference(30_000), DriftWatch()), np.random.default_rng(7)
    detector.update(rows(rng, 2000, 0.5))
    assert detector.colours["n0"] is Colour.YELLOW
    detector.update(rows(rng, (CALM - 1) * 1000))
    assert detector.colours["n0"] is Colour.YELLOW
    changes = detector.update(rows(rng, 1000))
    assert {(change.part, change.colour) for change in changes} == {(name, Colour.GREEN) for name in NUMBERS[:3]}


def test_a_column_that_is_gone_is_missing_and_one_too_many_is_not_looked_at() -> None:
    table = changed(lambda table, rng: table.pop("n4"))
    table["unknown"] = ["x"] * 3000
    changes = run(reference(30_000), table)
    assert [(change.part, change.colour) for change in changes] == [("n4", Colour.ORANGE)]


def test_numbers_beyond_the_reference_have_cells_of_their_own() -> None:
    column = NumericColumn(edges=(0.0, 1.0), counts=(0, 5, 0))
    counts = bets_of(column, 100).cells.count([-5.0, 0.0, 0.5, 1.0, 7.0, np.inf, None, "x", "0.7"], np.array([0, 9]))
    assert counts.tolist() == [[2, 3, 2, 1, 1]]


def test_a_small_reference_is_warned_of() -> None:
    caution = DriftDetector(reference(2000), DriftWatch()).caution
    assert caution is not None
    assert "2000" in caution.render("en")
    assert DriftDetector(reference(10_000), DriftWatch()).caution is None


def test_the_promise_names_its_numbers() -> None:
    promise = DriftDetector(reference(10_000), DriftWatch(500, 0.5, 100)).promise.render("en")
    assert promise.startswith("At most 0.5 false alarms expected in 100 chunks of 500 rows, over all 20 columns")
    assert "10000 rows" in promise


def test_memory_does_not_grow_with_rows() -> None:
    detector, rng = DriftDetector(reference(10_000), DriftWatch()), np.random.default_rng(9)
    detector.update(rows(rng, 1000))
    bets_before = sum(len(column.bets) for column in detector.state.columns)
    detector.update(rows(rng, 50_500))
    assert sum(len(column.bets) for column in detector.state.columns) == bets_before
    assert (detector.state.open_rows, detector.state.chunks, detector.seen) == (500, 51, 51_500)
