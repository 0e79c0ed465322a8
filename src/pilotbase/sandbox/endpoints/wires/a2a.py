"""A2A 1.0 over JSON-RPC: an agent that its supplier hosts acts in an episode, by parts of its messages.

Source: A2A specification 1.0.1, "Send Message", "Core Objects", "Agent Discovery". The agent keeps the dialogue, so
each observation is one message. The first is the task as text, with tools and language as data. Acts and results are
data too, spelled as the gateway spells those of a certified agent: ``{"call": {"call", "tool", "arguments"}}`` and
``{"call", "result"}``. Text without acts is said to the user.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from pilotbase.documents.contract import Contract
from pilotbase.documents.endpoint import Endpoint
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.protocols.guarded_http import GuardedRequest, GuardedResponse
from pilotbase.protocols.strict_json import WireError, read_object, write_json
from pilotbase.sandbox.endpoints.prompted import MOST_ANSWER_BYTES
from pilotbase.sandbox.endpoints.wire import ModelReply, ModelRequest, misfit, observed, require_acting, results_of

VERSION = {"A2A-Version": "1.0"}
CARD = ".well-known/agent-card.json"
WAITING = frozenset({"TASK_STATE_INPUT_REQUIRED", "TASK_STATE_AUTH_REQUIRED"})
GIVEN_UP = frozenset({"TASK_STATE_FAILED", "TASK_STATE_CANCELED", "TASK_STATE_REJECTED"})
COMPLETED = "TASK_STATE_COMPLETED"
Json = Mapping[str, Any]


class A2aWire:
    """Lets an agent act in one episode, which is one context; a task that is over is followed by another in it."""

    def __init__(self, endpoint: Endpoint, contract: Contract) -> None:
        require_acting(contract)
        self._base, self._version = endpoint.url.rstrip("/"), endpoint.version
        self._url = self._served = ""
        self._goes_on: dict[str, object] = {}
        """The context, and the task that waits for an answer."""
        self._called: Sequence[str] = ()

    def greeting(self) -> GuardedRequest:
        return GuardedRequest("GET", f"{self._base}/{CARD}", None, VERSION, MOST_ANSWER_BYTES)

    def is_there(self, answer: GuardedResponse) -> bool:
        """Return whether there is a card; raises `BoxEnded`: it is not of an agent that can be asked here."""
        if answer.status != 200:
            return False
        try:
            card = read_object(answer.body)
        except WireError as problem:
            raise misfit(f"its card: {problem.render('en')}") from None
        if self._version not in (None, card.get("version")):
            raise misfit(f"its card says version {str(card.get('version'))[:200]}, not {self._version}")
        self._url = _address(card, self._base)
        self._served = " ".join(str(card.get(name, ""))[:200] for name in ("name", "version")).strip()
        return True

    def questions(self, batch: FeatureBatch) -> Sequence[ModelRequest]:
        seen, identity = observed(batch), secrets.token_hex(16)
        if "task" in seen:
            self._goes_on, self._called = {}, ()
        message = {"messageId": identity, "role": "ROLE_USER", "parts": self._parts(seen), **self._goes_on}
        asked = {"message": message, "configuration": {"acceptedOutputModes": ["text/plain", "application/json"]}}
        body = write_json({"jsonrpc": "2.0", "id": identity, "method": "SendMessage", "params": asked})
        headers = {"Content-Type": "application/json", **VERSION}
        return [ModelRequest(slice(0, 1), GuardedRequest("POST", self._url, body, headers, MOST_ANSWER_BYTES))]

    def read(self, question: ModelRequest, answer: GuardedResponse) -> ModelReply:
        state, parts, told = _turn(read_object(answer.body))
        acts = _acts(parts)
        if state in GIVEN_UP or (state == COMPLETED and not acts):
            acts = [*acts, {"done": True}]
        self._goes_on = {**self._goes_on, **told}
        if state not in WAITING:
            self._goes_on.pop("taskId", None)
        self._called = [act["id"] for act in acts if "id" in act]
        return ModelReply(np.array([json.dumps(acts, ensure_ascii=False)], dtype=object), self._served)

    def _parts(self, seen: Json) -> list[Json]:
        if "task" in seen:
            return [{"text": seen["task"]}, {"data": {name: seen[name] for name in ("tools", "language")}}]
        results = [{"data": {"call": call, "result": content}} for call, content in results_of(seen, self._called)]
        said = [{"text": seen["user"] or ""}] if seen["user"] or not results else []  # a message has one part at least
        return [*results, *said]


def _address(card: Json, base: str) -> str:
    """Return where the agent of a card is asked by JSON-RPC, at the host of its card; raises `BoxEnded`."""
    offered = card.get("supportedInterfaces")
    for one in offered if isinstance(offered, list) else []:
        match one:
            case {"url": str(url), "protocolBinding": "JSONRPC", "protocolVersion": str(version)} if (
                version.partition(".")[0] == "1" and urlsplit(url)[:2] == urlsplit(base)[:2]
            ):
                return url
    raise misfit("its card offers no A2A 1.0 by JSONRPC at the host of the card")


def _turn(answer: Json) -> tuple[str, Sequence[object], Json]:
    """Return the state of the task, what is said in parts, and where the dialogue goes on; raises `WireError`."""
    match answer:
        case {"error": {"code": int(code), "message": str(words)}}:
            raise WireError("wire.rpc_error", rpc=code, said=words[:300])
        case {"result": {"message": message}}:
            context = message.get("contextId") if isinstance(message, dict) else None
            return "", _parts_in(message, "message"), {} if context is None else {"contextId": str(context)}
        case {
            "result": {"task": {"id": str(task), "contextId": str(context), "status": {"state": str(state)} as status}}
        }:
            if state in WAITING | GIVEN_UP | {COMPLETED}:
                message, artifacts = status.get("message"), answer["result"]["task"].get("artifacts")
                parts = [] if message is None else _parts_in(message, "task.status.message")
                if not parts and state == COMPLETED and isinstance(artifacts, list):
                    parts = [part for one in artifacts for part in _parts_in(one, "task.artifacts")]
                return state, parts, {"contextId": context, "taskId": task}
    raise WireError("wire.no_task", field="result")


def _parts_in(found: object, place: str) -> Sequence[object]:
    """Return the parts of a message or an artifact; raises `WireError`."""
    match found:
        case {"parts": list(parts)}:
            return parts
    raise WireError("wire.field_type", field=f"{place}.parts")


def _acts(parts: Sequence[object]) -> list[Json]:
    """Return the calls in the parts of a message, else its text as what is said; raises `WireError`."""
    calls, words = list[Json](), list[str]()
    for part in parts:
        match part:
            case {"text": str(said)}:
                words.append(said)
            case {"data": {"call": {"call": str(call), "tool": str(tool), "arguments": dict(arguments)}}}:
                calls.append({"id": call, "tool": tool, "arguments": arguments})
            case {"data": {"call": _}}:
                raise WireError("wire.field_type", field="call")
    spoken = "\n".join(filter(None, words))
    return calls or ([{"say": spoken}] if spoken else [])


WIRE = A2aWire
