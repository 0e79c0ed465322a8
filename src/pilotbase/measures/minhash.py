"""Near copies by MinHash: 128 minima of 64-bit hashes a record, in 32 bands of 4, verified on the sets themselves.

A pair whose sets of shingles have Jaccard similarity s agrees in some band with probability 1 - (1 - s⁴)³²: of pairs
at 0.8 one in ten million is missed, and what the bands propose by chance is found out when the sets are compared.
Source: Broder, "On the resemblance and containment of documents", SEQUENCES 1997; bands: Leskovec, Rajaraman and
Ullman, "Mining of Massive Datasets", chapter 3.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

SIMILAR = 0.8
"""From this Jaccard similarity on two records are near copies."""
SHINGLE = 5
"""Characters of a shingle of text."""
_BANDS, _ROWS = 32, 4
_MOST_IN_A_BUCKET, _MOST_COMPARED = 50, 50
"""Of records that agree in a band the first so many are kept, of all that are proposed the likeliest are compared."""
_PRIME = np.uint64(0x100000001B3)
_CONSTANTS = np.random.default_rng(20260101).integers(1, 2**63, size=(2, _BANDS * _ROWS), dtype=np.uint64)
Hashes = npt.NDArray[np.uint64]


def text_shingles(content: str, size: int = SHINGLE) -> Hashes:
    """Return the distinct hashes of all runs of ``size`` characters; of a shorter text its own."""
    letters = np.frombuffer(content.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    if not len(letters):
        return np.zeros(0, np.uint64)
    size = min(size, len(letters))
    hashed = np.zeros(len(letters) - size + 1, np.uint64)
    for place in range(size):
        hashed = hashed * _PRIME + letters[place : place + len(hashed)] + np.uint64(1)
    return np.unique(mixed(hashed))


def mixed(values: Hashes) -> Hashes:
    """Return ``values`` with their bits spread out, each to another one (the finaliser of SplitMix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def signature(shingles: Hashes) -> Hashes:
    """Return 128 minima; two signatures agree in a place as often as the two sets are similar."""
    multipliers, summands = _CONSTANTS
    minima: Hashes = np.min(mixed(shingles[:, None] * (multipliers | np.uint64(1)) + summands), axis=0)
    return minima


def jaccard(one: Hashes, other: Hashes) -> float:
    """Return |A ∩ B| / |A ∪ B| of two sets of distinct hashes."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared) if len(one) or len(other) else 0.0


def near_copies(records: Sequence[Hashes], similar: float = SIMILAR) -> list[int]:
    """Return the places of records of which an earlier one is a near copy: a set of shingles each, empty ones apart."""
    buckets: defaultdict[tuple[int, bytes], list[int]] = defaultdict(list)
    found = []
    for place, shingles in enumerate(records):
        if not len(shingles):
            continue
        bands = list(_bands(signature(shingles)))
        earlier = Counter(other for band in bands for other in buckets[band])
        likeliest = (other for other, _ in earlier.most_common(_MOST_COMPARED))
        if any(jaccard(shingles, records[other]) >= similar for other in likeliest):
            found.append(place)
        for band in bands:
            if len(buckets[band]) < _MOST_IN_A_BUCKET:
                buckets[band].append(place)
    return found


def _bands(minima: Hashes) -> Iterator[tuple[int, bytes]]:
    for band in range(_BANDS):
        yield band, minima[band * _ROWS : (band + 1) * _ROWS].tobytes()
