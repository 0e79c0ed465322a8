"""Following a service: its detectors, what each is given of the cases that come, and the turns that they take."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.api.watch import PathPoint
from pilotbase.documents.contract import Contract, DataType, Field
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.observation import Scalar
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import CallEnd, Colour, Signal
from pilotbase.documents.watch import ReferenceProfile, Watch, WatchedRisk
from pilotbase.protocols.contract_cases import SPELLED
from pilotbase.watch.detectors.drift import DriftDetector, DriftState, DriftWatch
from pilotbase.watch.detectors.interface import WHOLE, Detector, DetectorChange, RestoredT, restored, written
from pilotbase.watch.detectors.level import CallSeries, LevelDetector, LevelState, LevelWatch
from pilotbase.watch.detectors.loss import LossDetector, LossState, LossWatch
from pilotbase.watch.detectors.silence import SilenceDetector, SilenceState, Ticks
from pilotbase.watch.losses import (
    CohortLosses,
    Promised,
    WatchedLoss,
    latency_losses,
    losses_where,
    promised_loss,
)
from pilotbase.watch.packs import Pack, moment_of

States = Mapping[str, bytes]
"""Name of a detector → its state as it is stored."""
CONTRACT, LATENCY, DRIFT, SILENCE, LABELS = "contract", "latency", "drift", "silence", "labels"
UNLABELLED = 0.05
"""The share of drawn cases whose labels may stay away."""
_ANSWERS = frozenset(end.value for end in CallEnd if end.is_answer)
_BAD = {
    Signal.AVAILABILITY: frozenset({CallEnd.FAILED.value, CallEnd.TIMED_OUT.value}),
    Signal.ERRORS: frozenset({CallEnd.FAILED.value}),
    Signal.HAND_OVER: frozenset({CallEnd.HUMAN.value}),
}
"""Signal of a service level → the ends of calls that count against it. For it count answers; other ends say nothing of
it, those of malformed calls and of callers who went among them."""
_NEVER_TIMED = frozenset({CallEnd.HUMAN.value, CallEnd.BROKE_CONTRACT.value, CallEnd.CANCELLED.value})
"""Ends of calls that say nothing of how long an answer takes."""
_UNANSWERED = frozenset({CallEnd.TIMED_OUT.value, CallEnd.FAILED.value})
LEVELS = {
    Signal.AVAILABILITY: (Colour.ORANGE, Colour.RED),
    Signal.ERRORS: (None, Colour.ORANGE),
    Signal.HAND_OVER: (Colour.YELLOW, Colour.ORANGE),
}
"""Signal of a service level → the colour of an outage, and of a broken promise; errors are told by availability."""
LONGEST_NAME = 200
_RISK_EVERY = 100
_ONE_POINT = 1 << 62
"""A detector whose path nobody draws."""
_TIMES = {DataType.DATE: date.fromisoformat, DataType.DATETIME: datetime.fromisoformat}


@dataclass(frozen=True)
class ColourChange:
    """A detector, or one part of it, has taken another colour."""

    detector: str
    """Name of the detector, with the part that it is about."""
    signal: Signal
    colour: Colour
    reason: Text
    promise: Text
    seen: int
    began: datetime
    above: float | None = None
    excess: float | None = None
    """How many more wrong answers a day than accepted, where both are known."""


@dataclass
class Followed:
    """One detector under its name, with what it has said since it was taken up."""

    name: str
    detector: Detector[Any, Any]
    every: int
    """Rows between two points of its path."""
    turns: list[ColourChange] = field(default_factory=list)
    points: dict[int, PathPoint] = field(default_factory=dict)

    def follow(self, batch: Any, at: Sequence[int]) -> None:
        """Give rows to the detector; ``at`` says of each when it was answered, in microseconds."""
        if not at:
            return
        before = self.detector.seen
        for change in self.detector.update(batch):
            self.turns.append(self._turn(change, moment_of(at[change.seen - before - 1])))
        number = self.detector.seen // self.every
        self.points[number] = PathPoint(
            at=moment_of(at[-1]), seen=self.detector.seen, value=self.detector.value, colour=self.detector.colour
        )

    def state(self) -> bytes:
        """Return the detector's state as it is stored."""
        return json.dumps(written(self.detector.state)).encode()

    def _turn(self, change: DetectorChange, began: datetime) -> ColourChange:
        name = self.name if change.part == WHOLE else _short(f"{self.name}:{change.part}")
        return ColourChange(
            *(name, self.detector.signal, change.colour, change.reason, self.detector.promise, change.seen, began),
            change.above,
        )


