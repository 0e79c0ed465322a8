"""Asks the judge about every answer, and commits each reply before the next question.

A case is one question; a comparison is two, with the answers swapped, so a judge that prefers the first one shows it.
Questions left over by a crash or an unreachable judge are asked when the judging is started again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.endpoint import AnswerParsing, Endpoint
from pilotbase.documents.judge import FIRST, SECOND, Judge
from pilotbase.documents.limits import Limits
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.quantities import MOST_SECONDS
from pilotbase.documents.texts import text
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.sandbox.endpoints.asking import MOST_ATTEMPTS
from pilotbase.sandbox.endpoints.calls import CallLog
from pilotbase.sandbox.endpoints.reading import AnswerReader
from pilotbase.sandbox.endpoints.worker import start_endpoint
from pilotbase.trial.answering import AnswerLog, Column, answer_cases
from pilotbase.trial.delivering import in_file_order
from pilotbase.trial.judging.judged_cases import JudgedCases

_KEYS_OF = "@judge"
"""In the place of a supplier in the operator's file of keys; no supplier can have this name."""
_A_BATCH = 4
"""Questions in a batch, times those that may be under way at once."""
_DECLINES = re.compile(
    r"\b(?:i(?:'m| am) sorry|i (?:cannot|can't|can not|won't|will not|am unable|am not able)|as an ai)\b"
    r"|抱歉|对不起|我(?:无法|不能|不便|拒绝)|無法|作为(?:一个)?(?:ai|人工智能)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class AnswerSlot:
    """The path of the judge's replies, the start of their chain, and its key."""

    folder: Path
    commitment: bytes
    key: bytes


@dataclass(frozen=True)
class JudgeAnswers:
    """The judge's reply to each question, in order, and how asking ended."""

    words: tuple[str | None, ...]
    questions: int
    end: BoxEnd


def ask_judge(judge: Judge, cases: JudgedCases, place: AnswerSlot, on_progress: OnProgress) -> JudgeAnswers:
    """Return the judge's replies for every case with an answer: committed ones first, then new ones.

    Raises:
        RefusedError: its address is denied, the operator has no key for it, or another process is asking it.
        InputError: the key file can't be read.
    """
    features = _questions(judge, cases)
    total = len(next(iter(features.values())))
    stage = text("judge.progress", model=judge.endpoint.model)
    end = BoxEnd()
    with AnswerLog(place.folder / "words.log", place.commitment, place.key) as log:
        if log.answered < total:
            with CallLog(place.folder / "calls.log", place.commitment, place.key) as calls:
                end = _ask(judge, features, log, calls, lambda done: on_progress(Progress(stage, done, total)))
        words = tuple(_words_of(value) for value in log.values().tolist())
    return JudgeAnswers(words, total, end)


def scores_of(judge: Judge, cases: JudgedCases, asked: JudgeAnswers) -> tuple[list[float | NoScore], list[bool]]:
    """Return the score of each case with an answer, and of a comparison whether it changes with the places."""
    reader = _ScoreReader(judge)
    read = [reader.read(words) for words in asked.words]
    read += [NoScore.ABANDONED] * (asked.questions - len(read))
    if not judge.compares:
        return read, []
    pairs = list(zip(read[::2], read[1::2], strict=True))
    swayed = [
        (one > 0.5) != (1 - other > 0.5)
        for one, other in pairs
        if not isinstance(one, NoScore) and not isinstance(other, NoScore)
    ]
    return [_together(one, other) for one, other in pairs], swayed


def judged_rows(judge: Judge, cases: JudgedCases) -> list[int]:
    """Return the cases to judge; a case without an answer, or without one to compare it with, has nothing to ask."""
    return [row for row in range(len(cases)) if known_outcome(judge, cases, row) is None]


def known_outcome(judge: Judge, cases: JudgedCases, row: int) -> bool | None:
    """Return what is known without asking: no answer is wrong, and any answer beats none; None: people must decide."""
    if cases.answers[row] is None:
        return False
    return True if judge.compares and cases.places[SECOND][row] is None else None


class NoScore(StrEnum):
    """Why a case has no score; each reason has a text (``judge.no_score.<reason>``)."""

    SILENT = "silent"
    """No answer came after all attempts, or an empty one."""
    DECLINED = "declined"
    """The judge declines to judge."""
    UNREADABLE = "unreadable"
    OUTSIDE = "outside"
    """A number outside of the scale."""
    ABANDONED = "abandoned"
    """It was no longer asked."""


class _ScoreReader:
    """Reads scores as the manifest of a judge says."""

    def __init__(self, judge: Judge) -> None:
        prompt = judge.endpoint.prompt
        self._reader = None if prompt is None else AnswerReader(prompt.answer, Prediction(kind="value"))
        self._low, self._high = judge.scale

    def read(self, words: str | None) -> float | NoScore:
        """Return the score in ``words``, 0 at the worst end of the scale and 1 at the best."""
        if words is None or not words.strip():
            return NoScore.SILENT
        if self._reader is None:
            return min(max((float(words) - self._low) / (self._high - self._low), 0.0), 1.0)
        found = self._reader.read(unicodedata.normalize("NFKC", words))
        if not isinstance(found, float):
            return NoScore.DECLINED if _DECLINES.search(words) else NoScore.UNREADABLE
        if not self._low <= found <= self._high:
            return NoScore.OUTSIDE
        return (found - self._low) / (self._high - self._low)


def _together(one: float | NoScore, other: float | NoScore) -> float | NoScore:
    """Return the mean of both orders; a case that has only one has none."""
    if isinstance(one, NoScore):
        return one
    return other if isinstance(other, NoScore) else (one + 1 - other) / 2


def _questions(judge: Judge, cases: JudgedCases) -> dict[str, Column]:
    rows = judged_rows(judge, cases)
    if not judge.compares:
        return {place: _column([texts[row] for row in rows]) for place, texts in cases.places.items()}
    turned = {FIRST: SECOND, SECOND: FIRST}
    return {
        place: _column([one for row in rows for one in (texts[row], cases.places[turned.get(place, place)][row])])
        for place, texts in cases.places.items()
    }


def _ask(
    judge: Judge, features: dict[str, Column], log: AnswerLog, calls: CallLog, on_done: Callable[[int], None]
) -> BoxEnd:
    endpoint = judge.endpoint
    fields = tuple(Field(name=name, data_type=DataType.TEXT) for name in features)
    contract = Contract(features=fields, prediction=Prediction(kind="text" if endpoint.nearest is None else "value"))
    limits = Limits(wall_seconds=MOST_SECONDS, batch_seconds=min(MOST_ATTEMPTS * endpoint.timeout, MOST_SECONDS))
    try:
        with start_endpoint(_speaking(endpoint), _KEYS_OF, contract, BoxSettings(limits=limits), calls) as worker:
            return answer_cases(worker, in_file_order(features, _A_BATCH * endpoint.in_flight), log, on_done)
    except BoxEnded as ended:
        return ended.end


def _speaking(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with its whole reply as the answer: scores are parsed from what is kept."""
    if endpoint.prompt is None:
        return endpoint
    return endpoint.model_copy(update={"prompt": endpoint.prompt.model_copy(update={"answer": AnswerParsing()})})


def _words_of(value: str | float | None) -> str | None:
    """Return a reply as words; an embedding similarity is spelled in full, and None if it isn't a number."""
    return (repr(value) if value == value else None) if isinstance(value, float) else value


def _column(texts: list[str | None]) -> Column:
    column = np.empty(len(texts), dtype=object)
    column[:] = texts
    return column
