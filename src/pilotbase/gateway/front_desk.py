"""The desk as the event loop asks it: what may wait for the store is done in threads."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.service import Route, Service
from pilotbase.service.calls import NOTHING, Admission, CallObservation, Cost
from pilotbase.service.desk import CallDispatcher, MustWaitError
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

_THREADS = 8
_In = TypeVar("_In")
_Out = TypeVar("_Out")


class FrontDesk:
    """Asks one desk.

    Of a store that is a file of this machine the state is read from memory, so there keys are looked up at once.
    """

    def __init__(self, desk: CallDispatcher, view: View) -> None:
        self.desk, self._view, self._near = desk, view, view.store.database.is_sqlite
        self._threads = ThreadPoolExecutor(_THREADS, "pilotbase-desk")

    async def service(self, secret: str, name: str | None = None) -> Service:
        """Return the service that a key opens; raises `RefusedError`, and `NotFoundError` where it is not ``name``."""
        return _named(await self._ask(self.desk.services, secret), name)

    def service_known(self, secret: str, name: str | None = None) -> Service:
        """Return the same as it was known last: how much of a call is read, until it is admitted or not."""
        return _named(self.desk.services(secret, fresh=False), name)

    async def admit(self, secret: str, service: str, cost: Cost) -> Admission:
        """Return the admission of one call; raises as `CallDispatcher.admit`.

        At once where the desk holds enough for it; in a thread where more has to be taken out of the store first.
        """
        if self._near:
            with contextlib.suppress(MustWaitError):
                return self.desk.admit(secret, service, cost, waiting=False)
        loop = asyncio.get_running_loop()
        asked = loop.run_in_executor(self._threads, self.desk.admit, secret, service, cost)
        try:
            return await asyncio.shield(asked)
        except asyncio.CancelledError:
            asked.add_done_callback(self._give_up)
            raise

    async def may_go_on(self, admission: Admission) -> bool:
        """Return whether a call under way may still be answered; raises as `CallDispatcher.may_go_on`."""
        return await self._ask(self.desk.may_go_on, admission)

    async def may_answer(self, service: str) -> Sequence[Route]:
        """Return the routes that would be asked now; raises as `CallDispatcher.may_answer`."""
        return await self._ask(self.desk.may_answer, service)

    async def ready(self) -> bool:
        """Return whether the store can be asked."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._view.head, "health")
        except PilotbaseError:
            return False
        return True

    def now(self) -> datetime:
        """Return the time by the clock of the base."""
        return self._view.store.clock()

    def settle(self, admission: Admission, used: Cost, observed: CallObservation | None) -> None:
        """Settle an admitted call; raises as `CallDispatcher.settle`."""
        self.desk.settle(admission, used, observed)

    def close(self) -> None:
        """Let go of the desk: what is left of its allotments goes back."""
        self._threads.shutdown()
        self.desk.close()

    async def _ask(self, function: Callable[[_In], _Out], asked: _In) -> _Out:
        if self._near:
            return function(asked)
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, asked)

    def _give_up(self, asked: asyncio.Future[Admission]) -> None:
        """Settle a call whose caller was gone before it was admitted."""
        if not asked.cancelled() and asked.exception() is None:
            self.settle(asked.result(), NOTHING, None)


def _named(services: Sequence[Service], name: str | None) -> Service:
    for service in services:
        if name is None or service.name == name:
            return service
    raise NotFoundError("service.unknown_service", service=name or "")
