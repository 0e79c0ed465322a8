"""The observations of a measure per case: integers whose ratio of sums is the measure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.contract import AS_WRITTEN
from pilotbase.measures.cases import Cases, Floats, Ints

Counts = NDArray[np.signedinteger[Any]]
"""As narrow as the values allow: picking millions in random order is bound by memory."""
Form = Literal["single", "worst", "gap", "quantile", "mean", "absolute_sum", "function"]
Estimand = Literal["hidden_set", "population", "run"]
Comparison = Literal[">=", "<="]

ALL_CLASSES = -1
"""In place of the class that is asked about: all of them together."""

_DIGITS = 9
"""Real-valued scores are read to at least nine digits of their range, so that sums and ties are exact."""
_DIGITS_OF_SQUARES = 11
"""Squares of small errors are small; more digits would not leave room for the sum over ten million cases."""
_DIGITS_OF_LIMIT = 7
_LARGEST_SUM = 1 << 61
_PLAIN = float(1 << 50)
"""Beyond this, floats can't distinguish one step from the next."""
_FINE = 1e-5
"""Relative to the threshold: a shorter step isn't a figure of its own."""
_OFF_A_STEP = 1e-3
"""Of a step: what reckoning in floats makes of a number with as many digits."""
_DECIMALS, _OFF_A_DECIMAL = 12, 1e-14
_BITS, _SMALLEST = 30, -1074
"""Bits of a digit: billions of them add up in 64. The exponent of the smallest float."""
_PLAIN_POWER = 1000


@dataclass(frozen=True, eq=False)
class MeasurePart:
    """``(unit · Σ gain / Σ weight) ** (1 / root)``; a case of weight zero is not eligible.

    ``outcomes``: every (gain, weight) an eligible case can have; for real values the extremes and one step.
    ``joined``: an entry joins several cases (a pair), so that no cluster of cases can be its unit.
    ``reals``: gains and weights as they are, in the measure's own unit, where integers only come near them: the value
    is made of these. ``slack``: by how many steps an integer may then harm the criterion more than its real does.
    ``from_below``: the ratio is never above the measure, and bounds it from below only, at 0 or more.
    """

    gain: Counts
    weight: Counts
    outcomes: tuple[tuple[int, int], ...]
    root: Literal[1, 2] = 1
    unit: int = 1
    name: str | None = None
    joined: bool = False
    reals: Reals | Whole | None = None
    slack: int = 0
    from_below: bool = False

    def ratio(self) -> Fraction | None:
        """Return Σ gain / Σ weight; None when it is 0/0."""
        weight = int(self.weight.sum())
        if not weight:
            return None
        if self.reals is not None:
            return self.reals.ratio() / self.unit
        return Fraction(int(self.gain.sum()), weight)

    def value(self) -> float | None:
        """Return the measure over all cases; None when it is 0/0, which is *not measured*."""
        ratio = self.ratio()
        return None if ratio is None else float(self.unit * ratio) ** (1 / self.root)


@dataclass(frozen=True, eq=False)
class CutAtRate:
    """Scores and classes, and the share of the others above the cut at which recall is read.

    ``chosen``: the cases that enter. ``value``: the measure of some of the cases; ``blocks``: their entries by ranks,
    where it is the area beyond the cut.
    """

    scores: Floats
    positive: NDArray[np.bool_]
    rate: Fraction
    chosen: NDArray[np.bool_]
    value: Callable[[Ints], float | None]
    blocks: Callable[[Ints, Floats], MeasurePart] | None = None


