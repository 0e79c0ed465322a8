"""Have the inputs drifted away from the reference profile? Column by column, over chunks of fixed size, in one pass.

Of each column only counts of cells are kept (`watch.profiles`). A full chunk is bet on, and the bets go on over chunks
as an e-SR detector: a CUSUM summed over all its starts, S ← (S + 1) · win, averaged over the bets of the column, begun
anew after an alarm. As each win has mean 1 while nothing has changed, S less the number of chunks is a martingale, and
T chunks bring at most T/A alarms in expectation. A is set so that over all columns that is at most ``alarms`` in
``chunks``; a quarter of them is kept for categories (and entries) that were never seen before.

A bet that a chunk is no draw from the reference gives every cell a score and wins exp(θ · Σ scores) / M(θ)^n on a chunk
of n rows, where M(θ) is what one row wins on average under the reference. While rows are independent draws from it, its
mean is 1 at every n, without any approximation: a test martingale of exponential tilts. M is only estimated from the N
rows of the reference, so it is taken some standard errors too high (`charge`). A two-sample test charges that error as
1/N beside 1/n, once; here it stays charged in every chunk, as it stays wrong in every chunk: at two standard errors,
and at more where the reference is small beside a chunk, so that no bet grows for long before the reference is wrong by
`BEYOND_DOUBT`.

How far a score has moved gives the colour: at least `SLIGHT` yellow, at least `STRONG` orange, otherwise blue; a shift
of a normal column by 0.27 and 0.60 standard deviations. Never red: an input that has drifted has not harmed anybody
yet. A column is green again after `CALM` chunks without an alarm.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Colour, Signal
from pilotbase.documents.watch import CategoryColumn, NumericColumn, ReferenceProfile
from pilotbase.watch.detectors.interface import Detector, DetectorChange
from pilotbase.watch.profiles import CategoryCells, Column, Floats, Ints, NumericCells

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
SLIGHT, STRONG = 0.15, 0.33
CALM = 10
"""So many chunks without an alarm bring a column down."""
SMALL_REFERENCE = 10_000
"""Fewer rows than this are warned of: most of what a small drift shows is then charged to the reference."""
_CHUNKS_AT_ONCE = 16
_PLACE = {colour: place for place, colour in enumerate(Colour)}

Table = Mapping[str, Column]


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


@dataclass(frozen=True)
class DriftWatch:
    """Chunks of ``chunk`` rows; in ``chunks`` of them at most ``alarms`` false alarms are expected, of all columns."""

    chunk: int = 1000
    alarms: float = 1.0
    chunks: int = 200


@dataclass(frozen=True)
class ColumnState:
    """Counts of the chunk that is not full, log(1 + S) of each bet, the colour, chunks since the last alarm."""

    open: tuple[int, ...]
    bets: tuple[float, ...]
    colour: Colour
    calm: int


@dataclass(frozen=True)
class DriftState:
    """Rows given, rows of the chunk that is not full, full chunks, and each column in the profile's order."""

    seen: int
    open_rows: int
    chunks: int
    columns: tuple[ColumnState, ...]


