"""Numbers, axes and strangers' text as people read them."""

from __future__ import annotations

import pytest

from pilotbase.charts.scales import Scale, format_count, format_number
from pilotbase.documents.visible_text import make_visible


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
