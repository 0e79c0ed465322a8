"""A hidden set that is queried repeatedly: the Ladder of a leaderboard, and Thresholdout.

The Ladder protects the ranking, not the confidence interval of an entry: its board is a separate slice, never used to
certify. Source: Blum & Hardt, "The Ladder: a reliable leaderboard for machine learning competitions", ICML 2015.

Thresholdout only bounds how far adaptive choices overfit the holdout: certify on cases that were never queried.
Source: Dwork, Feldman, Hardt, Pitassi, Reingold & Roth, "The reusable holdout", Science 349:636, 2015.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pilotbase.documents.errors import InputError
from pilotbase.evidence.primitive import Floats, reals, table, within

Noise = Literal["gaussian", "laplace"]
_ANOTHER_STREAM = 1 << 128


@dataclass(frozen=True)
class LadderState:
    """Entries so far, the best score shown, and (without a fixed step) the losses of the entry that it belongs to."""

    entries: int
    shown: float | None
    losses: tuple[float, ...]


class Ladder:
    """A board over ``cases`` cases; an entry is a loss in [0, 1] for each of them.

    Without ``step`` an entry must beat the best by the standard error of its difference to it (algorithm 2 of the
    paper); with ``step`` by that amount, and the released score is rounded to it (algorithm 1).
    """

    def __init__(self, cases: int, step: Fraction | None = None, state: LadderState | None = None) -> None:
        if cases < 2:
            raise InputError("evidence.board_too_small", found=cases)
        self._cases, self._step = cases, step
        self._state = state or LadderState(0, None, ())

    @property
    def state(self) -> LadderState:
        return self._state

    def update(self, values: NDArray[Any]) -> Floats:
        """Take entries, shape (entries, cases), in their order; return the best score shown after each (entries,)."""
        if values.ndim != 2 or values.shape[1] != self._cases:
            expected = f"(n, {self._cases})"
            raise InputError("evidence.values_shape", found=str(values.shape), expected=expected)
        entries = reals(values.ravel(), 0, 1).reshape(values.shape)
        shown, losses, path = self._state.shown, np.array(self._state.losses), np.empty(len(entries))
        for place, entry in enumerate(entries):
            mean = float(entry.mean())
            if shown is None or mean < shown - self._margin(entry, losses):
                shown = self._rounded(mean)
                losses = entry if self._step is None else losses
            path[place] = shown
        self._state = LadderState(self._state.entries + len(entries), shown, tuple(losses.tolist()))
        return path

    def _margin(self, entry: Floats, best: Floats) -> float:
        if self._step is not None:
            return float(self._step)
        return float(np.std(entry - best, ddof=1)) / math.sqrt(self._cases)

    def _rounded(self, mean: float) -> float:
        return mean if self._step is None else float(round(Fraction(mean) / self._step) * self._step)


@dataclass(frozen=True)
class ThresholdoutState:
    """Questions asked, and how many of them the holdout itself answered (which is what spends its budget)."""

    asked: int
    from_holdout: int


class Thresholdout:
    """Answers queries for means: the training value if it is near the holdout's, else the holdout's with noise.

    ``gaussian``: as in the paper's experiments, |difference| against ``threshold`` + N(0, ``scale``). ``laplace``: the
    version with a proof, noise Lap(2·scale) on the threshold (fresh after each answer from the holdout), Lap(4·scale)
    on the comparison and Lap(scale) on the answer. Noise depends on ``seed`` (keep it secret) and on the question's
    number. After ``budget`` answers from the holdout there are no further answers (NaN).
    """

    def __init__(
        self,
        threshold: float,
        scale: float,
        seed: int,
        noise: Noise = "gaussian",
        budget: int | None = None,
        state: ThresholdoutState | None = None,
    ) -> None:
        within("threshold", threshold, 0, math.inf)
        within("scale", scale, 0, math.inf)
        self._threshold, self._scale, self._seed = threshold, scale, seed
        self._noise, self._budget = noise, budget
        self._state = state or ThresholdoutState(0, 0)

    @property
    def state(self) -> ThresholdoutState:
        return self._state

    @property
    def exhausted(self) -> bool:
        """Return whether the budget is spent."""
        return self._budget is not None and self._state.from_holdout >= self._budget

    def update(self, values: NDArray[Any]) -> Floats:
        """Take questions in their order, columns (mean on the training set, on the holdout); return answers, (n,)."""
        questions = table(values, (2,)).astype(np.float64)
        if not np.isfinite(questions).all():
            raise InputError("evidence.question_not_finite")
        answers = np.full(len(questions), math.nan)
        noise = self._drawn(len(questions))
        for place, (training, holdout) in enumerate(questions):
            if not self.exhausted:
                far = abs(training - holdout) > self._threshold + self._shift() + noise[place, 0]
                answers[place] = holdout + noise[place, 1] if far else training
                self._state = ThresholdoutState(self._state.asked, self._state.from_holdout + bool(far))
            self._state = ThresholdoutState(self._state.asked + 1, self._state.from_holdout)
        return answers

    def _drawn(self, questions: int) -> Floats:
        """Return the noise on comparison and answer of the next questions, shape (questions, 2)."""
        shares = _uniform(self._seed, self._state.asked, questions)
        if self._noise == "gaussian":
            return np.asarray(self._scale * special.ndtri(shares[:, :2]), dtype=np.float64)
        return np.stack((4 * self._scale * _laplace(shares[:, 0]), self._scale * _laplace(shares[:, 1])), axis=1)

    def _shift(self) -> float:
        if self._noise == "gaussian":
            return 0.0
        share = _uniform(self._seed, _ANOTHER_STREAM + self._state.from_holdout, 1)[:, 0]
        return float(2 * self._scale * _laplace(share)[0])


def _uniform(seed: int, first: int, count: int) -> Floats:
    """Return four numbers in (0, 1) for each of ``count`` places from ``first``: the same however they are asked."""
    words = np.random.Philox(key=seed, counter=first).random_raw(4 * count).reshape(count, 4)
    return np.asarray(((words >> np.uint64(11)) + 0.5) * 2.0**-53, dtype=np.float64)


def _laplace(shares: Floats) -> Floats:
    centred = shares - 0.5
    return np.asarray(-np.sign(centred) * np.log1p(-2 * np.abs(centred)), dtype=np.float64)
