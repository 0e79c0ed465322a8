"""Bets that a chunk of rows is no draw from the reference: exact e-values from counts of cells.

A bet gives every cell a score and wins exp(θ · Σ scores) / M(θ)^n on a chunk of n rows, where M(θ) is what one row wins
on average under the reference. While rows are independent draws from it, its mean is 1 at every n, without any
approximation: a test martingale of exponential tilts. M is only estimated from the N rows of the reference, so it is
taken some standard errors too high (`charge`). A two-sample test charges that error as 1/N beside 1/n, once; here it
stays charged in every chunk, as it stays wrong in every chunk: at two standard errors, and at more where the reference
is small beside a chunk, so that no bet grows for long before the reference is wrong by `BEYOND_DOUBT`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.watch import CategoryColumn, NumericColumn
from pilotbase.watch.profiles import CategoryCells, Floats, Ints, NumericCells

What = Literal["shift", "spread", "missing", "unreadable", "category", "rare", "new"]
CHARGED, BEYOND_DOUBT = 2.0, 4.4
"""Standard errors of the reference: charged at least; and what none of a few hundred scores is off by."""
SIZES = (1.5, 3.0, 6.0)
"""Changes that bets are made for, in standard deviations of a chunk's mean."""
_STEEPEST = 3.0
_OF_NEW = (1.0, 2.0, 3.0)
_FEWEST = 5.0
"""A category of fewer expected rows a chunk is pooled with the other rare ones."""
_STEP = 2.0**-30
_FOR_NEW = 0.25
"""Share of the false alarms that is kept for what the reference has never seen."""


@dataclass(frozen=True, eq=False)
class Direction:
    """One way in which a column can change: a score for each cell."""

    what: What
    name: str
    """The category; empty for the others."""
    scores: Floats
    mean: float
    """Of the score under the reference."""
    variance: float


@dataclass(frozen=True, eq=False)
class ColumnBets:
    """All bets on one column: ``news`` of them, the last, on what the reference has never seen.

    ``tilts``: θ · score, shape (cells, bets). ``costs``: log M of each bet a row. ``log_weights``: of its share in the
    average, separately for what is new. ``directions``: which direction each bet is on.
    """

    cells: NumericCells | CategoryCells
    directions: tuple[Direction, ...]
    direction_of: Ints
    tilts: Floats
    costs: Floats
    log_weights: Floats
    news: int

    def gains(self, counts: Ints) -> Floats:
        """Return the log of what each bet wins on each chunk, shape (chunks, bets), from counts (chunks, cells)."""
        won: Floats = counts.astype(np.float64) @ self.tilts - counts.sum(axis=1)[:, None] * self.costs
        return won

    def moved(self, bet: int, counts: Ints, rows: int) -> tuple[float, float]:
        """Return by how much the score of a bet's direction has moved in ``counts``, and two standard errors of that.

        ``rows``: of the reference.
        """
        direction, size = self.directions[self.direction_of[bet]], int(counts.sum())
        moved = float(counts @ direction.scores) / size - direction.mean
        return moved, 2 * math.sqrt(direction.variance * (1 / size + 1 / rows))


def bets_of(column: NumericColumn | CategoryColumn, chunk: int) -> ColumnBets:
    """Return the bets on a column whose chunks have ``chunk`` rows."""
    return _on_numbers(column, chunk) if isinstance(column, NumericColumn) else _on_categories(column, chunk)


def charge(chunk: int, rows: float) -> float:
    """Return by how many standard errors a reference of ``rows`` may be wrong at no cost in false alarms.

    A bet on a change of s standard deviations of a chunk grows once it is off by s/2 beyond what is charged. Measured
    in the reference's standard errors that is little where chunks are not much smaller than the reference.
    """
    return max(CHARGED, BEYOND_DOUBT - min(SIZES) / 2 * math.sqrt(rows / chunk))


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
        share = _FOR_NEW if any(new) else 0.0
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


