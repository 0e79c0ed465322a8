"""Have the inputs drifted away from the reference profile? Column by column, over chunks of fixed size, in one pass.

Of each column only counts of cells are kept (`watch.profiles`). A full chunk is bet on (`watch.bets`),
and the bets go on over chunks as an e-SR detector: a CUSUM summed over all its starts, S ← (S + 1) · win, averaged over
the bets of the column, begun anew after an alarm. As each win has mean 1 while nothing has changed, S less the number
of chunks is a martingale, and T chunks bring at most T/A alarms in expectation. A is set so that over all columns that
is at most ``alarms`` in ``chunks``; a quarter of them is kept for categories (and entries) that were never seen before.

How far a score has moved gives the colour: at least `SLIGHT` yellow, at least `STRONG` orange, otherwise blue; a shift
of a normal column by 0.27 and 0.60 standard deviations. Never red: an input that has drifted has not harmed anybody
yet. A column is green again after `CALM` chunks without an alarm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Colour, Signal
from pilotbase.documents.watch import ReferenceProfile
from pilotbase.watch.bets import ColumnBets, PooledBets, bets_of, charge
from pilotbase.watch.detectors.interface import Detector, DetectorChange
from pilotbase.watch.profiles import Column, Ints

SLIGHT, STRONG = 0.15, 0.33
CALM = 10
"""So many chunks without an alarm bring a column down."""
SMALL_REFERENCE = 10_000
"""Fewer rows than this are warned of: most of what a small drift shows is then charged to the reference."""
_CHUNKS_AT_ONCE = 16
_PLACE = {colour: place for place, colour in enumerate(Colour)}

Table = Mapping[str, Column]


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
