"""Few labels: a judge or model scores every case of a pool, people label a few; the claim is about the pool's labels.

Source: prediction-powered inference (Angelopoulos et al., Science 2023) with betting without replacement
(Waudby-Smith & Ramdas, JRSS-B 2024): label minus λ · (score - the pool's mean score) has the same mean as the labels
for any judge, and a smaller spread when the judge is good. Exact at any stopping time, with no assumption on the judge.
The claim covers only the pool, and its cases must be labelled in uniformly random order. All sums are integers, so ties
at the threshold are exact. `GroupedLabels` claims the population instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.errors import InputError
from pilotbase.evidence.confidence_sequence import ConfidenceSequence, SequenceState
from pilotbase.evidence.martingale import FRACTIONS, log_mean
from pilotbase.evidence.primitive import Bounds, Floats, Ints, integers, table
from pilotbase.evidence.recalculated import RecalculatedBets

_DENOMINATOR = 64
_PRIOR_LABELS = 30


@dataclass(frozen=True)
class PredictionPoweredState:
    """Sums, the log capital of each bet for and against, and whether the labels alone have settled it."""

    sums: LabelledSums
    for_it: tuple[float, ...]
    against_it: tuple[float, ...]
    confirmed: bool
    refuted: bool


class PredictionPowered:
    """Evidence that the mean label of a pool is at least a threshold, and evidence that it is below.

    ``weight`` is λ in [0, 1], how much the judge is trusted, fixed beforehand. With ``learn`` it
    is only where λ starts: λ then follows the labels already in, and the null mean is corrected for that (corrections,
    row 5).
    """

    def __init__(
        self,
        pool: JudgedPool,
        threshold: Fraction,
        weight: Fraction,
        learn: bool = False,
        state: PredictionPoweredState | None = None,
    ) -> None:
        _refuse_weight(weight)
        self._pool, self._weight, self._learn = pool, weight, learn
        self._needed = math.ceil(pool.size * threshold)
        even = (0.0,) * len(FRACTIONS)
        self._state = state or PredictionPoweredState(LabelledSums(), even, even, False, False)

    @property
    def state(self) -> PredictionPoweredState:
        return self._state

    def update(self, values: NDArray[Any]) -> Floats:
        """Take labelled cases in their order, columns (label, score); return log e-values, shape (2, n).

        First row: evidence that the mean label is at least the threshold; second row: that it is below. Infinite once
        the labels settle it.
        """
        state, pool = self._state, self._pool
        labels, scores = pool.checked(values, state.sums)
        if len(labels) == 0:
            return np.zeros((2, 0))
        before, after = running(state.sums, labels, scores)
        bet = self._weights(before)
        upwards = _Side(pool, self._needed - 1, labels, scores, before)
        downwards = _Side(pool.mirrored(), -self._needed, -labels, -scores, before.negated())
        for_it, confirmed, rising = upwards.play(bet, state.for_it, state.confirmed)
        against_it, refuted, falling = downwards.play(bet, state.against_it, state.refuted)
        self._state = PredictionPoweredState(after, for_it, against_it, confirmed, refuted)
        return np.stack((rising, falling))

    def _weights(self, before: SumsBefore) -> tuple[Ints, int]:
        """Return λ before each label as numerators and one denominator: a function of earlier labels only."""
        if not self._learn:
            return np.full(len(before.count), self._weight.numerator), self._weight.denominator
        count = before.count.astype(np.float64)
        spread = count * before.squares - before.scores.astype(np.float64) ** 2
        together = count * before.products - before.labels.astype(np.float64) * before.scores
        slope = np.clip(np.where(spread > 0, together / np.where(spread > 0, spread, 1.0), float(self._weight)), 0, 1)
        learned = (slope * count + float(self._weight) * _PRIOR_LABELS) / (count + _PRIOR_LABELS)
        return np.rint(learned * _DENOMINATOR).astype(np.int64), _DENOMINATOR


@dataclass(frozen=True)
class PoweredSequenceState:
    """The sums of the labelled cases and the state of the sequence over label minus λ · score."""

    sums: LabelledSums
    sequence: SequenceState


class PredictionPoweredSequence:
    """Two-sided bounds of the mean label of a pool at any time, α/2 a side, with λ fixed beforehand."""

    def __init__(
        self, pool: JudgedPool, alpha: float, weight: Fraction, state: PoweredSequenceState | None = None
    ) -> None:
        _refuse_weight(weight)
        self._pool, self._weight = pool, weight
        (low, high), (least, most) = pool.score_limits, pool.label_limits
        widest = weight.denominator * (most - least) + weight.numerator * (high - low)
        self._sums = state.sums if state else LabelledSums()
        self._sequence = ConfidenceSequence(alpha, (0, widest), pool.size, state=state.sequence if state else None)

    @property
    def state(self) -> PoweredSequenceState:
        return PoweredSequenceState(self._sums, self._sequence.state)

    @property
    def bounds(self) -> Bounds:
        """Return the bounds as they stand, in the labels' unit."""
        pool, found, sums = self._pool, self._sequence.bounds, self._sums
        shift = self._weight * (pool.size * pool.score_limits[1] - pool.score_total)
        # Totals are whole: what rounding of the last digit leaves open is closed again.
        lowest = found.lower * pool.size / self._weight.denominator - float(shift) - 1e-6
        highest = found.upper * pool.size / self._weight.denominator - float(shift) + 1e-6
        least, most = pool.label_limits
        rest = pool.size - sums.count
        low = max(math.ceil(lowest) + pool.size * least, sums.labels + rest * least)
        high = min(math.floor(highest) + pool.size * least, sums.labels + rest * most)
        return Bounds(low / pool.size, high / pool.size)

    def update(self, values: NDArray[Any]) -> Bounds:
        """Take labelled cases, columns (label, score); return the bounds after them."""
        pool = self._pool
        labels, scores = pool.checked(values, self._sums)
        if len(labels):
            least, highest = pool.label_limits[0], pool.score_limits[1]
            self._sequence.update(
                self._weight.denominator * (labels - least) + self._weight.numerator * (highest - scores)
            )
            self._sums = running(self._sums, labels, scores)[1]
        return self.bounds


