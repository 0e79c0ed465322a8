"""Messages of the OpenAI API: chat completions, models, errors; bytes to frozen dataclasses and back.

Source: OpenAI API reference, "Chat", "Embeddings", "Models", "Error codes", "Streaming"; WHATWG HTML §9.2 (server-sent
events): events end with an empty line. Only the fields used here are parsed; the rest of a request is kept in `fields`
unchanged, to be passed on to an endpoint that knows it.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pilotbase.documents.errors import InputError
from pilotbase.protocols.strict_json import WireError, read_object, write_json

DEFAULT_MOST_TOKENS = 4096
"""Limit for an answer that sets none: without one, nothing could be reserved for it."""
MAXIMUM_TOKENS = 10_000_000
MAXIMUM_MESSAGES = 10_000
TOKENS_A_MESSAGE = 16
"""At most so many tokens a chat template adds to each message, and as many to the whole."""
MAXIMUM_EVENT_BYTES = 4 << 20


@dataclass(frozen=True)
class ChatRequest:
    """A request to a chat model."""

    place: ClassVar[str] = "chat/completions"
    """Its address below ``/v1``."""
    answer: ClassVar[tuple[str, type]] = ("choices", list)
    """What an answer to it holds, and of which type."""
    in_words: ClassVar[bool] = True
    model: str
    question: str
    """Text of the last user message; empty if there is none."""
    stream: bool
    include_usage: bool
    """The stream is to end with its usage."""
    most_tokens: int
    """What all answers together may be, in tokens."""
    bounded: bool
    """The request itself names the bound."""
    messages: int
    fields: Mapping[str, object]

    @property
    def cases(self) -> int:
        """How many cases it asks about: the list in its question, else one."""
        if self.question.lstrip().startswith("["):
            with contextlib.suppress(ValueError, RecursionError):
                return len(json.loads(self.question))
        return 1

    def most(self, size: int) -> int:
        """Return how many tokens may be used for a request of ``size`` bytes and its answers."""
        return self.most_tokens + most_prompt_tokens(size, self.messages)

    def sent(self, model: str) -> tuple[bytes, str]:
        """Return the body that asks ``model`` the same, and its media type.

        An answer is never longer than was reserved, and a stream tells its usage.
        """
        fields = {**self.fields, "model": model}
        fields |= {} if self.bounded else {"max_tokens": DEFAULT_MOST_TOKENS}
        fields |= {"stream_options": {"include_usage": True}} if self.stream else {}
        return write_json(fields), "application/json"


@dataclass(frozen=True)
class TokenUsage:
    """Tokens of a call."""

    prompt: int
    completion: int
    estimated: bool = False
    """Nobody counted the tokens; they were estimated from the length of the texts."""

    @property
    def total(self) -> int:
        return self.prompt + self.completion


@dataclass(frozen=True)
class ChatAnswer:
    """The answer of one of our chat models: a text, an abstention, or that the question was handed over."""

    identity: str
    model: str
    created: int
    """Seconds since 1970."""
    content: str | None
    """None: an abstention, or handed over."""
    refusal: str | None = None
    handed_over: bool = False
    calls: tuple[ToolCall, ...] = ()
    """What the caller is to call, and to send the results of."""
    told: Mapping[str, object] = field(default_factory=dict)
    """What this base tells beside it, as the field ``pilotbase``."""
    usage: TokenUsage = TokenUsage(0, 0)
    """Applications that are no language models use no tokens."""
    cut: bool = False
    """It reached its limit of tokens."""


@dataclass(frozen=True)
class ModelOutput:
    """The answer of someone else's language model."""

    words: str
    model: str
    """The name it gave itself, with its system fingerprint if it gave one."""
    usage: TokenUsage | None


@dataclass(frozen=True)
class ToolCall:
    """A call that a model asks for; ``arguments`` as it spelled them, meant to be a JSON object."""

    identity: str
    name: str
    arguments: str

    def spelled(self) -> dict[str, object]:
        """Return it as it stands in a message."""
        function = {"name": self.name, "arguments": self.arguments}
        return {"id": self.identity, "type": "function", "function": function}


