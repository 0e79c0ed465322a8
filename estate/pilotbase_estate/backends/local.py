"""The backend of one machine: each attempt is a process in its own session and outlives its starter."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from pilotbase_estate.backends.attempt_folder import AttemptFolder
from pilotbase_estate.backends.backend import (
    AttemptPhase,
    BackendNode,
    EndCause,
    JobSpec,
    LogPart,
    MemberAttempt,
    Status,
)
from pilotbase_estate.backends.launcher import Launcher
from pilotbase_estate.backends.room import measured, require_room
from pilotbase_estate.documents.resources import Vector

NODE = "local"
_START_SECONDS = 30.0
_TICK_SECONDS = 0.02


@dataclass(frozen=True)
class LocalBackend:
    """Runs attempts on this machine; ``folder`` keeps a folder for each."""

    folder: Path
    dies_with_starter: bool = False
    """Whether attempts end with this process: for a node of a cluster, which then counts as lost."""
    launcher: Launcher = field(default_factory=Launcher)
    engine = "local"
    holds_room = False

    def capacity(self) -> list[BackendNode]:
        return [BackendNode(NODE, machine(self.folder))]

    def start(self, spec: JobSpec) -> None:
        require_room(spec.demand, self.capacity(), spec.node)
        folder = self._of(spec.attempt)
        folder.prepare(spec)
        if folder.status().phase is AttemptPhase.ENDED or folder.begun():
            return
        self.launcher.launch(folder.path, self.dies_with_starter)
        if not folder.begun():
            folder.end(Status(AttemptPhase.ENDED, EndCause.FAILED, detail="the process of the attempt did not begin"))

    def poll(self, attempt: MemberAttempt) -> Status:
        return self._of(attempt).status()

    def stop(self, attempt: MemberAttempt, grace_seconds: float) -> None:
        folder = self._of(attempt)
        if folder.status().phase is AttemptPhase.UNKNOWN:
            return
        folder.ask_to_stop()
        if not self._ended(folder, grace_seconds):
            folder.kill()
            self._ended(folder, _START_SECONDS)

    def logs(self, attempt: MemberAttempt, offset: int) -> LogPart:
        return self._of(attempt).log(offset)

    def output(self, attempt: MemberAttempt) -> bytes | None:
        return self._of(attempt).output()

    def forget(self, attempt: MemberAttempt) -> None:
        if self._of(attempt).status().phase is AttemptPhase.ENDED:
            self._of(attempt).remove()

    def attempts(self) -> list[MemberAttempt]:
        """Return the attempts of which anything is kept."""
        return [MemberAttempt.named(place.name) for place in self.folder.iterdir()]

    def _of(self, attempt: MemberAttempt) -> AttemptFolder:
        return AttemptFolder(self.folder / attempt.name)

    def _ended(self, folder: AttemptFolder, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while folder.status().phase is AttemptPhase.RUNNING:
            if time.monotonic() >= until:
                return False
            time.sleep(_TICK_SECONDS)
        return True


def machine(folder: Path) -> Vector:
    """Return what this machine has: cores that this process may use, memory, free disk at ``folder``."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {**measured(), "disk": shutil.disk_usage(folder).free}
