"""Dialogues over chat completions: the messages that a caller sends back whole with each request, and their digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from pilotbase.protocols.openai_wire import ChatRequest, ToolCall, read_tool_call, text_of
from pilotbase.protocols.strict_json import WireError

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