@dataclass(frozen=True)
class Following:
    """What is followed of a service under one watch."""

    watch: Watch
    promised: Promised | None
    stream: Mapping[str, Followed]
    """Detectors that look at every case as it comes."""
    risks: Mapping[str, tuple[Followed, WatchedLoss]]
    """Detectors that look at cohorts."""

    @property
    def all(self) -> list[Followed]:
        """Return every detector, those of risk first."""
        return [*(followed for followed, _ in self.risks.values()), *self.stream.values()]

    def take_pack(self, pack: Pack) -> None:
        """Let the detectors of the stream look at cases in the order in which they came."""
        for signal, bad in _BAD.items():
            calls, at = _calls(pack, bad)
            self.stream[signal].follow(calls, at)
        rows = [row for row, end in enumerate(pack.ends) if end != CallEnd.BROKE_CONTRACT]
        asked = self._without_unit(pack if len(rows) == len(pack) else pack.among(rows))
        if CONTRACT in self.stream and self.promised is not None:
            self._follow_contract(self.stream[CONTRACT], asked, self.promised)
        if LATENCY in self.stream and self.watch.latency_ms is not None:
            milliseconds, at = _timed(pack)
            self.stream[LATENCY].follow(latency_losses(milliseconds, self.watch.latency_ms), at)
        if DRIFT in self.stream and pack.inputs:
            self.stream[DRIFT].follow(asked.inputs, asked.at)

    def _without_unit(self, pack: Pack) -> Pack:
        """Return cases without their unit where the contract knows none: it is told for the watch."""
        features = () if self.promised is None else self.promised.plan.contract.features
        if self.watch.unit is None or any(field.name == self.watch.unit for field in features):
            return pack
        return replace(pack, inputs={name: column for name, column in pack.inputs.items() if name != self.watch.unit})

    @staticmethod
    def _follow_contract(followed: Followed, pack: Pack, promised: Promised) -> None:
        """Let the detector look at who breaks the contract; what it then warns of names the column at fault.

        What the gateway has refused is not among them: a key holder who sends rubbish is told so, and nobody else.
        """
        contract, may_miss, before = promised.plan.contract, promised.may_miss, len(followed.turns)
        followed.follow(losses_where(broken_cases(pack, contract, may_miss)), pack.at)
        fault = worst_fault(pack, contract, may_miss) if len(followed.turns) > before else None
        for place in range(before, len(followed.turns)):
            turn = followed.turns[place]
            if fault is not None and turn.colour is not Colour.GREEN:
                said = text("detector.with_fault", said=turn.reason, fault=fault)
                followed.turns[place] = replace(turn, reason=said)

    def hear(self, at: Sequence[int], heard: bool = True) -> None:
        """Let the detector of silence hear something at each moment, or look at it and hear nothing."""
        seconds = np.array(at, dtype=np.float64) / 1_000_000
        self.stream[SILENCE].follow(Ticks(seconds, np.full(len(at), heard)), at)

    def hear_all(self, at: Sequence[int]) -> None:
        """Let the detector of silence hear a history, in order, as if somebody had looked after every long pause."""
        allowed = int(self.watch.silence_seconds * 1_000_000)
        begun = 0
        for place in [place for place in range(1, len(at)) if at[place] - at[place - 1] > allowed]:
            self.hear(at[place - 1 : place])
            self.hear([at[place] - 1], heard=False)
            begun = place
        self.hear(at[begun : begun + 1])
        self.hear(at[-1:])

    def means(
        self, cohort: CohortLosses, predicted: Sequence[float | None]
    ) -> Iterator[tuple[str, float, float, float | None]]:
        """Yield for each criterion and group its detector's name, the mean loss, the accepted and the predicted one."""
        for (followed, loss), losses, stated in zip(self.risks.values(), cohort.losses, predicted, strict=True):
            periods = np.zeros(0) if losses.periods is None else losses.periods
            for row in np.flatnonzero(~np.isnan(periods)):
                group = "" if losses.groups is None else str(losses.groups[row])
                name = _short(f"{followed.name}:{group}") if group else followed.name
                yield name, float(periods[row]), loss.r0, None if group else stated

    def take_cohort(self, cohort: CohortLosses) -> None:
        """Let the detectors of risk look at a cohort, so many cases at once that a path of points comes of it."""
        if LABELS in self.stream:
            self.stream[LABELS].follow(losses_where(~cohort.known), cohort.at)
        for (followed, _), losses in zip(self.risks.values(), cohort.losses, strict=True):
            for start in range(0, len(cohort.at), _RISK_EVERY):
                rows = slice(start, start + _RISK_EVERY)
                followed.follow(losses.among(rows), cohort.at[rows])


