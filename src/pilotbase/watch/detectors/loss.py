"""Has a loss risen above what was accepted? For the risk of a criterion, breaks of the contract, latency.

Two stages on the same losses (`pilotbase.evidence.monitoring`). The high colour comes from the weighted-restart
e-process at 1/α: P(ever, while the conditional risk stays ≤ r0 at every step) ≤ α, on an infinite horizon. The early
one, yellow, from e-SR at A: the mean number of losses to a false one is ≥ A. Red is never taken back by the detector:
whoever rearms the watch does that. Yellow ends after `CALM` losses in which e-SR has not reached A again.

With groups each is a stream of its own: the j-th to appear is held to α/(j(j+1)) and A·j(j+1), which add up to α and A
however many there are (up to `MOST_GROUPS`; cases of later ones are counted as left out).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Colour, Signal
from pilotbase.documents.watch import WatchedRisk
from pilotbase.evidence.monitoring import DetectorState, ShiryaevRoberts, WeightedRestart
from pilotbase.evidence.primitive import Floats, within
from pilotbase.measures.registry import spoken
from pilotbase.watch.detectors.interface import WHOLE, Detector, DetectorChange
from pilotbase.watch.losses import Losses

Rows = NDArray[np.intp]

CALM = 1000
"""So many losses without another early alarm bring yellow down."""
MOST_GROUPS = 64
_LATEST = 100
_FIRST_LOOK, _LONGEST_LOOK = 1 << 10, 1 << 14


@dataclass(frozen=True)
class LossWatch:
    """What is promised of a loss: ``subject`` is the criterion's rule, or what the cases are called that count."""

    signal: Signal
    subject: str
    r0: float
    alpha: float = 0.05
    early: float = 10_000
    by: str | None = None
    """The column whose groups are watched one by one."""

    @classmethod
    def of_risk(cls, risk: WatchedRisk) -> LossWatch:
        """Return what is promised of a criterion of the certificate."""
        by = parse_rule(risk.criterion).by
        return cls(Signal.RISK, risk.criterion, risk.r0, risk.alpha, risk.early, by)

    @property
    def in_words(self) -> Text | str:
        """Return what the losses are of: a criterion's measure, breaks of the contract, slow calls."""
        if self.signal is Signal.RISK:
            return spoken(parse_rule(self.subject))
        return text("signal.contract") if self.signal is Signal.CONTRACT else self.subject

    @property
    def high(self) -> Colour:
        """Return the colour that the e-process brings: red for a risk, orange for what only hints at one."""
        return Colour.RED if self.signal is Signal.RISK else Colour.ORANGE


@dataclass(frozen=True)
class StreamState:
    """One group: its two processes, how many losses of a yellow spell are left, and the latest losses."""

    name: str
    restart: DetectorState
    early: DetectorState
    calm_left: int
    latest: tuple[float, ...]


@dataclass(frozen=True)
class LossState:
    """Rows given, rows of groups that came too late to be watched, and the groups in their order of appearance."""

    seen: int
    left_out: int
    streams: tuple[StreamState, ...]


def measure_in_words(criterion: str) -> Text | str:
    """Return the measure of a criterion in words, or what was given where it is none, such as a column."""
    try:
        return spoken(parse_rule(criterion))
    except InputError:
        return criterion


class LossDetector(Detector[Losses, LossState]):
    """The two stages over each group."""

    def __init__(self, design: LossWatch, state: LossState | None = None) -> None:
        within("alpha", design.alpha, 0, 1)
        self._design = design
        state = state or LossState(0, 0, ())
        self._seen, self._left_out = state.seen, state.left_out
        self._streams = {each.name: _Stream(design, place, each) for place, each in enumerate(state.streams)}

    @property
    def signal(self) -> Signal:
        return self._design.signal

    @property
    def promise(self) -> Text:
        design = self._design
        said = text("detector.loss_promise_groups" if design.by else "detector.loss_promise_whole")
        return text(
            f"detector.{design.signal}_promise", subject=design.subject, r0=f"{design.r0:.4g}",
            alpha=f"{design.alpha:.3g}", early=f"{design.early:.0f}", groups=said,
        )  # fmt: skip

    @property
    def state(self) -> LossState:
        return LossState(self._seen, self._left_out, tuple(stream.state for stream in self._streams.values()))

    @property
    def seen(self) -> int:
        return self._seen

    @property
    def colours(self) -> Mapping[str, Colour]:
        return {name: stream.colour for name, stream in self._streams.items()}

    @property
    def value(self) -> float:
        """Return the log of the highest e-process over the log of its own level, at least 0; 1 is the high colour."""
        return max((stream.share_of_level for stream in self._streams.values()), default=0.0)

    def update(self, batch: Losses, /) -> tuple[DetectorChange, ...]:
        counted = np.flatnonzero(~np.isnan(batch.values))
        _refuse_out_of_range(batch.values[counted])
        changes: list[tuple[int, str, _Step]] = []
        for name, rows in _by_group(batch.groups if self._design.by else None, counted):
            stream = self._stream(name)
            if stream is None:
                self._left_out += len(rows)
                continue
            changes += [(int(rows[step.place]), name, step) for step in stream.update(batch.values[rows])]
        changes.sort(key=lambda change: change[0])
        first, self._seen = self._seen, self._seen + len(batch.values)
        return tuple(
            DetectorChange(name, step.colour, first + row + 1, self._reason(name, step)) for row, name, step in changes
        )

    def _stream(self, name: str) -> _Stream | None:
        if name not in self._streams:
            if len(self._streams) >= MOST_GROUPS:
                return None
            self._streams[name] = _Stream(self._design, len(self._streams), None, name)
        return self._streams[name]

    def _reason(self, name: str, step: _Step) -> Text:
        design = self._design
        where = text("detector.in_group", group=name) if name else text("detector.in_all")
        return text(
            "detector.loss_high" if step.colour is design.high else f"detector.loss_{step.colour}",
            subject=design.in_words, where=where, r0=f"{design.r0:.4g}",
            mean=f"{step.mean:.4g}", count=step.latest, labels=step.labels,
        )  # fmt: skip


