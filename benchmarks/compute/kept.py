"""The cost of a task when nothing is started for it: in a kept box, and in a kept process.

Ours is the box of a trial or a service as the local engine opens it: loaded once, given batch after batch, and watched
by its supervisor. A task is one case for a function that does nothing. The peer's task is a call without arguments of a
function that does nothing, which is the least that a pool can be given.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.compute.tasks import in_turn, noop
from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.limits import Limits
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box.environments import build_environment
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.sandbox.engines import LOCAL, Worker

CONTRACT = Contract(
    features=(Field(name="x", data_type=DataType.FLOAT),),
    prediction=Prediction(kind="label", classes=("no", "yes")),
)
ONE_CASE = FeatureBatch({"x": np.zeros(1)}, 1)
LIMITS = Limits(memory_bytes=128 << 20, wall_seconds=600)
APPLICATION = "def predict(batch):\n    return ['no']\n"
AT_ONCE = 2


@dataclass(frozen=True)
class Beside:
    """Seconds per task: in kept boxes, in kept processes."""

    box: float
    process: float

    @property
    def ratio(self) -> float:
        return self.box / self.process


def measure(tasks: int, times: int) -> tuple[Beside, Beside]:
    """Return the time of a task from question to answer, one after another, and of each of two that run at once.

    Medians of ``times`` runs taken in turn; a run's round trip is the median of ``tasks``.
    """
    with _boxes(AT_ONCE) as boxes, _processes(1) as single, _processes(AT_ONCE) as several:
        box, process, boxes_at_once, processes_at_once = in_turn(
            times,
            lambda _: _round_trip(lambda: boxes[0].predict(ONE_CASE), tasks),
            lambda _: _round_trip(lambda: single.submit(noop).result(), tasks),
            lambda _: _asked_at_once(boxes, tasks),
            lambda _: _queued_at_once(several, tasks),
        )
    return Beside(box, process), Beside(boxes_at_once, processes_at_once)


@contextmanager
def _boxes(count: int) -> Iterator[list[Worker]]:
    """Return so many boxes that have loaded the application and answered once."""
    with tempfile.TemporaryDirectory(prefix="pb-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "application").mkdir()
        (folder / "application" / "app.py").write_text(APPLICATION)
        environment = build_environment(b"", "requirements.lock", folder / "environments")
        boxes = [
            stack.enter_context(
                LOCAL.start_worker(folder / "application", Form(), CONTRACT, environment, BoxSettings(limits=LIMITS))
            )
            for _ in range(count)
        ]
        for box in boxes:
            assert box.predict(ONE_CASE).labels(("no", "yes")) == ["no"]
        yield boxes


@contextmanager
def _processes(count: int) -> Iterator[Executor]:
    """Return a pool in which each process has started and had a task."""
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        list(pool.map(time.sleep, [0.05] * 2 * count))
        yield pool


def _round_trip(task: Callable[[], object], tasks: int) -> float:
    """Return the median of the seconds from question to answer; the first tenth is not counted."""
    seconds = []
    for _ in range(tasks + tasks // 10):
        began = time.perf_counter()
        task()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[tasks // 10 :])


def _asked_at_once(boxes: list[Worker], tasks: int) -> float:
    """Return the seconds per task if each box has its own calling thread."""

    def ask(box: Worker) -> None:
        for _ in range(tasks // len(boxes)):
            box.predict(ONE_CASE)

    with ThreadPoolExecutor(len(boxes)) as threads:
        began = time.perf_counter()
        list(threads.map(ask, boxes))
        return (time.perf_counter() - began) / tasks


def _queued_at_once(pool: Executor, tasks: int) -> float:
    """Return the seconds per task if all wait in the pool's own queue, so that no process waits for us."""
    began = time.perf_counter()
    for done in [pool.submit(noop) for _ in range(tasks)]:
        done.result()
    return (time.perf_counter() - began) / tasks