def follow(
    watch: Watch, promised: Promised | None, profile: ReferenceProfile | None, states: States = MappingProxyType({})
) -> Following:
    """Return the detectors of a watch, each from its state where it has one, else from the beginning."""
    losses = {} if promised is None else {risk_detector(one): one for one in watch.risks}
    risks: dict[str, tuple[Followed, WatchedLoss]] = {}
    for name, risk in losses.items():
        assert promised is not None
        loss = promised_loss(risk.criterion, promised.setting, watch.tolerance)
        assert isinstance(loss, WatchedLoss), "a watch names only criteria that can be watched"
        risks[name] = (_loss_detector(name, LossWatch.of_risk(risk), states, _RISK_EVERY), loss)
    return Following(watch, promised, dict(_stream(watch, promised, profile, states)), risks)


def promise_of(risk: WatchedRisk) -> Text:
    """Return what a watch promises of a criterion, with its numbers."""
    return LossDetector(LossWatch.of_risk(risk)).promise


def follow_silence(watch: Watch, states: States) -> Following:
    """Return the detector of silence alone, which is asked when nothing has come."""
    return Following(watch, None, {SILENCE: _silence_detector(watch, states)}, {})


def risk_detector(risk: WatchedRisk) -> str:
    """Return the name of the detector that bets against a risk."""
    return _short(f"risk:{risk.criterion}")


@dataclass(frozen=True, eq=False)
class _ContractBreach:
    """One way in which cases break the contract, and which of them do, shape (cases,)."""

    how: Text
    cases: NDArray[np.bool_]


def broken_cases(pack: Pack, contract: Contract, may_miss: frozenset[str]) -> NDArray[np.bool_]:
    """Return which cases of ``pack`` break ``contract``, shape (cases,).

    A case breaks it when a field is missing or one that nobody knows is there, and when a value is of another type, out
    of range, or missing where none was ever missing (``may_miss`` are the fields where some were).
    """
    broken = np.zeros(len(pack), dtype=np.bool_)
    for fault in _faults(pack, contract, may_miss):
        broken |= fault.cases
    return broken


def worst_fault(pack: Pack, contract: Contract, may_miss: frozenset[str]) -> Text | None:
    """Return which column most cases of ``pack`` break the contract at, and how; None where none does."""
    worst = max(_faults(pack, contract, may_miss), key=lambda fault: int(fault.cases.sum()), default=None)
    count = 0 if worst is None else int(worst.cases.sum())
    return text("detector.at_fault", how=worst.how, count=count, cases=len(pack)) if worst and count else None