@dataclass(frozen=True)
class _Side:
    """A bet on labels above: against *the pool's labels sum to at most* ``null``."""

    pool: JudgedPool
    null: int
    labels: Ints
    scores: Ints
    before: SumsBefore

    def play(
        self, weights: tuple[Ints, int], logs: tuple[float, ...], settled: bool
    ) -> tuple[tuple[float, ...], bool, Floats]:
        """Return the bets' log capitals after the batch, whether the null is impossible now, and the path."""
        gains, impossible = self._gains(*weights)
        impossible = np.logical_or.accumulate(impossible) | settled
        steps = np.log1p(FRACTIONS[:, None] * np.where(impossible, 0.0, gains))
        steps[:, 0] += np.array(logs)
        capitals = np.cumsum(steps, axis=1)
        path = np.where(impossible, math.inf, log_mean(capitals))
        return tuple(capitals[:, -1].tolist()), bool(impossible[-1]), path

    def _gains(self, tops: Ints, bottom: int) -> tuple[Floats, NDArray[np.bool_]]:
        least, highest = self.pool.label_limits[0], self.pool.score_limits[1]
        rest = self.pool.size - self.before.count
        labels_left = self.null - self.before.labels - rest * least
        scores_left = rest * highest - (self.pool.score_total - self.before.scores)
        # Value and room are counted from the smallest value that λ allows; the pool's mean score cancels.
        value = bottom * (self.labels - least) + tops * (highest - self.scores)
        room = bottom * labels_left + tops * scores_left
        impossible = (self.labels - least > labels_left) | (value > room) | (room < 0)
        gains = np.where(room > 0, value * (rest / np.where(room > 0, room, 1)) - 1.0, 0.0)
        return gains, impossible


def _refuse_weight(weight: Fraction) -> None:
    if not 0 <= weight <= 1:
        raise InputError("evidence.weight_out_of_range", found=str(weight))


@dataclass(frozen=True)
class JudgedPool:
    """What is known before any label: how many cases, their scores' total and limits, and the limits of a label.

    Scores and labels are integers in one unit (for scores with three decimals: thousandths).
    """

    size: int
    score_total: int
    score_limits: tuple[int, int]
    label_limits: tuple[int, int]

    @classmethod
    def of(cls, scores: Ints, label_limits: tuple[int, int]) -> JudgedPool:
        """Return the pool of the cases with these judge scores."""
        whole = integers(scores)
        if len(whole) == 0:
            raise InputError("evidence.no_cases")
        return cls(len(whole), int(whole.sum()), (int(whole.min()), int(whole.max())), label_limits)

    def mirrored(self) -> JudgedPool:
        """Return the pool with all signs turned: evidence below becomes evidence above."""
        (low, high), (least, most) = self.score_limits, self.label_limits
        return JudgedPool(self.size, -self.score_total, (-high, -low), (-most, -least))

    def checked(self, values: NDArray[Any], before: LabelledSums) -> tuple[Ints, Ints]:
        """Return labels and scores of a batch; refuse what cannot be of this pool."""
        columns = table(values, (2,))
        labels, scores = integers(columns[:, 0], *self.label_limits), integers(columns[:, 1], *self.score_limits)
        found = before.count + len(labels)
        if found > self.size:
            raise InputError("evidence.more_than_the_set", size=self.size, found=found)
        rest, left = self.size - found, self.score_total - before.scores - int(scores.sum())
        if not rest * self.score_limits[0] <= left <= rest * self.score_limits[1]:
            raise InputError("evidence.scores_do_not_fit", found=found)
        return labels, scores


