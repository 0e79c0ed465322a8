"""Evidence at a number of entries fixed beforehand: each bet aims to bring the capital just to 1/α in what is left.

Like any capital it reaches 1/α under the null with probability at most α (Ville), whatever the bets are, as long as
they look at earlier entries only; aiming at the end has nearly the power of the z-test, which promises nothing.

Source: targets recalculated at each step as in Voráček & Orabona, "STaR-Bets", 2025; here the bet is that of the
binomial likelihood ratio with the variance seen, which suits skewed gains better than the Gaussian one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from pilotbase.documents.errors import InputError
from pilotbase.evidence.primitive import Floats, reals, within

PRIOR, _PRIOR_WEIGHT = 0.1, 3
_LARGEST_BET = 0.999
_SAME_BET = 512
"""A bet stands for this share of the entries left: any predictable bet is valid, and millions need few of them."""
_NEWTON, _NEAR = 8, 1e-9


@dataclass(frozen=True)
class RecalculatedState:
    """Entries seen, the log capital, sums of gains and of squares, the first square, and how long the bet stands."""

    count: int = 0
    log_capital: float = 0.0
    total: float = 0.0
    squares: float = 0.0
    first: float = 0.0
    bet: float = 0.0
    until: int = 0


class RecalculatedBets:
    """Evidence at level ``alpha`` that gains ≥ -1 have a mean above 0, from ``horizon`` entries at the most.

    A gain is (x - m) / (m - low) for *mean ≤ m* of values ≥ low (without replacement m follows the values drawn). For
    the other side negate the values, at a level of its own. Once 1/α is reached no further bet is made. ``prior``: the
    variance of a gain before any is seen; where gains are small, the largest one.
    """

    def __init__(
        self, alpha: float, horizon: int, state: RecalculatedState | None = None, prior: float = PRIOR
    ) -> None:
        within("alpha", alpha, 0, 1)
        self._level, self._horizon, self._prior = math.log(1 / alpha), horizon, prior
        self._state = state or RecalculatedState()

    @property
    def state(self) -> RecalculatedState:
        return self._state

    @property
    def reached(self) -> bool:
        """Return whether the capital has reached 1/α."""
        return self._state.log_capital >= self._level

    def update(self, gains: Floats) -> Floats:
        """Take gains in their order; return the log capital after each, shape (n,)."""
        gains = reals(gains, -1.0, math.inf)
        if self._state.count + len(gains) > self._horizon:
            raise InputError("evidence.more_than_the_set", size=self._horizon, found=self._state.count + len(gains))
        path, start = np.empty(len(gains)), 0
        while start < len(gains):
            if self.reached:
                path[start:] = self._state.log_capital
                self._state = replace(self._state, count=self._state.count + len(gains) - start)
                break
            start += self._advance(gains[start:], path[start:])
        return path

    def crossing(self, gains: Floats) -> int | None:
        """Take gains; return the index at which the capital has reached 1/α, or None."""
        hits = np.flatnonzero(self.update(gains) >= self._level)
        return int(hits[0]) if len(hits) else None

    def _advance(self, gains: Floats, path: Floats) -> int:
        """Take gains while the bet stands and 1/α isn't reached; return how many."""
        old = self._state
        bet, until = old.bet, old.until
        if old.count >= until:
            left = self._horizon - old.count
            bet, until = self._bet(left), old.count + max(left // _SAME_BET, 1)
        some = gains[: until - old.count]
        capitals = np.cumsum(np.concatenate(([old.log_capital], np.log1p(bet * some))))[1:]
        hits = np.flatnonzero(capitals >= self._level)
        taken = int(hits[0]) + 1 if len(hits) else len(some)
        path[:taken], some = capitals[:taken], some[:taken]
        self._state = RecalculatedState(
            old.count + taken,
            float(capitals[taken - 1]),
            float(np.cumsum(np.concatenate(([old.total], some)))[-1]),
            float(np.cumsum(np.concatenate(([old.squares], some * some)))[-1]),
            old.first if old.count else float(some[0]) ** 2,
            bet,
            until,
        )
        return taken

    def _bet(self, left: int) -> float:
        """Return the bet that reaches 1/α after ``left`` gains of -1 and +v (the variance seen) at the rate needed."""
        state = self._state
        seen = state.squares - state.total**2 / max(state.count, 1) + state.first
        v = max((_PRIOR_WEIGHT * self._prior + seen) / (_PRIOR_WEIGHT + state.count), _NEAR)
        rate = (self._level - state.log_capital) / left
        return min(_share_at(1 / (1 + v), rate), _LARGEST_BET)


def _share_at(p0: float, rate: float) -> float:
    """Return (p - p0) / (1 - p0) for the p ≥ p0 whose relative entropy to p0 is ``rate``; 1 where none is so far."""
    if rate >= -math.log(p0):
        return 1.0
    q0 = 1 - p0
    p = min(p0 + math.sqrt(2 * rate * p0 * q0), 1 - _NEAR * q0)
    # The entropy is convex: after one step Newton's method comes down to p from above.
    for _ in range(_NEWTON):
        slope = math.log(p / p0) - math.log((1 - p) / q0)
        excess = p * math.log(p / p0) + (1 - p) * math.log((1 - p) / q0) - rate
        new = min(max(p - excess / slope, p0 * (1 + _NEAR)), 1 - _NEAR * q0) if slope > 0 else p
        if abs(new - p) < _NEAR * q0:
            break
        p = new
    return (p - p0) / q0
