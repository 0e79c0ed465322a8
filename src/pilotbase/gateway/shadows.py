"""Shadow calls: a version under release gets the calls that the old one answers; its answers are compared, not sent."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, replace

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.observation import Scalar
from pilotbase.documents.service import CertifiedRoute, Service, VersionRelease
from pilotbase.gateway.upstreams.registry import Upstreams
from pilotbase.protocols.upstream import (
    CallMeter,
    UpstreamCall,
    UpstreamDownError,
    UpstreamFailedError,
    UpstreamReply,
)
from pilotbase.service.calls import ShadowOutcome
from pilotbase.service.desk import CallDispatcher
from pilotbase.workspace.failures import DiskFullError

MOST_AT_ONCE = 4
"""Further calls are not shadowed: the new version's load is its own, never that of the callers."""


@dataclass(frozen=True)
class AnsweredCall:
    """A call as it was answered."""

    service: Service
    question: UpstreamCall
    answers: tuple[Scalar, ...]
    failed: bool


class ShadowCalls:
    """The shadow calls of one gateway."""

    def __init__(self, desk: CallDispatcher, upstreams: Upstreams) -> None:
        self._desk, self._upstreams = desk, upstreams
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, call: AnsweredCall) -> None:
        """Ask a new version that shadows the old one in the background, unless it is busy with earlier calls."""
        release, candidate = call.service.release, call.service.candidate
        if release is None or candidate is None or not release.shadows or len(self._tasks) >= MOST_AT_ONCE:
            return
        task = asyncio.get_running_loop().create_task(self._compare(call, release, candidate))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up those under way: they count for nothing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _compare(self, call: AnsweredCall, release: VersionRelease, candidate: CertifiedRoute) -> None:
        question = replace(call.question, meter=CallMeter())
        began, answers = time.perf_counter(), None
        try:
            async with asyncio.timeout(call.service.terms.timeout_seconds):
                found = await self._upstreams.of(call.service, candidate).ask(question)
            if isinstance(found, UpstreamReply):
                answers = tuple(found.cases.answers)
        except (TimeoutError, UpstreamDownError, UpstreamFailedError):
            pass
        except PilotbaseError:
            return  # its queue is full: that says nothing about what its callers would see
        failed = answers is None or release.is_slow(1000 * (time.perf_counter() - began))
        with contextlib.suppress(DiskFullError):  # calls say so
            self._desk.compare(ShadowOutcome(release.identity, call.failed, failed, answers == call.answers))
