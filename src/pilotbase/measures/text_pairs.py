"""Texts compared: split into tokens, then answers against truths pair by pair, by the fewest edits or by common tokens.

Words are tokens, Chinese and Japanese characters too, numbers as wholes; there is no punctuation. Width and
compatibility forms are unified (Unicode NFKC), letters lowercased, traditional characters simplified if the table of
`characters` has them.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from pilotbase.measures.characters import SIMPLIFIED
from pilotbase.measures.observation import MeasureInput, MeasurePart, indicator, mean_among, missing_texts

_ARTICLES = frozenset({"a", "an", "the"})
_SINGLE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts that are written without spaces: a character is a word."""
_TOKEN = re.compile(
    rf"(?:(?<!\w)[-\u2212])?\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?(?!,?\d)|(?:(?<!\w)[-\u2212])?\d+(?:\.\d+)?"
    rf"|[{_SINGLE}]|(?:(?![{_SINGLE}])[^\W_])+(?:['’](?:(?![{_SINGLE}])[^\W_])+)*"
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])|\n+")


def normal(text: str) -> str:
    """Return ``text`` in one width, one case and one script, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().translate(SIMPLIFIED).split())


def tokens(text: str) -> list[str]:
    """Return the words and numbers of ``text``, in order."""
    found = _TOKEN.findall(normal(text))
    return [token.replace(",", "").replace("\u2212", "-").replace("’", "'") for token in found]


def without_articles(text: str) -> list[str]:
    """Return `tokens` without a, an, the."""
    return [token for token in tokens(text) if token not in _ARTICLES]


def sentences(text: str) -> list[str]:
    """Return the sentences of ``text`` that hold a word."""
    return [piece for piece in _SENTENCE.split(text) if _TOKEN.search(piece)]


def share_right(question: MeasureInput, right: Callable[[str, str], bool]) -> MeasurePart:
    """Return 1 where ``right(answer, truth)``."""
    found = np.zeros(len(question.cases), dtype=np.bool_)
    for index, answer, truth in answered_pairs(question):
        found[index] = right(answer, truth)
    return indicator(found, ~missing_texts(question.cases.truth), question.absent(), question)


def mean_score(question: MeasureInput, score: Callable[[str, str], float]) -> MeasurePart:
    """Return the mean of ``score(answer, truth)``, from 0 to 1."""
    scores = np.full(len(question.cases), np.nan)
    for index, answer, truth in answered_pairs(question):
        scores[index] = score(answer, truth)
    return mean_among(scores, ~missing_texts(question.cases.truth), question)


def answered_pairs(question: MeasureInput) -> Iterator[tuple[int, str, str]]:
    """Yield the cases that have a truth and an answer: number, answer, truth."""
    cases = question.cases
    for index, (answer, truth) in enumerate(zip(cases.answers.tolist(), cases.truth.tolist(), strict=True)):
        if isinstance(answer, str) and isinstance(truth, str):
            yield index, answer, truth


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
