"""Silence: too long is yellow, far too long orange; a clock that steps back never alarms."""

from __future__ import annotations

import numpy as np

from pilotbase.documents.vocabularies import Colour
from pilotbase.watch.detectors.silence import SilenceDetector, Ticks


def ticks(*rows: tuple[float, bool]) -> Ticks:
    return Ticks(np.array([time for time, _ in rows]), np.array([heard for _, heard in rows]))


HEARD, LOOKED = True, False


def colours(*rows: tuple[float, bool]) -> list[tuple[Colour, int]]:
    return [(change.colour, change.seen) for change in SilenceDetector(60).update(ticks(*rows))]


def test_it_takes_longer_than_allowed_and_what_is_heard_ends_it() -> None:
    assert colours((0, HEARD), (60, LOOKED), (60.1, LOOKED), (241, LOOKED), (242, HEARD)) == [
        (Colour.YELLOW, 3),
        (Colour.ORANGE, 4),
        (Colour.GREEN, 5),
    ]


def test_before_anything_was_heard_the_first_look_begins_it() -> None:
    assert colours((1e9, LOOKED), (1e9 + 30, LOOKED), (1e9 + 61, LOOKED)) == [(Colour.YELLOW, 3)]


def test_a_clock_that_steps_back_never_alarms() -> None:
    back = [(10_000.0, HEARD), (5_000.0, LOOKED), (5_050.0, LOOKED), (4_000.0, LOOKED), (4_059.0, LOOKED)]
    assert colours(*back) == []
    assert colours(*back, (4_061.0, LOOKED)) == [(Colour.YELLOW, 6)]


def test_what_comes_late_does_not_make_it_older() -> None:
    assert colours((100, HEARD), (40, HEARD), (150, LOOKED)) == []
