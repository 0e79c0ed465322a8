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

import numpy as np

from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.limits import EndReason
from pilotbase.documents.world import ARM, LANGUAGE, SEED, TEMPLATE, episode_name
from pilotbase.protocols.frames import AnswerBatch, FeatureBatch, Following
from pilotbase.sandbox.box.box import BoxFacts
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded, ClosedAtEnd, Logs
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.sandbox.box.supervisor import BoxUsage
from pilotbase.sandbox.engines import Worker
from pilotbase.trial.arena.playing import EpisodeKey, Json, PlayerLostError
from pilotbase.trial.arena.world_box import WorldBox

OBSERVATIONS = Contract(
    features=(Field(name="observation", data_type=DataType.TEXT),), prediction=Prediction(kind="text", longest=2 << 20)
)
"""What a box of an application that acts receives and answers: JSON texts, one at a time."""
Start = Callable[[Contract, BoxSettings], Worker]
"""Opens a box of the application; raises as `start_worker`."""


def player_settings(settings: BoxSettings, seconds: float) -> BoxSettings:
    """Return the settings of a box that plays one episode, in which it may take so many seconds."""
    limits = settings.limits.model_copy(update={"batch_seconds": min(settings.limits.batch_seconds, seconds)})
    return replace(settings, limits=limits)


class EpisodeStage(ClosedAtEnd):
    """Plays episodes with an application in fresh boxes and a world in a box of its own."""

    def __init__(self, start: Start, world: WorldBox, settings: BoxSettings) -> None:
        """Start the first box; raises as `start_worker`. The world is closed with the stage."""
        self._world, self._start = world, start
        self._seconds = world.kept.world.episode.seconds
        self._settings = player_settings(settings, self._seconds)
        self._spent, self._logs = BoxUsage(0.0, 0.0, 0), list[Logs]()
        self._playing: Worker | None = None
        self._end: BoxEnd | None = None
        self._threads = ThreadPoolExecutor(1)
        self._next: Future[Worker] | None = self._threads.submit(start, OBSERVATIONS, self._settings)
        try:
            first = self._next.result()
        except BaseException:
            self._threads.shutdown()
            world.close(EndReason.CANCELLED)
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
            BoxEnded: it was cancelled. PilotbaseError: the world failed, which is no end of the application's.
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
        return self._spent if self._playing is None else _sum(self._spent, self._playing.usage())

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

    def close(self, reason: EndReason = EndReason.FINISHED) -> None:
        """End every box, the world's too; harmless when repeated."""
        self._end = self._end or BoxEnd(reason)
        self._leave()
        if self._next is not None:
            with suppress(BoxEnded):
                self._next.result().close(EndReason.CANCELLED)
            self._next = None
        self._threads.shutdown()
        self._world.close()

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
            transcript = self._world.play(key, BoxedPlayer(worker, self._seconds))
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


class BoxedPlayer:
    """An application in its box, which plays one episode."""

    def __init__(self, worker: Worker | BoxEnd, seconds: float) -> None:
        self._worker, self._left = worker, seconds

    def answer(self, observation: Json) -> str:
        if isinstance(self._worker, BoxEnd):
            raise PlayerLostError(self._worker.reason.value)
        spelled = np.array([json.dumps(observation, ensure_ascii=False)], dtype=object)
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
    )
