"""Answering: features stream to a box batch by batch, and every answer is committed before the next is asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pilotbase.compute.box.ends import BoxEnded
from pilotbase.documents.contract import Prediction
from pilotbase.documents.limits import EndReason
from pilotbase.protocols.frames import AnswerBatch, FeatureBatch
from pilotbase.trial.answers import AnswerLog
from pilotbase.trial.delivering import CaseDelivery

Column = NDArray[Any]
MOST_BYTES = 1 << 30
"""Of all answers of a run: they are kept together, and measured outside of the box."""


class Predictor(Protocol):
    """What answers batches: a warm worker."""

    def predict(self, batch: FeatureBatch, following: FeatureBatch | None = None) -> AnswerBatch: ...


@dataclass(frozen=True)
class AnsweringEnd:
    """How answering ended; anything but finished leaves cases without an answer."""

    reason: EndReason = EndReason.FINISHED
    detail: str = ""


def answer_cases(
    worker: Predictor,
    asked: CaseDelivery,
    log: AnswerLog,
    on_batch: Callable[[int], None] = lambda _: None,
) -> AnsweringEnd:
    """Ask for every case that has no committed answer yet and commit the answers; return how it ended.

    Answers are committed in the order of delivery. ``on_batch`` is told how many cases have been answered. An
    application that fails ends the run: what it answered stays, the rest has no answer; so does one whose answers are
    more than `MOST_BYTES`.
    """
    batches = asked.batches(log.answered)
    batch = next(batches, None)
    while batch is not None:
        if log.size > MOST_BYTES:
            return AnsweringEnd(EndReason.OVERSIZED_ANSWER, f"more than {MOST_BYTES} bytes of answers in all")
        following = next(batches, None)
        began = time.perf_counter()
        try:
            answers = worker.predict(batch, following)
        except BoxEnded as ended:
            return AnsweringEnd(ended.reason, ended.detail)
        log.append(answers.values, time.perf_counter() - began)
        on_batch(log.answered)
        batch = following
    return AnsweringEnd()


def complete_answers(asked: CaseDelivery, values: Column, prediction: Prediction) -> Column:
    """Return one answer a case, in the order of the cases; ``values``: the committed answers, in that of delivery."""
    complete = without_answers(len(asked.order), prediction)
    if len(values):
        complete[asked.order[: len(values)]] = values
    return complete


def without_answers(cases: int, prediction: Prediction) -> Column:
    """Return what stands for no answer, once a case, shape (cases,) or (cases, 2): −1, NaN or None, an abstention."""
    if prediction.kind == "label":
        return np.full(cases, -1, dtype=np.int32)
    if prediction.is_spelled:
        return np.full(cases, None, dtype=object)
    return np.full((cases, 2) if prediction.kind == "interval" else cases, np.nan, dtype=np.float64)


def count_abstentions(answers: Column, answered: int, prediction: Prediction) -> int:
    """Return how many of ``answered`` cases abstain; ``answers``: one a case, abstentions where there is none."""
    if prediction.is_spelled:
        empty = sum(answer is None for answer in answers.tolist())
    elif prediction.kind == "label":
        empty = int((answers < 0).sum())
    else:
        empty = int(np.isnan(answers).any(axis=-1).sum() if prediction.kind == "interval" else np.isnan(answers).sum())
    return empty - (len(answers) - answered)
