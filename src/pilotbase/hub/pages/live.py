"""The stream of server-sent events that keeps open pages up to date. An event is a name and carries no content.

On an event the page reloads the parts concerned, with the rights of its reader. One task per process watches the store
and wakes all streams; each stream then checks whether its own reader sees any of the changes.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from django.http import HttpResponse, StreamingHttpResponse

from pilotbase.hub.acting import HubRequest
from pilotbase.hub.base import operator_view
from pilotbase.hub.routing import page
from pilotbase.notices.rows import unread_since
from pilotbase.workspace.jobs import live_jobs
from pilotbase.workspace.store import Pulse, View, pulse_of

LOOK_SECONDS, PAUSE_SECONDS = 1.0, 2.0
"""How often the store is read; how long a stream pauses after events, so that what happens meanwhile comes at once."""
MOST_STREAMS, MOST_OF_A_PERSON, AT_ONCE = 200, 4, 2
"""Streams of a process and of a person; how many of them query the store at a time."""
HEARTBEAT_SECONDS, LONGEST_SECONDS = 15.0, 600.0
"""After the longest time a stream ends. The browser opens a new one, with the rights that its reader has by then."""
P = ParamSpec("P")
R = TypeVar("R")
_RETRY = "retry: 5000\n\n"
_HEARTBEAT = ": still here\n\n"


class Heart:
    """Reads the pulse of the base once a second while any stream is open."""

    def __init__(self) -> None:
        self.ended = False
        self._open: Counter[str] = Counter()
        self._guard = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._pulse: Pulse | None = None
        self._moved = asyncio.Event()
        self.turns = asyncio.Semaphore(AT_ONCE)

    def admits(self, person: str) -> bool:
        return self._open[person] < MOST_OF_A_PERSON and self._open.total() < MOST_STREAMS

    @contextmanager
    def opened(self, person: str) -> Iterator[None]:
        """Count a stream as open within the block."""
        with self._guard:
            self._open[person] += 1
        try:
            yield
        finally:
            with self._guard:
                self._open[person] -= 1
                self._open += Counter()  # forgets whoever has none

    async def after(self, known: Pulse | None, seconds: float) -> Pulse | None:
        """Return the pulse as soon as it differs from ``known``, or None if it doesn't within so many seconds."""
        self._beat()
        ends = time.monotonic() + seconds
        while not self.ended and (self._pulse is None or self._pulse == known):
            left = ends - time.monotonic()
            if left <= 0:
                return None
            moved = self._moved
            try:
                await asyncio.wait_for(moved.wait(), min(left, LOOK_SECONDS))
            except TimeoutError:
                continue
        return self._pulse

    def _beat(self) -> None:
        """Start the task that reads the pulse, unless it runs; it is replaced if it failed or its loop is gone."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._task, self._moved, self.turns = loop, None, asyncio.Event(), asyncio.Semaphore(AT_ONCE)
        if self._task is None or self._task.done():
            self._pulse, self._task = None, loop.create_task(self._look())

    async def _look(self) -> None:
        while self._open and not self.ended:
            found = await asyncio.to_thread(pulse_of, operator_view())
            if found != self._pulse:
                self._pulse, moved, self._moved = found, self._moved, asyncio.Event()
                moved.set()
            await asyncio.sleep(LOOK_SECONDS)


HEART = Heart()


@page("live/", "live")
def live(request: HubRequest) -> StreamingHttpResponse | HttpResponse:
    """Open a stream of the events ``changed``, ``notices`` and ``work``, each about what the reader sees."""
    person = request.acting.actor.person or ""
    if not HEART.admits(person):
        # The page polls, and tries to open a stream about once a minute.
        return HttpResponse(status=204, content_type="text/event-stream")
    since = _read(request.headers.get("Last-Event-ID") or request.GET.get("since", ""))
    response = StreamingHttpResponse(events(request.acting.view, person, since), content_type="text/event-stream")
    response["X-Accel-Buffering"] = "no"
    return response


async def events(view: View, person: str, since: tuple[int, int]) -> AsyncIterator[str]:
    """Yield events and heartbeats; the id of an event is the position up to which its reader then knows everything."""
    with HEART.opened(person):
        yield _RETRY
        ends, known, work = time.monotonic() + LONGEST_SECONDS, None, await _asked(_work_of, view)
        while time.monotonic() < ends and not HEART.ended:
            found = await HEART.after(known, HEARTBEAT_SECONDS)
            if found is None or HEART.ended:
                yield _HEARTBEAT
                continue
            changed, noticed = since if known is None else (known.change, known.notice)
            names = []
            if changed < found.change and await _asked(_sees_change, view, changed):
                names.append("changed")
            if noticed < found.notice and await _asked(_sees_notice, view, noticed):
                names.append("notices")
            before, work = work, work if known == found else await _asked(_work_of, view)
            names += ["work"] * (before != work)
            known = found
            for name in names:
                yield f"id: {found.change}-{found.notice}\nevent: {name}\ndata: {name}\n\n"
            if names:
                await asyncio.sleep(PAUSE_SECONDS)


def _read(told: str) -> tuple[int, int]:
    """Return the position ``told``; one that is missing or unreadable is the very beginning."""
    change, _, notice = told.partition("-")
    known = change.isdecimal() and notice.isdecimal() and len(told) < 40
    return (int(change), int(notice)) if known else (0, 0)


async def _asked(question: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
    async with HEART.turns:
        return await asyncio.to_thread(question, *arguments, **options)


def _sees_change(view: View, since: int) -> bool:
    return bool(view.changes(since, 1))


def _sees_notice(view: View, since: int) -> bool:
    with view.reading() as connection:
        return bool(unread_since(connection, view.actor, since, 1))


def _work_of(view: View) -> tuple[object, ...]:
    return tuple((one.identity, one.state, one.progress) for one in live_jobs(view))
