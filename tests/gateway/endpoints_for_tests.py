"""An endpoint as others keep it: a raw ASGI application that does what the last message tells it to."""

import gzip
import json
from typing import Any

USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
CALL = {"id": "call-1", "type": "function", "function": {"name": "look", "arguments": '{"room": "red"}'}}

SAID = json.dumps({"choices": [{"message": {"role": "assistant", "content": "unpacked"}}]}).encode()
PACKED = {
    "gzip": lambda: gzip.compress(SAID),
    "no gzip": lambda: SAID,
    "grows too large": lambda: gzip.compress(SAID + b" " * (65 << 20), 1),
}
"""Word → what is sent as gzip though nobody asked for it."""

_IMAGE_USAGE = {"input_tokens": 7, "output_tokens": 200, "total_tokens": 207}
TASKS: dict[str, dict[str, Any]] = {
    "/v1/completions": {"choices": [{"index": 0, "text": "and so on", "finish_reason": "stop"}], "usage": USAGE},
    "/v1/rerank": {"results": [{"index": 1, "relevance_score": 0.9}], "usage": {"total_tokens": 11}},
    "/v1/audio/transcriptions": {"text": "seven"},
    "/v1/images/generations": {"created": 1, "data": [{"b64_json": "iVBORw0K"}], "usage": _IMAGE_USAGE},
}
"""Path → the answer of a model that has this task."""


class Endpoint:
    """Answers chat completions, embeddings and inference, and remembers what it was asked."""

    url: str

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.cut = 0
        """Callers who went while they were answered."""
        self.broken = False
        """It answers every chat with an error."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.asked.append((scope["path"], headers, body))
        if scope["path"] == "/v1/chat/completions":
            await self._chat(json.loads(body), receive, send)
        elif scope["path"] == "/v1/embeddings":
            data = [{"object": "embedding", "index": 0, "embedding": [0.5, 1.0]}]
            usage = {"prompt_tokens": 4, "total_tokens": 4}
            await reply(send, {"object": "list", "data": data, "model": "their-model", "usage": usage})
        elif scope["path"] in TASKS:
            await self._task(scope["path"], headers["content-type"], body, send)
        elif scope["path"] == "/v2/models/their-model/infer":
            outputs = [{"name": "y", "datatype": "FP64", "shape": [1], "data": [2.5]}]
            await reply(send, {"model_name": "their-model", "outputs": outputs})
        else:
            await reply(send, {"error": "?"}, 404)

    async def _task(self, path: str, media_type: str, body: bytes, send: Any) -> None:
        word = "" if media_type.startswith("multipart") else json.loads(body).get("prompt", "")
        if word == "no answer":
            await reply(send, {"object": "list"})
        elif isinstance(word, str) and word.startswith("status"):
            await reply(send, {"error": {"message": "their words", "type": "x", "code": "y"}}, int(word[6:]))
        elif path == "/v1/completions" and json.loads(body).get("stream"):
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}
            )
            head = {"id": "c", "object": "text_completion", "created": 1, "model": "their-model"}
            for piece in ("one ", "two"):
                await send(part(event({**head, "choices": [{"index": 0, "text": piece, "finish_reason": None}]})))
            if word != "break off":
                await send(part(b"data: [DONE]\n\n"))
            await send(part(b"", more=False))
        elif b'"response_format"\r\n\r\ntext' in body:
            await reply(send, None, whole=b"seven\n", media_type=b"text/plain")
        else:
            await reply(send, TASKS[path])

    async def _chat(self, asked: dict[str, Any], receive: Any, send: Any) -> None:
        word = asked["messages"][-1]["content"]
        if self.broken:
            await reply(send, {"error": {"message": "out of memory", "type": "x", "code": "y"}}, 500)
        elif word == "slow":
            await self._wait_for_the_end(receive)
        elif word == "words":
            await reply(send, "these are no chat completion")
        elif word == "no choice":
            await reply(send, {"choices": []})
        elif word in PACKED:
            await _send_whole(send, PACKED[word](), 200, (b"content-encoding", b"gzip"))
        elif word == "error in 200":
            await reply(send, {"error": {"message": "out of memory", "type": "x", "code": "y"}})
        elif word.startswith("status"):
            await reply(send, {"error": {"message": "their words", "type": "x", "code": "y"}}, int(word[6:]))
        elif asked.get("stream"):
            await self._stream(word, asked, receive, send)
        elif word == "call":
            message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
            await reply(send, {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})
        else:
            message = {"role": "assistant", "content": f"said {word}"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            told = {} if word == "no usage" else {"usage": USAGE}
            head = {"id": "c", "object": "chat.completion", "created": 1, "model": "their-model"}
            await reply(send, {**head, "choices": [choice], **told})

    async def _stream(self, word: str, asked: dict[str, Any], receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "their-model"}
        said = [{"content": piece} for piece in ("one ", "two ", "three")]
        if word == "call":  # the arguments come in pieces
            begun = {**CALL, "index": 0, "function": {"name": "look", "arguments": ""}}
            more = [{"index": 0, "function": {"arguments": piece}} for piece in ('{"room":', ' "red"}')]
            said = [said[0], *({"tool_calls": [one]} for one in (begun, *more))]
        for piece, delta in enumerate(said):
            await send(part(event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})))
            if word == "break off":
                return
            if word == "error event":
                await send(part(event({"error": {"message": "out of memory", "type": "x", "code": "y"}})))
                await send(part(b"data: [DONE]\n\n", more=False))
                return
            if word == "hang" and piece == 1:
                await self._wait_for_the_end(receive)
                return
        if asked["stream_options"]["include_usage"] and word != "no usage":
            await send(part(event({**head, "choices": [], "usage": USAGE})))
        await send(part(b"data: [DONE]\n\n"))
        await send(part(b"", more=False))

    async def _wait_for_the_end(self, receive: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.cut += 1


def event(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def part(body: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def reply(
    send: Any, value: object, status: int = 200, whole: bytes = b"", media_type: bytes = b"application/json"
) -> None:
    await _send_whole(send, whole or json.dumps(value).encode(), status, media_type=media_type)


async def _send_whole(
    send: Any, body: bytes, status: int, *more: tuple[bytes, bytes], media_type: bytes = b"application/json"
) -> None:
    headers = [(b"content-type", media_type), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
