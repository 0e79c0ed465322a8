"""The order in which cases are scored: a permutation that a committed seed fixes.

The seed is revealed only after all answers are committed; an application that knew the order could answer only its
first cases well. Keys come from SHAKE-256 and are sorted as integers, so the order is the same on
every machine and with every version of every library.

Evidence gathered stratum by stratum would see only the easy stratum at first and would nearly always be wrong.
"""

from __future__ import annotations

import hashlib

import numpy as np

from pilotbase.evidence.primitive import Ints


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
    keys = np.frombuffer(hashlib.shake_256(b"pilotbase order\x00" + seed).digest(8 * count), dtype="<u8")
    # Each is sorted with its place in its low bits, four times as fast as an argsort.
    low = np.uint64((1 << count.bit_length()) - 1)
    nearly = keys & ~low
    nearly |= np.arange(count, dtype=np.uint64)
    nearly.sort()
    places = (nearly & low).view(np.int64)
    if ((nearly[1:] ^ nearly[:-1]) <= low).any():  # some keys differ in those bits alone
        places = places[np.argsort(keys[places], kind="stable")]
    return places
