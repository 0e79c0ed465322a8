"""Near copies by MinHash: 128 minima of 64-bit hashes a record, in 32 bands of 4, verified on the sets themselves.

A pair whose sets of shingles have Jaccard similarity s agrees in some band with probability 1 - (1 - s⁴)³²: at 0.8 one
pair in ten million is missed, and pairs that the bands propose by chance are rejected when the sets are compared.
Records are created on demand and never all held in memory: 32 numbers of each are kept.
Source: Broder, "On the resemblance and containment of documents", SEQUENCES 1997; bands: Leskovec, Rajaraman and
Ullman, "Mining of Massive Datasets", chapter 3.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

SIMILAR = 0.8
"""From this Jaccard similarity on two records are near copies."""
SHINGLE = 5
"""Characters of a shingle of text."""
_BANDS, _ROWS = 32, 4
_MOST_IN_A_BUCKET, _MOST_COMPARED = 50, 10
"""Of records that agree in a band the first so many are kept, of all that are proposed the likeliest are compared."""
_RECORDS, _RECORDED, _HASHES = 1024, 1 << 20, 1 << 16
"""Most records that are created together, the number of their hashes that is enough, and hashes processed together
(they fit a processor's cache)."""
_PRIME = np.uint64(0x100000001B3)
_CONSTANTS = np.random.default_rng(20260101).integers(1, 2**63, size=(2, _BANDS * _ROWS), dtype=np.uint64)
Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]


class HashedRecords(Protocol):
    """Sets of distinct hashes, one a record, each made when it is asked for."""

    def __len__(self) -> int:
        """Return how many records there are."""

    def __getitem__(self, place: int, /) -> Hashes:
        """Return the set of the record at ``place``."""


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
    only: Hashes = signatures([shingles])[0]
    return only


def signatures(records: Sequence[Hashes]) -> Hashes:
    """Return the signature of each record, shape (records, 128); an empty record's is all ones."""
    minima = np.full((_BANDS * _ROWS, len(records)), np.iinfo(np.uint64).max, dtype=np.uint64)
    hashes = np.concatenate([*records, np.zeros(0, np.uint64)])
    owners = np.repeat(np.arange(len(records)), [len(one) for one in records])
    for first in range(0, len(hashes), _HASHES):
        piece, own = hashes[first : first + _HASHES], owners[first : first + _HASHES]
        starts = np.flatnonzero(np.diff(own, prepend=-1))
        for place, (multiplier, summand) in enumerate(_CONSTANTS.T):
            least = np.minimum.reduceat(piece * (multiplier | np.uint64(1)) + summand, starts)
            minima[place, own[starts]] = np.minimum(minima[place, own[starts]], least)
    return minima.T


def jaccard(one: Hashes, other: Hashes) -> float:
    """Return |A ∩ B| / |A ∪ B| of two sets of distinct hashes."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared) if len(one) or len(other) else 0.0


def near_copies(records: HashedRecords) -> list[int]:
    """Return the places of records that are near copies of an earlier one, each a set of shingles; not empty ones."""
    closest = KnownRecords(records).closest(records, before=np.arange(len(records)))
    return [int(place) for place in np.flatnonzero(closest >= 0)]


class KnownRecords:
    """Records to compare others with: about 400 bytes each, whatever their length."""

    def __init__(self, records: HashedRecords) -> None:
        keys = np.zeros((len(records), _BANDS), dtype=np.uint64)
        filled = np.zeros(len(records), dtype=np.bool_)
        for first, block in _blocks(records):
            keys[first : first + len(block)] = _band_keys(block)
            filled[first : first + len(block)] = [len(one) > 0 for one in block]
        places = np.flatnonzero(filled).astype(np.int32)
        orders = [places[np.argsort(keys[places, band], kind="stable")] for band in range(_BANDS)]
        self._bands = [(keys[order, band], order) for band, order in enumerate(orders)]
        self._records = records

    def closest(self, asked: HashedRecords, similar: float = SIMILAR, before: Places | None = None) -> Places:
        """Return for each of ``asked`` the place of a known record that is at least ``similar``, −1 if there is none.

        ``before``: for each asked record, only known ones at a lower place count. Both have shape (asked,).
        """
        places = np.full(len(asked), -1, dtype=np.int64)
        for first, block in _blocks(asked):
            limits = None if before is None else before[first : first + len(block)]
            for own, known in self._proposed(block, limits):
                if places[first + own] < 0 and jaccard(block[own], self._records[known]) >= similar:
                    places[first + own] = known
        return places

    def _proposed(self, block: Sequence[Hashes], limits: Places | None) -> Iterator[tuple[int, int]]:
        """Yield pairs of a record in ``block`` and a known one, those first that agree in most bands."""
        filled = np.flatnonzero([len(one) for one in block])
        keys = _band_keys(block)[filled]
        pairs = [_agreeing(filled, keys[:, band], *self._bands[band]) for band in range(_BANDS)]
        own, known = (np.concatenate(side) for side in zip(*pairs, strict=True))
        if limits is not None:
            own, known = own[known < limits[own]], known[known < limits[own]]
        width = len(self._records) + 1
        codes, agreeing = np.unique(own * width + known, return_counts=True)
        own, known = codes // width, codes % width
        order = np.lexsort((known, -agreeing, own))
        own, known = own[order], known[order]
        rank = np.arange(len(own)) - np.searchsorted(own, own)
        kept = rank < _MOST_COMPARED
        return zip(own[kept].tolist(), known[kept].tolist(), strict=True)


def _agreeing(rows: Places, keys: Hashes, known: Hashes, places: npt.NDArray[np.int32]) -> tuple[Places, Places]:
    """Return the pairs of ``rows`` and ``places`` whose keys are equal; ``known`` is sorted."""
    start = np.searchsorted(known, keys, side="left")
    count = np.minimum(np.searchsorted(known, keys, side="right") - start, _MOST_IN_A_BUCKET)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(rows, count), places[np.repeat(start, count) + within].astype(np.int64)


def _band_keys(block: Sequence[Hashes]) -> Hashes:
    """Return one number a band, shape (records, 32)."""
    minima = signatures(block).reshape(len(block), _BANDS, _ROWS)
    keys: Hashes = minima[:, :, 0]
    for row in range(1, _ROWS):
        keys = mixed(keys) + minima[:, :, row]
    return keys


def _blocks(records: HashedRecords) -> Iterator[tuple[int, list[Hashes]]]:
    """Yield the records in order, a bounded number together, each time with the place of the first."""
    first, held, block = 0, 0, list[Hashes]()
    for place in range(len(records)):
        block.append(records[place])
        held += len(block[-1])
        if len(block) == _RECORDS or held >= _RECORDED or place == len(records) - 1:
            yield first, block
            first, held, block = place + 1, 0, []
