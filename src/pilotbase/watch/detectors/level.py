"""Does a service answer? Outages at once, by count; a promised level by blocks of days.

Outage: a counter goes up with every call that is bad and down, to 0 at least, with every one that is good. It leaves
green when it is `OUTAGE_CALLS` and has not been 0 for `OUTAGE_SECONDS`, and comes back when it is 0 again: so more
calls are bad than good, and no glitch of a moment is called an outage. It claims nothing about a mean.

Level: the share of bad calls of a day (UTC) is one loss, whatever depends on what within the day, for a `LifeRestart`
over `LIFE` days: the promise is called broken when it reaches 1/α, which happens within LIFE days with probability at
most α as long as the mean share given the days before stays at r0 or below. An outage of hours is one bad day.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.errors import InputError
from pilotbase.documents.moments import format_minute
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import Colour, Signal
from pilotbase.evidence.monitoring import DetectorState, LifeRestart
from pilotbase.watch.detectors.interface import WHOLE, Detector, DetectorChange

OUTAGE_CALLS, OUTAGE_SECONDS = 5, 30.0
LIFE, ALPHA = 365, 0.05
_MOST = 2 * OUTAGE_CALLS
"""So far the counter goes up at most: an outage is over after so many good calls, however long it was."""
_DAY = 86_400.0
_EARLIEST = 946_684_800.0
"""2000-01-01: a call that claims to be older says nothing of a day."""


@dataclass(frozen=True)
class LevelWatch:
    """What is watched of the calls: ``promised`` is the share that may be bad, None: only outages are told."""

    signal: Signal
    outage: Colour | None
    """The colour of an outage; None: the signal knows none."""
    broken: Colour
    """The colour of a broken promise."""
    promised: float | None = None


@dataclass(frozen=True, eq=False)
class CallSeries:
    """Calls in the order in which they came: when each ended, in seconds since 1970, and whether it was bad."""

    times: NDArray[np.float64]
    bad: NDArray[np.bool_]


@dataclass(frozen=True)
class LevelState:
    """Calls read; the counter, since when it is above 0, and its colour; the day under way; what days have won."""

    seen: int = 0
    counter: int = 0
    since: float = 0.0
    out: bool = False
    day: int = 0
    calls: int = 0
    bad: int = 0
    promise: DetectorState | None = None
    """What days have won since the promise was made, or made anew after `LIFE` of them."""
    peak: float = 0.0
    """Highest share of the level that was reached; 1: the promise is broken, until the watch is armed anew."""


class _Facts(NamedTuple):
    """What a change is told by: of the day that counts the calls and the bad ones, and since when more are bad."""

    calls: int
    bad: int
    since: float


class LevelDetector(Detector[CallSeries, LevelState]):
    """One signal of a service level."""

    def __init__(self, design: LevelWatch, state: LevelState | None = None) -> None:
        self._design, self._state = design, state or LevelState()

    @property
    def signal(self) -> Signal:
        return self._design.signal

    @property
    def promise(self) -> Text:
        design, what = self._design, self._what
        outage = text("detector.level_outage", what=what, calls=OUTAGE_CALLS, seconds=f"{OUTAGE_SECONDS:g}")
        at_once = outage if design.outage is not None else text("detector.level_no_outage")
        if design.promised is None:
            return text("detector.level_unpromised", at_once=at_once)
        told = {"share": _percent(design.promised), "days": LIFE, "alpha": f"{ALPHA:g}"}
        return text("detector.level_promise", what=what, at_once=at_once, **told)

    @property
    def state(self) -> LevelState:
        return self._state

    @property
    def seen(self) -> int:
        return self._state.seen

    @property
    def colours(self) -> Mapping[str, Colour]:
        return {WHOLE: self._colour(self._state.out)} if self.seen else {}

    @property
    def value(self) -> float:
        """Return how near a broken promise is, in the log of the level; without a promise how near an outage is."""
        if self._design.promised is None:
            return min(self._state.counter / OUTAGE_CALLS, 1.0)
        return self._state.peak

    def update(self, batch: CallSeries, /) -> tuple[DetectorChange, ...]:
        if not np.isfinite(batch.times).all():
            raise InputError("detector.no_time")
        return tuple(self._changes(zip(batch.times.tolist(), batch.bad.tolist(), strict=True)))

    def _changes(self, calls: Iterable[tuple[float, bool]]) -> Iterator[DetectorChange]:
        """Take one call after the other; the counter and the day under way are in local names, for they are many."""
        state = self._state
        seen, counter, since, out = state.seen, state.counter, state.since, state.out
        day, read, bad = state.day, state.calls, state.bad
        for time, is_bad in calls:
            before, was_out, ended = None, out, None
            if time >= (day + 1) * _DAY and time >= _EARLIEST:
                before, ended = self._colour(out), (read, bad)
                self._enter(read, bad)
                day, read, bad = int(time // _DAY), 0, 0
            since = time if counter == 0 else since
            counter = min(counter + 1, _MOST) if is_bad else max(counter - 1, 0)
            out = counter > 0 and (was_out or (counter >= OUTAGE_CALLS and time - since >= OUTAGE_SECONDS))
            seen, read, bad = seen + 1, read + 1, bad + is_bad
            if out is not was_out:
                before = before or self._colour(was_out)
            if before is not None and (colour := self._colour(out)) is not before:
                facts = _Facts(*(ended or (read, bad)), since)
                yield DetectorChange(WHOLE, colour, seen, self._reason(colour, out, facts))
        self._state = replace(
            self._state, seen=seen, counter=counter, since=since, out=out, day=day, calls=read, bad=bad
        )

    def _colour(self, out: bool) -> Colour:
        design = self._design
        reached = [design.broken] if self._state.peak >= 1 else []
        reached += [design.outage] if out and design.outage is not None else []
        return max(reached, key=list(Colour).index, default=Colour.GREEN)

    def _enter(self, calls: int, bad: int) -> None:
        """Let a day that is over win or lose, where there is a promise to be broken."""
        state, known, promised = self._state, self._state.promise, self._design.promised
        if not calls or promised is None or state.peak >= 1:
            return
        process = LifeRestart(promised, LIFE, known if known is not None and known.count < LIFE else None)
        reached = float(process.update(np.array([bad / calls]))[0]) / -math.log(ALPHA)
        self._state = replace(state, promise=process.state, peak=max(state.peak, min(reached, 1.0)))

    def _reason(self, colour: Colour, out: bool, facts: _Facts) -> Text:
        design, told = self._design, {"what": self._what, "bad": facts.bad, "calls": facts.calls}
        if colour is design.broken and design.promised is not None:
            return text("detector.level_broken", share=_percent(design.promised), **told)
        if not out:
            return text("detector.level_over")
        return text("detector.level_out", since=format_minute(datetime.fromtimestamp(facts.since, UTC)), **told)

    @property
    def _what(self) -> Text:
        return text(f"level.{self._design.signal}")


def _percent(share: float) -> Text:
    return percent(share, ".4g")
