"""One contract for every detector: batches, resumption, empty batches, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, fields
from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest

from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.errors import InputError
from pilotbase.documents.vocabularies import Colour, Signal
from pilotbase.watch import detectors
from pilotbase.watch.detectors.drift import DriftDetector, DriftWatch
from pilotbase.watch.detectors.interface import Detector, DetectorChange, restored, written
from pilotbase.watch.detectors.level import CallSeries, LevelDetector, LevelWatch
from pilotbase.watch.detectors.loss import LossDetector, LossWatch
from pilotbase.watch.detectors.silence import SilenceDetector, Ticks
from pilotbase.watch.losses import Losses
from pilotbase.watch.profiles import profile_of

ROWS = 6000


@dataclass(frozen=True)
class Kind:
    """How to make one; rows in which something happens; how they are cut; what it must refuse."""

    make: Callable[[Any], Detector[Any, Any]]
    rows: Callable[[np.random.Generator], Any]
    cut: Callable[[Any, int, int], Any]
    wrong: tuple[Any, ...]


def rising(rng: np.random.Generator) -> Losses:
    """Healthy, bad for a while, healthy again."""
    values = (rng.random(ROWS) < np.repeat([0.1, 0.35, 0.02], ROWS // 3)).astype(float)
    return Losses(np.where(rng.random(ROWS) < 0.1, np.nan, values))


def rising_in_groups(rng: np.random.Generator) -> Losses:
    return Losses(rising(rng).values, rng.choice(["north", "south", ""], ROWS))


def cut_losses(rows: Losses, start: int, stop: int) -> Losses:
    return Losses(rows.values[start:stop], None if rows.groups is None else rows.groups[start:stop])


BAD_LOSSES = (Losses(np.array([0.1, 1e7])), Losses(np.array([-0.1])), Losses(np.array([0.5, np.inf])))


def of_losses(signal: Signal, rows: Callable[[np.random.Generator], Losses], by: str | None = None) -> Kind:
    design = LossWatch(signal, "accuracy >= 0.85", 0.15, 0.05, 200, by)
    return Kind(lambda state: LossDetector(design, state), rows, cut_losses, BAD_LOSSES)


FIELDS = (
    Field(name="torque", data_type=DataType.FLOAT),
    Field(name="load", data_type=DataType.INTEGER),
    Field(name="shift", data_type=DataType.TEXT),
    Field(name="alarm", data_type=DataType.BOOLEAN),
)


def inputs(rng: np.random.Generator, rows: int = ROWS) -> dict[str, Any]:
    return {
        "torque": rng.standard_normal(rows),
        "load": [None if rng.random() < 0.02 else int(rng.integers(0, 5)) for _ in range(rows)],
        "shift": rng.choice(["early", "late", "night"], rows, p=[0.5, 0.4, 0.1]),
        "alarm": [(True, False, None)[place] for place in rng.integers(0, 3, rows)],
    }


def drifting(rng: np.random.Generator) -> dict[str, Any]:
    """Quiet, then other numbers, a new word and something that is no number; quiet again for long."""
    table = inputs(rng)
    table["torque"][1500:2500] += 1.0
    table["shift"][2000:2300] = "extra"
    table["load"][2600:2700] = ["broken"] * 100
    return table


def cut_table(table: dict[str, Any], start: int, stop: int) -> dict[str, Any]:
    return {name: column[start:stop] for name, column in table.items()}


def falling_silent(rng: np.random.Generator) -> Ticks:
    """Calls every few seconds, looks in between; a gap, a clock that is set back, a long gap."""
    steps = rng.exponential(5.0, ROWS)
    steps[[1000, 2000, 4000]] = 700.0, -3600.0, 5000.0
    heard = rng.random(ROWS) < 0.8
    heard[[1000, 2000, 4000]] = False
    return Ticks(np.cumsum(steps), heard)


def failing(rng: np.random.Generator) -> CallSeries:
    """Some days of calls, one in twenty bad; an outage of hours; then worse days."""
    times = 1.7e9 + np.cumsum(rng.exponential(150.0, ROWS))
    bad = rng.random(ROWS) < np.repeat([0.03, 0.03, 0.5], ROWS // 3)
    bad[2000:2060] = True
    return CallSeries(times, bad)


PROFILE = profile_of(inputs(np.random.default_rng(99), 20_000), FIELDS)
KINDS = {
    "drift": Kind(
        lambda state: DriftDetector(PROFILE, DriftWatch(chunk=80), state),
        drifting,
        cut_table,
        ({"torque": np.zeros(3), "load": np.zeros(2)},),
    ),
    "silence": Kind(
        lambda state: SilenceDetector(600.0, state),
        falling_silent,
        lambda ticks, start, stop: Ticks(ticks.times[start:stop], ticks.heard[start:stop]),
        (Ticks(np.array([0.0, np.nan]), np.array([True, False])),),
    ),
    "availability": Kind(
        lambda state: LevelDetector(LevelWatch(Signal.AVAILABILITY, Colour.ORANGE, Colour.RED, 0.05), state),
        failing,
        lambda calls, start, stop: CallSeries(calls.times[start:stop], calls.bad[start:stop]),
        (CallSeries(np.array([0.0, np.inf]), np.array([True, False])),),
    ),
    "risk": of_losses(Signal.RISK, rising),
    "risk in groups": of_losses(Signal.RISK, rising_in_groups, "site"),
    "contract": of_losses(Signal.CONTRACT, rising),
    "latency": of_losses(Signal.LATENCY, rising),
}
CUTS = (0, 1, 2, 650, 651, 1999, 2700, 2701, 5000)

each = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def test_every_detector_is_held_to_this_contract() -> None:
    """A new one is found by its file; it needs an entry in ``KINDS``: how to make it, and rows in which it stirs."""
    modules = [import_module(f"{detectors.__name__}.{file.name}") for file in iter_modules(detectors.__path__)]
    known = {one for module in modules for one in vars(module).values() if isinstance(one, type)}
    made = {type(kind.make(None)) for kind in KINDS.values()}
    assert {one for one in known if issubclass(one, Detector) and not isabstract(one)} == made


def fed(kind: Kind, rows: Any, cuts: tuple[int, ...] = ()) -> tuple[Detector[Any, Any], list[DetectorChange]]:
    detector = kind.make(None)
    changes: list[DetectorChange] = []
    for start, stop in zip((0, *cuts), (*cuts, ROWS), strict=True):
        changes += detector.update(kind.cut(rows, start, stop))
    return detector, changes


def as_bytes(detector: Detector[Any, Any]) -> str:
    return json.dumps(written(detector.state), allow_nan=False)


@each
def test_something_happens_and_ends(kind: Kind) -> None:
    """What follows is only worth something where there are changes to compare."""
    _, changes = fed(kind, kind.rows(np.random.default_rng(0)))
    assert any(change.colour is not Colour.GREEN for change in changes)
    assert all(1 <= change.seen <= ROWS for change in changes)
    assert [change.seen for change in changes] == sorted(change.seen for change in changes)
    for change in changes:
        assert change.reason.render("en") != change.reason.render("zh")


@each
@pytest.mark.parametrize("seed", [0, 1])
def test_batches_do_not_matter(kind: Kind, seed: int) -> None:
    rows = kind.rows(np.random.default_rng(seed))
    whole, at_once = fed(kind, rows)
    pieces, in_pieces = fed(kind, rows, CUTS)
    assert in_pieces == at_once
    assert as_bytes(pieces) == as_bytes(whole)
    assert pieces.value == whole.value


@pytest.mark.one_in(4)
@each
@pytest.mark.parametrize("stop", [1, 700, 2500, 4100])
def test_a_stored_state_goes_on_byte_for_byte(kind: Kind, stop: int) -> None:
    rows = kind.rows(np.random.default_rng(2))
    straight, said = fed(kind, rows, (stop,))
    first = kind.make(None)
    before = list(first.update(kind.cut(rows, 0, stop)))
    resumed = kind.make(restored(type(first.state), json.loads(as_bytes(first))))
    assert resumed.state == first.state
    assert (resumed.seen, resumed.colours, resumed.value) == (stop, first.colours, first.value)
    assert [*before, *resumed.update(kind.cut(rows, stop, ROWS))] == said
    assert as_bytes(resumed) == as_bytes(straight)


@each
def test_the_state_stays_small_and_cannot_be_changed(kind: Kind) -> None:
    rows = kind.rows(np.random.default_rng(3))
    detector, _ = fed(kind, rows)
    size, state = len(as_bytes(detector)), detector.state
    with pytest.raises(FrozenInstanceError):
        setattr(state, fields(state)[0].name, 0)
    for _ in range(3):
        detector.update(rows)
    assert len(as_bytes(detector)) < 1.2 * size + 500
    assert detector.seen == 4 * ROWS


@each
def test_an_empty_batch_changes_nothing(kind: Kind) -> None:
    rows = kind.rows(np.random.default_rng(4))
    detector, _ = fed(kind, rows)
    before = as_bytes(detector)
    assert detector.update(kind.cut(rows, 0, 0)) == ()
    assert as_bytes(detector) == before


@each
def test_wrong_rows_are_refused_and_none_is_taken(kind: Kind) -> None:
    assert kind.wrong
    for wrong in kind.wrong:
        detector, _ = fed(kind, kind.rows(np.random.default_rng(5)))
        before = as_bytes(detector)
        with pytest.raises(InputError) as refused:
            detector.update(wrong)
        assert refused.value.render("zh") != refused.value.render("en")
        assert as_bytes(detector) == before


@each
def test_its_promise_is_said_in_both_languages(kind: Kind) -> None:
    promise = kind.make(None).promise
    assert promise.render("en") != promise.render("zh")


@each
def test_a_state_of_another_kind_is_refused(kind: Kind) -> None:
    with pytest.raises(InputError) as refused:
        restored(type(kind.make(None).state), {"seen": "many"})
    assert refused.value.code == "detector.state_unreadable"


@each
def test_it_stands_at_the_highest_colour_of_its_parts(kind: Kind) -> None:
    assert kind.make(None).colour is Colour.GREEN
    rows = kind.rows(np.random.default_rng(8))
    detector = kind.make(None)
    stood: dict[str, Colour] = {}
    for start in range(0, ROWS, 500):
        for change in detector.update(kind.cut(rows, start, start + 500)):
            stood[change.part] = change.colour
        assert {part: colour for part, colour in detector.colours.items() if colour is not Colour.GREEN} == {
            part: colour for part, colour in stood.items() if colour is not Colour.GREEN
        }
        assert detector.colour is max(detector.colours.values(), key=list(Colour).index, default=Colour.GREEN)
