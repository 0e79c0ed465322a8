"""Has a loss risen above what was accepted? For the risk of a criterion, breaks of the contract, latency, labels.

Stages on the same losses (`pilotbase.evidence.monitoring`):

* high (red for a risk), never taken back by the detector: whoever rearms the watch does that. By periods: `LifeRestart`
  over the mean of each, at 1/α. By units or cases: `WeightedRestart` over their losses, at 1/α.
* suspicion, orange, only where red is judged by periods: `WeightedRestart` over the cases at 1/α. It promises something
  only while cases are independent, so it suspends nothing.
* early, yellow: e-SR over the cases at A; the mean number of losses to a false one is ≥ A.

Suspicion and yellow end after `CALM` losses in which their evidence has not reached its level again.

With groups each is a stream of its own: the j-th to appear is held to α/(j(j+1)) and A·j(j+1), which add up to α and A
however many there are (up to `MOST_GROUPS`; cases of later ones are counted as left out).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Colour, RedBy, Signal
from pilotbase.documents.watch import WatchedRisk
from pilotbase.evidence.monitoring import MOST, DetectorState, LifeRestart, ShiryaevRoberts, WeightedRestart
from pilotbase.evidence.primitive import Floats, within
from pilotbase.measures.registry import spoken
from pilotbase.watch.detectors.interface import WHOLE, Detector, DetectorChange
from pilotbase.watch.losses import Losses

Rows = NDArray[np.intp]

CALM = 1000
"""So many losses without another alarm bring yellow, or orange, down."""
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
    red_by: RedBy = RedBy.CASE
    periods: int = 365
    """Over how many periods red by period is spread."""

    @classmethod
    def of_risk(cls, risk: WatchedRisk) -> LossWatch:
        """Return what is promised of a criterion of the certificate."""
        by = parse_rule(risk.criterion).by
        return cls(Signal.RISK, risk.criterion, risk.r0, risk.alpha, risk.early, by, risk.red_by, risk.periods)

    @property
    def in_words(self) -> Text | str:
        """Return what the losses are of: a criterion's measure, breaks of the contract, slow calls."""
        if self.signal is Signal.RISK:
            return spoken(parse_rule(self.subject))
        named = self.signal in (Signal.CONTRACT, Signal.LABELS)
        return text(f"signal.{self.signal}") if named else self.subject

    @property
    def high(self) -> Colour:
        """Return the colour that the e-process brings: red for a risk, orange for what only hints at one."""
        return Colour.RED if self.signal is Signal.RISK else Colour.ORANGE


@dataclass(frozen=True)
class SpellState:
    """A process, and how many losses of a spell of its colour are left."""

    process: DetectorState
    calm_left: int