@dataclass(frozen=True)
class ModelTurn:
    """What someone else's model does next: it calls tools, or says something."""

    words: str
    calls: tuple[ToolCall, ...]
    back: tuple[Mapping[str, object], ...]
    """What of it goes back with the next request."""
    model: str
    usage: TokenUsage | None
    cut: bool = False
    """It reached its limit of tokens."""


def write_chat_request(model: str, messages: Sequence[tuple[str, str]], sampling: Mapping[str, object]) -> bytes:
    """Return the body of a request; ``messages``: (role, content), ``sampling``: fields of the API as they are."""
    spelled = [{"role": role, "content": content} for role, content in messages]
    return write_json({"model": model, "messages": spelled, **sampling})


def write_tools_request(
    model: str,
    messages: Sequence[Mapping[str, object]],
    tools: Sequence[Mapping[str, object]],
    sampling: Mapping[str, object],
) -> bytes:
    """Return the body of a request that offers tools (MCP ``Tool`` objects); ``messages``: the dialogue so far."""
    offered = [
        {
            "type": "function",
            "function": {
                "name": tool["name"],
                "description": tool.get("description", ""),
                "parameters": tool["inputSchema"],
            },
        }
        for tool in tools
    ]
    return write_json({"model": model, "messages": list(messages), "tools": offered, **sampling})


def read_model_turn(body: bytes) -> ModelTurn:
    """Return what the first choice of a chat completion does; raises `WireError`."""
    return model_turn(read_object(body))


def model_turn(message: Mapping[str, object]) -> ModelTurn:
    """Return what the first choice of a chat completion, already parsed, does; raises `WireError`."""
    choice = first_choice(message)
    found = choice.get("message")
    if not isinstance(found, dict) or not isinstance(found.get("content"), str | list | None):
        raise WireError("wire.no_choice", field="choices[0].message")
    words, asked = text_of(found.get("content")), found.get("tool_calls") or []
    listed = asked if isinstance(asked, list) else []
    calls = tuple(read_tool_call(one, "choices[0].message.tool_calls") for one in listed)
    spelled = [one.spelled() for one in calls]
    back = {"role": "assistant", "content": words or None, **({"tool_calls": spelled} if spelled else {})}
    cut = choice.get("finish_reason") == "length"
    return ModelTurn(words, calls, (back,), served_by(message), read_usage(message), cut)


def read_chat_answer(body: bytes) -> ModelOutput:
    """Return the first choice of a chat completion; raises `WireError`."""
    message = read_object(body)
    found = first_choice(message).get("message")
    if not isinstance(found, dict) or not isinstance(found.get("content"), str | list | None):
        raise WireError("wire.no_choice", field="choices[0].message")
    return ModelOutput(text_of(found.get("content")), served_by(message), read_usage(message))


def read_chat_request(body: bytes) -> ChatRequest:
    """Return the request in ``body``; raises `WireError`."""
    fields = read_object(body)
    messages = fields.get("messages")
    if not isinstance(messages, list) or not 1 <= len(messages) <= MAXIMUM_MESSAGES:
        raise WireError("wire.no_messages", field="messages")
    stream, include_usage, most, bounded = read_bounds(fields)
    return ChatRequest(
        model=read_model(fields),
        question=_question(messages),
        stream=stream,
        include_usage=include_usage,
        most_tokens=most * read_count(fields, "n", 1, 128),
        bounded=bounded,
        messages=len(messages),
        fields=fields,
    )


def read_bounds(fields: Mapping[str, object]) -> tuple[bool, bool, int, bool]:
    """Return whether a stream is wanted, and its usage; the most tokens of one answer, and whether the request says so.

    Raises `WireError`.
    """
    stream = read_flag(fields, "stream")
    return stream, stream and _include_usage(fields.get("stream_options")), *_most_tokens(fields)


def most_prompt_tokens(size: int, messages: int = 0) -> int:
    """Return how many tokens a prompt of ``size`` bytes can be: none is shorter than a byte."""
    return size + TOKENS_A_MESSAGE * (messages + 1)


def estimate_tokens(size: int) -> int:
    """Return about how many tokens a text of ``size`` bytes is: four bytes each, as in English."""
    return math.ceil(size / 4)


def write_chat_completion(answer: ChatAnswer) -> bytes:
    """Return the body of a whole answer."""
    choice = {"index": 0, "message": _message(answer), "logprobs": None, "finish_reason": _finish(answer)}
    return write_json({**_head(answer, "chat.completion"), "choices": [choice], "usage": usage_fields(answer.usage)})


