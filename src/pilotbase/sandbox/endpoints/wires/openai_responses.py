"""OpenAI Responses: the agent of `openai_tools`, whose dialogue is a list of items; the endpoint keeps none of it.

Source: OpenAI API reference, "Responses", "Streaming events". Every request carries the whole dialogue and ``store:
false``. Reasoning goes back where it is enciphered, since only then the endpoint can read it without having kept it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from pilotbase.protocols.openai_wire import ModelTurn, ToolCall, read_events, read_usage, served_by
from pilotbase.protocols.strict_json import WireError, read_object, write_json
from pilotbase.sandbox.endpoints.wires.openai_tools import ToolsWire

ANSWERED = frozenset({"completed", "incomplete"})
"""States of a response that answers: an incomplete one reached its limit of tokens."""


class ResponsesWire(ToolsWire):
    """Lets a model act in one episode, by the Responses API."""

    place: ClassVar[str] = "responses"

    def body(self) -> bytes:
        tools = [
            {
                "type": "function",
                "name": tool["name"],
                "description": tool.get("description", ""),
                "parameters": tool["inputSchema"],
                "strict": False,
            }
            for tool in self.tools
        ]
        settings = self.prompt.sampling.to_json_value()
        settings["max_output_tokens"] = settings.pop("max_tokens")
        if self.endpoint.stream:
            settings["stream"] = True
        asked = {"model": self.endpoint.model, "input": self.dialogue, "tools": tools, "store": False}
        return write_json({**asked, **settings})

    def turn(self, body: bytes) -> ModelTurn:
        return _response_turn(_last_response(read_events(body)) if self.endpoint.stream else read_object(body))

    def result(self, call: str, spelled: str) -> Mapping[str, object]:
        return {"type": "function_call_output", "call_id": call, "output": spelled}


def _last_response(events: Iterable[Mapping[str, object]]) -> Mapping[str, object]:
    """Return the response with which a stream ends, with the items that came before it; raises `WireError`."""
    items: list[object] = []
    for event in events:
        found = event.get("response")
        if event.get("type") == "response.output_item.done":
            items.append(event.get("item"))
        elif event.get("type") in ("error", "response.failed"):
            raise WireError("wire.no_choice", field="response")
        elif isinstance(found, dict) and found.get("status") in ANSWERED:
            return {**found, "output": found.get("output") or items}
    raise WireError("wire.stream_cut")


def _response_turn(response: Mapping[str, object]) -> ModelTurn:
    """Return what a response does; raises `WireError`."""
    output = response.get("output")
    if response.get("status") not in ANSWERED or not isinstance(output, list):
        raise WireError("wire.no_choice", field="output")
    words, calls, back = list[str](), list[ToolCall](), list[Mapping[str, object]]()
    for place, found in enumerate(output):
        item = found if isinstance(found, dict) else {}
        if item.get("type") == "message":
            words.append(_text_of(item.get("content"), f"output[{place}].content"))
            back.append({"role": "assistant", "content": words[-1]})
        elif item.get("type") == "function_call":
            parts = {name: item.get(name) for name in ("call_id", "name", "arguments")}
            if not all(isinstance(part, str) for part in parts.values()):
                raise WireError("wire.field_type", field=f"output[{place}]")
            calls.append(ToolCall(*map(str, parts.values())))
            back.append({"type": "function_call", **parts})
        elif item.get("type") == "reasoning" and item.get("encrypted_content"):
            back.append(item)
    cut = response["status"] == "incomplete"
    return ModelTurn("".join(words), tuple(calls), tuple(back), served_by(response), read_usage(response), cut)


def _text_of(content: object, place: str) -> str:
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise WireError("wire.field_type", field=place)
    texts = [part.get("text") for part in content if part.get("type") == "output_text"]
    return "".join(one for one in texts if isinstance(one, str))


WIRE = ResponsesWire
