"""What keeps open pages fresh: a stream of server-sent events that names what has changed, and says nothing else.

A page asks again for the parts that such an event is about, with its reader's rights. One reader of the store in a
process wakes all streams; each then looks whether its own reader sees any of what is new.
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

LOOK_SECONDS = 1.0
MOST_STREAMS, MOST_OF_A_PERSON, AT_ONCE = 200, 4, 2
"""Streams of a process and of a person; how many of them ask the store at a time."""
HEARTBEAT_SECONDS, LONGEST_SECONDS = 15.0, 600.0
"""After the longest time a stream ends: the browser opens another one, as whoever its reader is by then."""
P = ParamSpec("P")
R = TypeVar("R")
_RETRY = "retry: 5000\n\n"
_HEARTBEAT = ": still here\n\n"


class Heart:
    """Looks once a second where the base stands, while any stream is open."""

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
        """Count a stream until the end of the block."""
        with self._guard:
            self._open[person] += 1
        try:
            yield
        finally:
            with self._guard:
                self._open[person] -= 1
                self._open += Counter()  # forgets whoever has none

    async def after(self, known: Pulse | None, seconds: float) -> Pulse | None:
        """Return where the base stands once that is elsewhere than at ``known``; None if it stays there so long."""
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
        """Let one task of this loop look; one that has failed, or belongs to a loop of before, is begun anew."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._task, self._moved, self.turns = loop, None, asyncio.Event(), asyncio.Semaphore(AT_ONCE)
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._look())

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
    """Open a stream: ``changed``, ``notices`` and ``work`` tell that there is more of these for the reader."""
    person = request.acting.actor.person or ""
    if not HEART.admits(person):
        return HttpResponse(status=204)  # the browser asks no more, and the page falls back to asking now and then
    since = _read(request.headers.get("Last-Event-ID") or request.GET.get("since", ""))
    response = StreamingHttpResponse(events(request.acting.view, person, since), content_type="text/event-stream")
    response["X-Accel-Buffering"] = "no"
    return response


async def events(view: View, person: str, since: tuple[int, int]) -> AsyncIterator[str]:
    """Yield the stream: an event under the position up to which the reader then knows everything, or a heartbeat."""
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


def _read(told: str) -> tuple[int, int]:
    """Return a position; whoever has none, or one of somewhere else, begins with everything that is there."""
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
