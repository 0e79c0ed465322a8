"""What protocols of words have in common: a case is put in words, one call a case, and words are read as the answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pilotbase.compute.endpoints.reading import AnswerReader
from pilotbase.compute.endpoints.wire import ModelReply, ModelRequest
from pilotbase.compute.endpoints.wording import Template
from pilotbase.documents.contract import Contract
from pilotbase.documents.endpoint import Endpoint
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.protocols.guarded_http import GuardedRequest, GuardedResponse
from pilotbase.protocols.openai_wire import ModelOutput, TokenUsage, estimate_tokens

MOST_ANSWER_BYTES = 1 << 20
_SHUT = frozenset({401, 402, 403})


def models_of(endpoint: Endpoint) -> GuardedRequest:
    """Return what asks for the list of models, which most servers have."""
    return GuardedRequest("GET", f"{endpoint.url.rstrip('/')}/models", most_bytes=MOST_ANSWER_BYTES)


def lets_in(answer: GuardedResponse) -> bool:
    """Tell whether an endpoint lets us in, be there a list of its models or not."""
    return answer.status not in _SHUT


class PromptedWire(ABC):
    """Asks a language model about a case at a time; `place` stands behind the address of the endpoint."""

    place: ClassVar[str]

    def __init__(self, endpoint: Endpoint, contract: Contract) -> None:
        assert endpoint.prompt is not None
        self.endpoint, self.prompt = endpoint, endpoint.prompt
        self._template = Template(endpoint.prompt.template, contract)
        self._reader = AnswerReader(endpoint.prompt.answer, contract.prediction)

    @abstractmethod
    def body(self, question: str) -> bytes:
        """Return what is sent for a question in words."""

    @abstractmethod
    def said(self, answer: GuardedResponse) -> ModelOutput:
        """Return what was said; raises `WireError`."""

    @property
    def sampling(self) -> Mapping[str, object]:
        """Return the settings of the manifest, as the API names them."""
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
