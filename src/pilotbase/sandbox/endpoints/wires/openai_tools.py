"""OpenAI chat completions with tools: an agent that its supplier hosts acts in an episode, turn by turn.

Source: OpenAI API reference, "Chat", "Function calling". Each observation continues one dialogue: the task in the words
of the supplier's prompt, then the result of each call, and what the user says. Calls are acts in the order given; an
answer without calls is said to the user. So one worker plays one episode.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pilotbase.documents.contract import Contract
from pilotbase.documents.endpoint import Endpoint, template_features
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.protocols.guarded_http import GuardedRequest, GuardedResponse
from pilotbase.protocols.openai_wire import ModelTurn, TokenUsage, estimate_tokens, read_model_turn, write_tools_request
from pilotbase.sandbox.endpoints.prompted import MOST_ANSWER_BYTES, lets_in, models_of
from pilotbase.sandbox.endpoints.wire import ModelReply, ModelRequest, misfit

OBSERVED = ["observation"]
TOLD = frozenset({"task", "language"})
"""What a prompt may insert."""
NOT_DONE = {"problem": "not_done"}
"""The result of a call that was not carried out: the API asks for one of each."""
UNREADABLE = "arguments_that_are_no_json"
"""The argument as which a call is refused whose arguments are no JSON object."""


class ToolsWire:
    """Lets a model act in one episode."""

    def __init__(self, endpoint: Endpoint, contract: Contract) -> None:
        assert endpoint.prompt is not None
        if [field.name for field in contract.features] != OBSERVED:
            raise misfit("it acts, and this scenario asks for answers to cases")
        if unknown := sorted(set(template_features(endpoint.prompt.template)) - TOLD):
            raise misfit(f"the template names what no episode tells: {', '.join(unknown)}")
        self.endpoint, self.prompt = endpoint, endpoint.prompt
        self._tools: Sequence[Mapping[str, Any]] = ()
        self._dialogue: list[Mapping[str, object]] = []
        self._called: list[str] = []

    def greeting(self) -> GuardedRequest:
        return models_of(self.endpoint)

    def is_there(self, answer: GuardedResponse) -> bool:
        return lets_in(answer)

    def questions(self, batch: FeatureBatch) -> Sequence[ModelRequest]:
        (spelled,) = batch.columns[OBSERVED[0]].tolist()
        self._hear(json.loads(spelled))
        url, headers = f"{self.endpoint.url.rstrip('/')}/chat/completions", {"Content-Type": "application/json"}
        sampling = self.prompt.sampling.to_json_value()
        body = write_tools_request(self.endpoint.model, self._dialogue, self._tools, sampling)
        return [ModelRequest(slice(0, 1), GuardedRequest("POST", url, body, headers, MOST_ANSWER_BYTES))]

    def read(self, question: ModelRequest, answer: GuardedResponse) -> ModelReply:
        turn = read_model_turn(answer.body)
        self._dialogue.append(turn.message)
        self._called = [one.identity for one in turn.calls]
        spelled = json.dumps(_acts(turn), ensure_ascii=False)
        usage = turn.usage or TokenUsage(
            estimate_tokens(len(question.request.body or b"")), estimate_tokens(len(spelled.encode())), estimated=True
        )
        return ModelReply(np.array([spelled], dtype=object), turn.model, usage)

    def _hear(self, seen: Mapping[str, Any]) -> None:
        """Continue the dialogue with what the world shows."""
        if "task" in seen:
            self._tools = seen["tools"]
            told = {name: str(seen[name]) for name in TOLD}
            system = [] if self.prompt.system is None else [{"role": "system", "content": self.prompt.system}]
            self._dialogue = [*system, {"role": "user", "content": self.prompt.template.format_map(told)}]
            return
        results = {result["id"]: result["content"] for result in seen["results"]}
        for identity in self._called:
            content = results.get(identity, results.get(None, NOT_DONE))
            spelled = json.dumps(content, ensure_ascii=False)
            self._dialogue.append({"role": "tool", "tool_call_id": identity, "content": spelled})
        if seen["user"]:
            self._dialogue.append({"role": "user", "content": seen["user"]})


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
