"""The stage: answers a case, which is an episode, with its transcript, and stands where a warm worker stands.

Every episode has a box of the application's own, fresh: nothing that it learnt in one episode reaches another, so
episodes are independent draws. While one is played, the box of the next starts.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

import numpy as np

from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.door import MODEL
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.limits import EndReason
from pilotbase.documents.quantities import MOST_SECONDS
from pilotbase.documents.world import ARM, LANGUAGE, SEED, TEMPLATE, episode_name
from pilotbase.protocols.frames import AnswerBatch, FeatureBatch, Following
from pilotbase.sandbox.box.box import BoxFacts
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded, ClosedAtEnd, Logs
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.sandbox.box.supervisor import BoxUsage
from pilotbase.sandbox.endpoints.asking import MOST_ATTEMPTS
from pilotbase.sandbox.engines import Worker
from pilotbase.trial.arena.model_door import ASKS, OpenDoor
from pilotbase.trial.arena.playing import EpisodeKey, Json, ModelCall, PlayerLostError
from pilotbase.trial.arena.world_box import WorldBox, WorldFailedError

OBSERVATIONS = Contract(
    features=(Field(name="observation", data_type=DataType.TEXT),), prediction=Prediction(kind="text", longest=2 << 20)
)
"""What a box of an application that acts receives and answers: JSON texts, one at a time."""
Start = Callable[[Contract, BoxSettings], Worker]
"""Opens a box of the application; raises as `start_worker`."""


def player_settings(settings: BoxSettings, seconds: float, door: OpenDoor | None = None) -> BoxSettings:
    """Return the settings of a box that plays one episode, in which it may take so many seconds itself.

    A wait for the model behind ``door`` is none of its own time.
    """
    limits = settings.limits
    waits = 0.0 if door is None else door.terms.calls * MOST_ATTEMPTS * door.terms.model.timeout
    wall = min(limits.wall_seconds + waits, max(limits.wall_seconds, MOST_SECONDS))
    own = {"batch_seconds": min(limits.batch_seconds, seconds), "wall_seconds": wall}
    return replace(settings, limits=limits.model_copy(update=own))


class EpisodeStage(ClosedAtEnd):
    """Plays episodes with an application in fresh boxes and a world in a box of its own."""

    def __init__(self, start: Start, world: WorldBox, settings: BoxSettings, door: OpenDoor | None = None) -> None:
        """Start the first box; raises as `start_worker`. World and door are closed with the stage."""
        self._world, self._start, self._door = world, start, door
        self._seconds = world.kept.world.episode.seconds
        self._settings = player_settings(settings, self._seconds, door)
        self._spent, self._logs = BoxUsage(0.0, 0.0, 0), list[Logs]()
        self._playing: Worker | None = None
        self._end: BoxEnd | None = None
        self._threads = ThreadPoolExecutor(1)
        self._next: Future[Worker] | None = self._threads.submit(start, OBSERVATIONS, self._settings)
        try:
            first = self._next.result()
        except BaseException:
            self._threads.shutdown()
            self._close_sides(EndReason.CANCELLED)
            raise
        self.facts: BoxFacts = first.facts
        self.load_seconds = first.load_seconds

    @property
    def end(self) -> BoxEnd | None:
        """How it ended; None while it plays."""
        return self._end

    def predict(self, batch: FeatureBatch, following: Following = lambda: None) -> AnswerBatch:
        """Return the transcript of each episode of ``batch``.

        Raises:
            BoxEnded: it was cancelled.
            PilotbaseError: ``world.broke``: the world failed, no end of the application's; or its model is gone.
        """
        if self._end is not None:
            raise BoxEnded(self._end)
        transcripts = np.empty(batch.rows, dtype=object)
        for row in range(batch.rows):
            one = {name: str(column[row]) for name, column in batch.columns.items()}
            name = episode_name(one[TEMPLATE], one[LANGUAGE], one[SEED])
            worker = self._take()
            if row + 1 < batch.rows or following() is not None:
                self._next = self._threads.submit(self._start, OBSERVATIONS, self._settings)
            key = EpisodeKey(name, one[TEMPLATE], one[LANGUAGE], one[ARM], one[SEED])
            transcripts[row] = self._play(key, worker)
        return AnswerBatch(transcripts)

    @property
    def running(self) -> bool:
        return self._end is None

    def usage(self) -> BoxUsage:
        """Return what all boxes of the application used so far; the peak is the largest of one."""
        used = self._spent if self._playing is None else _sum(self._spent, self._playing.usage())
        return used if self._door is None else replace(used, paid=self._door.paid)

    def logs(self) -> Logs:
        """Return what the application printed in its episodes, one after the other, as much as one box may print."""
        found = self._logs if self._playing is None else [*self._logs, self._playing.logs()]
        whole = "".join(log.text for log in found)
        text = whole[: self._settings.limits.log_bytes]
        dropped = sum(log.dropped_bytes for log in found) + len(whole) - len(text)
        return Logs(text, dropped, any(log.withheld for log in found))

    def cancel(self) -> None:
        """End the episode under way from another thread: `predict` raises `BoxEnded`."""
        self._end = self._end or BoxEnd(EndReason.CANCELLED)
        if self._playing is not None:
            self._playing.cancel()
        if self._door is not None:
            self._door.cancel()

    def close(self, reason: EndReason = EndReason.FINISHED) -> None:
        """End every box, the world's too; harmless when repeated."""
        self._end = self._end or BoxEnd(reason)
        self._leave()
        if self._next is not None:
            with suppress(BoxEnded):
                self._next.result().close(EndReason.CANCELLED)
            self._next = None
        self._threads.shutdown()
        self._close_sides(reason)

    def _close_sides(self, reason: EndReason) -> None:
        self._world.close(reason)
        if self._door is not None:
            self._door.close()

    def _take(self) -> Worker | BoxEnd:
        """Return the next box, or how it ended before it could play."""
        started = self._next or self._threads.submit(self._start, OBSERVATIONS, self._settings)
        self._next = None
        try:
            return started.result()
        except BoxEnded as ended:
            return ended.end

    def _play(self, key: EpisodeKey, worker: Worker | BoxEnd) -> str:
        self._playing = None if isinstance(worker, BoxEnd) else worker
        try:
            door = None if self._door is None else self._door.episode()
            transcript = self._world.play(key, BoxedPlayer(worker, self._seconds, door))
        except WorldFailedError as failed:
            raise PilotbaseError("world.broke", **failed.text.params) from None
        finally:
            self._leave()
        if self._end is not None:
            raise BoxEnded(self._end)
        return transcript

    def _leave(self) -> None:
        """End the box of an episode, and keep what it used and printed."""
        if self._playing is not None:
            self._playing.close()
            self._spent = _sum(self._spent, self._playing.usage())
            self._logs.append(self._playing.logs())
            self._playing = None


