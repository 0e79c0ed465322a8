"""How much a request may bring, counted as it comes in, and how often a token may ask."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.conf import settings
from django.core.cache import cache

from pilotbase.documents.api.uploads import MAXIMUM_PIECE
from pilotbase.documents.errors import InputError, RefusedError

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Application = Callable[[Scope, Receive, Any], Awaitable[None]]
MARK = "pilotbase.body_allowed"
"""Stands in the scope of a request that brought more, with how much was allowed."""
_FORM_FIELDS = 4 << 20


_COUNTED_SECONDS = 60


class BodyTooLargeError(InputError):
    """The request brings more than is taken."""


class MediaTypeError(InputError):
    """The body is of another kind than is taken."""


class RangeError(InputError):
    """The part that is asked for lies beyond the end; ``size`` says where that is."""

    def __init__(self, found: str, size: int) -> None:
        super().__init__("api.range", found=found, size=size)
        self.size = size


class TooManyRequestsError(RefusedError):
    """A token asks too often; in ``retry_seconds`` it may again."""

    def __init__(self, allowed: int, retry_seconds: int) -> None:
        super().__init__("api.too_many_requests", allowed=allowed)
        self.retry_seconds = retry_seconds


def require_bounded(request: object) -> None:
    """Return unless ``request`` brought more than it may; raises `BodyTooLargeError`."""
    allowed = getattr(request, "scope", {}).get(MARK)
    if allowed is not None:
        raise BodyTooLargeError("api.body_too_large", allowed=allowed)


def bounded(application: Application, most_upload: int) -> Application:
    """Return ``application``, which gets no more than a piece under /api/, and an upload with its fields elsewhere.

    What is too large arrives as an empty body under `MARK`, so that it is refused in words, in the reader's language.
    """

    async def serve(scope: Scope, receive: Receive, send: Any) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        allowed = MAXIMUM_PIECE + 1 if scope["path"].startswith("/api/") else most_upload + _FORM_FIELDS
        await application(scope, _counted(scope, receive, allowed), send)

    return serve


def _counted(scope: Scope, receive: Receive, allowed: int) -> Receive:
    left = allowed
    if _announced(scope) > allowed:
        scope[MARK] = allowed

    async def counted() -> Mapping[str, Any]:
        nonlocal left
        if MARK not in scope:
            message = await receive()
            left -= len(message.get("body", b""))
            if left >= 0:
                return message
            scope[MARK] = allowed
        elif left < 0:
            return await _disconnected(receive)
        left = -1
        return {"type": "http.request", "body": b"", "more_body": False}

    return counted


async def _disconnected(receive: Receive) -> Mapping[str, Any]:
    """Wait for the caller's end, letting go what still comes."""
    while (message := await receive())["type"] != "http.disconnect":
        pass
    return message


def _announced(scope: Scope) -> int:
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(length) if length.isdigit() and len(length) < 20 else 0


def count_request(name: str, most: int | None = None) -> None:
    """Count one request under ``name``; raises `TooManyRequestsError` beyond ``most`` a minute, or the setting."""
    allowed, now = settings.CONFIGURATION.token_requests if most is None else most, time.time()
    key = f"requests:{name}:{int(now // _COUNTED_SECONDS)}"
    cache.add(key, 0, 2 * _COUNTED_SECONDS)
    try:
        count = cache.incr(key)
    except ValueError:  # thrown out between the two lines, by a full cache
        count = 1
    if count > allowed:
        raise TooManyRequestsError(allowed, _COUNTED_SECONDS - int(now % _COUNTED_SECONDS))