@dataclass(frozen=True, eq=False)
class Observation:
    """A measure on cases: one part, or the worst, largest difference, mean or absolute sum of several parts.

    A ``function`` has the whole set's value as its part and, for a population, the statistic for its bounds.
    ``plain``: the measure over some cases, for entries that join several. ``uncapped``: the whole value, where
    entries count up to a cap, and that cap in times of what is allowed; it is the score and must meet the threshold.
    """

    form: Form
    parts: tuple[MeasurePart, ...]
    census_only: bool = False
    quantile: Fraction | None = None
    statistic: CutAtRate | None = None
    plain: Callable[[Ints], float | None] | None = None
    uncapped: tuple[Fraction, int] | None = None

    @property
    def joined(self) -> bool:
        """True when an entry joins several cases, so that no cluster of cases can be its unit."""
        return any(part.joined for part in self.parts)

    def value(self, comparison: Comparison) -> float | None:
        """Return the measure over all cases; for the worst group, the smallest where ``>=`` is asked."""
        values = [part.value() for part in self.parts]
        found = [value for value in values if value is not None]
        if len(found) < len(values) or not found or (self.form == "gap" and len(found) < 2):
            return None
        if self.form == "gap":
            return max(found) - min(found)
        if self.form == "worst":
            return min(found) if comparison == ">=" else max(found)
        if self.form in ("mean", "absolute_sum"):
            ratios = [part.ratio() or Fraction(0) for part in self.parts]
            total = sum(map(abs, ratios) if self.form == "absolute_sum" else ratios)
            return float(total / len(ratios) if self.form == "mean" else total)
        return found[0]