@dataclass(frozen=True)
class LabelledSums:
    """Sums over the labelled cases: of labels, scores, their product and squared scores."""

    count: int = 0
    labels: int = 0
    scores: int = 0
    products: int = 0
    squares: int = 0


@dataclass(frozen=True)
class SumsBefore:
    """The sums as they stood before each label of a batch."""

    count: Ints
    labels: Ints
    scores: Ints
    products: Ints
    squares: Ints

    def negated(self) -> SumsBefore:
        """Return the sums of turned labels and scores."""
        return replace(self, labels=-self.labels, scores=-self.scores)


class GroupedLabels:
    """Evidence about the mean label of the population from which cases are independent draws, at any time.

    Every labelled case has ``group`` unlabelled ones of its own: z = y - λ · (f - mean f of its group) has the mean of
    the labels for any judge and any λ that follows from earlier labels only, and lies in [-λ, 1 + λ]. So λ may be
    learned: cov(y, f) / (var f · (1 + 1/group)), shrunk towards ``weight`` as if by 30 labels.

    ``values``: columns label, score, mean score of the group, each in [0, 1], in the order of labelling. ``horizon``:
    the number of labels, where it was fixed beforehand; the bets then aim at it, and need fewer.
    """

    def __init__(self, values: Floats, group: int, weight: Fraction, horizon: int | None = None) -> None:
        _refuse_weight(weight)
        self._horizon = horizon
        labels, scores, others = values.T
        before = SumsBefore(*(np.concatenate(([0.0], np.cumsum(term)[:-1])) for term in (
            np.ones(len(labels)), labels, scores, labels * scores, scores * scores)))  # fmt: skip
        spread = (before.count * before.squares - before.scores**2) * (1 + 1 / group)
        together = before.count * before.products - before.labels * before.scores
        slope = np.clip(np.where(spread > 1e-9, together / np.where(spread > 1e-9, spread, 1), float(weight)), 0, 1)
        self.weights: Floats = (slope * before.count + float(weight) * _PRIOR_LABELS) / (before.count + _PRIOR_LABELS)
        self.entries: Floats = labels - self.weights * (scores - others)

    def above(self, mean: float, alpha: float) -> Floats:
        """Return the log capital after each label of a bet against *the mean is at most* ``mean``, shape (n,).

        ``alpha``: the level at which it is to reach 1/α, which a fixed number of labels is used for.
        """
        return self._path((self.entries - mean) / (mean + self.weights), alpha)

    def below(self, mean: float, alpha: float) -> Floats:
        """Return the same of a bet against *the mean is at least* ``mean``."""
        return self._path((mean - self.entries) / (1 + self.weights - mean), alpha)

    def bounds(self, alpha: float) -> Bounds:
        """Return bounds of the mean after the last label; each side is wrong at any time with at most ``alpha``."""
        level = math.log(1 / alpha)
        low = _outermost(lambda mean: bool((self.above(mean, alpha) >= level).any()))
        high = _outermost(lambda mean: bool((self.below(1 - mean, alpha) >= level).any()))
        return Bounds(low, 1 - high)

    def _path(self, gains: Floats, alpha: float) -> Floats:
        if len(gains) == 0:
            return np.zeros(0)
        if self._horizon is not None:
            return RecalculatedBets(alpha, self._horizon).update(np.maximum(gains, -1.0))
        return log_mean(np.cumsum(np.log1p(FRACTIONS[:, None] * gains), axis=1))


def _outermost(refuted: Callable[[float], bool]) -> float:
    """Return the largest mean in (0, 1) that is refuted, from below to twenty bits; 0 if none is."""
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if refuted(middle) else (low, middle)
    return low


def running(sums: LabelledSums, labels: Ints, scores: Ints) -> tuple[SumsBefore, LabelledSums]:
    """Return the sums before each label of a batch, and after the last."""
    terms = (np.ones(len(labels), dtype=np.int64), labels, scores, labels * scores, scores * scores)
    starts = (sums.count, sums.labels, sums.scores, sums.products, sums.squares)
    totals = [start + np.concatenate(([0], np.cumsum(term))) for start, term in zip(starts, terms, strict=True)]
    return SumsBefore(*(total[:-1] for total in totals)), LabelledSums(*(int(total[-1]) for total in totals))


def spread_sample(predicted: Floats, wanted: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Return ``wanted`` places of ``predicted``, each with the same chance, spread evenly over its order.

    Systematic sampling: the mean of the drawn is that of all on average, whatever is predicted, and varies the less
    the better the prediction is.
    """
    count = len(predicted)
    order = np.lexsort((random.random(count), predicted))
    places = (random.random() + np.arange(wanted)) * count / wanted
    drawn: NDArray[np.int64] = order[np.minimum(places.astype(np.int64), count - 1)]
    return drawn
