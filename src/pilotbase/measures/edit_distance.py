"""The fewest insertions, deletions and substitutions that turn one text, or list of words, into another."""

from __future__ import annotations

from collections.abc import Sequence


def edit_distance(one: Sequence[str], two: Sequence[str]) -> int:
    """Return the Levenshtein distance in code points or words, by bit-vectors: one step a unit of ``two``.

    Source: Hyyrö, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances", Nordic Journal of
    Computing 10:29, 2003.
    """
    if one == two or not one or not two:
        return 0 if one == two else max(len(one), len(two))
    places: dict[str, int] = {}
    for index, letter in enumerate(one):
        places[letter] = places.get(letter, 0) | 1 << index
    every, last = (1 << len(one)) - 1, 1 << (len(one) - 1)
    rises, falls, distance = every, 0, len(one)
    for letter in two:
        equal = places.get(letter, 0)
        vertical = equal | falls
        diagonal = (((equal & rises) + rises) ^ rises) | equal
        grows, shrinks = falls | (every & ~(diagonal | rises)), rises & diagonal
        distance += bool(grows & last) - bool(shrinks & last)
        grows, shrinks = (grows << 1) | 1, shrinks << 1
        rises, falls = (shrinks | ~(vertical | grows)) & every, grows & vertical & every
    return distance