def _on_numbers(column: NumericColumn, chunk: int) -> ColumnBets:
    cells = NumericCells.of(column)
    counts = np.array([*column.counts, column.missing + 1, column.unreadable + 1], dtype=np.float64)
    values = counts[:-2] / max(counts[:-2].sum(), 1)
    # Twice the mid-rank less one: the share of the reference below less the share above.
    ranks = np.append(2 * (np.cumsum(values) - values / 2) - 1, (0.0, 0.0))
    spread = np.abs(ranks)
    spread[-2:] = spread[:-2] @ values
    missing, unreadable = _one_hot(len(counts), -2), _one_hot(len(counts), -1)
    usual: list[tuple[What, str, Floats, float]] = [
        ("shift", "", ranks, 0.5),
        ("spread", "", spread, 0.25),
        ("missing", "", missing, 0.25),
    ]
    return _bets(cells, counts, usual, ("unreadable", unreadable), chunk)


def _on_categories(column: CategoryColumn, chunk: int) -> ColumnBets:
    expected = {name: count / column.rows * chunk for name, count in column.counts.items()}
    frequent = [name for name in column.counts if expected[name] >= _FEWEST]
    cells = CategoryCells.of(column, frequent)
    rare = column.other + sum(count for name, count in column.counts.items() if expected[name] < _FEWEST)
    named = [column.counts[name] for name in frequent]
    counts = np.array([*named, rare, column.missing + 1, 1], dtype=np.float64)
    pooled: list[tuple[What, str]] = [("category", name) for name in frequent] + ([("rare", "")] if rare else [])
    usual: list[tuple[What, str, Floats, float]] = [
        (what, name, _one_hot(len(counts), place), 0.75 / len(pooled)) for place, (what, name) in enumerate(pooled)
    ]
    usual.append(("missing", "", _one_hot(len(counts), -2), 0.25))
    new: tuple[What, Floats] | None = None if column.other else ("new", _one_hot(len(counts), -1))
    return _bets(cells, counts, usual, new, chunk)


def _bets(
    cells: NumericCells | CategoryCells,
    counts: Floats,
    usual: Sequence[tuple[What, str, Floats, float]],
    new: tuple[What, Floats] | None,
    chunk: int,
) -> ColumnBets:
    shares = counts / counts.sum()
    directions: list[Direction] = []
    bets: list[tuple[int, float, float]] = []  # direction, θ, weight
    for what, name, scores, weight in usual:
        direction = _direction(what, name, scores, shares)
        if direction.variance <= 0:
            continue
        unit = 1 / math.sqrt(direction.variance * chunk)
        bets += [
            (len(directions), sign * min(size * unit, _STEEPEST), weight / (2 * len(SIZES)))
            for size in SIZES
            for sign in (1, -1)
        ]
        directions.append(direction)
    news = 0
    if new is not None:
        bets += [(len(directions), theta, 1 / len(_OF_NEW)) for theta in _OF_NEW]
        directions.append(_direction(new[0], "", new[1], shares))
        news = len(_OF_NEW)
    place, thetas, weights = (np.array(each) for each in zip(*bets, strict=True))
    scores = np.stack([directions[each].scores for each in place], axis=1)
    # On a lattice sums of tilts over up to 10⁵ rows are exact, so that they do not depend on how rows are batched.
    tilts = np.rint(scores * thetas / _STEP) * _STEP
    errors = charge(chunk, counts.sum()) / math.sqrt(counts.sum())
    costs = np.rint(_charged(tilts, shares, errors) / _STEP) * _STEP
    return ColumnBets(cells, tuple(directions), place, tilts, costs, np.log(weights), news)


def _direction(what: What, name: str, scores: Floats, shares: Floats) -> Direction:
    mean = float(scores @ shares)
    return Direction(what, name, scores, mean, float((scores - mean) ** 2 @ shares))


def _charged(tilts: Floats, shares: Floats, errors: float) -> Floats:
    """Return log M of each bet, M too high by ``errors`` standard deviations of what one row wins."""
    wins = np.exp(tilts)
    mean = shares @ wins
    charged: Floats = np.log(mean + errors * np.sqrt(np.maximum(shares @ wins**2 - mean**2, 0)))
    return charged


def _one_hot(size: int, place: int) -> Floats:
    scores = np.zeros(size)
    scores[place] = 1.0
    return scores
