"""Warm boxes of one application: one thread keeps one box, and starts it again when it ends.

A box lives under the limits of the trial, those of its whole life included. So before it comes to the end of its wall
or CPU seconds another is started beside it and takes its place between two calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.limits import Limits
from pilotbase.protocols.frames import AnswerBatch, FeatureBatch
from pilotbase.protocols.upstream import QueueFullError, UpstreamDownError, UpstreamFailedError
from pilotbase.sandbox.box.ends import END_TEXTS, BoxEnded, WorkerLostError
from pilotbase.sandbox.engines import Worker

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 30.0
"""Before a box is started again; doubled with every end that no answer came between."""
SPENT_SHARE = 0.8
"""Of its wall or CPU seconds; then another box is started beside it."""
_LOOK_SECONDS = 1.0
_log = logging.getLogger("pilotbase.gateway")


@dataclass
class _Job:
    batches: Sequence[FeatureBatch]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[list[AnswerBatch]] = field(init=False)

    def __post_init__(self) -> None:
        self.future = self.loop.create_future()

    def finish(self, result: list[AnswerBatch] | PilotbaseError) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            self.loop.call_soon_threadsafe(self._set, result)

    def _set(self, result: list[AnswerBatch] | PilotbaseError) -> None:
        if self.future.done():
            return
        if isinstance(result, PilotbaseError):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)


class BoxPool:
    """So many boxes, and the calls that wait for them."""

    def __init__(self, start: Callable[[], Worker], limits: Limits, boxes: int, waiting: int) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._most = boxes + waiting
        self.pending = 0
        """Calls under way or waiting."""
        self._keepers = [_Keeper(start, limits, self._jobs, self._fail_waiting) for _ in range(boxes)]
        for keeper in self._keepers:
            keeper.start()

    @property
    def running(self) -> int:
        """How many boxes are ready for a call, or busy with one."""
        return sum(keeper.box is not None for keeper in self._keepers)

    async def predict(self, batches: Sequence[FeatureBatch]) -> list[AnswerBatch]:
        """Return the answers to each of ``batches``, all from one box; cancelled, what has not begun never begins.

        Raises:
            QueueFullError: as many calls wait as may.
            UpstreamDownError: no box runs, and the last one that was tried did not come up, or waits for its seat.
            UpstreamFailedError: the box ended over it.
        """
        if self.pending >= self._most:
            raise QueueFullError("gateway.queue_full", seconds=1)
        down = self._down()
        if down is not None:
            raise down
        job = _Job(batches, asyncio.get_running_loop())
        self.pending += 1
        try:
            self._jobs.put(job)
            return await job.future
        finally:
            self.pending -= 1

    def recall(self) -> None:
        """End the boxes that run, what they are doing included; others are started in their place, if they may be."""
        for keeper in self._keepers:
            keeper.recall()

    def close(self) -> None:
        """End every box, what it is doing included, and wait for its thread."""
        for keeper in self._keepers:
            keeper.stop()
            self._jobs.put(None)
        for keeper in self._keepers:
            keeper.join()

    def _fail_waiting(self) -> None:
        """Let nobody wait for a box when none is there and none comes up."""
        down = self._down()
        if down is None:
            return
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            if job is not None:
                job.finish(down)

    def _down(self) -> UpstreamDownError | None:
        """Return why nobody need wait for a box; None: one runs, or may come up."""
        found = [keeper.down for keeper in self._keepers]
        return found[0] if all(one is not None for one in found) else None


class _Keeper(threading.Thread):
    """Keeps one box."""

    def __init__(
        self,
        start: Callable[[], Worker],
        limits: Limits,
        jobs: queue.SimpleQueue[_Job | None],
        on_down: Callable[[], None],
    ) -> None:
        super().__init__(name="pilotbase-box-keeper", daemon=True)
        self._start_box, self._limits, self._jobs, self._on_down = start, limits, jobs, on_down
        self._stopped, self._failures = threading.Event(), 0
        self._helper = ThreadPoolExecutor(1, "pilotbase-next-box")
        self._next: Future[Worker] | None = None
        self._looked = 0.0
        self.box: Worker | None = None
        self.down: UpstreamDownError | None = None
        """Why the last box that was tried did not come up."""

    def recall(self) -> None:
        """End the box that runs, from another thread."""
        if (box := self.box) is not None:
            box.cancel()

    def stop(self) -> None:
        """End the box, from another thread."""
        self._stopped.set()
        self.recall()

    def run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.box = self._start_box()
            except Exception as problem:  # noqa: BLE001 - whatever keeps a box from starting is tried again later
                self._pause(problem)
                continue
            self.down = None
            try:
                self._serve()
            finally:
                box, self.box = self.box, None
                box.close()
        self._drop_next()

    def _serve(self) -> None:
        """Answer what comes until the box has ended."""
        while not self._stopped.is_set():
            try:
                job = self._jobs.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                job = None
            self._take_next()
            assert self.box is not None
            if not self.box.running:
                if job is not None:
                    self._jobs.put(job)  # another box answers, or the next one here
                self._pause(PilotbaseError("gateway.no_box"))
                return
            if job is not None and not job.future.cancelled() and not self._answer(job):
                return

    def _answer(self, job: _Job) -> bool:
        """Answer one job; return whether the box is still there."""
        assert self.box is not None
        try:
            job.finish([self.box.predict(batch) for batch in job.batches])
        except (BoxEnded, WorkerLostError) as ended:
            reason = END_TEXTS[ended.reason] if isinstance(ended, BoxEnded) else ended.text
            job.finish(UpstreamFailedError("gateway.box_ended", reason=reason))
            self._pause(ended)
            return False
        except PilotbaseError as problem:
            job.finish(problem)
        self._failures = 0
        return True

    def _pause(self, problem: BaseException) -> None:
        """Wait before the next start, longer every time; from the second time on in a row nobody waits for this box.

        A box that waits for its seat has not failed: who starts it has waited for that already.
        """
        if self._stopped.is_set():
            return
        if isinstance(problem, UpstreamDownError):
            self.down, self._failures = problem, 0
            self._on_down()
            return
        self._failures += 1
        _log.warning("a box has ended or did not start: %s", problem)
        if self._failures > 1 or self.box is None:
            self.down = UpstreamDownError("gateway.no_box")
            self._on_down()
        self._stopped.wait(min(FIRST_PAUSE_SECONDS * 2 ** min(self._failures - 1, 10), LONGEST_PAUSE_SECONDS))

    def _take_next(self) -> None:
        """Have the next box started in time, and put it in the place of the old one when it is ready."""
        if self._next is None:
            if self._is_nearly_spent():
                self._next = self._helper.submit(self._start_box)
        elif self._next.done():
            following, self._next = self._next, None
            if following.exception() is None:
                old, self.box = self.box, following.result()
                assert old is not None
                old.close()

    def _is_nearly_spent(self) -> bool:
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS or self.box is None:
            return False
        self._looked, usage = now, self.box.usage()
        wall, cpu = usage.wall_seconds / self._limits.wall_seconds, usage.cpu_seconds / self._limits.cpu_seconds
        return max(wall, cpu) > SPENT_SHARE

    def _drop_next(self) -> None:
        if self._next is not None and self._next.exception() is None:
            self._next.result().close()
        self._helper.shutdown()