@dataclass(frozen=True, eq=False)
class MeasureInput:
    """The input of a measure: which cases, class and arguments, and which direction is worst for the criterion.

    ``label``: `ALL_CLASSES` if no single one is meant. ``columns``: those that arguments name, by argument.
    ``order``: the order in which the cases will be scored (pairs for AUC follow it).
    """

    cases: Cases
    arguments: Mapping[str, Decimal]
    label: int
    comparison: Comparison
    order: Ints
    estimand: Estimand = "hidden_set"
    columns: Mapping[str, str] = field(default_factory=dict)
    threshold: Decimal = Decimal(0)
    """The threshold of the measure: real scores are rounded to steps that are small relative to it."""

    def worst(self, low: int, high: int) -> int:
        """Return the gain of an abstention: whichever harms the criterion more."""
        return low if self.comparison == ">=" else high

    def answered(self) -> Ints:
        """Return the answered class codes, -1 for abstentions."""
        cut = float(self.arguments.get("cut", Decimal("0.5")))
        return self.cases.labels(self.cases.answers, cut)

    def numbers(self) -> Floats:
        """Return the answered numbers, NaN for abstentions."""
        answers = self.cases.answers.astype(np.float64)
        return np.where(np.isfinite(answers), answers, np.nan)

    def ours(self) -> NDArray[np.bool_]:
        """Return which cases are of the class, shape (cases,)."""
        truth = self.cases.truth
        return np.asarray(truth[:, self.label] == 1 if self.cases.kind == "labels" else truth == self.label)

    def named(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which cases are answered with the class, and which are not answered, both of shape (cases,)."""
        if self.cases.kind == "labels":
            absent = self.absent()
            return (self.cases.answers[:, self.label] == 1) & ~absent, absent
        answered = self.answered()
        return answered == self.label, answered < 0

    def whole(self, name: str) -> int:
        """Return an argument that is a whole number."""
        return int(self.arguments[name])

    def given(self, name: str) -> NDArray[Any]:
        """Return the column that an argument names, shape (cases,)."""
        return self.cases.given[self.columns[name]]

    def absent(self) -> NDArray[np.bool_]:
        """Return which cases have no answer, shape (cases,)."""
        answers, kind = self.cases.answers, self.cases.kind
        if kind == "value":
            return ~np.isfinite(answers.astype(np.float64))
        if kind in AS_WRITTEN:
            return missing_texts(answers)
        if kind == "ranking":
            return np.asarray(answers[:, 0] < 0) if answers.shape[1] else np.ones(len(answers), dtype=np.bool_)
        if kind == "interval":
            lower, upper = answers[:, 0].astype(np.float64), answers[:, 1].astype(np.float64)
            return ~(np.isfinite(lower) & np.isfinite(upper) & (lower <= upper))
        if kind == "labels":
            return np.asarray((answers < 0).any(axis=1))
        if kind in ("boxes", "mask"):
            return missing_arrays(answers)
        return self.answered() < 0


def missing_texts(texts: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which entries hold no text (None, NaN), shape (cases,)."""
    return np.array([not isinstance(value, str) for value in texts.tolist()], dtype=np.bool_)


def missing_arrays(arrays: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which entries hold no array, shape (cases,)."""
    return np.array([not isinstance(value, np.ndarray) for value in arrays], dtype=np.bool_)


def indicator(
    success: NDArray[np.bool_], eligible: NDArray[np.bool_], abstained: NDArray[np.bool_], question: MeasureInput
) -> MeasurePart:
    """Return the share of ``success`` among ``eligible``; abstained eligible cases get the worst value."""
    gain = success | abstained if question.worst(0, 1) else success & ~abstained
    return MeasurePart((gain & eligible).view(np.int8), eligible.view(np.int8), ((0, 1), (1, 1)))


def mean_of(
    scores: Floats, high: Decimal, question: MeasureInput, root: Literal[1, 2] = 1, low: Decimal = Decimal(0)
) -> MeasurePart:
    """Return the mean of real scores in [``low``, ``high``]; NaN becomes the worst value.

    Bets use a decimal lattice. A value between two steps counts as the one that harms the criterion: under a cap of
    10¹⁵ an error of 400,000 must not be read as none. The reported value is that of the scores themselves.
    """
    steps, unit = decimal_steps(max(abs(low), abs(high)), _digits(max(abs(low), abs(high)), question, root))
    bottom, top = (int(end * steps / unit) for end in (low, high))
    worst = question.worst(bottom, top) * unit / steps
    filled = np.clip(np.where(np.isnan(scores), worst, scores), float(low), float(high))
    places = filled / unit * steps
    nearest = np.rint(places)
    harming = np.ceil(places) if question.worst(0, 1) else np.floor(places)
    # Decimals that lie on a step are off it only by the rounding of floats: unless a step is all that is asked.
    fine = (
        Fraction(unit, steps) <= Fraction(_FINE) * abs(Fraction(question.threshold)) ** root or not question.threshold
    )
    on_step = (np.abs(places - nearest) <= (_OFF_A_STEP if fine else 0.0)) & (np.abs(places) < _PLAIN)
    gain = np.clip(np.where(on_step, nearest, harming), bottom, top).astype(np.int64)
    outcomes = ((bottom, steps), (bottom + 1, steps), (top, steps))
    part = MeasurePart(gain, np.broadcast_to(np.int64(steps), len(gain)), outcomes, root, unit)
    ones = np.broadcast_to(1.0, len(filled))
    return part if bool(on_step.all()) else replace(part, reals=Reals(filled, ones), slack=1)


def mean_among(
    scores: Floats,
    eligible: NDArray[np.bool_],
    question: MeasureInput,
    high: Decimal = Decimal(1),
    low: Decimal = Decimal(0),
) -> MeasurePart:
    """Return the mean of scores in [``low``, ``high``] over ``eligible`` cases, as `mean_of`."""
    part = mean_of(np.where(eligible, scores, 0.0), high, question, low=low)
    reals = Reals(part.reals.gains, eligible.astype(np.float64)) if isinstance(part.reals, Reals) else None
    return replace(part, weight=np.where(eligible, part.weight, 0), reals=reals)


def decimal_steps(high: Decimal, digits: int = _DIGITS) -> tuple[int, int]:
    """Return how many steps make one, and how many ones a step, so that values up to ``high`` have ``digits``."""
    shift = digits - high.adjusted()
    return 10 ** max(shift, 0), 10 ** max(-shift, 0)


def _digits(high: Decimal, question: MeasureInput, root: int) -> int:
    """Return with how many digits values up to ``high`` are read: more where the threshold is small beside it.

    As many as leave room for the sums over all cases.
    """
    usual = _DIGITS if root == 1 else _DIGITS_OF_SQUARES
    limit = abs(question.threshold) ** root
    if not limit:
        return usual
    wanted = high.adjusted() - limit.adjusted() + _DIGITS_OF_LIMIT
    room = int(math.log10(_LARGEST_SUM / max(len(question.cases), 1))) - 1
    return max(usual, min(wanted, room, room + high.adjusted()))


def whole_value(value: float | Fraction | None, question: MeasureInput, low: int = 0) -> MeasurePart:
    """Return a value in [``low``, 1] that only all cases together have, the same for each of them; None becomes 0/0.

    A float whose digits end is read as that decimal.
    """
    steps, size = 10**_DIGITS, len(question.cases)
    if isinstance(value, float):
        short = round(value, _DECIMALS)
        value = Fraction(str(short)) if abs(short - value) <= _OFF_A_DECIMAL else Fraction(value)
    exact = min(max(value or Fraction(0), Fraction(low)), Fraction(1))
    outcomes = ((low * steps, steps), (low * steps + 1, steps), (steps, steps))
    gain = np.broadcast_to(np.int64(int(exact * steps)), size)
    weight = np.broadcast_to(np.int64(0 if value is None else steps), size)
    return MeasurePart(gain, weight, outcomes, reals=Whole(exact))


def joined_part(
    question: MeasureInput, members: Ints, of: tuple[Ints, Ints | int], outcomes: tuple[tuple[int, int], ...]
) -> MeasurePart:
    """Return entries that join several cases, ``members`` (entries, cases), known when the last of them is scored.

    ``of``: gain and weight of each entry.
    """
    place = np.zeros(len(question.cases), dtype=np.int64)
    place[question.order] = np.arange(len(question.order))
    last = members[np.arange(len(members)), place[members].argmax(axis=1)] if len(members) else members.ravel()
    gain, weight = np.zeros(len(place), dtype=np.int64), np.zeros(len(place), dtype=np.int64)
    gain[last], weight[last] = of
    return MeasurePart(gain, weight, outcomes, joined=True)


def whole_of(compose: Callable[[MeasureInput], Observation]) -> Callable[[MeasureInput], MeasurePart]:
    """Return what observes, as a figure of the whole set, the measure that ``compose`` makes of several parts."""
    return lambda question: whole_value(compose(question).value(question.comparison), question)


@dataclass(frozen=True)
class Whole:
    """The value of all cases together."""

    value: Fraction

    def ratio(self, cases: Ints | slice = slice(None)) -> Fraction:
        return self.value

    def spread(self, chosen: Ints, size: int) -> Whole:
        return self


@dataclass(frozen=True, eq=False)
class Reals:
    """Gain and weight of each case, both finite and of shape (cases,), in the measure's own unit."""

    gains: Floats
    weights: Floats

    def ratio(self, cases: Ints | slice = slice(None)) -> Fraction:
        """Return Σ gain / Σ weight over ``cases``, exactly; their weights must not all be zero."""
        return _exact_sum(self.gains[cases]) / _exact_sum(self.weights[cases])

    def spread(self, chosen: Ints, size: int) -> Reals:
        """Return the same for ``size`` cases: these are ``chosen``, the others have no weight."""
        gains, weights = np.zeros(size), np.zeros(size)
        gains[chosen], weights[chosen] = self.gains, self.weights
        return Reals(gains, weights)


def _exact_sum(values: Floats) -> Fraction:
    """Return the sum of finite floats, exactly: digits of ``_BITS`` bits are taken off them, the highest first."""
    exponent, rest, total = int(np.frexp(np.abs(values).max(initial=0.0))[1]), values, Fraction(0)
    while rest.any():
        exponent = max(exponent - _BITS, _SMALLEST)
        digits = np.trunc(_times_two_to(rest, -exponent))
        total += int(digits.astype(np.int64).sum()) * Fraction(2) ** exponent
        rest = rest - _times_two_to(digits, exponent)
    return total


def _times_two_to(values: Floats, power: int) -> Floats:
    """Return ``values`` · 2 ** ``power``: by a product where that power is a float."""
    product: Floats = values * 2.0**power if abs(power) < _PLAIN_POWER else np.ldexp(values, power)
    return product
