"""Answering: features stream to a box batch by batch, and every answer is committed before the next is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pilotbase.compute.box.ends import BoxEnded
from pilotbase.documents.contract import Prediction
from pilotbase.documents.limits import EndReason
from pilotbase.protocols.frames import Answers, Batch
from pilotbase.trial.answers import AnswerLog

Column = NDArray[Any]
MOST_BYTES = 1 << 30
"""Of all answers of a run: they are kept together, and measured outside of the box."""


class Predictor(Protocol):
    """What answers batches: a warm worker."""

    def predict(self, batch: Batch, following: Batch | None = None) -> Answers: ...


@dataclass(frozen=True)
class End:
    """How answering ended; anything but finished leaves cases without an answer."""

    reason: EndReason = EndReason.FINISHED
    detail: str = ""


def answer_cases(
    worker: Predictor,
    features: Mapping[str, Column],
    batch_rows: int,
    log: AnswerLog,
    on_batch: Callable[[int], None] = lambda _: None,
) -> End:
    """Ask for every case that has no committed answer yet and commit the answers; return how it ended.

    ``features``: columns of shape (cases,), in the order in which cases are delivered. ``on_batch`` is told how many
    cases have been answered. An application that fails ends the run: what it answered stays, the rest has no answer;
    so does one whose answers are more than `MOST_BYTES`.
    """
    batches = _batches(features, batch_rows, log.answered)
    batch = next(batches, None)
    while batch is not None:
        if log.size > MOST_BYTES:
            return End(EndReason.OVERSIZED_ANSWER, f"more than {MOST_BYTES} bytes of answers in all")
        following = next(batches, None)
        began = time.perf_counter()
        try:
            answers = worker.predict(batch, following)
        except BoxEnded as ended:
            return End(ended.reason, ended.detail)
        log.append(answers.values, time.perf_counter() - began)
        on_batch(log.answered)
        batch = following
    return End()


def _batches(features: Mapping[str, Column], batch_rows: int, start: int) -> Iterator[Batch]:
    cases = len(next(iter(features.values())))
    for first in range(start, cases, batch_rows):
        rows = slice(first, min(first + batch_rows, cases))
        yield Batch({name: column[rows] for name, column in features.items()}, rows.stop - rows.start)


def complete_answers(values: Column, cases: int, prediction: Prediction) -> Column:
    """Return one answer a case, shape (cases,) or (cases, 2): without one a case abstains (−1, NaN or None)."""
    if prediction.kind == "label":
        complete: Column = np.full(cases, -1, dtype=np.int32)
    elif prediction.is_spelled:
        complete = np.full(cases, None, dtype=object)
    else:
        complete = np.full((cases, 2) if prediction.kind == "interval" else cases, np.nan, dtype=np.float64)
    if len(values):
        complete[: len(values)] = values
    return complete


def count_abstentions(answers: Column, prediction: Prediction) -> int:
    """Return how many of ``answers`` abstain."""
    if prediction.is_spelled:
        return sum(answer is None for answer in answers.tolist())
    if prediction.kind == "label":
        return int((answers < 0).sum())
    return int(np.isnan(answers).any(axis=-1).sum() if prediction.kind == "interval" else np.isnan(answers).sum())
