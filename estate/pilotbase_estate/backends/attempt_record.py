"""What is kept of an attempt, in a folder of its own: what is to be done, what it printed, how it ended.

spec.json      what is to be done
begun          a process of this machine, or a node, has it
log, used.json what it printed, and what it has used so far
output.zip     what it has left
ended.json     how it ended; once there it stays
"""

from __future__ import annotations

import contextlib
import json
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from pilotbase_estate.backends.backend import (
    AttemptPhase,
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
