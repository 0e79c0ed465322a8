"""OpenAI chat completions with tools: an agent that its supplier hosts acts in an episode, turn by turn.

Source: OpenAI API reference, "Chat", "Function calling", "Streaming". Each observation continues one dialogue: the task
in the words of the supplier's prompt, then the result of each call, and what the user says. Calls are acts in the order
given; an answer without calls is said to the user. So one worker plays one episode. A stream is put together first, and
then read as a whole answer.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from pilotbase.documents.contract import Contract
from pilotbase.documents.endpoint import Endpoint, template_features
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.protocols.guarded_http import GuardedRequest, GuardedResponse
from pilotbase.protocols.openai_wire import (
    ModelTurn,
    TokenUsage,
    estimate_tokens,
    model_turn,
    read_events,
    read_model_turn,
    text_of,
    write_tools_request,
)
from pilotbase.protocols.strict_json import WireError
from pilotbase.sandbox.endpoints.prompted import MOST_ANSWER_BYTES, lets_in, models_of
from pilotbase.sandbox.endpoints.wire import (
    ModelReply,
    ModelRequest,
    misfit,
    observed,
    require_acting,
    results_of,
)

MOST_STREAM_BYTES = 8 * MOST_ANSWER_BYTES
"""Each event carries a few letters of the answer, and repeats its head."""
TOLD = frozenset({"task", "language"})
"""What a prompt may insert."""
UNREADABLE = "arguments_that_are_no_json"
"""The argument as which a call is refused whose arguments are no JSON object."""


class ToolsWire:
    """Lets a model act in one episode; `place` is appended to the address of the endpoint."""

    place: ClassVar[str] = "chat/completions"

    def __init__(self, endpoint: Endpoint, contract: Contract) -> None:
        assert endpoint.prompt is not None
        require_acting(contract)
        if unknown := sorted(set(template_features(endpoint.prompt.template)) - TOLD):
            raise misfit(f"the template names what no episode tells: {', '.join(unknown)}")
        self.endpoint, self.prompt = endpoint, endpoint.prompt
        self.tools: Sequence[Mapping[str, Any]] = ()
        self.dialogue: list[Mapping[str, object]] = []
        self._called: list[str] = []

    def body(self) -> bytes:
        """Return the body of the next request: the dialogue so far, and the tools."""
        settings = self.prompt.sampling.to_json_value()
        if self.endpoint.stream:
            settings |= {"stream": True, "stream_options": {"include_usage": True}}
        return write_tools_request(self.endpoint.model, self.dialogue, self.tools, settings)

    def turn(self, body: bytes) -> ModelTurn:
        """Return what the model does, by the body of its answer; raises `WireError`."""
        return model_turn(put_together(read_events(body))) if self.endpoint.stream else read_model_turn(body)

    def result(self, call: str, spelled: str) -> Mapping[str, object]:
        """Return the result of a call as it stands in the dialogue."""
        return {"role": "tool", "tool_call_id": call, "content": spelled}

    def greeting(self) -> GuardedRequest:
        return models_of(self.endpoint)

    def is_there(self, answer: GuardedResponse) -> bool:
        return lets_in(answer)

    def questions(self, batch: FeatureBatch) -> Sequence[ModelRequest]:
        self._hear(observed(batch))
        url, headers = f"{self.endpoint.url.rstrip('/')}/{self.place}", {"Content-Type": "application/json"}
        most = MOST_STREAM_BYTES if self.endpoint.stream else MOST_ANSWER_BYTES
        return [ModelRequest(slice(0, 1), GuardedRequest("POST", url, self.body(), headers, most))]

    def read(self, question: ModelRequest, answer: GuardedResponse) -> ModelReply:
        turn = self.turn(answer.body)
        self.dialogue += turn.back
        self._called = [one.identity for one in turn.calls]
        spelled = json.dumps(_acts(turn), ensure_ascii=False)
        asked, answered = question.request.body or b"", spelled.encode(errors="replace")
        estimated = TokenUsage(estimate_tokens(len(asked)), estimate_tokens(len(answered)), estimated=True)
        return ModelReply(np.array([spelled], dtype=object), turn.model, turn.usage or estimated)

    def _hear(self, seen: Mapping[str, Any]) -> None:
        """Continue the dialogue with what the world shows."""
        if "task" in seen:
            self.tools = seen["tools"]
            told = {name: str(seen[name]) for name in TOLD}
            system = [] if self.prompt.system is None else [{"role": "system", "content": self.prompt.system}]
            self.dialogue = [*system, {"role": "user", "content": self.prompt.template.format_map(told)}]
            return
        for call, content in results_of(seen, self._called):
            self.dialogue.append(self.result(call, json.dumps(content, ensure_ascii=False)))
        if seen["user"]:
            self.dialogue.append({"role": "user", "content": seen["user"]})


def put_together(events: Iterable[Mapping[str, object]]) -> Mapping[str, object]:
    """Return the chat completion, with its first choice, that the events of a stream spell; raises `WireError`."""
    whole: dict[str, object] = {}
    words: list[str] = []
    calls: defaultdict[int, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    finish: object = None
    for event in events:
        whole |= {name: event[name] for name in ("model", "system_fingerprint", "usage") if event.get(name) is not None}
        for choice in _first_choices(event):
            delta = choice.get("delta") or {}
            if not isinstance(delta, dict) or not isinstance(delta.get("content"), str | list | None):
                raise WireError("wire.no_choice", field="choices[0].delta")
            words.append(text_of(delta.get("content")))
            for place, name, piece in _pieces(delta.get("tool_calls")):
                calls[place][name].append(piece)
            finish = choice.get("finish_reason") or finish
    if finish is None:
        raise WireError("wire.stream_cut")
    asked = [_call(calls[place]) for place in sorted(calls)]
    message = {"role": "assistant", "content": "".join(words), "tool_calls": asked}
    return {**whole, "choices": [{"message": message, "finish_reason": finish}]}


def _first_choices(event: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Yield what an event adds to the first choice: nothing where it only tells the usage."""
    choices = event.get("choices")
    if event.get("error") is not None or not isinstance(choices, list):
        raise WireError("wire.no_choice", field="choices")
    yield from (one for one in choices if isinstance(one, dict) and one.get("index", 0) == 0)


