"""The replicas of an endpoint: a call goes to the one with the fewest under way, and once to another where it fails.

Replicas that fail rest, before anything is tried again: whoever fails fast has few calls under way and would attract
all others (Dean and Barroso, The Tail at Scale, CACM 56(2), 2013, for hedging; gRFC A50 for resting).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from pilotbase.protocols.upstream import (
    AnswerStream,
    QueueFullError,
    Upstream,
    UpstreamCall,
    UpstreamDownError,
    UpstreamFailedError,
    UpstreamReply,
)

_FAILURES = 5
"""A replica that has failed so many times in a row rests."""
_REST_SECONDS, _LONGEST_REST = 10.0, 300.0
"""The first rest; each one that follows, with no answer between, is twice as long."""
_RETRIES_A_CALL, _MOST_RETRIES = 0.1, 10.0
"""A tenth of the calls may be tried again, so that retries never multiply an overload."""
_HEDGES_A_CALL, _MOST_HEDGES = 0.05, 5.0
_REMEMBERED, _FEWEST = 500, 50
"""Answers whose times are remembered, and how many it takes to know which are late."""
_LATE = 0.95
Clock = Callable[[], float]
Answer = UpstreamReply | AnswerStream


class Health:
    """Whether one replica may be asked, by how its calls ended."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._failures, self._rests, self._until = 0, 0, 0.0
        self.reachable = True
        """The last attempt to connect succeeded."""

    @property
    def rests(self) -> bool:
        """Return whether no call should go there now."""
        return self._clock() < self._until

    def begin(self) -> None:
        """Begin a call; the first one after a rest tries the replica alone: the others wait for how it ends."""
        if self._failures >= _FAILURES:
            self._rest()

    def answered(self) -> None:
        """A call was answered."""
        self._failures, self._rests, self._until, self.reachable = 0, 0, 0.0, True

    def failed(self, *, reached: bool) -> None:
        """A call was not answered; ``reached``: it arrived."""
        self.reachable = reached
        self._failures += 1
        if self._failures >= _FAILURES:
            self._rest()
            self._rests += 1

    def _rest(self) -> None:
        self._until = self._clock() + min(_REST_SECONDS * 2**self._rests, _LONGEST_REST)


class Replica(Upstream, Protocol):
    """An upstream that counts its calls under way and knows its health."""

    pending: int
    health: Health


class Replicas:
    """The upstream of a route that replicas answer; ``hedge``: late calls are put to a second one too."""

    def __init__(self, replicas: Sequence[Replica], hedge: bool = False, clock: Clock = time.monotonic) -> None:
        self._replicas, self._hedge, self._clock = list(replicas), hedge, clock
        self._retries, self._hedges = _MOST_RETRIES, _MOST_HEDGES
        self._seconds: deque[float] = deque(maxlen=_REMEMBERED)

    @property
    def pending(self) -> int:
        """Calls under way."""
        return sum(replica.pending for replica in self._replicas)

    @property
    def ready(self) -> bool:
        return any(replica.ready for replica in self._replicas)

    @property
    def boxes(self) -> int:
        """Replicas that may be asked."""
        return sum(not replica.health.rests for replica in self._replicas)

    async def ask(self, question: UpstreamCall) -> Answer:
        self._retries = min(self._retries + _RETRIES_A_CALL, _MOST_RETRIES)
        self._hedges = min(self._hedges + _HEDGES_A_CALL, _MOST_HEDGES)
        first = self._choose()
        if first is None:
            raise UpstreamDownError("gateway.endpoint_down")
        try:
            return await self._ask(first, question)
        except (UpstreamDownError, UpstreamFailedError, QueueFullError):
            other = self._choose(first)
            if other is None or self._retries < 1:
                raise
            self._retries -= 1
        return await other.ask(question)

    def hand_over(self, question: UpstreamCall) -> UpstreamReply:
        return self._replicas[0].hand_over(question)

    async def close(self) -> None:
        """Close every replica."""
        await asyncio.gather(*(replica.close() for replica in self._replicas))

    def _choose(self, but: Replica | None = None) -> Replica | None:
        """Return the replica to ask, which goes to the end of the line; the last that answer at all never rest."""
        others = [replica for replica in self._replicas if replica is not but]
        awake = [replica for replica in others if not replica.health.rests]
        able = awake or [replica for replica in others if replica.health.reachable]
        if not able:
            return None
        found = min(able, key=lambda replica: replica.pending)
        self._replicas.remove(found)
        self._replicas.append(found)
        return found

    async def _ask(self, replica: Replica, question: UpstreamCall) -> Answer:
        """Return the answer of ``replica``, or of a second one where that is late; raises as `ask`."""
        began = self._clock()
        late = self._late() if self._hedge else None
        found = await (replica.ask(question) if late is None else self._hedged(replica, question, late))
        self._seconds.append(self._clock() - began)
        return found

    def _late(self) -> float | None:
        """Return after how many seconds an answer is late; None: not known, or too many calls were hedged."""
        if self._hedges < 1 or len(self._seconds) < _FEWEST:
            return None
        return sorted(self._seconds)[int(_LATE * len(self._seconds))]

    async def _hedged(self, replica: Replica, question: UpstreamCall, late: float) -> Answer:
        """Return whichever answer comes first; the other one is let go."""
        asked = [asyncio.create_task(replica.ask(question))]
        failure: BaseException | None = None
        try:
            await asyncio.wait(asked, timeout=late)
            if not asked[0].done() and (other := self._choose(replica)) is not None:
                self._hedges -= 1
                asked.append(asyncio.create_task(other.ask(question)))
            while asked:
                done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
                ended = done.pop()
                asked.remove(ended)
                if (failure := ended.exception()) is None:
                    return ended.result()
            assert failure is not None
            raise failure
        finally:
            for task in asked:
                task.cancel()
            for answer in await asyncio.gather(*asked, return_exceptions=True):
                if not isinstance(answer, UpstreamReply | BaseException):
                    await answer.close()
