"""What a run leaves on disk beside its answers, so that a crash loses neither what it used nor how it ended."""

from __future__ import annotations

import hmac
import time
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pilotbase.compute.box.supervisor import BoxUsage
from pilotbase.documents.base import Part
from pilotbase.documents.endpoint import EndpointUse
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.limits import EndReason
from pilotbase.documents.report import Isolation
from pilotbase.trial.answering import AnsweringEnd
from pilotbase.trial.performance import Load
from pilotbase.trial.running import BoxRun
from pilotbase.workspace.keys import write_private

WRITE_SECONDS = 1.0

AnyPart = TypeVar("AnyPart", bound=Part)


class UsedSoFar(Part):
    """CPU seconds and peak memory of the boxes that answered so far."""

    cpu_seconds: float = 0.0
    memory_peak_bytes: int = 0

    def plus(self, usage: BoxUsage) -> UsedSoFar:
        """Return the use of the boxes before and of this one."""
        return UsedSoFar(
            cpu_seconds=self.cpu_seconds + usage.cpu_seconds,
            memory_peak_bytes=max(self.memory_peak_bytes, usage.memory_peak_bytes),
        )


class UsageFile:
    """Keeps the use of the boxes of one attempt, written at most once a second."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Go on from what ``path`` holds; raises `InvalidProofError` when it was altered."""
        self._path, self._key = path, key
        self._earlier = read_marked(UsedSoFar, path, key) or UsedSoFar()
        self._written = time.monotonic()
        self.total = self._earlier

    def update(self, usage: BoxUsage) -> None:
        """Take what the present box has used so far."""
        self.total = self._earlier.plus(usage)
        if time.monotonic() - self._written > WRITE_SECONDS:
            write_marked(self.total, self._path, self._key)
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
    use: EndpointUse | None = None

    @classmethod
    def of(cls, run: BoxRun, total: UsedSoFar) -> EndedRun:
        """Return the record of ``run``, with the use of all its boxes."""
        return cls(
            reason=run.end.reason,
            detail=run.end.detail,
            isolation=run.isolation,
            batch_rows=run.load.batch_rows,
            load_seconds=run.load.load_seconds,
            cpu_seconds=total.cpu_seconds or run.load.cpu_seconds,
            memory_peak_bytes=total.memory_peak_bytes or run.load.memory_peak_bytes,
            use=run.use,
        )

    def restored(self, seconds: NDArray[np.float64], answered: int) -> BoxRun:
        """Return the run with the latencies of its committed batches."""
        load = Load(
            seconds,
            answered,
            self.batch_rows,
            self.load_seconds,
            self.cpu_seconds,
            self.memory_peak_bytes,
            None if self.use is None else self.use.spent,
        )
        return BoxRun(AnsweringEnd(self.reason, self.detail), self.isolation, load, "", self.use)


def read_marked(kind: type[AnyPart], path: Path, key: bytes) -> AnyPart | None:
    """Return what `write_marked` wrote, or None where there is nothing; raises `InvalidProofError` when altered."""
    if not path.exists():
        return None
    mark, _, body = path.read_bytes().partition(b"\n")
    if not hmac.compare_digest(mark, _mark(kind, body, key)):
        raise InvalidProofError("trial.run_altered", file=path.name)
    return kind.model_validate_json(body)


def write_marked(part: Part, path: Path, key: bytes) -> None:
    """Put ``part`` on the disk under a mark that only a holder of ``key`` can make."""
    body = part.model_dump_json().encode()
    write_private(path, _mark(type(part), body, key) + b"\n" + body)


def _mark(kind: type[Part], body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, kind.__name__.encode() + b"\n" + body, "sha256").hex().encode()
