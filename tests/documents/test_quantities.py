"""Sizes and lengths of time are spelled alike wherever they stand, and what is written is read back."""

import pytest

from pilotbase.documents.quantities import (
    LENGTHS,
    SIZES,
    format_bytes,
    format_duration,
    format_mebibytes,
    format_seconds,
    in_whole_units,
    read_duration,
    read_quantity,
    write_bytes,
)


@pytest.mark.parametrize(
    ("size", "shown", "written"),
    [
        (0, "0 B", 0),
        (12, "12 B", 12),
        (1832, "1.79 KiB", 1832),
        (187 << 20, "187 MiB", "187 MiB"),
        (1 << 30, "1 GiB", "1 GiB"),
        ((1 << 30) + (1 << 20), "1 GiB", "1025 MiB"),
        (1 << 40, "1,024 GiB", "1024 GiB"),
    ],
)
def test_a_size_is_shown_short_and_written_exactly(size, shown, written):
    assert (format_bytes(size), write_bytes(size)) == (shown, written)
    assert read_quantity(written, "B") == size


def test_sizes_that_are_compared_stand_in_one_unit():
    assert (format_mebibytes(64 << 20), format_mebibytes(2 << 30)) == ("64 MiB", "2,048 MiB")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (1.2e-6, "1.2 µs"),
        (0.0124, "12.4 ms"),
        (0.83, "830 ms"),
        (90, "90 s"),
        (86_400, "86,400 s"),
        (1.15e9, "∞"),
    ],
)
def test_a_time_stands_in_the_unit_that_fits(seconds, shown):
    assert format_seconds(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "spelled"),
    [(0, "0 s"), (1, "1 s"), (90, "90 s"), (1800, "30 min"), (129_600, "36 h"), (604_800, "7 d")],
)
def test_a_length_of_time_is_read_back_as_it_was_spelled(seconds, spelled):
    assert format_duration(seconds) == spelled
    assert read_duration(spelled) == seconds


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("5 天", 432_000),
        ("3小时", 10_800),
        ("10 分", 600),
        ("1.5 H", 5400),
        ("7 m", 420),
        ("12", 12),
        ("x", None),
        ("", None),
    ],
)
def test_a_length_of_time_is_read_in_either_language(written, seconds):
    assert read_duration(written) == seconds


@pytest.mark.parametrize("units", [SIZES, LENGTHS])
@pytest.mark.parametrize("number", [0, 1, 59, 60, 1024, 3600, 5400, 86_400, 1 << 20, 3 << 30])
def test_no_larger_unit_spells_a_number_whole(units, number):
    whole = in_whole_units(number, units)
    assert whole.amount * units[whole.unit] == number
    assert not any(number and number % length == 0 for length in units.values() if length > units[whole.unit])
