"""The worker: takes the next job, keeps its lease alive, runs its handler, and records how it ended.

Killed at any moment, it leaves a job whose lease runs out; the next worker continues with the same attempt.
"""

from __future__ import annotations

import errno
import logging
import os
import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import TracebackType

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.progress import Progress
from pilotbase.documents.texts import Text, text
from pilotbase.worker.base import Base
from pilotbase.worker.jobs.handlers import HANDLERS, PASSING, give_up
from pilotbase.workspace.failures import BusyError, DiskFullError, StaleLeaseError, UnreachableError
from pilotbase.workspace.jobs import ClaimedJob, Job, JobState, beat, claim, finish

LEASE_SECONDS = 30
IDLE_SECONDS = 1.0
AWAY_SECONDS = 2.0
_PASSING = {"trial.already_running", "workspace.busy", "workspace.database_unreachable", *PASSING}
"""Codes of errors that pass by themselves; by code, for they may come from another process: a scorer of a killed worker
is still at work on this plan; the database is locked, or starting again; and the codes that plug-ins add."""
_AWAY = (BusyError, UnreachableError, DiskFullError)
"""Errors that keep a worker from reading or writing the queue at all, until they pass."""
_log = logging.getLogger("pilotbase.worker")


class JobStoppedError(PilotbaseError):
    """Somebody has cancelled the job."""


@dataclass(frozen=True)
class JobWorker:
    """One worker: the base it works for, the name under which it holds leases, for how long, and who hears of ends."""

    base: Base
    name: str
    lease_seconds: int = LEASE_SECONDS
    on_end: Callable[[Job, JobState], None] = lambda *_: None
    """Called for each job that ended, and once for each reason of one that is put back; its own errors are logged."""
    _waits: dict[int, Text | None] = field(default_factory=dict, init=False, repr=False)

    def work(self, stop: threading.Event) -> None:
        """Do jobs as they come until ``stop`` is set; while the database is away or the disk full, wait."""
        while not stop.is_set():
            try:
                done = self.work_once()
            except _AWAY as error:
                _log.warning("%s", error)
                stop.wait(AWAY_SECONDS)
                continue
            if done is None or done[1] is JobState.QUEUED:
                stop.wait(IDLE_SECONDS)

    def work_once(self) -> tuple[Job, JobState] | None:
        """Do the next job and return it with how it ended, or None when there is none (or another worker took it).

        If the job is put back, its ``reason`` says why.
        """
        claimed = claim(self.base.lab.view, self.name, self.lease_seconds)
        if claimed is None:
            return None
        began = time.monotonic()
        try:
            state, reason = self._do(claimed)
        except StaleLeaseError:
            return None
        job = replace(claimed.job, reason=reason)
        self._report(job, state, time.monotonic() - began)
        return job, state

    def _report(self, job: Job, state: JobState, seconds: float) -> None:
        """Report how a job ended; an error in reporting affects nothing else, since the job has ended."""
        known = self._waits.pop(job.identity, None)
        if state is JobState.QUEUED:
            self._waits[job.identity] = job.reason
            if known == job.reason:
                return
        try:
            _note(job, state, seconds)
            self.on_end(job, state)
        except Exception:  # noqa: BLE001 - logged
            _log.exception("how job %s ended could not be told", job.identity)

    def _do(self, claimed: ClaimedJob) -> tuple[JobState, Text | None]:
        view, job = self.base.lab.view, claimed.job
        if not job.readable:
            return self._fail(claimed, text("job.unreadable"))
        if (handler := HANDLERS.get(job.kind)) is None:
            return self._fail(claimed, text("job.no_handler", kind=job.kind))
        try:
            with _Heartbeat(self, claimed) as heart:
                handler(self.base, job, heart.on_progress)
        except StaleLeaseError:
            raise
        except JobStoppedError:
            finish(view, claimed, JobState.CANCELLED)  # the one who stopped it has left the reason
            return JobState.CANCELLED, None
        except PilotbaseError as error:
            if error.code in _PASSING:
                away = error.code == "workspace.database_unreachable"  # its text names addresses
                reason = text("job.database_away") if away else error.text
                finish(view, claimed, JobState.QUEUED, reason)
                return JobState.QUEUED, reason
            return self._fail(claimed, error.text)
        except (KeyboardInterrupt, SystemExit):
            finish(view, claimed, JobState.QUEUED, text("job.worker_stopped"))
            raise
        except Exception as error:  # noqa: BLE001 - one job is at fault, not the worker
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                return self._fail(claimed, text("job.disk_full", file=error.filename or ""))
            _log.exception("job %s (%s) failed by a fault of ours", job.identity, job.kind)
            return self._fail(claimed, text("job.crashed", error=type(error).__name__))
        finish(view, claimed, JobState.DONE)
        return JobState.DONE, None

    def _fail(self, claimed: ClaimedJob, reason: Text) -> tuple[JobState, Text]:
        try:
            give_up(self.base, claimed.job, reason)
        except _AWAY:
            raise  # the lease runs out, and the job is done again
        except Exception:  # noqa: BLE001 - such as an order without its record: nobody else waits for it
            _log.exception("the record of job %s could not be told why it failed", claimed.job.identity)
        finish(self.base.lab.view, claimed, JobState.FAILED, reason)
        return JobState.FAILED, reason


def _note(job: Job, state: JobState, seconds: float) -> None:
    facts = {"job": job.identity, "kind": job.kind, "subject": job.subject, "attempt": job.attempt}
    ended = {"state": state.value, "seconds": round(seconds, 3)}
    if state is not JobState.QUEUED or job.reason is None:
        _log.info("%s %s", job.kind, state, extra={**facts, **ended})
    else:
        _log.info("%s waits: %s", job.kind, job.reason.render(), extra={**facts, **ended, "reason": job.reason.code})


def default_name() -> str:
    """Return a name for the worker of this process."""
    return f"{platform.node() or 'worker'}-{os.getpid()}"


class _Heartbeat:
    """Keeps a lease alive from a thread of its own, and passes progress and the wish to stop between the two."""

    def __init__(self, worker: JobWorker, claimed: ClaimedJob) -> None:
        self._view, self._claimed = worker.base.lab.view, claimed
        self._pause = worker.lease_seconds / 3
        self._ended = threading.Event()
        self._news: Progress | None = None
        self._told: tuple[str, int] | None = None
        self._failure: PilotbaseError | None = None
        self._thread = threading.Thread(target=self._beat_on, name=f"heart of job {claimed.job.identity}", daemon=True)

    def __enter__(self) -> _Heartbeat:
        self._beat()
        self._raise()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def on_progress(self, progress: Progress) -> None:
        """Take a progress report, in steps of a twentieth; raises `JobStoppedError` or `StaleLeaseError`."""
        self._raise()
        step = progress.done * 20 // progress.total if progress.total else 0
        if self._told != (progress.stage.code, step):
            self._told, self._news = (progress.stage.code, step), progress
            self._beat()
            self._raise()

    def _beat_on(self) -> None:
        while not self._ended.wait(self._pause):
            self._beat()

    def _beat(self) -> None:
        try:
            if beat(self._view, self._claimed, self._news):
                self._failure = JobStoppedError("job.stopped")
        except StaleLeaseError as error:
            self._failure = error
        except Exception as error:  # noqa: BLE001 - the next beat comes in time, or another worker takes over
            _log.warning("job %s: no sign of life could be given: %s", self._claimed.job.identity, error)

    def _raise(self) -> None:
        if self._failure is not None:
            raise self._failure