class _Step(NamedTuple):
    """A change of colour after the loss at ``place``: with the mean of the ``latest`` of ``labels`` losses."""

    place: int
    colour: Colour
    mean: float
    latest: int
    labels: int


class _Stream:
    """Both stages over the losses of one group."""

    def __init__(self, design: LossWatch, place: int, state: StreamState | None, name: str = WHOLE) -> None:
        share = (place + 1) * (place + 2) if design.by else 1
        self._high, self._r0 = design.high, design.r0
        self._level = math.log(share / design.alpha)
        self._early_level = math.log(share * design.early)
        self._name = state.name if state else name
        self._restart = WeightedRestart(design.r0, state.restart if state else None)
        self._early = ShiryaevRoberts(design.r0, state.early if state else None)
        self._calm_left = state.calm_left if state else 0
        self._latest = state.latest if state else ()

    @property
    def state(self) -> StreamState:
        return StreamState(self._name, self._restart.state, self._early.state, self._calm_left, self._latest)

    @property
    def colour(self) -> Colour:
        if self._is_high:
            return self._high
        return Colour.YELLOW if self._calm_left else Colour.GREEN

    @property
    def share_of_level(self) -> float:
        peak = self._restart.state.peak
        return 0.0 if peak is None else max(peak, 0.0) / self._level

    @property
    def _is_high(self) -> bool:
        peak = self._restart.state.peak
        return peak is not None and peak >= self._level

    def update(self, losses: Floats) -> list[_Step]:
        """Take losses in their order; return the changes of colour."""
        was_high, before = self._is_high, self._restart.state.count
        reached = np.flatnonzero(self._restart.update(losses) >= self._level)
        high_at = -1 if was_high else int(reached[0]) if len(reached) else len(losses)
        found = [(index, colour) for index, colour in self._early_changes(losses) if index < high_at]
        if not was_high and len(reached):
            found.append((high_at, self._high))
        known = np.concatenate((np.array(self._latest), losses))
        self._latest = tuple(known[-_LATEST:].tolist())
        return [self._step(index, colour, known, before, len(losses)) for index, colour in found]

    def _early_changes(self, losses: Floats) -> list[tuple[int, Colour]]:
        """Return where yellow begins and ends, whatever the other stage says."""
        found: list[tuple[int, Colour]] = []
        start, look = 0, _FIRST_LOOK
        while start < len(losses):
            if self._calm_left:
                start += self._finish_spell(losses[start : start + self._calm_left])
                if not self._calm_left:
                    found.append((start - 1, Colour.GREEN))
                continue
            ahead = losses[start : start + look]
            hits = np.flatnonzero(self._early.update(ahead) >= self._early_level)
            if len(hits):
                start += int(hits[0]) + 1
                found.append((start - 1, Colour.YELLOW))
                self._begin_spell()
            else:
                start, look = start + len(ahead), min(look * 2, _LONGEST_LOOK)
        return found

    def _begin_spell(self) -> None:
        self._early, self._calm_left = ShiryaevRoberts(self._r0), CALM

    def _finish_spell(self, losses: Floats) -> int:
        """Go on with a yellow spell; at its end it begins anew if e-SR has reached its level again."""
        self._early.update(losses)
        self._calm_left -= len(losses)
        if not self._calm_left:
            peak = self._early.state.peak
            if peak is not None and peak >= self._early_level:
                self._begin_spell()
            else:
                self._early = ShiryaevRoberts(self._r0)
        return len(losses)

    def _step(self, index: int, colour: Colour, known: Floats, before: int, size: int) -> _Step:
        end = len(known) - size + index + 1
        latest = known[max(end - _LATEST, 0) : end]
        if colour is not Colour.GREEN:
            latest = latest[-_worst_length(latest - self._r0) :]
        return _Step(index, colour, math.fsum(latest) / len(latest), len(latest), before + index + 1)


def _worst_length(above: Floats) -> int:
    """Return how many of the latest losses, so far above r0, rise above it most: what was good before says nothing."""
    return int(np.argmax(np.cumsum(above[::-1]))) + 1


def _refuse_out_of_range(losses: Floats) -> None:
    if len(losses) and not (losses.min() >= 0 and losses.max() <= 1):
        raise InputError("detector.loss_out_of_range", low=float(losses.min()), high=float(losses.max()))


def _by_group(groups: NDArray[np.str_] | None, counted: Rows) -> list[tuple[str, Rows]]:
    """Return the counted rows of each group, groups in the order of their first row."""
    if groups is None:
        return [(WHOLE, counted)] if len(counted) else []
    names, first, codes = np.unique(groups[counted], return_index=True, return_inverse=True)
    return [(str(names[code]), counted[codes == code]) for code in np.argsort(first)]
