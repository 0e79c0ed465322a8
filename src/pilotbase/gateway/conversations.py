"""Conversations of callers whose protocol keeps no history: each turn is a request for a chat completion.

So they are admitted, fenced, paid for and recorded as any other call. Dialogues are named, and found by their names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request

from pilotbase.documents.service import Service
from pilotbase.gateway.door import Door, Gateway, while_connected
from pilotbase.gateway.openai_routes import most_cost, question_of
from pilotbase.gateway.upstreams.agents import AgentUpstream
from pilotbase.protocols.openai_wire import read_chat_request
from pilotbase.protocols.strict_json import read_object, write_json
from pilotbase.protocols.upstream import UpstreamFailedError, UpstreamReply
from pilotbase.service.dialogue_logs import DialogueState

CALL, RESULT = "call", "result"
Message = Mapping[str, Any]


@dataclass(frozen=True)
class Caller:
    """Who asks what."""

    request: Request
    secret: str
    key: str
    """Identity of the key."""
    service: Service
    message: str = ""
    """What it calls its message, in protocols whose messages have names."""
    waits: bool = True
    """What it asks for ends with its connection."""


@dataclass(frozen=True)
class ConversationTurn:
    """What the service does next: the message of a chat completion, and what the base tells beside it."""

    message: Message
    told: Message

    @property
    def words(self) -> str:
        """Return what is said: a refusal too."""
        return str(self.message.get("content") or self.message.get("refusal") or "")

    @property
    def call(self) -> Message | None:
        """Return the tool that the caller is to call."""
        calls = self.message.get("tool_calls") or [None]
        found: Message | None = calls[0]
        return found


async def received_from(door: Door, request: Request) -> tuple[Caller, bytes]:
    """Return who sent a message to the service in the path, and the message.

    The key is asked about anew: a message that makes no call is admitted by nobody else.
    """
    name = request.path_params["service"]
    secret, _, body = await door.received(request, name)
    service = await door.gateway.desk.service(secret, name)
    return Caller(request, secret, door.gateway.desk.key(secret), service), body


class Conversations:
    """The conversations of one gateway; used within one event loop."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def begin(self, caller: Caller, words: str, dialogue: str = "") -> ConversationTurn:
        """Return the answer to the first words, in a dialogue of that name; raises as `CallHandler.answer`."""
        return await self._turn(caller, {"role": "user", "content": words}, dialogue)

    async def go_on(self, caller: Caller, dialogue: str, words: str, given: Message) -> ConversationTurn:
        """Return the answer to what follows: the result of a call (``call``, ``result``), words, or nothing.

        Where nothing follows, that is what the dialogue waits for now.

        Raises:
            UnknownDialogueError: the key has no such dialogue. PilotbaseError: as `CallHandler.answer`.
        """
        return await self._turn(caller, _following(words, given), dialogue, goes_on=True)

    def known(self, caller: Caller, dialogue: str, first: str = "") -> DialogueState | None:
        """Return how the caller's dialogue stands that has this name, or that began with the message ``first``.

        Raises as `AgentUpstream.known`.
        """
        found = (upstream.known(caller.key, dialogue, first) for upstream in self._agents(caller))
        return next((state for state in found if state is not None), None)

    def leave(self, caller: Caller, dialogue: str) -> None:
        """End a dialogue at once, whatever its agent is doing; harmless where there is none."""
        for upstream in self._agents(caller):
            upstream.leave(dialogue)

    def _agents(self, caller: Caller) -> Iterator[AgentUpstream]:
        for service, upstream in self._gateway.upstreams.made():
            if service == caller.service.name and isinstance(upstream, AgentUpstream):
                yield upstream

    async def _turn(self, caller: Caller, message: Message, dialogue: str, goes_on: bool = False) -> ConversationTurn:
        body = write_json({"model": caller.service.name, "messages": [message]})
        question = question_of(caller.request, body, read_chat_request(body))
        question = replace(question, dialogue=dialogue, goes_on=goes_on, message=caller.message)
        work = self._gateway.calls.answer(caller.secret, question, most_cost(caller.service, question))
        reply = (await (while_connected(caller.request.receive, work) if caller.waits else work)).reply
        assert isinstance(reply, UpstreamReply)  # no stream was asked for
        return _read_turn(reply)


def _read_turn(reply: UpstreamReply) -> ConversationTurn:
    """Return what a chat completion says; raises `UpstreamFailedError` if it is none: endpoints may answer anything."""
    found: Any = read_object(reply.body) if reply.status == 200 else {}
    match found:
        case {"choices": [{"message": dict(message)}, *_]}:
            return ConversationTurn(message, found.get("pilotbase", {}))
    raise UpstreamFailedError("gateway.endpoint_failed", status=reply.status)


def told_of(turn: ConversationTurn) -> dict[str, Any]:
    """Return what a client reads of a turn: words, a call to carry out, a consent that is waited for, the end."""
    found: dict[str, Any] = {"words": turn.words, **turn.told}
    if turn.call is not None:
        asked = turn.call["function"]
        found[CALL] = {CALL: turn.call["id"], "tool": asked["name"], "arguments": json.loads(asked["arguments"])}
    return found


def _following(words: str, given: Message) -> Message:
    if given.get(CALL):  # programs that fill in every parameter send null or ""
        return {"role": "tool", "tool_call_id": str(given[CALL]), "content": json.dumps(given.get(RESULT))}
    return {"role": "user", "content": words}
