"""A bounded load on this machine: so many connections, each asking again once it is answered, for some seconds.

``python -m benchmarks.gateway.load`` reads an order (JSON) from standard input and prints its measurements, timed at
the caller from the first byte of a question to the last of its answer. It runs in its own process.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

_WARM, _WARM_SHARE = 20, 5
"""How many first questions of each connection are left out of the times, at most one in so many."""


@dataclass(frozen=True)
class Order:
    """The question, how many ask at once, and for how long."""

    url: str
    key: str
    body: str
    connections: int
    seconds: float


@dataclass(frozen=True)
class Seen:
    """The result."""

    answers: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds


def run(order: Order) -> Seen:
    """Apply the load and return the result; raises `CalledProcessError` if an answer was not 200."""
    command = [sys.executable, "-m", "benchmarks.gateway.load"]
    done = subprocess.run(command, input=json.dumps(asdict(order)), check=True, stdout=subprocess.PIPE, text=True)
    return Seen(**json.loads(done.stdout))


class _Connection(asyncio.Protocol):
    """Asks, waits for the whole answer, asks again."""

    def __init__(self, question: bytes, ends_at: float) -> None:
        self._question, self._ends_at = question, ends_at
        self._buffer, self._wanted, self._asked_at = bytearray(), -1, 0.0
        self.times: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._wanted < 0 and (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end]).lower()
            if not head.startswith(b"http/1.1 200"):
                self.done.set_exception(RuntimeError(self._buffer.decode(errors="replace")))
                return
            self._wanted = end + 4 + int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        if 0 <= self._wanted <= len(self._buffer):
            self._take(time.perf_counter())

    def connection_lost(self, problem: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(problem or ConnectionError("closed"))

    def _take(self, now: float) -> None:
        self.times.append(now - self._asked_at)
        if now < self._ends_at:
            self._ask()
        elif not self.done.done():
            self.done.set_result(None)
            self._transport.close()

    def _ask(self) -> None:
        self._buffer.clear()
        self._wanted, self._asked_at = -1, time.perf_counter()
        self._transport.write(self._question)


async def _load(order: Order) -> Seen:
    parts, body = urlsplit(order.url), order.body.encode()
    head = [
        f"POST {parts.path} HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Authorization: Bearer {order.key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    question = "\r\n".join([*head, "", ""]).encode() + body
    began = time.perf_counter()
    loop = asyncio.get_running_loop()
    opened = [
        loop.create_connection(lambda: _Connection(question, began + order.seconds), parts.hostname, parts.port)
        for _ in range(order.connections)
    ]
    connections = [protocol for _, protocol in await asyncio.gather(*opened)]
    await asyncio.gather(*(connection.done for connection in connections))
    seconds = time.perf_counter() - began
    answers = sum(len(connection.times) for connection in connections)
    times = sorted(one for connection in connections for one in _warm(connection.times))
    return Seen(answers, seconds, times[len(times) // 2] * 1000, times[int(len(times) * 0.99)] * 1000)


def _warm(times: list[float]) -> list[float]:
    return times[min(_WARM, len(times) // _WARM_SHARE) :]


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_load(Order(**json.loads(sys.stdin.read())))))))
