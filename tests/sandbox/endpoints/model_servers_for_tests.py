"""One agent behind each way of speaking OpenAI's API; what it sends is checked by the types of the official package."""

import json

from openai.types.chat import ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_create_params import ResponseCreateParams
from pydantic import TypeAdapter

from pilotbase.protocols.openai_wire import event_of

FORMS = {
    "chat": {"protocol": "openai_tools"},
    "streamed chat": {"protocol": "openai_tools", "stream": True},
    "responses": {"protocol": "openai_responses"},
    "streamed responses": {"protocol": "openai_responses", "stream": True},
}
"""Way → what the manifest says about it."""
REQUESTS, EVENTS = TypeAdapter(ResponseCreateParams), TypeAdapter(ResponseStreamEvent)


def speaking(answer):
    """Return answers to requests of any form: those of ``answer``, which knows whole chat completions."""

    def spoken(body):
        if "input" in body:
            REQUESTS.validate_python(body)
            response = response_of(answer({"messages": [_as_message(item) for item in body["input"]]}))
            return streamed_response(response) if body.get("stream") else response
        completion = answer(body)
        return streamed(completion) if body.get("stream") else completion

    return spoken


def response_of(completion, status="completed"):
    """Return a chat completion as a response."""
    message, usage = completion["choices"][0]["message"], completion["usage"]
    output = [{"type": "reasoning", "id": "rs", "summary": []}]
    if message["content"]:
        text = {"type": "output_text", "text": message["content"], "annotations": []}
        output.append({"type": "message", "id": "msg", "role": "assistant", "status": status, "content": [text]})
    for call in message.get("tool_calls", ()):
        output.append({"type": "function_call", "id": "fc", "call_id": call["id"], **call["function"]})
    counted = {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]}
    details = {
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    response = {
        "id": "resp",
        "object": "response",
        "created_at": 0,
        "model": completion["model"],
        "status": status,
        "output": output,
        "usage": {**counted, **details, "total_tokens": sum(counted.values())},
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }
    return Response.model_validate(response).to_dict()


def streamed_response(response):
    """Yield a response as the events of a stream; that it ends tells its state."""
    begun = {**response, "output": [], "usage": None, "status": "in_progress"}
    events = [{"type": "response.created", "response": begun}, {"type": "response.in_progress", "response": begun}]
    for place, item in enumerate(response["output"]):
        at = {"output_index": place, "item_id": item["id"]}
        events.append({"type": "response.output_item.added", "item": {**item, "status": "in_progress"}, **at})
        if item["type"] == "function_call":
            pieces = _pieces(item["arguments"], 3)
            events += ({"type": "response.function_call_arguments.delta", "delta": piece, **at} for piece in pieces)
        events.append({"type": "response.output_item.done", "item": item, **at})
    events.append({"type": f"response.{response['status']}", "response": response})
    for number, event in enumerate(events):
        found = EVENTS.validate_python({**event, "sequence_number": number}).to_dict()
        yield b"event: " + event["type"].encode() + b"\n" + event_of(json.dumps(found).encode())


def _as_message(item):
    """Return an item of a dialogue as a message of a chat."""
    if item.get("type") == "function_call_output":
        return {"role": "tool", "tool_call_id": item["call_id"], "content": item["output"]}
    return item if "role" in item else {"role": "assistant", "tool_calls": [item]}


def streamed(completion, letters=3):
    """Yield a chat completion as the events of a stream, a few letters each."""
    (choice,) = completion["choices"]
    message, head = choice["message"], {"id": "s", "object": "chat.completion.chunk", "created": 0}
    yield b": welcome\r\n\r\n"
    deltas = [{"role": "assistant", "content": piece} for piece in _pieces(message["content"] or "", letters)]
    for place, call in enumerate(message.get("tool_calls", ())):
        function = call["function"]
        deltas.append({"tool_calls": [{**call, "index": place, "function": {**function, "arguments": ""}}]})
        for piece in _pieces(function["arguments"], letters):
            deltas.append({"tool_calls": [{"index": place, "function": {"arguments": piece}}]})
    choices = [[{"index": 0, "delta": delta, "finish_reason": None}] for delta in deltas]
    choices.append([{"index": 0, "delta": {}, "finish_reason": "tool_calls" if message.get("tool_calls") else "stop"}])
    for found, usage in [*((one, None) for one in choices), ([], completion["usage"])]:
        total = usage and {**usage, "total_tokens": sum(usage.values())}
        chunk = {**head, "model": completion["model"], "choices": found, "usage": total}
        yield event_of(json.dumps(ChatCompletionChunk.model_validate(chunk).to_dict()).encode())
    yield event_of(b"[DONE]")


def _pieces(words, letters):
    return [words[place : place + letters] for place in range(0, len(words), letters)]
