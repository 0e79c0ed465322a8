"""Similarity of texts in one language: character TF-IDF of one to three characters, centred per language.

Chinese has no spaces and English inflects: character n-grams handle both without a dictionary. Each language has its
own space. The mean text of the catalogue is subtracted before directions are compared, so what all texts of a base
share (能力, 数据, data, model) has no effect. A Chinese and an English text aren't compared: any n-grams they share are
there by chance.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from unicodedata import category, normalize

import numpy as np
import numpy.typing as npt
import scipy  # loads each of its parts when it is first used

from pilotbase.documents.texts import LANGUAGES, UNSEEN, Language

Values = npt.NDArray[np.float64]
Rows = Any
"""Rows of numbers, dense (`Values`) or sparse (``csr_matrix``, for which SciPy has no types)."""
Grams = npt.NDArray[np.uint64]
Texts = Mapping[Language, str]
LONGEST = 3
_MOST_CHARACTERS = 4000
_CHARACTER_BITS = 21
_PRIOR_TEXTS = 2
"""The mean of a few texts says little about the language: it is shrunk as if there were this many empty texts."""
_NO_DIRECTION = 1e-6
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003134f]")
_LETTER = re.compile(r"[^\W\d_]")
_SPACES = re.compile(r"\s+")
LOOK_ALIKE = dict(
    zip(
        "аеорсухіјѕһԁкнмтвαορνικτυАЕОРСУХІЈЅКНМТВΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
        "aeopcyxijshdkhmtbaopviktuaeopcyxijskhmtbabezhikmnoptyx",
        strict=True,
    )
)
"""Cyrillic and Greek letters that look like Latin ones; demands and offers are Chinese or English."""


class _Seen(dict[int, str]):
    """Character → how it looks; filled as characters come."""

    def __missing__(self, code: int) -> str:
        kind = category(chr(code))
        unseen = " " if kind == "Cc" else ""
        return self.setdefault(code, unseen if kind in UNSEEN else LOOK_ALIKE.get(chr(code), chr(code)))


_SEEN = _Seen()


def compare_characters(asked: Sequence[Texts], catalogue: Sequence[Texts]) -> Values:
    """Return the mean similarity over the languages that both texts have, in [-1, 1]; NaN where they share none."""
    return mean_over_languages(asked, catalogue, _compare_in_one_language)


def texts_of(sentences: Sequence[str]) -> dict[Language, str]:
    """Return language → folded text in that language, as it looks, detected from its letters and not as declared."""
    found: dict[Language, list[str]] = {}
    for sentence in sentences:
        folded = _SPACES.sub(" ", normalize("NFKC", sentence.translate(_SEEN)).casefold()).strip()
        if _LETTER.search(folded):
            found.setdefault(language_of(folded), []).append(folded)
    return {language: " ".join(said)[:_MOST_CHARACTERS] for language, said in found.items()}


class InOneLanguage(Protocol):
    """Compares texts in one language."""

    def __call__(self, asked: list[str], catalogue: list[str]) -> Values: ...


def mean_over_languages(asked: Sequence[Texts], catalogue: Sequence[Texts], compare: InOneLanguage) -> Values:
    """Return ``compare`` for each language, averaged where a pair shares several; NaN where it shares none."""
    total, number = np.zeros((len(asked), len(catalogue))), np.zeros((len(asked), len(catalogue)))
    for language in LANGUAGES:
        rows = [place for place, one in enumerate(asked) if language in one]
        columns = [place for place, one in enumerate(catalogue) if language in one]
        if rows and columns:
            found = compare([asked[row][language] for row in rows], [catalogue[column][language] for column in columns])
            total[np.ix_(rows, columns)] += found
            number[np.ix_(rows, columns)] += 1
    return np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)


def centred_cosine(asked: Rows, catalogue: Rows) -> Values:
    """Return the cosine of every pair of unit rows after the catalogue's mean is taken off, in [-1, 1].

    A row equal to the mean has no direction: its similarity is 0.
    """
    number = catalogue.shape[0]
    mean = np.asarray(catalogue.sum(axis=0)).ravel() / (number + _PRIOR_TEXTS)
    of_asked, of_catalogue, of_mean = asked @ mean, catalogue @ mean, mean @ mean
    products = asked @ catalogue.T
    dense = products.toarray() if scipy.sparse.issparse(products) else products
    centred = dense - of_asked[:, None] - of_catalogue[None, :] + of_mean
    norms = np.sqrt(np.maximum(_squares(asked) - 2 * of_asked + of_mean, 0))[:, None] * np.sqrt(
        np.maximum(_squares(catalogue) - 2 * of_catalogue + of_mean, 0)
    )
    cosines: Values = np.divide(centred, norms, out=np.zeros_like(centred), where=norms > _NO_DIRECTION)
    return cosines.clip(-1, 1)


def language_of(sentence: str) -> Language:
    """Return ``zh`` if a fifth of the letters are Chinese: names of machines and units are Latin in any text."""
    return "zh" if 5 * len(_HAN.findall(sentence)) >= len(_LETTER.findall(sentence)) else "en"


def _compare_in_one_language(asked: list[str], catalogue: list[str]) -> Values:
    known, counts = _count_grams(catalogue)
    weights = np.log((1 + len(catalogue)) / (1 + np.diff(counts.tocsc().indptr))) + 1
    return centred_cosine(_weighted(_count_known(asked, known), weights), _weighted(counts, weights))


def _count_grams(texts: list[str]) -> tuple[Grams, scipy.sparse.csr_matrix]:
    """Return the grams that occur, sorted, and their counts, one row per text."""
    grams, places = _grams(texts)
    known, columns = np.unique(grams, return_inverse=True)
    shape = (len(texts), max(len(known), 1))
    return known, scipy.sparse.csr_matrix((np.ones(len(grams)), (places, columns)), shape=shape)


def _count_known(texts: list[str], known: Grams) -> scipy.sparse.csr_matrix:
    """Return the counts of the ``known`` grams in other texts; grams that the catalogue lacks are left out."""
    grams, places = _grams(texts)
    columns = np.minimum(np.searchsorted(known, grams), max(len(known) - 1, 0))
    there = known[columns] == grams if len(known) else np.zeros(len(grams), bool)
    shape = (len(texts), max(len(known), 1))
    return scipy.sparse.csr_matrix((np.ones(int(there.sum())), (places[there], columns[there])), shape=shape)


def _grams(texts: list[str]) -> tuple[Grams, npt.NDArray[np.int64]]:
    """Return every run of one to three characters as one number, and the text it comes from."""
    lengths = np.array([len(one) for one in texts], dtype=np.int64)
    letters = np.frombuffer("".join(texts).encode("utf-32-le", "replace"), dtype="<u4").astype(np.uint64)
    owners = np.repeat(np.arange(len(texts)), lengths)
    grams, places, runs = [], [], np.zeros(len(letters), dtype=np.uint64)
    for length in range(1, min(LONGEST, len(letters)) + 1):
        starts = len(letters) - length + 1
        runs = (runs[:starts] << np.uint64(_CHARACTER_BITS)) | letters[length - 1 :]
        inside = owners[:starts] == owners[length - 1 :]
        grams.append(runs[inside])
        places.append(owners[:starts][inside])
    if not grams:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
    return np.concatenate(grams), np.concatenate(places)


def _weighted(counts: scipy.sparse.csr_matrix, weights: Values) -> scipy.sparse.csr_matrix:
    """Return rows of length one: counts damped by their logarithm, rare grams weighted up."""
    damped = counts.copy()
    damped.sum_duplicates()
    damped.data = 1 + np.log(damped.data)
    damped = damped @ scipy.sparse.diags(weights)
    lengths = np.sqrt(_squares(damped))
    return scipy.sparse.csr_matrix(
        scipy.sparse.diags(np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)) @ damped
    )


def _squares(rows: Rows) -> Values:
    squared = rows.multiply(rows) if scipy.sparse.issparse(rows) else rows * rows
    return np.asarray(squared.sum(axis=1)).ravel()
