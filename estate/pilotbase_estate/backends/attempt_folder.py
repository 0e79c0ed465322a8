"""The record of an attempt that runs on this machine, with the lock of the process that does the work.

    running.lock   held by that process for as long as it lives
    pid            of that process
    stop           a request that it end

Only the lock decides whether an attempt runs. A clock could be wrong, and a process number may since have been reused.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from pilotbase_estate.backends.attempt_record import AttemptRecord
from pilotbase_estate.backends.backend import AttemptPhase, EndCause, Status

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
