"""Answered texts against their truths: pair by pair, by the fewest edits, by the tokens in common."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from pilotbase.measures.observation import MeasureInput, MeasurePart, indicator, mean_among, missing_texts


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
