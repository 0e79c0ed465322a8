"""Numbers, axes and strangers' text as people read them."""

from __future__ import annotations

import pytest

from pilotbase.charts.scales import Scale, format_bounds, format_count, format_number, format_score
from pilotbase.documents.api.trials import ComparedCriterion
from pilotbase.documents.texts import make_visible


@pytest.mark.parametrize(
    ("value", "unit", "spelled"),
    [
        (None, "", "–"),
        (0.9, "", "0.900"),
        (1.0, "", "1.000"),
        (-0.05, "", "-0.050"),
        (25.25, "", "25.2"),
        (0.0124, "s", "12.4 ms"),
        (0.0000012, "s", "1.2 µs"),
        (0, "s", "0 s"),
        (90, "s", "90 s"),
        (900, "s", "900 s"),
        (1 << 30, "B", "1 GiB"),
        (187 << 20, "B", "187 MiB"),
        (12, "B", "12 B"),
        (4901.9, "cases/s", "4,902 cases/s"),
        (3.14159, "MW", "3.14 MW"),
    ],
)
def test_numbers(value: float | None, unit: str, spelled: str) -> None:
    assert format_number(value, unit) == spelled


def test_counts() -> None:
    assert format_count(1234567) == "1,234,567"
    assert format_count(None) == "–"


def test_scale_maps_ends_and_holds_the_rest() -> None:
    scale = Scale(10, 20, 0, 100)
    assert [scale(value) for value in (10, 15, 20, 99, -5)] == [0, 50, 100, 100, 0]
    assert Scale(1, 100, 0, 2, logarithmic=True)(10) == pytest.approx(1)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1.0)), (0.63, 0.97, (0.7, 0.8, 0.9)), (0, 1300, (0, 500, 1000))],
)
def test_ticks_are_round_and_inside(low: float, high: float, ticks: tuple[float, ...]) -> None:
    assert Scale(low, high, 0, 1).ticks(5 if high == 1 else 4) == pytest.approx(ticks)


def test_sizes_have_binary_ticks() -> None:
    assert Scale(0, 300 << 20, 0, 1).ticks(4, "B") == (0, 128 << 20, 256 << 20)


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u2066", "\u200b", "\x00", "\x1b", "\u2028", "\ufeff", "\ud800", "\U000e0041"]
)
def test_what_hides_is_spelled_out(hidden: str) -> None:
    shown = make_visible(f"invoice{hidden}exe")
    assert hidden not in shown
    assert f"⟨U+{ord(hidden):04X}⟩" in shown


def test_plain_text_of_any_language_stays() -> None:
    for content in ("plain", "中试基地 “引号”", "Zürich ä̈", "שלום", "line\nbreak\ttab", "😀"):
        assert make_visible(content) == content


def test_stacked_marks_do_not_paint_over_lines() -> None:
    assert make_visible("a" + "\u0301" * 50).count("\u0301") == 4


def judged(threshold: float, unit: str = "") -> ComparedCriterion:
    return ComparedCriterion(
        rule="accuracy >= 0.9", outcome="fail", threshold=threshold, unit_label=unit, guarantee="exact_census"
    )


@pytest.mark.parametrize(
    ("score", "threshold", "unit", "spelled"),
    [
        (0.897, 0.9, "", "0.897"),
        (0.8996, 0.9, "", "0.8996"),
        (0.89999, 0.9, "", "0.89999"),
        (0.9, 0.9, "", "0.900"),
        (0.3, 0.1 + 0.2, "", "0.300"),
        (0.8996, 0.8996, "", "0.8996"),
        (0.8955, 0.896, "", "0.8955"),
        (0.04999, 0.05, "s", "49.99 ms"),
        (0.0500004, 0.05, "s", "50.0004 ms"),
        (119.96, 120, "s", "119.96 s"),
        (120.2, 120, "s", "120.2 s"),
        ((1 << 30) + 1024, 1 << 30, "B", "1.000001 GiB"),
        (25.04, 25, "MW", "25.04 MW"),
        (999.7, 1000, "cases/s", "999.7 cases/s"),
        (4901.9, 1000, "cases/s", "4,902 cases/s"),
    ],
)
def test_a_score_never_reads_as_the_threshold_or_beyond_it_unless_it_is(score, threshold, unit, spelled):
    assert format_score(score, judged(threshold, unit)) == spelled


@pytest.mark.parametrize(
    ("bounds", "spelled"),
    [
        ((0.89961, 0.9478), ("0.899", "0.948")),
        ((0.90004, 0.94), ("0.90004", "0.940")),
        ((0.8, 0.89996), ("0.800", "0.89996")),
        ((0.1 + 0.2, 0.7), ("0.300", "0.700")),
        ((0.8967, 0.8967), ("0.897", "0.897")),
        ((None, 0.5), ("–", "0.500")),
        ((0.0, 1.0), ("0.000", "1.000")),
    ],
)
def test_bounds_are_rounded_outward_and_never_onto_the_threshold(bounds, spelled):
    assert format_bounds(bounds, judged(0.9)) == spelled
