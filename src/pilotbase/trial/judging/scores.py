"""A judge's words made a score, or the reason why there is none. No score is guessed."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

from pilotbase.compute.endpoints.reading import AnswerReader
from pilotbase.documents.contract import Prediction
from pilotbase.documents.judge import Judge


class NoScore(StrEnum):
    """Why a case has no score; each is told in words (text ``judge.no_score.<reason>``)."""

    SILENT = "silent"
    """No answer came after all attempts, or an empty one."""
    DECLINED = "declined"
    """The judge declines to judge."""
    UNREADABLE = "unreadable"
    OUTSIDE = "outside"
    """A number outside of the scale."""
    ABANDONED = "abandoned"
    """It was not asked any more."""


_DECLINES = re.compile(
    r"\b(?:i(?:'m| am) sorry|i (?:cannot|can't|can not|won't|will not|am unable|am not able)|as an ai)\b"
    r"|抱歉|对不起|我(?:无法|不能|不便|拒绝)|無法|作为(?:一个)?(?:ai|人工智能)",
    re.IGNORECASE,
)


class ScoreReader:
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
