"""Calls under way: those whose service is stopped meanwhile, or whose route may not answer any more, are ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from pilotbase.documents.errors import PilotbaseError
from pilotbase.gateway.front_desk import FrontDesk
from pilotbase.service.calls import Admission

LOOK_SECONDS = 0.5
"""So long, and the time of a look, a call goes on after its service was stopped."""


class CallEndedError(PilotbaseError):
    """The service was stopped, or what answered may not answer any more, while the call was under way."""


class UnderWay:
    """The calls that one gateway is answering, with the tasks that do."""

    def __init__(self, desk: FrontDesk) -> None:
        self._desk = desk
        self._calls: dict[int, tuple[Admission, asyncio.Task[object]]] = {}
        self._ended: set[int] = set()

    @contextlib.contextmanager
    def ended_when_barred(self, admission: Admission) -> Iterator[None]:
        """Let this task be ended while it answers the call; raises `CallEndedError` when it was."""
        task = asyncio.current_task()
        assert task is not None
        self._calls[admission.number] = (admission, task)
        try:
            yield
        except asyncio.CancelledError:
            if admission.number not in self._ended:
                raise
            task.uncancel()
            raise CallEndedError("gateway.ended", service=admission.service.name) from None
        finally:
            del self._calls[admission.number]
            self._ended.discard(admission.number)

    async def guard(self) -> None:
        """Look at the calls under way again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for admission, task in list(self._calls.values()):
                if admission.number in self._calls and not await self._may_go_on(admission):
                    self._ended.add(admission.number)
                    task.cancel()

    async def _may_go_on(self, admission: Admission) -> bool:
        """Ask the desk; while the store cannot be asked nothing is ended, as nothing is admitted."""
        try:
            return await self._desk.may_go_on(admission)
        except PilotbaseError:
            return True
