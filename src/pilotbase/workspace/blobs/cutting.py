"""Cutting by content: the same bytes fall into the same chunks wherever they stand, so that what changed is little.

Gear hashing with normalised chunking, FastCDC (Xia et al., USENIX ATC 2016, §3.3 and §4.3): a chunk ends where the
rolling hash of the last 32 bytes is small; before the usual size it must be 16 times smaller than after it, so that
most chunks are about as large. All hashes of a block are computed at once, by doubling what they cover.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

SMALLEST, USUAL, LARGEST = 256 << 10, 1 << 20, 4 << 20
"""Bytes of a chunk; only the last one of a blob may be smaller."""
_WINDOW, _BLOCK = 32, 64 << 10
"""Bytes that a hash covers; bytes whose hashes are taken at once and still fit the cache."""
_GEAR = np.frombuffer(hashlib.shake_256(b"pilotbase gear 1").digest(1024), "<u4").astype(np.uint32)
"""What each byte adds to the hash. Other numbers would cut elsewhere, and share nothing with what is stored."""
_SPANS = ((SMALLEST, USUAL, 1 << 10), (USUAL, LARGEST, 1 << 14))
"""From, to, and below which hash of 32 bits a chunk ends there: 1 byte in 4 Mi, then 1 in 256 Ki."""


def cut(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes of ``pieces`` as chunks; how they were divided into pieces makes no difference."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= LARGEST:
            yield _taken(held)
    while held:
        yield _taken(held)


def _taken(held: bytearray) -> bytes:
    end = _end_of_first(held)
    chunk = bytes(memoryview(held)[:end])
    del held[:end]
    return chunk


def _end_of_first(held: bytearray) -> int:
    octets = np.frombuffer(held, np.uint8)[:LARGEST]
    for begin, end, below in _SPANS:
        for start in range(begin, min(end, len(octets)), _BLOCK):
            stop = min(start + _BLOCK, end, len(octets))
            hashes = _gear(octets[start - _WINDOW + 1 : stop])[_WINDOW - 1 :]
            small = np.flatnonzero(hashes < below)
            if small.size:
                return start + int(small[0]) + 1
    return len(octets)


def _gear(octets: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return Σ gear[octets[i-k]]·2ᵏ (k < 32, mod 2³²) for each i; of the first 31, what there is."""
    hashes = _GEAR[octets]
    covered = 1
    while covered < _WINDOW:
        hashes[covered:] += hashes[:-covered] << covered
        covered *= 2
    return hashes
