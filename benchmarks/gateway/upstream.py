"""The upstream of every run: a raw ASGI application that answers every question with the same chat completion."""

from __future__ import annotations

import json
from typing import Any

_CHOICE = {"index": 0, "message": {"role": "assistant", "content": "All is well."}, "finish_reason": "stop"}
_USAGE = {"prompt_tokens": 12, "completion_tokens": 4, "total_tokens": 16}
_HEAD = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "fixed"}
_BODY = json.dumps({**_HEAD, "choices": [_CHOICE], "usage": _USAGE}).encode()
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())]


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer at once."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})
