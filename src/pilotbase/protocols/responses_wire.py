"""Messages of OpenAI's Responses API, put as chat completions and back: one dialogue, two spellings.

Source: OpenAI API reference, "Responses" and "Streaming events"; Open Responses, OpenAPI of 2026-04-24. Nothing is kept
between two requests: whole histories come in, whole items go out, and what would need a memory here is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pilotbase.protocols.chat_dialogues import ASSISTANT, TOOL
from pilotbase.protocols.openai_wire import event_of, read_events
from pilotbase.protocols.strict_json import WireError, read_object, write_json

Json = dict[str, Any]
_NEED_MEMORY = ("previous_response_id", "conversation", "background", "prompt")
"""Fields that refer to what a server has kept."""
_AS_IN_CHAT = (
    "model",
    "stream",
    "temperature",
    "top_p",
    "parallel_tool_calls",
    "user",
    "seed",
    "safety_identifier",
    "metadata",
    "pilotbase",
    "service_tier",
)
"""Fields that chat completions call the same."""
_TEXTS = frozenset({"input_text", "output_text", "text"})
_ECHOED = ("instructions", "metadata", "parallel_tool_calls", "temperature", "top_p", "tool_choice", "tools", "text")
"""Fields of a request that its answer repeats."""


def read_responses_request(body: bytes) -> tuple[Json, Json]:
    """Return a request as sent, and as the fields of a chat completion; raises `WireError`.

    >>> read_responses_request(b'{"model": "m", "input": "Hi", "max_output_tokens": 9}')[1]
    {'model': 'm', 'max_tokens': 9, 'messages': [{'role': 'user', 'content': 'Hi'}]}
    """
    sent = dict(read_object(body))
    for name in _NEED_MEMORY:
        if sent.get(name):
            raise WireError("wire.no_memory", field=name)
    chat: Json = {name: sent[name] for name in _AS_IN_CHAT if sent.get(name) is not None}
    if sent.get("max_output_tokens") is not None:
        chat["max_tokens"] = sent["max_output_tokens"]
    if chat.get("stream"):
        chat["stream_options"] = {"include_usage": True}
    reasoning, form = sent.get("reasoning"), sent.get("text")
    if isinstance(reasoning, dict) and reasoning.get("effort") is not None:
        chat["reasoning_effort"] = reasoning["effort"]
    if isinstance(form, dict) and form.get("format") is not None:
        chat["response_format"] = _response_format(form["format"])
    if sent.get("tools"):
        chat["tools"] = [_tool(one, f"tools[{place}]") for place, one in enumerate(_list(sent["tools"], "tools"))]
        if sent.get("tool_choice") is not None:
            chat["tool_choice"] = _tool_choice(sent["tool_choice"])
    chat["messages"] = [*_instructions(sent.get("instructions")), *_messages(sent.get("input"))]
    return sent, chat


class ResponseWriter:
    """Writes the answer to one request, of the call ``call``: whole, or as a stream of events."""

    def __init__(self, sent: Json, call: str, created: int) -> None:
        self._call, self._number = call, 0
        echoed = {name: sent[name] for name in _ECHOED if sent.get(name) is not None}
        self._head = {
            "id": f"resp_{call}",
            "object": "response",
            "created_at": created,
            "model": sent["model"],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "metadata": {},
            **echoed,
            "store": False,
            "error": None,
            "incomplete_details": None,
        }
        self._items: list[Json] = []
        self._calls: dict[int, Json] = {}
        """Index of a tool call in the chat stream → its item."""
        self._finish: object = None
        self._usage: Mapping[str, Any] = {}
        self._told: Json = {}

    def whole(self, body: bytes) -> bytes:
        """Return a whole chat completion as a response."""
        self._take(read_object(body), "message")
        self._close_all()
        return write_json(self._response(self._status))

    def begin(self) -> bytes:
        """Return the first events of a stream."""
        began = self._response("in_progress")
        return self._event("response.created", response=began) + self._event("response.in_progress", response=began)

    def piece(self, chunk: bytes) -> bytes:
        """Return whole events of a chat stream as events of a response; its closing event closes the response."""
        events = [event for message in read_events(chunk) for event in self._take(message, "delta")]
        if b"data: [DONE]" in chunk:
            events += [*self._close_all(), self._end(self._response(self._status))]
        return b"".join(events)

    def failed(self, code: str, message: str, error: bytes) -> bytes:
        """Return the end of a stream that broke off: some clients read the event, others the ``error`` body."""
        response = {**self._response("failed"), "error": {"code": code, "message": message}}
        return self._end(response) + event_of(error)

    @property
    def _status(self) -> str:
        return "incomplete" if self._finish in ("length", "content_filter") else "completed"

    def _take(self, message: Mapping[str, object], name: str) -> list[bytes]:
        """Add the message of the first choice, or the piece of it, to the items; return the events that tell so."""
        choices = message.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        said = choice[name] if isinstance(choice.get(name), dict) else {}
        self._finish = choice.get("finish_reason") or self._finish
        usage, told = message.get("usage"), message.get("pilotbase")
        self._usage = usage if isinstance(usage, dict) else self._usage
        self._told = told if isinstance(told, dict) else self._told
        events: list[bytes] = []
        for kind, field in (("output_text", "content"), ("refusal", "refusal")):
            if isinstance(said.get(field), str) and said[field]:
                events += self._words(kind, said[field])
        calls = said.get("tool_calls")
        for place, call in enumerate(calls if isinstance(calls, list) else []):
            if isinstance(call, dict):
                events += self._tool_call(call.get("index", place), call)
        return events

    def _words(self, kind: str, words: str) -> Iterator[bytes]:
        name = "text" if kind == "output_text" else "refusal"
        item = self._items[-1] if self._items else {}
        if item.get("type") != "message" or item["content"][-1]["type"] != kind:
            yield from self._close(item)
            empty = {"type": kind, name: "", **({"annotations": [], "logprobs": []} if name == "text" else {})}
            item = self._open({"type": "message", "role": ASSISTANT, "content": []}, "msg")
            yield self._added(item)
            item["content"].append(empty)
            yield self._event("response.content_part.added", **self._at(item), content_index=0, part=dict(empty))
        item["content"][0][name] += words
        more: Json = {"logprobs": []} if name == "text" else {}
        yield self._event(f"response.{kind}.delta", **self._at(item), content_index=0, delta=words, **more)

    def _tool_call(self, index: object, call: Json) -> Iterator[bytes]:
        spelled = call.get("function")
        function = spelled if isinstance(spelled, dict) else {}
        item = self._calls.get(index) if isinstance(index, int) else None
        if item is None:
            if self._items and self._items[-1]["type"] == "message":
                yield from self._close(self._items[-1])
            named = {"call_id": call.get("id") or "", "name": function.get("name") or "", "arguments": ""}
            item = self._open({"type": "function_call", **named}, "fc")
            self._calls[index if isinstance(index, int) else -1] = item
            yield self._added(item)
        if isinstance(function.get("arguments"), str) and function["arguments"]:
            item["arguments"] += function["arguments"]
            delta = function["arguments"]
            yield self._event("response.function_call_arguments.delta", **self._at(item), delta=delta)

    def _open(self, item: Json, prefix: str) -> Json:
        item = {"id": f"{prefix}_{self._call}_{len(self._items)}", "status": "in_progress", **item}
        self._items.append(item)
        return item

    def _added(self, item: Json) -> bytes:
        place = self._at(item)["output_index"]
        return self._event("response.output_item.added", output_index=place, item=_copy(item))

    def _close_all(self) -> list[bytes]:
        return [event for item in self._items for event in self._close(item)]

    def _close(self, item: Json) -> Iterator[bytes]:
        """Say the whole of an item once more, unless that has been done."""
        if item.get("status") != "in_progress":
            return
        item["status"] = self._status
        place = self._at(item)
        if item["type"] == "function_call":
            told = {"name": item["name"], "arguments": item["arguments"]}
            yield self._event("response.function_call_arguments.done", **place, **told)
        else:
            part = item["content"][0]
            inside: Json = {**place, "content_index": 0}
            whole = {name: part[name] for name in ("text", "refusal", "logprobs") if name in part}
            yield self._event(f"response.{part['type']}.done", **inside, **whole)
            yield self._event("response.content_part.done", **inside, part=part)
        yield self._event("response.output_item.done", output_index=place["output_index"], item=_copy(item))

    def _at(self, item: Json) -> Json:
        place = next(place for place, one in enumerate(self._items) if one is item)
        return {"item_id": item["id"], "output_index": place}

    def _response(self, status: str) -> Json:
        details = {}
        if status == "incomplete":
            reason = "max_output_tokens" if self._finish == "length" else "content_filter"
            details = {"incomplete_details": {"reason": reason}}
        usage = _usage(self._usage) if status in ("completed", "incomplete") else None
        told = {"pilotbase": self._told} if self._told else {}
        items = [_copy(item) for item in self._items]
        return {**self._head, **details, "status": status, "output": items, "usage": usage, **told}

    def _end(self, response: Json) -> bytes:
        return self._event(f"response.{response['status']}", response=response)

    def _event(self, kind: str, **fields: object) -> bytes:
        data = write_json({"type": kind, "sequence_number": self._number, **fields})
        self._number += 1
        return b"event: " + kind.encode() + b"\n" + event_of(data)


def _instructions(found: object) -> Sequence[Json]:
    if not found:
        return []
    if not isinstance(found, str):
        raise WireError("wire.field_type", field="instructions")
    return [{"role": "system", "content": found}]


def _messages(found: object) -> list[Json]:
    """Return the items of a history as chat messages: an answer and the calls that follow it are one message."""
    if isinstance(found, str) and found:
        return [{"role": "user", "content": found}]
    if not isinstance(found, list) or not found:
        raise WireError("wire.no_response_input", field="input")
    messages: list[Json] = []
    for place, one in enumerate(found):
        at = f"input[{place}]"
        item = one if isinstance(one, dict) else {}
        kind = item.get("type", "message")
        if kind == "message":
            messages.append(_message(item, at))
        elif kind == "function_call":
            if not messages or messages[-1]["role"] != ASSISTANT:
                messages.append({"role": ASSISTANT, "content": None})
            function = {"name": item.get("name"), "arguments": item.get("arguments")}
            call = {"id": item.get("call_id"), "type": "function", "function": function}
            messages[-1].setdefault("tool_calls", []).append(call)
        elif kind == "function_call_output":
            result = {"content": _content(item.get("output"), f"{at}.output"), "tool_call_id": item.get("call_id")}
            messages.append({"role": TOOL, **result})
        elif kind == "item_reference":
            raise WireError("wire.no_memory", field=at)
        elif kind != "reasoning":  # what a model thought is its own: chat has no place for it
            raise WireError("wire.unknown_item", field=f"{at}.type")
    return messages


def _message(item: Json, at: str) -> Json:
    if not isinstance(item.get("role"), str):
        raise WireError("wire.field_type", field=f"{at}.role")
    return {"role": item["role"], "content": _content(item.get("content"), f"{at}.content")}


def _content(found: object, at: str) -> object:
    """Return the parts of a message as chat has them; nothing but text becomes the text itself."""
    if isinstance(found, str):
        return found
    parts = []
    for place, one in enumerate(_list(found, at)):
        part = one if isinstance(one, dict) else {}
        kind = part.get("type")
        if kind in _TEXTS and isinstance(part.get("text"), str):
            parts.append({"type": "text", "text": part["text"]})
        elif kind == "input_image" and isinstance(part.get("image_url"), str):
            detail = {"detail": part["detail"]} if part.get("detail") else {}
            parts.append({"type": "image_url", "image_url": {"url": part["image_url"], **detail}})
        elif kind == "input_audio":
            parts.append({"type": "input_audio", "input_audio": part.get("input_audio")})
        elif kind == "input_file" and isinstance(part.get("file_data"), str):
            file = {name: part[name] for name in ("file_data", "filename") if part.get(name)}
            parts.append({"type": "file", "file": file})
        elif kind != "refusal":  # nobody reads a refusal again
            raise WireError("wire.unknown_item", field=f"{at}[{place}].type")
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts)
    return parts


def _response_format(found: object) -> Json:
    form = found if isinstance(found, dict) else {}
    if form.get("type") in ("text", "json_object"):
        return {"type": form["type"]}
    if form.get("type") != "json_schema":
        raise WireError("wire.field_type", field="text.format")
    schema = {name: form[name] for name in ("name", "description", "schema", "strict") if form.get(name) is not None}
    return {"type": "json_schema", "json_schema": schema}


def _tool(found: object, at: str) -> Json:
    tool = found if isinstance(found, dict) else {}
    if tool.get("type") != "function":
        raise WireError("wire.unknown_item", field=f"{at}.type")
    offered = ("name", "description", "parameters", "strict")
    return {"type": "function", "function": {name: tool[name] for name in offered if tool.get(name) is not None}}


def _tool_choice(found: object) -> object:
    if found in ("auto", "none", "required"):
        return found
    if not isinstance(found, dict) or found.get("type") != "function":
        raise WireError("wire.field_type", field="tool_choice")
    return {"type": "function", "function": {"name": found.get("name")}}


def _usage(found: Mapping[str, Any]) -> Json:
    def of(name: str, detail: str) -> int:
        details = found.get(f"{name}_details")
        return details.get(detail) or 0 if isinstance(details, dict) else 0

    asked, said = found.get("prompt_tokens") or 0, found.get("completion_tokens") or 0
    return {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": of("prompt_tokens", "cached_tokens")},
        "output_tokens": said,
        "output_tokens_details": {"reasoning_tokens": of("completion_tokens", "reasoning_tokens")},
        "total_tokens": asked + said,
    }


def _list(found: object, at: str) -> list[Any]:
    if not isinstance(found, list):
        raise WireError("wire.field_type", field=at)
    return found


def _copy(item: Json) -> Json:
    """Return an item as it is now: events that wait to be read don't change."""
    return {**item, "content": [dict(part) for part in item["content"]]} if "content" in item else dict(item)
