"""One contract for every primitive of the evidence room: batches, resumption, order, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, dataclass, fields
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pilotbase.documents.errors import InputError
from pilotbase.evidence.confidence_sequence import ConfidenceSequence
from pilotbase.evidence.martingale import MeanMartingale
from pilotbase.evidence.monitoring import LifeRestart, ShiryaevRoberts, WeightedRestart
from pilotbase.evidence.prediction_powered import JudgedPool, PredictionPowered, PredictionPoweredSequence
from pilotbase.evidence.primitive import Primitive, state_from
from pilotbase.evidence.recalculated import RecalculatedBets

Values = NDArray[Any]


@dataclass(frozen=True)
class Kind:
    """How to make one, values that suit it, and values that do not."""

    make: Callable[[Any], Primitive[Any, Any]]
    values: Callable[[np.random.Generator, int], Values]
    wrong: tuple[Values, ...]
    path: bool = False
    """Whether ``update`` returns entries of a path (last axis) rather than what is known after the batch."""
    settled: int = 120
    """How many entries of the path 120 values determine for certain."""


def binary(rng: np.random.Generator, n: int) -> Values:
    return (rng.random(n) < 0.9).astype(np.int64)


def scores(rng: np.random.Generator, n: int) -> Values:
    return rng.integers(0, 1001, n)


def losses(rng: np.random.Generator, n: int) -> Values:
    return rng.random(n) * 0.4


def judged(rng: np.random.Generator, n: int) -> Values:
    labels = (rng.random(n) < 0.9).astype(np.int64)
    return np.stack((labels, np.where(rng.random(n) < 0.1, 1 - labels, labels)), axis=1)


JUDGED = JudgedPool(600, 520, (0, 1), (0, 1))
ROWS = (
    np.array([[0, 2]]),
    np.array([[-1, 0]]),
    np.array([0, 1]),
    np.array([[0.5, 1]]),
    np.zeros((601, 2), dtype=np.int64),
)
INTEGERS = (np.array([0, 1, -1]), np.array([0.5]), np.array([[0, 1]]), np.array([np.nan]))
BINARY = (*INTEGERS, np.array([0, 2]))
REALS = (np.array([np.nan]), np.array([0.1, np.inf]), np.array([[0.1]]))
LOSSES = (*REALS, np.array([1e7]), np.array([-0.1]))
BOUNDED = (*INTEGERS, np.array([0, 1001]))

KINDS: dict[str, Kind] = {
    "martingale": Kind(
        lambda state: MeanMartingale.with_replacement(Fraction(9, 10), 0, state), binary, INTEGERS, path=True
    ),
    "martingale without replacement": Kind(
        lambda state: MeanMartingale.without_replacement(900, 1000, 0, state),
        binary,
        (*INTEGERS, np.ones(1001, dtype=np.int64)),
        path=True,
    ),
    "recalculated bets": Kind(
        lambda state: RecalculatedBets(0.05, 3000, state),
        lambda rng, n: rng.random(n) - 0.6,
        (np.array([np.nan]), np.array([[0.1]]), np.array([-1.5]), np.zeros(3001)),
        path=True,
    ),
    "sequence of counts": Kind(lambda state: ConfidenceSequence(0.05, (0, 1), state=state), binary, BOUNDED),
    "sequence of named kinds": Kind(
        lambda state: ConfidenceSequence(0.05, (0, 1000), kinds=(0, 900, 1000), state=state),
        lambda rng, n: rng.choice([0, 900, 1000], n),
        (*BOUNDED, np.array([0, 17])),
    ),
    "sequence of scores": Kind(lambda state: ConfidenceSequence(0.05, (0, 1000), state=state), scores, BOUNDED),
    "weighted restart": Kind(lambda state: WeightedRestart(0.15, state), losses, LOSSES, path=True),
    "life restart": Kind(lambda state: LifeRestart(0.15, 2000, state), losses, LOSSES, path=True),
    "e-SR": Kind(lambda state: ShiryaevRoberts(0.15, state), losses, LOSSES, path=True),
    "prediction-powered": Kind(
        lambda state: PredictionPowered(JUDGED, Fraction(9, 10), Fraction(4, 5), state=state), judged, ROWS, path=True
    ),
    "prediction-powered, learning": Kind(
        lambda state: PredictionPowered(JUDGED, Fraction(9, 10), Fraction(1, 2), True, state), judged, ROWS, path=True
    ),
    "prediction-powered sequence": Kind(
        lambda state: PredictionPoweredSequence(JUDGED, 0.05, Fraction(4, 5), state), judged, ROWS
    ),
    "sequence of a finite set": Kind(
        lambda state: ConfidenceSequence(0.05, (0, 1), 500, state=state),
        binary,
        (*BOUNDED, np.zeros(501, dtype=np.int64)),
    ),
}
CUTS = (1, 1, 63, 64, 65, 7)

each = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def fed(kind: Kind, values: Values, cuts: tuple[int, ...] = ()) -> tuple[Primitive[Any, Any], list[Any]]:
    primitive, results, rest = kind.make(None), [], values
    for cut in (*cuts, len(values)):
        results.append(primitive.update(rest[:cut]))
        rest = rest[cut:]
    return primitive, results


def joined(kind: Kind, results: list[Any]) -> Any:
    return np.concatenate(results, axis=-1) if kind.path else results[-1]


def same(one: Any, two: Any) -> bool:
    return bool(np.array_equal(one, two, equal_nan=True)) if isinstance(one, np.ndarray) else bool(one == two)


AT_LEVEL: dict[str, Callable[[float], object]] = {
    "sequence": lambda alpha: ConfidenceSequence(alpha, (0, 1)),
    "prediction-powered sequence": lambda alpha: PredictionPoweredSequence(JUDGED, alpha, Fraction(4, 5)),
    "recalculated bets": lambda alpha: RecalculatedBets(alpha, 100),
}


@pytest.mark.parametrize("make", AT_LEVEL.values(), ids=AT_LEVEL)
def test_an_error_probability_lies_strictly_between_0_and_1(make: Callable[[float], object]) -> None:
    make(0.05)
    for alpha in (-0.1, 0.0, 1.0, 5.0, float("nan")):
        with pytest.raises(InputError) as refused:
            make(alpha)
        assert refused.value.code == "evidence.setting_out_of_range"


@each
def test_it_has_update_and_state(kind: Kind) -> None:
    assert isinstance(kind.make(None), Primitive)


@each
@pytest.mark.parametrize("seed", [0, 1])
def test_batches_do_not_matter(kind: Kind, seed: int) -> None:
    values = kind.values(np.random.default_rng(seed), 400)
    whole, one = fed(kind, values)
    pieces, several = fed(kind, values, CUTS)
    assert pieces.state == whole.state
    assert same(joined(kind, one), joined(kind, several))


@each
def test_a_stored_state_resumes_bit_for_bit(kind: Kind) -> None:
    values = kind.values(np.random.default_rng(2), 400)
    straight, _ = fed(kind, values)
    first, _ = fed(kind, values[:171])
    written = json.dumps(asdict(first.state), allow_nan=False)
    resumed = kind.make(state_from(type(first.state), json.loads(written)))
    assert resumed.state == first.state
    resumed.update(values[171:])
    assert resumed.state == straight.state


@each
def test_a_state_cannot_be_changed(kind: Kind) -> None:
    primitive, _ = fed(kind, kind.values(np.random.default_rng(3), 20))
    state = primitive.state
    with pytest.raises(FrozenInstanceError):
        setattr(state, fields(state)[0].name, 0)
    primitive.update(kind.values(np.random.default_rng(4), 50))
    assert state != primitive.state


@each
def test_an_empty_batch_changes_nothing(kind: Kind) -> None:
    values = kind.values(np.random.default_rng(5), 60)
    primitive, _ = fed(kind, values)
    before = primitive.state
    nothing = primitive.update(values[:0])
    assert primitive.state == before
    if kind.path:
        assert np.asarray(nothing).shape[-1] == 0
    fresh = kind.make(None)
    fresh.update(values[:0])
    assert fresh.state == kind.make(None).state


@each
def test_the_future_does_not_change_the_past(kind: Kind) -> None:
    rng = np.random.default_rng(6)
    values = kind.values(rng, 300)
    shuffled = np.concatenate((values[:120], rng.permutation(values[120:])))
    if kind.path:
        one, two = (joined(kind, fed(kind, each)[1]) for each in (values, shuffled))
        assert same(one[..., : kind.settled], two[..., : kind.settled])
        assert kind.settled <= one.shape[-1]
    one_state, two_state = (fed(kind, each, (120,))[1][0] for each in (values, shuffled))
    assert same(one_state, two_state)


@each
def test_wrong_values_are_refused_and_none_is_taken(kind: Kind) -> None:
    assert kind.wrong
    for wrong in kind.wrong:
        primitive, _ = fed(kind, kind.values(np.random.default_rng(7), 30))
        before = primitive.state
        with pytest.raises(InputError) as refused:
            primitive.update(wrong)
        assert refused.value.code.startswith("evidence.")
        assert refused.value.render("zh") != refused.value.render("en")
        assert primitive.state == before