class DriftDetector(Detector[Table, DriftState]):
    """Drift of every column of a profile."""

    def __init__(self, profile: ReferenceProfile, design: DriftWatch, state: DriftState | None = None) -> None:
        self._design, self._rows = design, profile.rows
        self._names = tuple(profile.columns)
        self._bets = tuple(bets_of(column, design.chunk) for column in profile.columns.values())
        self._pool = PooledBets(self._bets, design.alarms, design.chunks)
        state = state or DriftState(0, 0, 0, tuple(_beginning(bets) for bets in self._bets))
        self._seen, self._open_rows, self._chunks = state.seen, state.open_rows, state.chunks
        self._open = [np.array(column.open, dtype=np.int64) for column in state.columns]
        self._logs = np.concatenate([np.array(column.bets) for column in state.columns])
        self._colours = [column.colour for column in state.columns]
        self._calm = [column.calm for column in state.columns]

    @property
    def signal(self) -> Signal:
        return Signal.DRIFT

    @property
    def promise(self) -> Text:
        design = self._design
        return text(
            "detector.drift_promise", alarms=f"{design.alarms:g}", chunks=design.chunks, chunk=design.chunk,
            columns=len(self._names), rows=self._rows, errors=f"{charge(design.chunk, self._rows):.2g}",
        )  # fmt: skip

    @property
    def caution(self) -> Text | None:
        """Return that the reference is small, and what that costs; None where it is not."""
        if self._rows >= SMALL_REFERENCE:
            return None
        return text("detector.small_reference", rows=self._rows, enough=SMALL_REFERENCE)

    @property
    def state(self) -> DriftState:
        bets = np.split(self._logs, self._pool.ends[:-1])
        columns = zip(self._open, bets, self._colours, self._calm, strict=True)
        return DriftState(
            self._seen, self._open_rows, self._chunks,
            tuple(ColumnState(tuple(o.tolist()), tuple(b.tolist()), colour, calm) for o, b, colour, calm in columns),
        )  # fmt: skip

    @property
    def seen(self) -> int:
        return self._seen

    @property
    def colours(self) -> Mapping[str, Colour]:
        return dict(zip(self._names, self._colours, strict=True))

    @property
    def value(self) -> float:
        """Return the log of the highest detector over the log of its level; 1 where a column has a colour."""
        if any(colour is not Colour.GREEN for colour in self._colours):
            return 1.0
        return self._pool.nearest(self._logs)

    def update(self, batch: Table, /) -> tuple[DetectorChange, ...]:
        rows = _rows_of(batch)
        absent = np.full(rows, np.nan)
        table = [batch.get(name, absent) for name in self._names]
        changes: list[DetectorChange] = []
        for bounds in self._blocks(rows):
            start, stop = int(bounds[0]), int(bounds[-1])
            parts = [column[start:stop] for column in table]
            counts = [bets.cells.count(part, bounds - start) for bets, part in zip(self._bets, parts, strict=True)]
            changes += self._take(counts, np.diff(bounds))
        return tuple(changes)

    def _blocks(self, rows: int) -> Iterator[Ints]:
        """Yield where the parts of chunks begin and end, a bounded number of them at once."""
        ends = np.arange(self._design.chunk - self._open_rows, rows, self._design.chunk)
        bounds = np.concatenate(([0], ends, [rows])).astype(np.int64)
        for start in range(0, len(bounds) - 1 if rows else 0, _CHUNKS_AT_ONCE):
            yield bounds[start : start + _CHUNKS_AT_ONCE + 1]

    def _take(self, counts: Sequence[Ints], sizes: Ints) -> list[DetectorChange]:
        """Take parts of chunks in their order, of each column (parts, cells); only the last may leave one open."""
        seen = self._seen + np.cumsum(sizes)
        for of_column, still_open in zip(counts, self._open, strict=True):
            of_column[0] += still_open
        last = int(sizes[-1]) + (self._open_rows if len(sizes) == 1 else 0)
        full = len(sizes) if last >= self._design.chunk else len(sizes) - 1
        self._seen, self._open_rows = int(seen[-1]), 0 if full == len(sizes) else last
        self._open = [of_column[full:].sum(axis=0) for of_column in counts]
        return self._bet_on([of_column[:full] for of_column in counts], seen[:full])

    def _bet_on(self, counts: Sequence[Ints], seen: Ints) -> list[DetectorChange]:
        """Bet on full chunks, of each column (chunks, cells); ``seen``: rows given at the end of each."""
        gains = np.concatenate([bets.gains(each) for bets, each in zip(self._bets, counts, strict=True)], axis=1)
        changes: list[DetectorChange] = []
        for chunk, gain in enumerate(gains):
            self._chunks += 1
            won = self._logs + gain
            alarms = self._pool.alarms(won)
            self._logs = np.logaddexp(won, 0.0)
            alarmed = dict(self._pool.best(won, alarms)) if alarms.any() else {}
            self._pool.begin_anew(self._logs, alarms)
            for column in range(len(self._names)):
                if column in alarmed:
                    changes += self._rise(column, alarmed[column], counts[column][chunk], int(seen[chunk]))
                elif self._colours[column] is not Colour.GREEN:
                    changes += self._calm_down(column, int(seen[chunk]))
        return changes

    def _rise(self, column: int, bet: int, counts: Ints, seen: int) -> list[DetectorChange]:
        """Take the colour that the chunk of an alarm shows, unless the column has a higher one."""
        self._calm[column] = 0
        colour, reason = self._found(column, bet, counts)
        if _PLACE[colour] <= _PLACE[self._colours[column]]:
            return []
        self._colours[column] = colour
        return [DetectorChange(self._names[column], colour, seen, reason)]

    def _calm_down(self, column: int, seen: int) -> list[DetectorChange]:
        self._calm[column] += 1
        if self._calm[column] < CALM:
            return []
        self._colours[column], self._calm[column] = Colour.GREEN, 0
        name = self._names[column]
        return [DetectorChange(name, Colour.GREEN, seen, text("detector.drift_calm", column=name, chunks=CALM))]

    def _found(self, column: int, bet: int, counts: Ints) -> tuple[Colour, Text]:
        """Return the colour and the reason of an alarm, from the direction of the bet that has won most."""
        bets = self._bets[column]
        direction = bets.directions[bets.direction_of[bet]]
        moved, margin = bets.moved(bet, counts, self._rows)
        colour = Colour.ORANGE if abs(moved) >= STRONG else Colour.YELLOW if abs(moved) >= SLIGHT else Colour.BLUE
        way = text("detector.moved_up" if moved > 0 else "detector.moved_down")
        return colour, text(
            "detector.drift_found", column=self._names[column],
            what=text(f"detector.drift_of_{direction.what}", name=direction.name, way=way),
            moved=f"{abs(moved):.3f}", margin=f"{margin:.3f}", rows=int(counts.sum()), reference=self._rows,
        )  # fmt: skip


def _beginning(bets: ColumnBets) -> ColumnState:
    return ColumnState((0,) * len(bets.tilts), (0.0,) * len(bets.costs), Colour.GREEN, 0)


def _rows_of(table: Table) -> int:
    """Return how many rows a table has; raises `InputError` where its columns do not agree."""
    lengths = {len(column) for column in table.values()}
    if len(lengths) > 1:
        raise InputError("detector.column_lengths", found=", ".join(map(str, sorted(lengths))))
    return lengths.pop() if lengths else 0