def write_chat_stream(answer: ChatAnswer, include_usage: bool) -> bytes:
    """Return a whole answer as the events of a stream, the closing one included."""
    head = {**_head(answer, "chat.completion.chunk"), **({"usage": None} if include_usage else {})}
    events = [
        {**head, "choices": [{"index": 0, "delta": _message(answer, streamed=True), "finish_reason": None}]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": _finish(answer)}]},
    ]
    if include_usage:
        events.append({**head, "choices": [], "usage": usage_fields(answer.usage)})
    return b"".join(event_of(write_json(event)) for event in events) + event_of(b"[DONE]")


def write_models(models: Mapping[str, int], owner: str) -> bytes:
    """Return the list of models: name → since when, in seconds since 1970."""
    listed = [_listed(name, created, owner) for name, created in models.items()]
    return write_json({"object": "list", "data": listed})


def write_model(name: str, created: int, owner: str) -> bytes:
    """Return the description of one model."""
    return write_json(_listed(name, created, owner))


def error_body(message: str, kind: str, code: str, param: str | None = None) -> bytes:
    """Return the body of an error."""
    return write_json({"error": {"message": message, "type": kind, "param": param, "code": code}})


def event_of(data: bytes) -> bytes:
    """Return one server-sent event that carries ``data``, which is one line."""
    return b"data: " + data + b"\n\n"


def read_events(body: bytes) -> Iterator[Mapping[str, object]]:
    """Yield the objects of a stream that has come whole, until its closing event; raises `WireError`."""
    for event in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        data = b"\n".join(_data_lines(event))
        if data == b"[DONE]":
            return
        if data:
            yield read_object(data)


def read_usage(message: Mapping[str, object]) -> TokenUsage | None:
    """Return the usage in an answer or a stream event; None if it has none that can be read."""
    found = message.get("usage")
    if not isinstance(found, dict):
        return None
    prompt = found.get("prompt_tokens", found.get("input_tokens", found.get("total_tokens")))
    completion = found.get("completion_tokens", found.get("output_tokens", 0))
    counted = all(type(count) is int and 0 <= count <= MAXIMUM_TOKENS for count in (prompt, completion))
    return TokenUsage(prompt, completion) if counted else None  # type: ignore[arg-type]


def first_choice(message: Mapping[str, object]) -> Mapping[str, object]:
    """Return the first choice of an answer; raises `WireError`."""
    choices = message.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise WireError("wire.no_choice", field="choices")
    return choices[0]


def read_tool_call(found: object, place: str) -> ToolCall:
    """Return one of the calls of a message, which stands at ``place``; raises `WireError`."""
    outer = found if isinstance(found, dict) else {}
    function = outer.get("function")
    inner = function if isinstance(function, dict) else {}
    texts = [outer.get("id"), inner.get("name"), inner.get("arguments", "")]
    if not all(isinstance(one, str) for one in texts):
        raise WireError("wire.field_type", field=place)
    return ToolCall(*texts)


def served_by(message: Mapping[str, object]) -> str:
    """Return the name that a model gave itself, with its system fingerprint if it gave one."""
    told = [message.get("model"), message.get("system_fingerprint")]
    return " ".join(one[:200] for one in told if isinstance(one, str) and one)


def read_model(fields: Mapping[str, object]) -> str:
    """Return the name of the model; raises `WireError`."""
    model = fields.get("model")
    if not isinstance(model, str) or not 1 <= len(model) <= 200:
        raise WireError("wire.no_model", field="model")
    return model


def read_flag(fields: Mapping[str, object], name: str) -> bool:
    """Return a field that is yes or no, no where it is missing; raises `WireError`."""
    flag = fields.get(name)
    if flag is not None and not isinstance(flag, bool):
        raise WireError("wire.field_type", field=name)
    return bool(flag)


def read_count(fields: Mapping[str, object], name: str, default: int, most: int) -> int:
    """Return a whole number from 1 to ``most``; raises `WireError`."""
    count = fields.get(name)
    if count is None:
        return default
    if type(count) is not int or not 1 <= count <= most:
        raise WireError("wire.field_type", field=name)
    return count


def _most_tokens(fields: Mapping[str, object]) -> tuple[int, bool]:
    for name in ("max_completion_tokens", "max_tokens"):
        if fields.get(name) is not None:
            return read_count(fields, name, DEFAULT_MOST_TOKENS, MAXIMUM_TOKENS), True
    return DEFAULT_MOST_TOKENS, False


def _include_usage(options: object) -> bool:
    if options is None:
        return False
    if not isinstance(options, dict):
        raise WireError("wire.field_type", field="stream_options")
    return read_flag(options, "include_usage")


def _question(messages: list[object]) -> str:
    for message in reversed(messages):
        if not isinstance(message, dict):
            raise WireError("wire.no_messages", field="messages")
        if message.get("role") == "user":
            return text_of(message.get("content"))
    return ""


def text_of(content: object) -> str:
    """Return the text of a message: the content itself, or its text parts joined."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if isinstance(part, dict) and part.get("type") == "text"]
    return "".join(one for one in texts if isinstance(one, str))


def _head(answer: ChatAnswer, kind: str) -> dict[str, object]:
    head: dict[str, object] = {
        "id": answer.identity,
        "object": kind,
        "created": answer.created,
        "model": answer.model,
    }
    told = {**({"handed_over": True} if answer.handed_over else {}), **answer.told}
    return {**head, "pilotbase": told} if told else head


def _message(answer: ChatAnswer, streamed: bool = False) -> Mapping[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": answer.content, "refusal": answer.refusal}
    calls = [{**({"index": place} if streamed else {}), **call.spelled()} for place, call in enumerate(answer.calls)]
    return {**message, "tool_calls": calls} if calls else message


def _finish(answer: ChatAnswer) -> str:
    return "tool_calls" if answer.calls else "length" if answer.cut else "stop"


def usage_fields(usage: TokenUsage) -> Mapping[str, int]:
    """Return the usage as it stands in an answer."""
    return {"prompt_tokens": usage.prompt, "completion_tokens": usage.completion, "total_tokens": usage.total}


def _listed(name: str, created: int, owner: str) -> Mapping[str, object]:
    return {"id": name, "object": "model", "created": created, "owned_by": owner}


class StreamMeter:
    """Reads the usage of a stream and, if it has none, counts the output."""

    def __init__(self, show_usage: bool) -> None:
        self._show_usage, self._rest = show_usage, b""
        self.usage: TokenUsage | None = None
        self.said_bytes = 0
        """Bytes of text in the answer so far."""
        self.ended = False
        """The closing event has passed."""

    def feed(self, chunk: bytes) -> bytes:
        """Return the complete events so far, without usage that the caller didn't request.

        Raises:
            WireError: an event is larger than any in the protocol, or reports an error.
        """
        *events, self._rest = (self._rest + chunk).replace(b"\r\n", b"\n").split(b"\n\n")
        if len(self._rest) > MAXIMUM_EVENT_BYTES:
            raise WireError("wire.event_size", allowed=MAXIMUM_EVENT_BYTES)
        return b"".join(event + b"\n\n" for event in events if self._passes(event))

    def finish(self) -> bytes:
        """Return what stood behind the last empty line; raises as `feed`."""
        rest, self._rest = self._rest, b""
        return rest + b"\n\n" if rest.strip() and self._passes(rest) else b""

    def _passes(self, event: bytes) -> bool:
        """Process one event and return whether it is passed on."""
        data = b"\n".join(_data_lines(event))
        if data == b"[DONE]":
            self.ended = True
            return True
        try:
            message = read_object(data)
        except InputError:
            return True
        if message.get("error") is not None:
            raise WireError("wire.no_choice", field="choices")
        self._count(message)
        found = read_usage(message)
        if found is None:
            return True
        self.usage = found
        return self._show_usage or bool(message.get("choices"))

    def _count(self, message: Mapping[str, object]) -> None:
        choices = message.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            delta = choice.get("delta", {"text": choice.get("text")}) if isinstance(choice, dict) else None
            if isinstance(delta, dict):
                texts = (said for said in delta.values() if isinstance(said, str))
                self.said_bytes += sum(len(said.encode(errors="replace")) for said in texts)


def _data_lines(event: bytes) -> Iterator[bytes]:
    for line in event.split(b"\n"):
        if line.startswith(b"data:"):
            yield line[5:].removeprefix(b" ")
