"""The most tokens that two sequences have in common, in the same order."""

from __future__ import annotations

from collections.abc import Sequence


def common_subsequence(one: Sequence[str], two: Sequence[str]) -> int:
    """Return the length of the longest common subsequence, by bit-vectors: one step a token of ``two``.

    Source: Hyyrö, "Bit-parallel LCS-length computation revisited", AWOCA 2004.
    """
    places: dict[str, int] = {}
    for index, token in enumerate(one):
        places[token] = places.get(token, 0) | 1 << index
    every = (1 << len(one)) - 1
    open_ = every
    for token in two:
        met = open_ & places.get(token, 0)
        open_ = ((open_ + met) | (open_ - met)) & every
    return (every & ~open_).bit_count()
