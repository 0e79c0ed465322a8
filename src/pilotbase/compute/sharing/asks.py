"""Which demands find a place: kept up to date for all that wait at once, machine by machine as it changes.

So a decision looks at what can start, and not at the thousands that cannot. Shapes: a row for each demand, a column for
each machine, and how many members fit on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pilotbase.compute.sharing.jobs import Ask, Job
from pilotbase.documents.resources import Vector

_Whole = npt.NDArray[np.int64]
_NO_PLACE, _HELD, _OPEN = 0, 1, 2
_ANY_NUMBER = 1 << 40


class Asks:
    """The demands of all jobs that wait, each once."""

    def __init__(self, dimensions: Sequence[str], free: Sequence[Vector]) -> None:
        self._dimensions = tuple(dimensions)
        self._free = np.array([[one.get(name, 0) for name in self._dimensions] for one in free], dtype=np.int64)
        self._rows: dict[Ask, int] = {}
        self._asks: list[Ask] = []
        self._waiting: dict[Ask, int] = {}
        self._amounts = np.zeros((64, len(self._dimensions)), dtype=np.int64)
        self._members = np.zeros(64, dtype=np.int64)
        self._slots = np.zeros((64, len(free)), dtype=np.int64)
        self._marks = np.zeros((64, 3), dtype=np.int64)
        """How many members fit on all machines together; whether it was refused a place though they do, or is held."""
        self._told = np.zeros(64, dtype=np.int64)
        self.open: set[Ask] = set()
        """Those that find a place."""
        self.held: set[Ask] = set()
        """Those that find one, but not beside the job that machines are kept for."""

    def add(self, job: Job) -> None:
        """Note that a job waits."""
        ask = job.ask
        self._waiting[ask] = self._waiting.get(ask, 0) + 1
        if ask in self._rows:
            return
        row = self._rows[ask] = len(self._asks)
        self._asks.append(ask)
        if row == len(self._amounts):
            for name in ("_amounts", "_members", "_slots", "_marks", "_told"):
                array = getattr(self, name)
                setattr(self, name, np.concatenate([array, np.zeros_like(array)]))
        self._amounts[row] = [job.demand.get(name, 0) for name in self._dimensions]
        self._members[row] = job.members
        self._slots[row] = _fitting(self._amounts[row], self._free)
        self._marks[row] = self._slots[row].sum(), 0, 0
        self._told[row] = _NO_PLACE
        self._tell(slice(row, row + 1))

    def remove(self, job: Job) -> None:
        """Note that a job waits no longer."""
        ask = job.ask
        self._waiting[ask] -= 1
        if self._waiting[ask]:
            return
        del self._waiting[ask]
        self.open.discard(ask)
        self.held.discard(ask)
        row, last = self._rows.pop(ask), len(self._asks) - 1
        moved = self._asks.pop()
        if row != last:
            self._asks[row], self._rows[moved] = moved, row
            for array in (self._amounts, self._members, self._slots, self._marks, self._told):
                array[row] = array[last]

    def may_fit(self, ask: Ask) -> bool:
        """Tell whether a demand may find a place, as far as sums on each machine say."""
        return ask in self.open or ask in self.held

    def fitting(self, ask: Ask) -> int:
        """Return how many members of a demand that waits fit on all machines."""
        return int(self._marks[self._rows[ask], 0])

    def refuse(self, ask: Ask) -> None:
        """Note that whoever places found no place, though by sums there is one: until a machine has more for it."""
        self._mark(ask, 1)

    def hold(self, ask: Ask) -> None:
        """Note that a demand finds no place beside the job that machines are kept for."""
        self._mark(ask, 2)

    def let_go(self) -> None:
        """Note that machines are kept for another job, or otherwise."""
        self._marks[:, 2] = 0
        self._tell(slice(0, len(self._asks)))

    def changed(self, machine: int, free: Vector, beside: Vector) -> None:
        """Note what is free on a machine now; ``beside``: what of it stays free beside what is kept."""
        there = slice(0, len(self._asks))
        self._free[machine] = [free.get(name, 0) for name in self._dimensions]
        before, after = self._slots[there, machine], _fitting(self._amounts[there], self._free[machine])
        grown = after > before
        self._marks[there, 0] += after - before
        self._marks[grown.nonzero()[0], 1] = 0
        if self.held:
            kept = np.array([beside.get(name, 0) for name in self._dimensions], dtype=np.int64)
            self._marks[(grown & (_fitting(self._amounts[there], kept) > 0)).nonzero()[0], 2] = 0
        self._slots[there, machine] = after
        self._tell(there)

    def _mark(self, ask: Ask, column: int) -> None:
        row = self._rows[ask]
        self._marks[row, column] = 1
        self._tell(slice(row, row + 1))

    def _tell(self, rows: slice) -> None:
        """Bring the two sets up to date."""
        marks = self._marks[rows]
        finds = (marks[:, 0] >= self._members[rows]) & (marks[:, 1] == 0)
        now = np.where(finds, np.where(marks[:, 2] == 1, _HELD, _OPEN), _NO_PLACE)
        for row in (now != self._told[rows]).nonzero()[0]:
            ask = self._asks[rows.start + row]
            self.open.discard(ask)
            self.held.discard(ask)
            if now[row] != _NO_PLACE:
                (self.open if now[row] == _OPEN else self.held).add(ask)
        self._told[rows] = now


def _fitting(amounts: _Whole, free: _Whole) -> _Whole:
    """Return how many times ``amounts`` fit into ``free``; shapes broadcast but for the last, the dimensions."""
    times = np.where(amounts > 0, np.maximum(free, 0) // np.maximum(amounts, 1), _ANY_NUMBER)
    least: _Whole = times.min(axis=-1)
    return least
