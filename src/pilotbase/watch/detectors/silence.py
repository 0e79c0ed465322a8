"""Has a service fallen silent? Yellow when nothing was heard for longer than allowed, orange for `LONG` times that.

The caller says what time it is. A clock that steps back never alarms: what was heard is then taken to be just now.
Whatever is heard brings it back to green.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Colour, Signal
from pilotbase.watch.detectors.interface import WHOLE, Detector, DetectorChange

LONG = 4


@dataclass(frozen=True, eq=False)
class Ticks:
    """Times in seconds, shape (rows,), and which of them are of something heard; at the others somebody looked."""

    times: NDArray[np.float64]
    heard: NDArray[np.bool_]


@dataclass(frozen=True)
class SilenceState:
    """Rows given, when something was heard last (None: nobody has looked yet), the colour, the silence at that look."""

    seen: int
    heard_at: float | None
    colour: Colour
    silent: float


class SilenceDetector(Detector[Ticks, SilenceState]):
    """Silence of one service."""

    def __init__(self, allowed_seconds: float, state: SilenceState | None = None) -> None:
        self._allowed = allowed_seconds
        self._state = state or SilenceState(0, None, Colour.GREEN, 0.0)

    @property
    def signal(self) -> Signal:
        return Signal.SILENCE

    @property
    def promise(self) -> Text:
        return text("detector.silence_promise", seconds=f"{self._allowed:g}")

    @property
    def state(self) -> SilenceState:
        return self._state

    @property
    def seen(self) -> int:
        return self._state.seen

    @property
    def colours(self) -> Mapping[str, Colour]:
        return {WHOLE: self._state.colour}

    @property
    def value(self) -> float:
        """Return how long it was silent at the last look, as a share of what is orange."""
        return self._state.silent / (LONG * self._allowed)

    def update(self, batch: Ticks, /) -> tuple[DetectorChange, ...]:
        if not np.isfinite(batch.times).all():
            raise InputError("detector.no_time")
        ticks = zip(batch.times.tolist(), batch.heard.tolist(), strict=True)
        return tuple(change for time, heard in ticks for change in (self._hear(time, 1) if heard else self._look(time)))

    def _hear(self, time: float, rows: int) -> list[DetectorChange]:
        last, seen = self._state.heard_at, self._state.seen + rows
        if last is not None and time <= last:
            self._state = SilenceState(seen, last, self.colour, self._state.silent)
            return []
        was = self.colour
        self._state = SilenceState(seen, time, Colour.GREEN, 0.0)
        return [] if was is Colour.GREEN else [DetectorChange(WHOLE, Colour.GREEN, seen, text("detector.silence_over"))]

    def _look(self, now: float) -> list[DetectorChange]:
        last, seen = self._state.heard_at, self._state.seen + 1
        heard_at = now if last is None else min(last, now)
        silent, was = now - heard_at, self.colour
        reached = Colour.ORANGE if silent > LONG * self._allowed else Colour.YELLOW
        colour = reached if silent > self._allowed and was is not Colour.ORANGE else was
        self._state = SilenceState(seen, heard_at, colour, silent)
        if colour is was:
            return []
        reason = text("detector.silent", seconds=f"{silent:.0f}", allowed=f"{self._allowed:g}")
        return [DetectorChange(WHOLE, colour, seen, reason)]