def _stream(
    watch: Watch, promised: Promised | None, profile: ReferenceProfile | None, states: States
) -> Iterator[tuple[str, Followed]]:
    every = max(watch.chunk // 4, 1)
    if promised is not None and promised.plan.contract.world is None:  # an agent's calls are checked by the fence
        design = LossWatch(Signal.CONTRACT, CONTRACT, watch.contract_share)
        yield CONTRACT, _loss_detector(CONTRACT, design, states, every)
    if watch.latency_ms is not None:
        subject = f"latency > {watch.latency_ms:g} ms"
        design = LossWatch(Signal.LATENCY, subject, min(1 - watch.latency_quantile + watch.tolerance, 0.99))
        yield LATENCY, _loss_detector(LATENCY, design, states, every)
    yield SILENCE, _silence_detector(watch, states)
    if watch.audit_labels is not None:
        yield LABELS, _loss_detector(LABELS, LossWatch(Signal.LABELS, LABELS, UNLABELLED), states, _RISK_EVERY)
    for signal, promised_share in _levels(watch).items():
        level = LevelDetector(LevelWatch(signal, *LEVELS[signal], promised_share), _state(LevelState, states, signal))
        yield signal, Followed(signal.value, level, _ONE_POINT)
    if profile is not None:
        of_drift = DriftWatch(watch.chunk, watch.drift_alarms, watch.drift_chunks)
        drift = DriftDetector(profile, of_drift, _state(DriftState, states, DRIFT))
        yield DRIFT, Followed(DRIFT, drift, watch.chunk)


def _levels(watch: Watch) -> Mapping[Signal, float | None]:
    """Return the share of calls that may be bad, by signal; None: nothing is promised."""
    return {
        Signal.AVAILABILITY: None if watch.availability is None else 1 - watch.availability,
        Signal.ERRORS: watch.error_share,
        Signal.HAND_OVER: watch.hand_over_share,
    }


def _silence_detector(watch: Watch, states: States) -> Followed:
    state = _state(SilenceState, states, SILENCE)
    return Followed(SILENCE, SilenceDetector(watch.silence_seconds, state), _ONE_POINT)


def _loss_detector(name: str, design: LossWatch, states: States, every: int) -> Followed:
    return Followed(name, LossDetector(design, _state(LossState, states, name)), every)


def _state(kind: type[RestoredT], states: States, name: str) -> RestoredT | None:
    """Return the state of a detector as it is stored; None: it has none yet."""
    stored = states.get(name)
    return None if stored is None else restored(kind, json.loads(stored))


def _calls(pack: Pack, bad: frozenset[str]) -> tuple[CallSeries, list[int]]:
    """Return the calls that count for a signal, and when each ended; one of many cases counts once, as in `_timed`."""
    rows = zip(pack.at, pack.ends, pack.milliseconds, strict=True)
    each = [call for call, _ in itertools.groupby(rows) if call[1] in bad or call[1] in _ANSWERS]
    at = [moment for moment, _, _ in each]
    ended_badly = np.array([end in bad for _, end, _ in each], dtype=np.bool_)
    return CallSeries(np.array(at, dtype=np.float64) / 1_000_000, ended_badly), at


def _timed(pack: Pack) -> tuple[NDArray[np.float64], list[int]]:
    """Return how long calls took, NaN where no answer came in time, and when; those that waited for nobody left out.

    A call of many cases counts once: its cases are neighbours that were answered at one moment after one duration.
    """
    calls: list[tuple[int, float | None]] = []
    for at, end, taken in zip(pack.at, pack.ends, pack.milliseconds, strict=True):
        if end in _UNANSWERED or (end not in _NEVER_TIMED and taken is not None):
            calls.append((at, None if end in _UNANSWERED else taken))
    each = [call for call, _ in itertools.groupby(calls)]
    return np.array([np.nan if taken is None else taken for _, taken in each]), [at for at, _ in each]


def _short(name: str) -> str:
    """Return a detector's name as rows can hold it: of a long one the beginning, and a hash of all of it."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 20]} {digest_bytes(name.encode())[7:26]}"


def _faults(pack: Pack, contract: Contract, may_miss: frozenset[str]) -> Iterator[_ContractBreach]:
    everywhere = np.ones(len(pack), dtype=np.bool_)
    names = {one.name for one in contract.features}
    for name in [name for name in pack.inputs if name not in names]:
        yield _ContractBreach(text("detector.fault_extra", column=name), everywhere)
    for one in contract.features if pack.inputs else ():
        if one.name in pack.inputs:
            yield from _faults_of(pack.inputs[one.name], one, one.name in may_miss)
        else:
            yield _ContractBreach(text("detector.fault_absent", column=one.name), everywhere)


def _faults_of(values: Sequence[Scalar], field: Field, may_miss: bool) -> Iterator[_ContractBreach]:
    allowed, found = SPELLED[field.data_type].types, set(map(type, values))
    missing = broken = np.zeros(len(values), dtype=np.bool_)
    if type(None) in found:
        missing = np.array([value is None for value in values], dtype=np.bool_)
        if not may_miss:
            yield _ContractBreach(text("detector.fault_missing", column=field.name), missing)
    if not found <= allowed | {type(None)}:
        broken = np.array([type(value) not in allowed for value in values], dtype=np.bool_) & ~missing
    if field.data_type in _TIMES:
        broken = broken | np.array(
            [isinstance(one, str) and not _is_time(one, field) for one in values], dtype=np.bool_
        )
    if broken.any():
        wanted = SPELLED[field.data_type].words
        yield _ContractBreach(text("detector.fault_type", column=field.name, wanted=wanted), broken)
    if field.data_type in (DataType.FLOAT, DataType.INTEGER) and (field.minimum, field.maximum) != (None, None):
        yield _out_of_range(values, field, missing | broken)


def _out_of_range(values: Sequence[Scalar], field: Field, no_number: NDArray[np.bool_]) -> _ContractBreach:
    if no_number.any():
        values = [np.nan if none else value for value, none in zip(values, no_number, strict=True)]
    numbers = _floats(values)
    low = -np.inf if field.minimum is None else field.minimum
    high = np.inf if field.maximum is None else field.maximum
    how = text("detector.fault_range", column=field.name, low=f"{low:g}", high=f"{high:g}")
    return _ContractBreach(how, (numbers < low) | (numbers > high))


def _floats(values: Sequence[Any]) -> NDArray[np.float64]:
    """Return numbers as floats, a whole number that is larger than any of them as infinite."""
    try:
        return np.array(values, dtype=np.float64)
    except OverflowError:
        largest = int(np.finfo(np.float64).max)
        near = [
            one if isinstance(one, float) or abs(one) <= largest else np.inf if one > 0 else -np.inf for one in values
        ]
        return np.array(near, dtype=np.float64)


def _is_time(value: str, field: Field) -> bool:
    try:
        _TIMES[field.data_type](value)
    except ValueError:
        return False
    return True
