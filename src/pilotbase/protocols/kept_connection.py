"""A connection kept for the next call to the same host: for callers that ask one endpoint again and again.

The address is checked whenever a connection is made, as `guarded_http` does. Each exchange has one deadline for all its
waits: a peer can't extend it by sending a byte now and then.
"""

from __future__ import annotations

import http.client
import io
import select
import ssl
import time
from typing import TYPE_CHECKING, Any

from pilotbase.protocols.guarded_http import (
    GuardedHttp,
    GuardedRequest,
    GuardedResponse,
    NoAnswerError,
    Pinned,
    cut_off,
    parts_of,
)

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class LateError(NoAnswerError):
    """The other end did not answer in time."""


class BrokenOffError(NoAnswerError):
    """What came is half an answer, or no HTTP."""


class TooLargeError(NoAnswerError):
    """The answer is longer than is read."""


class KeptConnection:
    """Exchanges with the host of one address, one after the other; one thread uses it."""

    def __init__(self, guard: GuardedHttp, url: str) -> None:
        """Don't connect yet; raises `InputError` if ``url`` isn't an address."""
        self._guard, self._parts = guard, parts_of(url)
        self._connection: Pinned | None = None
        self._socket: _Timed | None = None

    def send(self, request: GuardedRequest, seconds: float) -> GuardedResponse:
        """Send ``request`` to a path of the same host, and return the answer, whatever its status.

        Raises:
            RefusedError: the host resolves to a denied address.
            NoAnswerError: it can't be reached, or it broke off the connection; `LateError`, `BrokenOffError`,
                `TooLargeError`.
        """
        host = self._parts.hostname
        if self._socket is not None and self._socket.is_over():
            self.close()  # the other end closed it, as servers do when idle; none of this was sent
        try:
            return self._exchange(request, time.monotonic() + seconds)
        except TimeoutError as error:
            raise LateError("protocol.late", host=host) from error
        except ssl.SSLCertVerificationError as error:
            raise NoAnswerError("protocol.certificate_invalid", host=host) from error
        except OSError as error:  # before `HTTPException`: a connection that was closed is both
            raise NoAnswerError("protocol.unreachable", host=host) from error
        except http.client.HTTPException as error:
            raise BrokenOffError("protocol.broken_off", host=host) from error

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        connection, self._connection, self._socket = self._connection, None, None
        if connection is not None:
            connection.close()

    def abort(self) -> None:
        """Abort the exchange in progress, from another thread: `send` raises `NoAnswerError`."""
        plain = self._socket
        if plain is not None:
            plain.abort()

    def _exchange(self, request: GuardedRequest, deadline: float) -> GuardedResponse:
        parts = parts_of(request.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection = self._connection = self._connection or self._connect(deadline)
            assert self._socket is not None
            self._socket.deadline = deadline
            connection.request(request.method, target, body=request.body, headers=dict(request.headers))
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            body = self._read(response, request.most_bytes)
        except BaseException:
            self.close()
            raise
        if response.will_close:
            self.close()
        return GuardedResponse(response.status, body, headers)

    def _connect(self, deadline: float) -> Pinned:
        address = self._guard.judged(self._parts)
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        connection = Pinned(self._parts, str(address), remaining)
        connection.connect()
        connection.sock = self._socket = _Timed(connection.sock)
        return connection

    def _read(self, response: http.client.HTTPResponse, most_bytes: int) -> bytes:
        """Return the whole body; raises `TooLargeError`, `http.client.IncompleteRead`."""
        too_large = TooLargeError("protocol.too_large", host=self._parts.hostname, allowed=most_bytes)
        if response.length is not None and response.length > most_bytes:
            raise too_large
        body = response.read(most_bytes + 1)
        if len(body) > most_bytes:
            raise too_large
        if response.length:
            raise http.client.IncompleteRead(body, response.length)
        return body


class _Timed:
    """A socket whose every wait ends at ``deadline``: the part of a socket that `http.client` needs."""

    def __init__(self, plain: Any) -> None:
        self._plain, self._readers, self._closed = plain, 0, False
        self.deadline = 0.0

    def is_over(self) -> bool:
        """Return whether the other end has closed it, or sent data out of turn."""
        watch = select.poll()
        watch.register(self._plain, select.POLLIN)
        return bool(watch.poll(0))

    def sendall(self, data: ReadableBuffer) -> None:
        self._wait()
        self._plain.sendall(data)

    def makefile(self, *_: object) -> io.BufferedReader:
        self._readers += 1
        return io.BufferedReader(_Reader(self))

    def receive(self, buffer: WriteableBuffer) -> int:
        self._wait()
        received: int = self._plain.recv_into(buffer)
        return received

    def close(self) -> None:
        """Close it once it has no readers: http.client releases it before the last answer is read."""
        self._closed = True
        self._settle()

    def abort(self) -> None:
        cut_off(self._plain)

    def release(self) -> None:
        self._readers -= 1
        self._settle()

    def _settle(self) -> None:
        if self._closed and self._readers <= 0:
            self._plain.close()

    def _wait(self) -> None:
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self._plain.settimeout(remaining)


class _Reader(io.RawIOBase):
    def __init__(self, source: _Timed) -> None:
        super().__init__()
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return self._source.receive(buffer)

    def close(self) -> None:
        if not self.closed:
            self._source.release()
        super().close()
