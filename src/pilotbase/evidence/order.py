"""The order in which cases are scored: a permutation that a committed seed fixes, or proportional blocks of strata.

The seed is revealed only after all answers are committed; an application that knew the order could answer only its
first cases well (corrections, row 1). Keys come from SHAKE-256 and are sorted as integers, so the order is the same on
every machine and with every version of every library.

Evidence gathered stratum by stratum would see only the easy stratum at first and would nearly always be wrong
(corrections, row 3). A block contains every stratum in its exact share, so its sum is one bounded observation with the
whole set's mean. This also holds without replacement: the sums then form their own finite set.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.errors import InputError
from pilotbase.evidence.primitive import Ints, integers, table


def draw_order(cases: int, seed: bytes, units: Ints | None = None) -> Ints:
    """Return a permutation of ``range(cases)``; with ``units`` (a code per case) whole clusters are shuffled."""
    if units is None:
        return _shuffled(cases, seed)
    names, codes = np.unique(units, return_inverse=True)
    rank = np.empty(len(names), dtype=np.int64)
    rank[_shuffled(len(names), seed)] = np.arange(len(names))
    return np.argsort(rank[codes], kind="stable").astype(np.int64)


def one_of_each(order: Ints, units: Ints) -> Ints:
    """Return one case of each unit (a code per case), in ``order``; the order itself, which nobody knew, draws them."""
    shuffled = order[_shuffled(len(order), order.astype("<i8").tobytes())]
    chosen = shuffled[np.unique(units[shuffled], return_index=True)[1]]
    return order[np.isin(order, chosen)]


def _shuffled(count: int, seed: bytes) -> Ints:
    """Return the places of ``count`` random 64-bit keys in rising order; equal keys keep the order of their cases."""
    stream = hashlib.shake_256(b"pilotbase order\x00" + seed).digest(8 * count)
    # First by the highest 16 bits, a radix sort: what is nearly in order then takes a third of the time.
    nearly = np.argsort(np.frombuffer(stream, dtype="<u2")[3::4], kind="stable")
    keys = np.frombuffer(stream, dtype="<u8")[nearly]
    return nearly[np.argsort(keys, kind="stable")].astype(np.int64, copy=False)


@dataclass(frozen=True)
class BlocksState:
    """Blocks made so far, and the values of each stratum that wait for the others."""

    blocks: int
    waiting: tuple[tuple[int, ...], ...]


class ProportionalBlocks:
    """Turns values of several strata into sums of blocks, ``block[g]`` values of stratum ``g`` each.

    Feed the sums to a `MeanMartingale` or `ConfidenceSequence` with the limits times the block's size (`limits`).
    """

    def __init__(self, block: Sequence[int], limits: tuple[int, int], state: BlocksState | None = None) -> None:
        self._block, self._each = tuple(block), limits
        self._state = state or BlocksState(0, ((),) * len(self._block))

    @property
    def state(self) -> BlocksState:
        return self._state

    @property
    def limits(self) -> tuple[int, int]:
        """Return the smallest and the largest possible sum of a block."""
        size = sum(self._block)
        return size * self._each[0], size * self._each[1]

    def update(self, values: NDArray[Any]) -> Ints:
        """Take cases, columns (value, number of its stratum); return the sums of the blocks now complete, (blocks,)."""
        rows = table(values, (2,))
        numbers = integers(rows[:, 0], *self._each)
        strata = integers(rows[:, 1], 0, len(self._block) - 1)
        queues = [
            np.concatenate((np.array(waiting, dtype=np.int64), numbers[strata == stratum]))
            for stratum, waiting in enumerate(self._state.waiting)
        ]
        ready = min(len(queue) // count for queue, count in zip(queues, self._block, strict=True))
        sums = np.zeros(ready, dtype=np.int64)
        waiting = []
        for queue, count in zip(queues, self._block, strict=True):
            sums += queue[: ready * count].reshape(ready, count).sum(axis=1)
            waiting.append(tuple(queue[ready * count :].tolist()))
        self._state = BlocksState(self._state.blocks + ready, tuple(waiting))
        return sums


def proportional_block(sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the smallest block that holds strata of these ``sizes`` in their exact shares.

    Refused where it is more than half of the set (no common divisor): then shuffle all cases instead.
    """
    divisor = math.gcd(*sizes)
    if divisor < 2 or min(sizes) < 1:
        raise InputError("evidence.no_common_block", sizes=", ".join(map(str, sizes)))
    return tuple(size // divisor for size in sizes)


def draw_blocks(strata: Ints, seed: bytes) -> Ints:
    """Return an order of cases in which each stratum is shuffled and every block contains all strata.

    ``strata``: the number of each case's stratum, 0, 1, …; the seed is revealed only after all answers are committed.
    """
    sizes = np.bincount(integers(strata, 0))
    block = proportional_block(sizes.tolist())
    parts = []
    for stratum, count in enumerate(block):
        cases = np.flatnonzero(strata == stratum)
        shuffled = cases[draw_order(len(cases), seed + stratum.to_bytes(4, "big"))]
        parts.append(shuffled.reshape(-1, count))
    return np.concatenate(parts, axis=1).ravel().astype(np.int64)
