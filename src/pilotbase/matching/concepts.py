"""Similarity by concepts: a list of the project's own of terms in both languages, the way across without a model.

``concepts.txt`` names one concept a line. A text counts as the concepts that its terms name, rare ones weighted up. One
list serves both languages, so a Chinese and an English text are compared in one space.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from pilotbase.documents.texts import LANGUAGES, Language
from pilotbase.matching.comparing import Group, Method, Passage, Passages, blended_mean, likest, own_kind_cosines
from pilotbase.matching.lexicon import lexicon
from pilotbase.matching.words import Values, compare_characters

_WEIGHT = 0.4
"""Of concepts beside another similarity: learnt on the dev half of the labelled set."""


class CharacterComparer:
    """The `Comparer` without a model: characters within a language, concepts beside them and across languages.

    NumPy and SciPy only, the same values on every machine.
    """

    method: Method = "characters"

    def compare(self, asked: Sequence[Passages], catalogue: Sequence[Passages]) -> Values:
        """Return similarity in [-1, 1]; NaN where a pair shares neither a language nor a concept can be found."""
        return likest(asked, catalogue, _by_characters)

    def knows(self, subject: Passages) -> bool:
        """Return that it knows no meaning."""
        return False


def with_concepts(similarity: Values, concepts: Values) -> Values:
    """Return ``similarity`` with the share of ``concepts`` in it, in [-1, 1]; NaN where ``similarity`` is."""
    told: Values = (similarity + _WEIGHT * np.nan_to_num(concepts)) / (1 + _WEIGHT)
    return told


def compare_concepts(asked: Passages, catalogue: Passages) -> Values:
    """Return the cosine of the concepts of every pair of passages; NaN where one of them names none."""
    return own_kind_cosines(asked, catalogue, _rows_of, _mean_of)


def _by_characters(asked: Passages, catalogue: Passages) -> Values:
    within = compare_characters([one.texts for one in asked], [one.texts for one in catalogue])
    concepts = compare_concepts(asked, catalogue)
    told: Values = np.where(np.isnan(within), concepts, with_concepts(within, concepts))
    return told


def _rows_of(passages: Sequence[Passage]) -> Mapping[Language, Values]:
    counts = {
        language: np.array([_concepts_in(one.texts.get(language, ""), language) for one in passages])
        for language in LANGUAGES
    }
    known = np.concatenate(list(counts.values()))
    known = known[known.any(axis=1)]
    rarity = np.log((1 + len(known)) / (1 + (known > 0).sum(axis=0))) + 1
    return {language: _unit(rows * rarity) for language, rows in counts.items()}


def _unit(rows: Values) -> Values:
    """Return rows of length one, NaN for a row of zeros."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Values = np.divide(rows, lengths, out=np.full_like(rows, np.nan), where=lengths > 0)
    return unit


def _mean_of(group: Group, rows: Values) -> Values:
    return blended_mean(rows.sum(axis=0), len(rows), 0.0)


@lru_cache(maxsize=1 << 12)
def _concepts_in(text: str, language: Language) -> Values:
    """Return how often each concept is named; a term of several concepts counts for each in part."""
    known = lexicon("concepts")
    found = np.zeros(len(known.facets))
    for named in known.named_in(text, language):
        found[list(named.lines)] += 1 / len(named.lines)
    found.flags.writeable = False
    return found
