"""Measures of answered texts, compared code point by code point, as they are."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from pilotbase.documents.texts import text
from pilotbase.measures.definition import SHARE, TEXTS, Measure, Parameter
from pilotbase.measures.edit_distance import edit_distance
from pilotbase.measures.observation import Part, Question, indicator, mean_among, missing_texts


def exact_match(question: Question) -> Part:
    """Return 1 where the answer is the truth; a case without one (to be refused) does not count."""
    cases = question.cases
    same = np.array([a == t for a, t in zip(cases.answers.tolist(), cases.truth.tolist(), strict=True)], dtype=np.bool_)
    return indicator(same, ~missing_texts(cases.truth), question.absent(), question)


def edit_similarity(question: Question) -> Part:
    """Return 1 - edit distance / the longer length; two empty texts are alike."""
    known = ~missing_texts(question.cases.truth)
    scores = np.full(len(known), np.nan)
    for index in np.flatnonzero(known & ~question.absent()).tolist():
        answer, truth = str(question.cases.answers[index]), str(question.cases.truth[index])
        scores[index] = 1 - edit_distance(answer, truth) / max(len(answer), len(truth), 1)
    return mean_among(scores, known, question)


def cer(question: Question) -> Part:
    """Return edit distance of length of the truth: the ratio of their sums, each distance at most the length.

    Only the first ``longest`` code points are compared. An empty truth has no character that could be wrong.
    """
    cases, longest = question.cases, int(question.arguments["longest"])
    known = ~missing_texts(cases.truth)
    absent = question.absent()
    gain, weight = np.zeros(len(known), dtype=np.int64), np.zeros(len(known), dtype=np.int64)
    for index in np.flatnonzero(known).tolist():
        truth = str(cases.truth[index])[:longest]
        weight[index] = len(truth)
        if absent[index]:
            gain[index] = question.worst(0, len(truth))
        else:
            gain[index] = min(edit_distance(str(cases.answers[index])[:longest], truth), len(truth))
    # The lengths of a hidden set's truth are known; those of cases to come are not.
    most = longest if question.estimand == "population" else int(weight.max(initial=1))
    return Part(gain, weight, ((0, 1), (1, 1), (0, most), (most, most)))


MEASURES = (
    Measure(
        "exact_match", text("measure.exact_match"), "answer = truth / N", "Rajpurkar et al., EMNLP 2016", "higher",
        TEXTS, exact_match, guarantees=SHARE, paired=True,
    ),
    Measure(
        "edit_similarity", text("measure.edit_similarity"), "mean 1 - edit distance / longer length",
        "Levenshtein, Soviet Physics Doklady 10:707, 1966, normalised by the longer text", "higher", TEXTS,
        edit_similarity, paired=True,
    ),
    Measure(
        "cer", text("measure.cer"), "Σ min(edit distance, length of truth) / Σ length of truth",
        "Levenshtein, Soviet Physics Doklady 10:707, 1966; character error rate, at most one error a character",
        "lower", TEXTS, cer, paired=True,
        parameters=(Parameter("longest", Decimal(1000), Decimal(0), Decimal(100_000), whole=True),),
    ),
)  # fmt: skip
