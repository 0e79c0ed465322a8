"""The order in which cases are scored: a uniformly random permutation that a committed seed fixes.

The seed is revealed only after all answers are committed; an application that knew the order could answer well on its
first cases only (corrections, row 1). The permutation uses SHAKE-256, so it is the same on every machine and version.
"""

from __future__ import annotations

import hashlib

import numpy as np

from pilotbase.evidence.martingale import Ints


def draw_order(cases: int, seed: bytes, units: Ints | None = None) -> Ints:
    """Return a permutation of ``range(cases)``; with ``units`` (a code per case) clusters are shuffled as wholes."""
    if units is None:
        return np.argsort(_keys(cases, seed), kind="stable").astype(np.int64)
    _, codes = np.unique(units, return_inverse=True)
    keys = _keys(int(codes.max(initial=-1)) + 1, seed)
    rank = np.argsort(np.argsort(keys, kind="stable"), kind="stable")
    return np.argsort(rank[codes], kind="stable").astype(np.int64)


def _keys(count: int, seed: bytes) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    stream = hashlib.shake_256(b"pilotbase order\x00" + seed).digest(8 * count)
    return np.frombuffer(stream, dtype="<u8").astype(np.uint64)
