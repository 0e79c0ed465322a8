"""The record of an attempt that runs on this machine, with the lock of the process that does the work.

    running.lock   held by that process for as long as it lives
    pid            of that process
    stop           a request that it end

Only the lock decides whether an attempt runs. A clock could be wrong, and a process number may since have been reused.

What is kept of an attempt, in a folder of its own: what is to be done, what it printed, how it ended.

spec.json      what is to be done
begun          a process of this machine, or a node, has it
log, used.json what it printed, and what it has used so far
output.zip     what it has left
ended.json     how it ended; once there it stays
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pilotbase_estate.backends.backend import (
    AttemptPhase,
    EndCause,
    JobSpec,
    LogPart,
    Metered,
    Status,
    read_spec,
    read_status,
    write_spec,
    write_status,
)

LOG_BYTES = 1 << 20
"""At most this much of a log is returned at once."""


@dataclass(frozen=True)
class AttemptRecord:
    """The record of one attempt."""

    path: Path

    def prepare(self, spec: JobSpec) -> bool:
        """Write what is to be done and return whether this is the first time."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.has("spec.json"):
            return False
        self.put("spec.json", write_spec(spec))
        return True

    def spec(self) -> JobSpec:
        """Return what is to be done."""
        return read_spec((self.path / "spec.json").read_text(encoding="utf-8"))

    def begin(self) -> None:
        """Record that a process or node has taken it."""
        self.put("begun", "")

    def begun(self) -> bool:
        """Return whether a process or node ever took it."""
        return self.has("begun")

    def end(self, status: Status) -> None:
        """Record how it ended; the first record stays."""
        if not self.has("ended.json"):
            self.put("ended.json", write_status(status))

    def recorded(self) -> Status:
        """Return its status, as recorded here."""
        if not self.has("spec.json"):
            return Status(AttemptPhase.UNKNOWN)
        if self.has("ended.json"):
            return read_status((self.path / "ended.json").read_text(encoding="utf-8"))
        return Status(AttemptPhase.RUNNING, metered=self.used())

    def note_used(self, metered: Metered) -> None:
        """Keep what was used so far."""
        self.put("used.json", json.dumps(vars(metered)))

    def used(self) -> Metered:
        """Return what was used so far."""
        with contextlib.suppress(OSError, ValueError):
            return Metered(**json.loads((self.path / "used.json").read_text()))
        return Metered()

    def keep_log(self, printed: bytes) -> None:
        """Keep all that was printed so far."""
        with (self.path / "log").open("wb") as log:
            log.write(printed)

    def add_to_log(self, printed: bytes) -> None:
        """Keep what was printed since."""
        with (self.path / "log").open("ab") as log:
            log.write(printed)

    def log_bytes(self) -> int:
        """Return how much is kept of what was printed."""
        try:
            return (self.path / "log").stat().st_size
        except FileNotFoundError:
            return 0

    def log(self, offset: int) -> LogPart:
        """Return a part of the log; a part that is no longer there, or was never known, is marked as lost."""
        try:
            with (self.path / "log").open("rb") as log:
                log.seek(offset)
                return LogPart(log.read(LOG_BYTES), offset)
        except FileNotFoundError:
            return LogPart(b"", offset, lost=self.begun() or not self.has("spec.json"))

    def keep_output(self, archive: bytes) -> None:
        """Keep what the work has left."""
        (self.path / "output.zip").write_bytes(archive)

    def output(self) -> bytes | None:
        """Return what the work has left; None: nothing."""
        with contextlib.suppress(FileNotFoundError):
            return (self.path / "output.zip").read_bytes()
        return None

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)

    def has(self, name: str) -> bool:
        """Return whether a file is there."""
        return (self.path / name).exists()

    def put(self, name: str, content: str) -> None:
        """Write a file atomically."""
        fresh = self.path / f"{name}.{uuid.uuid4().hex}"
        fresh.write_text(content, encoding="utf-8")
        fresh.replace(self.path / name)


_TICK_SECONDS = 0.01


@dataclass(frozen=True)
class AttemptFolder(AttemptRecord):
    """One attempt's folder on the machine where it runs."""

    @contextlib.contextmanager
    def held(self, patience: float = 0.0) -> Iterator[bool]:
        """Hold the lock of the process that does the work; yield whether it was free and the work is still to be done.

        A process that only looks holds it for a moment, so one that wants to work waits ``patience`` seconds for it.
        """
        until = time.monotonic() + patience
        with (self.path / "running.lock").open("a") as lock:
            while not _taken(lock):
                if time.monotonic() >= until:
                    yield False
                    return
                time.sleep(_TICK_SECONDS)
            yield not self.has("ended.json")

    def begin(self) -> None:
        """Say that this process does the work."""
        self.put("pid", str(os.getpid()))
        super().begin()

    def status(self) -> Status:
        """Return the attempt's status. An attempt whose process exited without recording an end is lost."""
        found = self.recorded()
        if found.phase is not AttemptPhase.RUNNING:
            return found
        with self.held() as free:
            if free and self.begun():
                self.end(Status(AttemptPhase.ENDED, EndCause.LOST, metered=self.used()))
        return self.recorded()

    def ask_to_stop(self) -> None:
        """Request that it end."""
        self.put("stop", "")

    def wants_stop(self) -> bool:
        """Return whether its end was requested."""
        return self.has("stop")

    def kill(self) -> None:
        """Remove the process that does the work, if there is one."""
        with contextlib.suppress(OSError, ValueError):
            found = os.pidfd_open(int((self.path / "pid").read_text()))
            try:
                with self.held() as free:
                    if not free and not self.has("ended.json"):
                        signal.pidfd_send_signal(found, signal.SIGKILL)
            finally:
                os.close(found)


def _taken(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