def _pieces(deltas: object) -> Iterator[tuple[int, str, str]]:
    """Yield the place of a call, the name of its part, and what is added to that."""
    for delta in deltas if isinstance(deltas, list) else []:
        outer = delta if isinstance(delta, dict) else {}
        function, place = outer.get("function"), outer.get("index")
        inner = function if isinstance(function, dict) else {}
        parts = {"id": outer.get("id"), "name": inner.get("name"), "arguments": inner.get("arguments")}
        if type(place) is not int or not all(isinstance(piece, str | None) for piece in parts.values()):
            raise WireError("wire.field_type", field="choices[0].delta.tool_calls")
        yield from ((place, name, piece) for name, piece in parts.items() if piece is not None)


def _call(parts: Mapping[str, Sequence[str]]) -> Mapping[str, object]:
    told = {name: "".join(pieces) for name, pieces in parts.items()}
    return {"id": told.pop("id", None), "type": "function", "function": told}


def _acts(turn: ModelTurn) -> list[dict[str, object]]:
    calls: list[dict[str, object]] = [
        {"id": one.identity, "tool": one.name, "arguments": _arguments(one.arguments)} for one in turn.calls
    ]
    return calls or ([{"say": turn.words}] if turn.words else [])


def _arguments(spelled: str) -> Mapping[str, object]:
    try:
        found = json.loads(spelled or "{}")
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {UNREADABLE: spelled[:1000]}


WIRE = ToolsWire
