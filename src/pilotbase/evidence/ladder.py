"""The Ladder: a leaderboard that shows only real improvements, so that climbing it by chance shows nothing.

It protects the ranking, not the confidence interval of an entry: its board is a slice of its own, never used to
certify. Source: Blum & Hardt, "The Ladder: a reliable leaderboard for machine learning competitions", ICML 2015.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.errors import InputError
from pilotbase.evidence.primitive import Floats, reals


@dataclass(frozen=True)
class LadderState:
    """Entries so far, the best score shown, and (without a fixed step) the losses of the entry that it belongs to."""

    entries: int
    shown: float | None
    losses: tuple[float, ...]


class Ladder:
    """A board over ``cases`` cases; an entry is a loss in [0, 1] for each of them.

    Without ``step`` an entry must beat the best by the standard error of its difference to it (algorithm 2 of the
    paper); with ``step`` by that much, and what is shown is rounded to it (algorithm 1).
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


def transcripts(entries: int, improvements: int, step: Fraction) -> int:
    """Return how many transcripts a fixed-step board can have: C(entries, improvements) · (1/step)^improvements.

    A verification at α divided by this is valid however the entry was chosen from the board's answers (a union bound).
    """
    values: int = math.ceil(1 / step)
    return math.comb(entries, improvements) * int(values**improvements)
