"""Answered texts against their truths, pair by pair. A case without a truth (to be refused) does not count."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
