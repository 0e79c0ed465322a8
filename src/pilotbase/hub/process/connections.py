"""How long a caller may keep a connection half-used, and how much of a head it may send: before anybody is known.

uvicorn bounds heads in its parser in Python only, and neither waits for the rest of a head or body for ever but for us.
"""

from __future__ import annotations

import asyncio
import time

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_BYTES = 64 << 10
"""Of a request's line and headers together."""
PATIENCE_SECONDS = 20.0
LEAST_RATE = 16 << 10
"""Bytes a second, on average, after `PATIENCE_SECONDS`: slower callers are let go."""
_LOOK_SECONDS = 2.0


class BoundedConnection(H11Protocol):
    """A connection that is closed when what the caller has begun to send comes too slowly."""

    _owed_since: float | None = None
    _received = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._owed_since = time.monotonic()
        self._look()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._owes():
            self._owed_since = None
        elif self._owed_since is None:
            self._owed_since, self._received = time.monotonic(), len(data)
        else:
            self._received += len(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _owes(self) -> bool:
        """Return whether the rest of a head or of a body has yet to come."""
        state = self.conn.their_state
        return state is h11.SEND_BODY or (state is h11.IDLE and bool(self.conn.trailing_data[0]))

    def _look(self) -> None:
        now = time.monotonic()
        if self._owed_since is not None and self.flow.read_paused:
            self._owed_since = now  # it waits for us
        if self._owed_since is not None and now - self._owed_since > PATIENCE_SECONDS + self._received / LEAST_RATE:
            self.transport.close()
            return
        self._timer = self.loop.call_later(_LOOK_SECONDS, self._look)
