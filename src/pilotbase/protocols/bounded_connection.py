"""Limits before a caller is identified: how long a connection may stay half-used, and how large a head may be.

uvicorn waits forever for the rest of a head or body, and keeps any head it receives; hub and gateway use this instead.
"""

from __future__ import annotations

import asyncio
import time
from typing import Literal

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 << 10
"""For the request line and headers together, and for anything else that isn't a body, such as trailers."""
PATIENCE_SECONDS = 20.0
LEAST_RATE = 16 << 10
"""Bytes a second, on average, after `PATIENCE_SECONDS`: slower callers are disconnected."""
_LOOK_SECONDS = 2.0


class BoundedConnection(HttpToolsProtocol):
    """A connection that is closed if a request arrives too slowly, or its head is too large."""

    _owed: Literal["head", "body"] | None = "head"
    """What of a request has begun to come and has not ended."""
    _owed_since: float | None = None
    _received = 0
    _unused = 0
    """Bytes since the last that ended a head or belonged to a body."""
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._owed_since = time.monotonic()
        self._look()

    def data_received(self, data: bytes) -> None:
        self._unused += len(data)
        super().data_received(data)
        if self._owed is None:
            self._owed_since, self._unused = None, 0
        elif self._owed_since is None:
            self._owed_since, self._received = time.monotonic(), len(data)
        else:
            self._received += len(data)
        if self._unused > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("Too long a head.")

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._owed = "head"

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._owed == "head":  # a trailer is no header of a request that is being answered
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            raise HttpParserError("too long a head")
        super().on_headers_complete()
        self._owed, self._unused = "body", 0

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._unused = 0

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._owed, self._unused = None, 0

    def _look(self) -> None:
        now = time.monotonic()
        if self._owed_since is not None and self.flow.read_paused:
            self._owed_since = now  # it waits for us
        if self._owed_since is not None and now - self._owed_since > PATIENCE_SECONDS + self._received / LEAST_RATE:
            self.transport.close()
            return
        self._timer = self.loop.call_later(_LOOK_SECONDS, self._look)
