"""What a run leaves on disk beside its answers, so that a crash loses neither what it used nor how it ended."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pilotbase.compute.supervisor import Usage
from pilotbase.documents.base import Part
from pilotbase.documents.limits import EndReason
from pilotbase.documents.report import Isolation
from pilotbase.trial.answering import End
from pilotbase.trial.performance import Load
from pilotbase.trial.running import Run
from pilotbase.workspace.keys import write_private

WRITE_SECONDS = 1.0


class UsedSoFar(Part):
    """CPU seconds and peak memory of the boxes that answered so far."""

    cpu_seconds: float = 0.0
    memory_peak_bytes: int = 0

    def plus(self, usage: Usage) -> UsedSoFar:
        """Return the use of the boxes before and of this one."""
        return UsedSoFar(
            cpu_seconds=self.cpu_seconds + usage.cpu_seconds,
            memory_peak_bytes=max(self.memory_peak_bytes, usage.memory_peak_bytes),
        )


class UsageFile:
    """Keeps the use of the boxes of one attempt, written at most once a second."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._earlier = UsedSoFar.model_validate_json(path.read_bytes()) if path.exists() else UsedSoFar()
        self._written = time.monotonic()
        self.total = self._earlier

    def update(self, usage: Usage) -> None:
        """Take what the present box has used so far."""
        self.total = self._earlier.plus(usage)
        if time.monotonic() - self._written > WRITE_SECONDS:
            self.write()

    def write(self) -> None:
        """Put it on the disk."""
        write_private(self._path, self.total.model_dump_json().encode())
        self._written = time.monotonic()


class EndedRun(Part):
    """How answering ended; once written, no box is started for this attempt any more."""

    reason: EndReason
    detail: str
    isolation: Isolation
    batch_rows: int
    load_seconds: float
    cpu_seconds: float | None
    memory_peak_bytes: int | None

    @classmethod
    def of(cls, run: Run, total: UsedSoFar) -> EndedRun:
        """Return the record of ``run``, with the use of all its boxes."""
        return cls(
            reason=run.end.reason,
            detail=run.end.detail,
            isolation=run.isolation,
            batch_rows=run.load.batch_rows,
            load_seconds=run.load.load_seconds,
            cpu_seconds=total.cpu_seconds or run.load.cpu_seconds,
            memory_peak_bytes=total.memory_peak_bytes or run.load.memory_peak_bytes,
        )

    def restored(self, seconds: NDArray[np.float64], answered: int) -> Run:
        """Return the run with the latencies of its committed batches."""
        load = Load(seconds, answered, self.batch_rows, self.load_seconds, self.cpu_seconds, self.memory_peak_bytes)
        return Run(End(self.reason, self.detail), self.isolation, load, "")


def read_ended(path: Path) -> EndedRun | None:
    """Return how the run ended, if it has."""
    return EndedRun.model_validate_json(path.read_bytes()) if path.exists() else None


def write_ended(path: Path, ended: EndedRun) -> None:
    """Put on the disk how the run ended."""
    write_private(path, ended.model_dump_json().encode())
