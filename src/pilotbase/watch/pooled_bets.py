"""The bets of all columns side by side, so that a chunk is settled in a few steps however many columns there are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pilotbase.watch.bets import ColumnBets
from pilotbase.watch.cells import Floats

_OF_NEW = 0.25
"""Share of the false alarms that is kept for what the reference has never seen."""


class PooledBets:
    """e-SR detectors: one a column on its usual cells, one on what is new in it. Bets are entries of one vector.

    A detector's level is the number of chunks in which it may alarm once: those of the budget, times the detectors
    that share it.
    """

    def __init__(self, columns: Sequence[ColumnBets], alarms: float, chunks: int) -> None:
        lengths = [(len(bets.costs) - bets.news, bets.news) for bets in columns]
        sizes = [size for both in lengths for size in both if size]
        new = [place == 1 for both in lengths for place, size in enumerate(both) if size]
        self._column = np.array([column for column, both in enumerate(lengths) for size in both if size])
        self._starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        self._stops = np.cumsum(sizes)
        self._log_weights = np.concatenate([bets.log_weights for bets in columns])
        usual, news = (chunks * count / alarms for count in (new.count(False), new.count(True)))
        share = _OF_NEW if any(new) else 0.0
        self._levels = np.array([math.log(news / share if is_new else usual / (1 - share)) for is_new in new])
        self.ends = np.cumsum([sum(both) for both in lengths])
        """Where the bets of each column end."""

    def alarms(self, won: Floats) -> NDArray[np.bool_]:
        """Return which detectors have reached their level, from the log of each bet's detector."""
        return self._values(won) >= self._levels

    def best(self, won: Floats, alarms: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
        """Yield (column, bet of that column) for the columns with an alarm: the bet that has won most."""
        weighed = self._log_weights + won
        found: dict[int, int] = {}
        for detector in np.flatnonzero(alarms):
            start, stop, column = self._starts[detector], self._stops[detector], int(self._column[detector])
            bet = int(start + np.argmax(weighed[start:stop]))
            if column not in found or weighed[bet] > weighed[found[column]]:
                found[column] = bet
        firsts = np.concatenate(([0], self.ends[:-1]))
        yield from ((column, bet - int(firsts[column])) for column, bet in found.items())

    def begin_anew(self, logs: Floats, alarms: NDArray[np.bool_]) -> None:
        """Set the detectors with an alarm back to their beginning, in place."""
        for detector in np.flatnonzero(alarms):
            logs[self._starts[detector] : self._stops[detector]] = 0.0

    def nearest(self, logs: Floats) -> float:
        """Return the largest share of its level that a detector has reached, from log(1 + S) of each bet; 0 to 1."""
        with np.errstate(divide="ignore"):
            sums = np.where(logs > 0, logs + np.log(-np.expm1(-logs)), -np.inf)
        return float(np.clip(self._values(sums) / self._levels, 0, 1).max())

    def _values(self, logs: Floats) -> Floats:
        values: Floats = np.logaddexp.reduceat(self._log_weights + logs, self._starts)
        return values
