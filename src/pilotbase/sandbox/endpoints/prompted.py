"""The common part of text protocols: a case is put in words, one call a case, and words are read as the answer.

Reading finds where a language model's answer is in its output, and its value under the contract. An unreadable answer
is an abstention, and so counts as worst: a model that chats does not break the protocol.
"""

from __future__ import annotations

import json
import math
import re
import string
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar
from unicodedata import normalize

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.answer_texts import AnswerTextError, check_answer
from pilotbase.documents.contract import Contract, DataType, Prediction
from pilotbase.documents.endpoint import AnswerParsing, Endpoint, template_features
from pilotbase.protocols.frames import MISSING_BOOLEAN, FeatureBatch, abstentions, answer_dtype
from pilotbase.protocols.guarded_http import GuardedRequest, GuardedResponse
from pilotbase.protocols.openai_wire import ModelOutput, TokenUsage, estimate_tokens
from pilotbase.sandbox.endpoints.wire import ModelReply, ModelRequest, misfit, require_cells

MOST_ANSWER_BYTES = 1 << 20
_SHUT = frozenset({401, 402, 403})
MISSING = "–"
"""Replaces a missing value of a case."""
LONGEST_READ = 1 << 20
"""Characters of an answer that are read."""
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})++|\d++)(?:\.\d++)?(?:[eE][+-]?\d{1,3})?")
_AROUND = " \t\r\n.。\"'“”‘’`*"
"""Stripped from around a class: models like to quote it, to print it bold, and to end with a full stop."""
Value = int | float | str | tuple[float, float] | None


def models_of(endpoint: Endpoint) -> GuardedRequest:
    """Return the request for the list of models, which most servers have."""
    return GuardedRequest("GET", f"{endpoint.url.rstrip('/')}/models", most_bytes=MOST_ANSWER_BYTES)


def lets_in(answer: GuardedResponse) -> bool:
    """Return whether an endpoint gives us access, with or without a list of its models."""
    return answer.status not in _SHUT


class PromptedWire(ABC):
    """Asks a language model about one case at a time; `place` is appended to the address of the endpoint."""

    place: ClassVar[str]

    def __init__(self, endpoint: Endpoint, contract: Contract) -> None:
        assert endpoint.prompt is not None
        self.endpoint, self.prompt = endpoint, endpoint.prompt
        self._template = Template(endpoint.prompt.template, contract)
        self._reader = AnswerReader(endpoint.prompt.answer, contract.prediction)

    @abstractmethod
    def body(self, question: str) -> bytes:
        """Return the request body for a question in words."""

    @abstractmethod
    def said(self, answer: GuardedResponse) -> ModelOutput:
        """Return the model's output; raises `WireError`."""

    @property
    def sampling(self) -> Mapping[str, object]:
        """Return the settings of the manifest under the API's names."""
        return self.prompt.sampling.to_json_value()

    def greeting(self) -> GuardedRequest:
        return models_of(self.endpoint)

    def is_there(self, answer: GuardedResponse) -> bool:
        return lets_in(answer)

    def questions(self, batch: FeatureBatch) -> Sequence[ModelRequest]:
        url, headers = f"{self.endpoint.url.rstrip('/')}/{self.place}", {"Content-Type": "application/json"}
        return [
            ModelRequest(slice(row, row + 1), GuardedRequest("POST", url, self.body(words), headers, MOST_ANSWER_BYTES))
            for row, words in enumerate(self._template.words(batch))
        ]

    def read(self, question: ModelRequest, answer: GuardedResponse) -> ModelReply:
        said = self.said(answer)
        value = self._reader.read(said.words)
        usage = said.usage or TokenUsage(
            estimate_tokens(len(question.request.body or b"")),
            estimate_tokens(len(said.words.encode(errors="replace"))),
            estimated=True,
        )
        return ModelReply(self._reader.column([value]), said.model, usage, unread=int(value is None))


class Template:
    """The question about a case; nothing in it is evaluated, so that it can reach only features."""

    def __init__(self, template: str, contract: Contract) -> None:
        """Raises `BoxEnded`: it names something other than a feature, or features are arrays."""
        require_cells(contract)
        self._types = {field.name: field.data_type for field in contract.features}
        unknown = [name for name in template_features(template) if name not in self._types]
        if unknown:
            raise misfit(f"the template names what is no feature: {', '.join(unknown)}")
        self._parts = [(literal, name) for literal, name, *_ in string.Formatter().parse(template)]

    def words(self, batch: FeatureBatch) -> Iterator[str]:
        spelled = {name: _spelled(batch.columns[name], self._types[name]) for _, name in self._parts if name}
        for row in range(batch.rows):
            yield "".join(literal + (spelled[name][row] if name else "") for literal, name in self._parts)


def _spelled(column: NDArray[Any], data_type: DataType) -> list[str]:
    values = column.tolist()
    if data_type is DataType.BOOLEAN:
        return [MISSING if value in (None, MISSING_BOOLEAN) or value != value else _truth(value) for value in values]
    if data_type is DataType.INTEGER and column.dtype == np.float64:  # floats if some are missing
        return [MISSING if value != value else str(int(value)) for value in values]
    return [MISSING if value is None or value != value else str(value) for value in values]


def _truth(value: object) -> str:
    return "true" if value else "false"


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
