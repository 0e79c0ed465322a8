"""The common part of text protocols: a case is put in words, one call a case, and words are read as the answer."""

from __future__ import annotations

import string
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.contract import Contract, DataType
from pilotbase.documents.endpoint import Endpoint, template_features
from pilotbase.protocols.frames import MISSING_BOOLEAN, FeatureBatch
from pilotbase.protocols.guarded_http import GuardedRequest, GuardedResponse
from pilotbase.protocols.openai_wire import ModelOutput, TokenUsage, estimate_tokens
from pilotbase.sandbox.endpoints.reading import AnswerReader
from pilotbase.sandbox.endpoints.wire import ModelReply, ModelRequest, misfit, require_cells

MOST_ANSWER_BYTES = 1 << 20
_SHUT = frozenset({401, 402, 403})
MISSING = "–"
"""Replaces a missing value of a case."""


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
