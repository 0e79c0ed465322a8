"""One agent behind each way of speaking OpenAI's API; what it sends is checked by the types of the official package."""

import json

from openai.types.chat import ChatCompletionChunk

from pilotbase.protocols.openai_wire import event_of

FORMS = {
    "chat": {"protocol": "openai_tools"},
    "streamed chat": {"protocol": "openai_tools", "stream": True},
}
"""Way → what the manifest says about it."""


def speaking(answer):
    """Return answers to requests of any form: those of ``answer``, which knows whole chat completions."""

    def spoken(body):
        completion = answer(body)
        return streamed(completion) if body.get("stream") else completion

    return spoken


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
