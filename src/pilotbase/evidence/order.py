"""The order in which cases are scored: a uniformly random permutation that a committed seed fixes.

The seed is revealed only after all answers are committed; an application that knew the order could answer well on its
first cases only (corrections, row 1). Keys come from SHAKE-256 and are sorted as integers, so the order is the same on
every machine and with every version of every library.
"""

from __future__ import annotations

import hashlib

import numpy as np

from pilotbase.evidence.martingale import Ints


def draw_order(cases: int, seed: bytes, units: Ints | None = None) -> Ints:
    """Return a permutation of ``range(cases)``; with ``units`` (a code per case) whole clusters are shuffled."""
    if units is None:
        return _shuffled(cases, seed)
    names, codes = np.unique(units, return_inverse=True)
    rank = np.empty(len(names), dtype=np.int64)
    rank[_shuffled(len(names), seed)] = np.arange(len(names))
    return np.argsort(rank[codes], kind="stable").astype(np.int64)


def _shuffled(count: int, seed: bytes) -> Ints:
    """Return the places of ``count`` random 64-bit keys in rising order; equal keys keep the order of their cases."""
    stream = hashlib.shake_256(b"pilotbase order\x00" + seed).digest(8 * count)
    keys = np.frombuffer(stream, dtype="<u8").astype(np.uint64)
    # One sort of integers is quicker than an argsort: the number of a case takes the low bits of its key, and only
    # keys that agree in all bits above are looked at whole (3 % of the orders of a million cases).
    bits = np.uint64(count.bit_length())
    marked = (keys >> bits << bits) | np.arange(count, dtype=np.uint64)
    marked.sort()
    if not bool(((marked[1:] ^ marked[:-1]) >> bits == 0).any()):
        return (marked & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)
    return np.argsort(keys, kind="stable").astype(np.int64)
