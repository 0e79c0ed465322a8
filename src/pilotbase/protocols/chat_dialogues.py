"""Dialogues over chat completions: the messages that a caller sends back whole, and what goes on to a model.

Source: OpenAI API reference, "Chat", "Function calling", "Streaming". Of a request that an application sends to a model
it may use but not configure, messages, tools and the form of the answer go on, field by field. Sampling, the number of
answers, storing and whatever else it names is dropped and counted. Tools that the model's server would run itself, and
parts of messages that it would fetch, are refused: nothing that an application sends makes a server reach elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pilotbase.protocols.openai_wire import (
    MAXIMUM_MESSAGES,
    ChatAnswer,
    ChatRequest,
    ModelTurn,
    TokenUsage,
    ToolCall,
    read_tool_call,
    text_of,
    write_chat_completion,
    write_chat_stream,
)
from pilotbase.protocols.strict_json import WireError, write_json

Json = Mapping[str, Any]
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})
_MESSAGE = ("role", "content", "name", "tool_calls", "tool_call_id")
_OURS = frozenset({"model", "messages", "tools", "tool_choice", "parallel_tool_calls", "response_format", "stream"})
"""Fields that are read; ``stream_options`` too."""
_OFFERED = ("name", "description", "parameters", "strict")
ASSISTANT, TOOL, USER = "assistant", "tool", "user"


@dataclass(frozen=True)
class ChatMessage:
    """One message; what else clients send back with it, such as refusals and names, is not read."""

    role: str
    words: str
    calls: tuple[ToolCall, ...] = ()
    answers: str = ""
    """Of the role ``tool``: the identity of the call whose result it is."""


def read_messages(request: ChatRequest) -> list[ChatMessage]:
    """Return the messages of a request; raises `WireError`."""
    return [_message(found, f"messages[{place}]") for place, found in enumerate(_listed(request, "messages"))]


def read_tools(request: ChatRequest) -> dict[str, object] | None:
    """Return name → schema of the arguments of the tools that a request offers; None: it names none.

    Raises:
        WireError: they are no list of functions, or two have one name.
    """
    if request.fields.get("tools") is None:
        return None
    tools: dict[str, object] = {}
    for place, tool in enumerate(_listed(request, "tools")):
        function = tool.get("function") if isinstance(tool, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(function, dict) or not isinstance(name, str) or name in tools:
            raise WireError("wire.field_type", field=f"tools[{place}]")
        tools[name] = function.get("parameters")
    return tools


def history_digest(messages: Sequence[ChatMessage], after: str = "") -> str:
    """Return the digest of a history: role, words and calls of each message, arguments by their value.

    ``after``: the digest of what was said before.
    """
    for one in messages:
        calls = [[call.identity, call.name, _value(call.arguments)] for call in one.calls]
        told = json.dumps([after, one.role, one.words, calls, one.answers], sort_keys=True)
        after = hashlib.sha256(told.encode()).hexdigest()
    return after


def _value(arguments: str) -> object:
    """Return what arguments spell, or the text itself: some clients read and write them again."""
    try:
        return [json.loads(arguments)]
    except (ValueError, RecursionError):
        return arguments


def _listed(request: ChatRequest, name: str) -> list[object]:
    found = request.fields.get(name)
    if not isinstance(found, list):
        raise WireError("wire.field_type", field=name)
    return found


def _message(found: object, place: str) -> ChatMessage:
    fields = found if isinstance(found, dict) else {}
    role, content, answers = fields.get("role"), fields.get("content"), fields.get("tool_call_id") or ""
    asked = fields.get("tool_calls") or []
    texts = content is None or isinstance(content, str) or _are_texts(content)
    if not isinstance(role, str) or not texts or not isinstance(answers, str) or not isinstance(asked, list):
        raise WireError("wire.field_type", field=place)
    calls = tuple(read_tool_call(one, f"{place}.tool_calls") for one in asked)
    return ChatMessage(role, text_of(content), calls, answers)


def _are_texts(content: object) -> bool:
    return isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content)


@dataclass(frozen=True)
class RelayedRequest:
    """What goes on of a request, and how its sender wants the answer."""

    fields: Json
    messages: int
    dropped: int
    """Fields that did not go on."""
    stream: bool = False
    with_usage: bool = False
    """The stream is to end with its usage."""

    def body(self, model: str, sampling: Json) -> bytes:
        """Return the body for ``model``."""
        return write_json({"model": model, **self.fields, **sampling})


def read_relayed(request: Json) -> RelayedRequest:
    """Return what goes on of a request; raises `WireError`."""
    messages, options = request.get("messages"), request.get("stream_options")
    if not isinstance(messages, list) or not 1 <= len(messages) <= MAXIMUM_MESSAGES:
        raise WireError("wire.no_messages", field="messages")
    fields: dict[str, Any] = {"messages": [_relayed_message(one) for one in messages]}
    if request.get("tools"):
        fields["tools"] = [_tool(one) for one in _list_of(request["tools"], "tools")]
    for name, kinds in (("tool_choice", str | dict), ("parallel_tool_calls", bool), ("response_format", dict)):
        if request.get(name) is not None:
            fields[name] = _of(request[name], kinds, name)
    chosen = fields.get("tool_choice")
    if isinstance(chosen, dict) and chosen.get("type") != "function":
        raise WireError("wire.field_type", field="tool_choice")
    return RelayedRequest(
        fields=fields,
        messages=len(messages),
        dropped=len(request.keys() - _OURS - {"stream_options"}),
        stream=request.get("stream") is True,
        with_usage=isinstance(options, dict) and options.get("include_usage") is True,
    )


def write_relayed(turn: ModelTurn, usage: TokenUsage, name: str, request: RelayedRequest) -> tuple[str, str]:
    """Return the type and the text of the answer to ``request``; the model is called ``name`` in it.

    A stream is one chunk with the whole answer.
    """
    answer = ChatAnswer("chatcmpl-0", name, 0, turn.words or None, calls=turn.calls, usage=usage, cut=turn.cut)
    if request.stream:
        return "text/event-stream", write_chat_stream(answer, request.with_usage).decode()
    return "application/json", write_chat_completion(answer).decode()


def _relayed_message(found: object) -> Json:
    message = _of(found, dict, "messages")
    if message.get("role") not in _ROLES:
        raise WireError("wire.field_type", field="messages.role")
    kept = {name: message[name] for name in _MESSAGE if message.get(name) is not None}
    for name in ("name", "tool_call_id"):
        _of(kept.get(name, ""), str, f"messages.{name}")
    if "tool_calls" in kept:
        asked = _list_of(kept["tool_calls"], "messages.tool_calls")
        kept["tool_calls"] = [read_tool_call(one, "messages.tool_calls").spelled() for one in asked]
    kept["content"] = _content(message.get("content"))
    return kept


def _content(found: object) -> str | Sequence[Json] | None:
    """Return text, or parts that are text: other parts may name an address that a server would fetch."""
    if found is None or isinstance(found, str):
        return found
    parts = [_of(part, dict, "messages.content") for part in _list_of(found, "messages.content")]
    if not all(part.get("type") == "text" and isinstance(part.get("text"), str) for part in parts):
        raise WireError("wire.field_type", field="messages.content")
    return [{"type": "text", "text": part["text"]} for part in parts]


def _tool(found: object) -> Json:
    tool = _of(found, dict, "tools")
    function = _of(tool.get("function"), dict, "tools")
    if tool.get("type") != "function" or not isinstance(function.get("name"), str):
        raise WireError("wire.field_type", field="tools")
    return {"type": "function", "function": {name: function[name] for name in _OFFERED if name in function}}


def _list_of(found: object, field: str) -> list[Any]:
    return list(_of(found, list, field))


def _of(found: object, kind: Any, field: str) -> Any:
    if not isinstance(found, kind):
        raise WireError("wire.field_type", field=field)
    return found
