"""Reading answers from words: where a language model's answer is in its output, and its value under the contract.

An unreadable answer is an abstention, and so counts as worst: a model that chats does not break the protocol.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any
from unicodedata import normalize

import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.answer_texts import AnswerTextError, check_answer
from pilotbase.documents.contract import Prediction
from pilotbase.documents.endpoint import AnswerParsing
from pilotbase.protocols.frames import abstentions, answer_dtype
from pilotbase.sandbox.endpoints.wire import misfit

LONGEST_READ = 1 << 20
"""Characters of an answer that are read."""
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})++|\d++)(?:\.\d++)?(?:[eE][+-]?\d{1,3})?")
_AROUND = " \t\r\n.。\"'“”‘’`*"
"""Stripped from around a class: models like to quote it, to print it bold, and to end with a full stop."""
Value = int | float | str | tuple[float, float] | None


class AnswerReader:
    """Reads the words of one endpoint as answers of one contract."""

    def __init__(self, reading: AnswerParsing, prediction: Prediction) -> None:
        """Raises `BoxEnded`: the pattern is invalid."""
        self._reading, self._prediction = reading, prediction
        self._codes = {name: code for code, name in enumerate(prediction.classes)}
        if reading.pattern is not None:
            self._extract("")

    def read(self, words: str) -> Value:
        """Return the answer in ``words``: a code, a number, a text; None: there is none."""
        found = self._found(_written(words[:LONGEST_READ]))
        if found is None or not found.strip():
            return None
        found = _written(found)
        if self._prediction.is_spelled:
            return self._text(found.strip())
        if self._prediction.kind == "label":
            return self._codes.get(found.strip(), self._codes.get(found.strip(_AROUND)))
        return self._number(found)

    def column(self, values: Iterable[Value]) -> NDArray[Any]:
        """Return answers in the form of `frames.AnswerBatch`."""
        found = list(values)
        column = abstentions(len(found), self._prediction).astype(answer_dtype(self._prediction).base)
        for row, value in enumerate(found):
            if value is not None:
                column[row] = value
        return column

    def _found(self, words: str) -> str | None:
        reading = self._reading
        if reading.read == "first_line":
            return next((line for line in words.splitlines() if line.strip()), None)
        if reading.read == "last_number":
            numbers = _NUMBER.findall(normalize("NFKC", words))
            return numbers[-1] if numbers else None
        if reading.read == "regex":
            return self._extract(words)
        if reading.read == "json_field":
            return _field(words, reading.field or "")
        return words

    def _extract(self, words: str) -> str | None:
        """Return the first group of the pattern, or the whole match; in time linear in the text, for any pattern."""
        column, pattern = pl.Series([words]).str, self._reading.pattern or ""
        try:
            group: str | None = column.extract(pattern, 1)[0]
            return column.extract(pattern, 0)[0] if group is None else group
        except pl.exceptions.ComputeError as problem:
            raise misfit(f"pattern: {problem}") from None

    def _text(self, found: str) -> str | None:
        try:
            check_answer(found, self._prediction.kind, self._prediction.classes)
        except AnswerTextError:
            return None
        return found if len(found.encode()) <= self._prediction.most_bytes else None

    def _number(self, found: str) -> float | tuple[float, float] | None:
        text = normalize("NFKC", found)
        if self._prediction.kind == "interval":
            ends = [_as_number(one) for one in _NUMBER.findall(text)]
            return (ends[0], ends[1]) if len(ends) == 2 and ends[0] <= ends[1] else None
        text = text.strip(_AROUND)
        if _NUMBER.fullmatch(text) is None:
            return None
        number = _as_number(text)
        if math.isinf(number) or (self._prediction.kind == "probability" and not 0 <= number <= 1):
            return None
        return number


def _written(words: str) -> str:
    """Return ``words`` encodable as UTF-8: JSON may spell an unpaired surrogate (``"\\ud800"``), which becomes "?"."""
    return words.encode(errors="replace").decode()


def _as_number(text: str) -> float:
    return float(text.replace(",", ""))


def _field(words: str, name: str) -> str | None:
    """Return a field of the first JSON object in ``words``, as text."""
    place = words.find("{")
    try:
        found, _ = json.JSONDecoder().raw_decode(words, max(place, 0))
    except (ValueError, RecursionError):
        return None
    value = found.get(name) if isinstance(found, dict) else None
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