class AnsweringDoor(Protocol):
    """Where the requests to a model in one episode are answered."""

    def answer(self, message: str) -> tuple[Json, ModelCall]:
        """Return what goes back into the box, and the line about it; raises as `EpisodeDoor.answer`."""
        ...


class BoxedPlayer:
    """An application in its box, which plays one episode; its clock stands still while a model is asked for it."""

    def __init__(self, worker: Worker | BoxEnd, seconds: float, door: AnsweringDoor | None = None) -> None:
        self._worker, self._left, self._door = worker, seconds, door
        self._reply: Json | None = None
        """What the model answered, which comes before the next observation."""

    def answer(self, observation: Json) -> str | ModelCall:
        shown, self._reply = self._reply or observation, None
        if self._door is None:
            return self._tell(shown)
        message = self._tell({**shown, "model": MODEL} if "task" in shown else shown)
        if not message.startswith(ASKS):
            return message
        self._reply, call = self._door.answer(message)
        return call

    def _tell(self, shown: Json) -> str:
        """Return what the application answers to what it is shown."""
        if isinstance(self._worker, BoxEnd):
            raise PlayerLostError(self._worker.reason.value)
        spelled = np.array([json.dumps(shown, ensure_ascii=False)], dtype=object)
        began = time.monotonic()
        try:
            answered = self._worker.predict(FeatureBatch({"observation": spelled}, 1)).values[0]
        except BoxEnded as ended:
            raise PlayerLostError(
                "seconds" if ended.reason is EndReason.BATCH_TIMEOUT else ended.reason.value
            ) from None
        self._left -= time.monotonic() - began
        if self._left < 0:
            raise PlayerLostError("seconds")
        return str(answered or "")


def _sum(one: BoxUsage, other: BoxUsage) -> BoxUsage:
    return BoxUsage(
        one.wall_seconds + other.wall_seconds,
        one.cpu_seconds + other.cpu_seconds,
        max(one.memory_peak_bytes, other.memory_peak_bytes),
        one.memory_byte_seconds + other.memory_byte_seconds,
        max(one.paid, other.paid),  # of an endpoint, whose calls are counted over the run
    )
