"""An ONNX model in the box of a trial, and the same with onnxruntime alone: separate warm processes, in turn."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.kinds import onnx_models
from benchmarks.peers.environments import peer_environment
from benchmarks.publishing import ROOT

BATCH = 4096
THREADS = 1


@dataclass(frozen=True)
class Pass:
    """Seconds of one pass over the rows: wall time, and processor time of every process of its side."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Beside:
    """Passes of both sides, round by round; ``whole``: seconds of a process from start to end with one pass."""

    boxed: list[Pass]
    bare: list[Pass]
    whole: tuple[float, float]

    def median(self, of: str) -> tuple[float, float, float]:
        """Return ours, the peer's, and the ratio: medians over the rounds."""
        ours, theirs = ([getattr(one, of) for one in side] for side in (self.boxed, self.bare))
        ratio = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
        return statistics.median(ours), statistics.median(theirs), ratio


def measure(write_model: Callable[[Path], None], folder: Path, rows: int, rounds: int) -> Beside:
    """Return the time of both sides; the first pass of each warms it up and is not counted."""
    model, data = folder / "application" / "model.onnx", folder / f"rows-{rows}.npy"
    model.parent.mkdir(exist_ok=True)
    write_model(model)
    np.save(data, np.random.default_rng(1).normal(size=(rows, onnx_models.COLUMNS)).astype(np.float32))
    with ExitStack() as stack:
        sides = [stack.enter_context(_side(kind, model, data)) for kind in ("boxed", "bare")]
        passes = [[ask() for ask in sides] for _ in range(rounds + 1)][1:]
    whole = [_whole(kind, model, data) for kind in ("boxed", "bare")]
    return Beside([one for one, _ in passes], [one for _, one in passes], (whole[0], whole[1]))


@contextmanager
def _side(kind: str, model: Path, data: Path) -> Iterator[Callable[[], Pass]]:
    """Yield a function that makes a side run one pass, in a process that stays."""
    words = [kind, str(model), str(data), str(BATCH), str(THREADS)]
    command = [sys.executable, "-m", "benchmarks.kinds.onnx_sides", *words]
    environment = {**peer_environment(THREADS), "ORT_DISABLE_TELEMETRY": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def ask() -> Pass:
            stdin.write("\n")
            stdin.flush()
            return Pass(**json.loads(stdout.readline()))

        yield ask
        stdin.close()


def _whole(kind: str, model: Path, data: Path) -> float:
    began = time.perf_counter()
    with _side(kind, model, data) as ask:
        ask()
    return time.perf_counter() - began
