"""Measures of answered texts by the fewest edits, letter by letter as they are, or word by word."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np

from pilotbase.measures.definition import SHARE, TEXTS, Measure, Parameter
from pilotbase.measures.observation import MeasureInput, MeasurePart, missing_texts
from pilotbase.measures.text_pairs import edit_distance, mean_score, share_right, tokens


def exact_match(question: MeasureInput) -> MeasurePart:
    """Return 1 where the answer is the truth; a case without one (to be refused) does not count."""
    return share_right(question, lambda answer, truth: answer == truth)


def edit_similarity(question: MeasureInput) -> MeasurePart:
    """Return 1 - edit distance / the longer length; two empty texts are alike."""
    return mean_score(
        question, lambda answer, truth: 1 - edit_distance(answer, truth) / max(len(answer), len(truth), 1)
    )


def cer(question: MeasureInput) -> MeasurePart:
    """Return edit distance of length of the truth: the ratio of their sums, each distance at most the length.

    Only the first ``longest`` code points are compared. An empty truth has no character that could be wrong.
    """
    return _error_rate(question, lambda spelled: spelled)


def wer(question: MeasureInput) -> MeasurePart:
    """Return edits of words of the number of words of the truth, as `cer` does of characters.

    Words as `text_pairs.tokens` has them: Chinese by character, without case, width and punctuation.
    """
    return _error_rate(question, tokens)


def _error_rate(question: MeasureInput, units: Callable[[str], Sequence[str]]) -> MeasurePart:
    cases, longest = question.cases, question.whole("longest")
    known = ~missing_texts(cases.truth)
    absent = question.absent()
    gain, weight = np.zeros(len(known), dtype=np.int64), np.zeros(len(known), dtype=np.int64)
    for index in np.flatnonzero(known).tolist():
        truth = units(str(cases.truth[index]))[:longest]
        weight[index] = len(truth)
        if absent[index]:
            gain[index] = question.worst(0, len(truth))
        else:
            gain[index] = min(edit_distance(units(str(cases.answers[index]))[:longest], truth), len(truth))
    # The lengths of a hidden set's truth are known; those of future cases aren't.
    most = longest if question.estimand == "population" else int(weight.max(initial=1))
    return MeasurePart(gain, weight, ((0, 1), (1, 1), (0, most), (most, most)))


_LONGEST = Parameter("longest", Decimal(1000), Decimal(0), Decimal(100_000), whole=True)

MEASURES = (
    Measure(
        "exact_match", "answer = truth / N", "Rajpurkar et al., EMNLP 2016", "higher", TEXTS, exact_match,
        guarantees=SHARE, paired=True,
    ),
    Measure(
        "edit_similarity", "mean 1 - edit distance / longer length",
        "Levenshtein, Soviet Physics Doklady 10:707, 1966, normalised by the longer text", "higher", TEXTS,
        edit_similarity, paired=True,
    ),
    Measure(
        "cer", "Σ min(edit distance, length of truth) / Σ length of truth",
        "Levenshtein, Soviet Physics Doklady 10:707, 1966; character error rate, at most one error a character",
        "lower", TEXTS, cer, paired=True, even=False, parameters=(_LONGEST,),
    ),
    Measure(
        "wer", "Σ min(edits of words, words of truth) / Σ words of truth",
        "Morris, Maier & Green, Interspeech 2004; word error rate, Chinese by character, at most one error a word",
        "lower", TEXTS, wer, paired=True, even=False, parameters=(_LONGEST,),
    ),
)  # fmt: skip