@dataclass(frozen=True)
class StreamState:
    """One group: its processes, and the latest losses and means of periods."""

    name: str
    count: int
    """Losses taken."""
    high: DetectorState
    early: SpellState
    suspicion: SpellState | None
    latest: tuple[float, ...]
    latest_periods: tuple[float, ...]


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
    """The stages over each group."""

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
        code = f"risk_promise_{design.red_by}" if design.signal is Signal.RISK else f"{design.signal}_promise"
        return text(
            f"detector.{code}", subject=design.subject, r0=f"{design.r0:.4g}", periods=design.periods,
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
        periods = np.full(len(batch.values), np.nan) if batch.periods is None else batch.periods
        for name, rows in _by_group(batch.groups if self._design.by else None, counted):
            stream = self._stream(name)
            if stream is None:
                self._left_out += len(rows)
                continue
            steps = stream.update(batch.values[rows], periods[rows])
            changes += [(int(rows[step.place]), name, step) for step in steps]
        changes.sort(key=lambda change: change[0])
        first, self._seen = self._seen, self._seen + len(batch.values)
        return tuple(
            DetectorChange(name, step.colour, first + row + 1, self._reason(name, step), step.mean - self._design.r0)
            for row, name, step in changes
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
            f"detector.loss_{_stage(design, step.colour)}",
            subject=design.in_words, where=where, r0=f"{design.r0:.4g}",
            mean=f"{step.mean:.4g}", count=step.latest, labels=step.labels,
        )  # fmt: skip


def _stage(design: LossWatch, colour: Colour) -> str:
    """Return the end of the code of the text that tells a change to this colour."""
    if colour is not design.high:
        return "suspected" if colour is Colour.ORANGE else colour.value
    return "high_periods" if design.red_by is RedBy.PERIOD else "high"


class _Step(NamedTuple):
    """A change of colour after the loss at ``place``: with the mean of the ``latest`` of ``labels`` losses."""

    place: int
    colour: Colour
    mean: float
    latest: int
    labels: int


class _Spells:
    """A process that begins anew at its level, and the spells of colour that follow."""

    def __init__(
        self,
        level: float,
        begin: Callable[[DetectorState | None], ShiryaevRoberts | WeightedRestart],
        state: SpellState | None,
    ) -> None:
        self._level, self._begin = level, begin
        self._process = begin(state.process if state else None)
        self.left = state.calm_left if state else 0

    @property
    def state(self) -> SpellState:
        return SpellState(self._process.state, self.left)

    def changes(self, losses: Floats) -> list[tuple[int, bool]]:
        """Take losses in their order; return where spells begin and end."""
        found: list[tuple[int, bool]] = []
        start, look = 0, _FIRST_LOOK
        while start < len(losses):
            if self.left:
                start += self._go_on(losses[start : start + self.left])
                if not self.left:
                    found.append((start - 1, False))
                continue
            ahead = losses[start : start + look]
            hits = np.flatnonzero(self._process.update(ahead) >= self._level)
            if len(hits):
                start += int(hits[0]) + 1
                found.append((start - 1, True))
                self._process, self.left = self._begin(None), CALM
            else:
                start, look = start + len(ahead), min(look * 2, _LONGEST_LOOK)
        return found

    def _go_on(self, losses: Floats) -> int:
        """Go on with a spell; at its end it begins anew if the process has reached its level again."""
        self._process.update(losses)
        self.left -= len(losses)
        if not self.left:
            peak = self._process.state.peak
            self._process, self.left = self._begin(None), CALM if peak is not None and peak >= self._level else 0
        return len(losses)


class _Stream:
    """The stages over the losses of one group."""

    def __init__(self, design: LossWatch, place: int, state: StreamState | None, name: str = WHOLE) -> None:
        share = (place + 1) * (place + 2) if design.by else 1
        r0, self._design = design.r0, design
        self._level = math.log(share / design.alpha)
        self._name, self._count = (state.name, state.count) if state else (name, 0)
        self._high: LifeRestart | WeightedRestart
        self._suspicion: _Spells | None = None
        if design.red_by is RedBy.PERIOD:
            self._high = LifeRestart(r0, design.periods, state.high if state else None)
            suspected = state.suspicion if state else None
            self._suspicion = _Spells(self._level, lambda known: WeightedRestart(r0, known), suspected)
        else:
            self._high = WeightedRestart(r0, state.high if state else None)
        early = state.early if state else None
        self._early = _Spells(math.log(share * design.early), lambda known: ShiryaevRoberts(r0, known), early)
        self._latest = np.array(state.latest if state else ())
        self._latest_periods = np.array(state.latest_periods if state else ())

    @property
    def state(self) -> StreamState:
        suspicion = self._suspicion.state if self._suspicion else None
        latest, periods = tuple(self._latest.tolist()), tuple(self._latest_periods.tolist())
        return StreamState(self._name, self._count, self._high.state, self._early.state, suspicion, latest, periods)

    @property
    def colour(self) -> Colour:
        return max(self._stands.values(), key=_RANK.index)

    @property
    def share_of_level(self) -> float:
        peak = self._high.state.peak
        return 0.0 if peak is None else max(peak, 0.0) / self._level

    @property
    def _stands(self) -> dict[str, Colour]:
        """Return the colour of each stage."""
        peak = self._high.state.peak
        stands = {
            "high": self._design.high if peak is not None and peak >= self._level else Colour.GREEN,
            "early": Colour.YELLOW if self._early.left else Colour.GREEN,
        }
        if self._suspicion is not None:
            stands["suspicion"] = Colour.ORANGE if self._suspicion.left else Colour.GREEN
        return stands

    def update(self, losses: Floats, periods: Floats) -> list[_Step]:
        """Take losses in their order, with the mean of a period beside its last loss; return the changes of colour."""
        stands, before = self._stands, (self._count, self._high.state.count)
        turns = [(place, "early", Colour.YELLOW if on else Colour.GREEN) for place, on in self._early.changes(losses)]
        ended = np.flatnonzero(~np.isnan(periods))
        if self._suspicion is not None:
            turns += [
                (place, "suspicion", Colour.ORANGE if on else Colour.GREEN)
                for place, on in self._suspicion.changes(losses)
            ]
            turns += self._high_turns(periods[ended], ended)
        else:
            turns += self._high_turns(losses, np.arange(len(losses)))
        known = np.concatenate((self._latest, losses)), np.concatenate((self._latest_periods, periods[ended]))
        self._latest, self._latest_periods = known[0][-_LATEST:], known[1][-_LATEST:]
        self._count += len(losses)
        found = []
        for place, colour in _changes(turns, stands):
            by_period = self._suspicion is not None and colour is self._design.high
            if by_period:
                taken, of, seen = int(np.searchsorted(ended, place)) + 1, known[1], before[1]
                found.append(self._step(place, colour, of[: len(of) - len(ended) + taken], seen + taken))
            else:
                of = known[0][: len(known[0]) - len(losses) + place + 1]
                found.append(self._step(place, colour, of, before[0] + place + 1))
        return found

    def _high_turns(self, judged: Floats, places: NDArray[np.intp]) -> list[tuple[int, str, Colour]]:
        reached = np.flatnonzero(self._high.update(judged) >= self._level)
        return [(int(places[reached[0]]), "high", self._design.high)] if len(reached) else []

    def _step(self, place: int, colour: Colour, known: Floats, count: int) -> _Step:
        latest = known[-_LATEST:]
        if colour is not Colour.GREEN:
            latest = latest[-_worst_length(latest - self._design.r0) :]
        return _Step(place, colour, math.fsum(latest) / len(latest), len(latest), count)


_RANK = list(Colour)


def _changes(turns: list[tuple[int, str, Colour]], stands: dict[str, Colour]) -> list[tuple[int, Colour]]:
    """Return where the highest colour of all stages changes, given where each stage does."""
    found: list[tuple[int, Colour]] = []
    now = max(stands.values(), key=_RANK.index)
    ordered = sorted(turns, key=lambda turn: turn[0])
    for place, together in itertools.groupby(ordered, key=lambda turn: turn[0]):
        stands |= {stage: colour for _, stage, colour in together}
        highest = max(stands.values(), key=_RANK.index)
        if highest is not now:
            found.append((place, highest))
        now = highest
    return found


def _worst_length(above: Floats) -> int:
    """Return how many of the latest losses, so far above r0, rise above it most: what was good before says nothing."""
    return int(np.argmax(np.cumsum(above[::-1]))) + 1


def _refuse_out_of_range(losses: Floats) -> None:
    if len(losses) and not (losses.min() >= 0 and losses.max() <= MOST):
        raise InputError("detector.loss_out_of_range", low=float(losses.min()), high=float(losses.max()))


def _by_group(groups: NDArray[np.str_] | None, counted: Rows) -> list[tuple[str, Rows]]:
    """Return the counted rows of each group, groups in the order of their first row."""
    if groups is None:
        return [(WHOLE, counted)] if len(counted) else []
    names, first, codes = np.unique(groups[counted], return_index=True, return_inverse=True)
    return [(str(names[code]), counted[codes == code]) for code in np.argsort(first)]
