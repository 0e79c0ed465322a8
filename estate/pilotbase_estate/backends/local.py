"""The backend of one machine: each attempt is a process in its own session and outlives its starter.

What runs on a node of a cluster for one attempt: the backend of one machine, called remotely.

It takes and returns only texts, bytes and numbers. It dies with the cluster's process that holds it, and the attempt
with it: a node reported as lost no longer runs anything.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pilotbase.sandbox.box.settings import FIRST_ORGANISATION_UID
from pilotbase_estate.backends.attempt_folder import AttemptFolder
from pilotbase_estate.backends.backend import (
    AttemptPhase,
    BackendNode,
    EndCause,
    JobSpec,
    LogPart,
    MemberAttempt,
    ProgramWork,
    Status,
    measured,
    read_spec,
    require_room,
    write_status,
)
from pilotbase_estate.backends.launcher import Launcher
from pilotbase_estate.backends.parcels import ParcelHost, unpack
from pilotbase_estate.documents.resources import Vector


class NodeHost(ParcelHost):
    """One attempt on this node."""

    def __init__(self, spec: str, folder: str = "") -> None:
        super().__init__(folder)
        self._spec = read_spec(spec)
        self._backend = LocalBackend(self.place / "attempts", dies_with_starter=True)

    def start(self, folder: str, environment: str, data: Mapping[str, bytes]) -> None:
        """Start the attempt on two parcels (no environment: "") and the archives of its data, name → archive.

        Data belong to this attempt alone: they are opened only for its box, and removed with it.
        """
        if self._backend.poll(self._spec.attempt).phase is not AttemptPhase.UNKNOWN:
            return
        work = ProgramWork(
            folder=self.parcel(folder),
            entry=self._spec.work.entry,
            environment=self.parcel(environment) if environment else None,
            data=self._opened(data),
        )
        self._backend.start(replace(self._spec, work=work, node=None))

    def poll(self, offset: int = 0) -> tuple[str, bytes] | None:
        """Return the attempt's status, as `write_status` has it, and what it has printed from ``offset`` on.

        None: it was not started.
        """
        status = self._backend.poll(self._spec.attempt)
        return None if status.phase is AttemptPhase.UNKNOWN else (write_status(status), self.logs(offset))

    def stop(self, grace_seconds: float) -> None:
        """End the attempt; returns once it has ended."""
        self._backend.stop(self._spec.attempt, grace_seconds)

    def logs(self, offset: int) -> bytes:
        """Return what was printed from ``offset`` on."""
        return self._backend.logs(self._spec.attempt, offset).text

    def output(self) -> bytes | None:
        """Return what the attempt has left."""
        return self._backend.output(self._spec.attempt)

    def forget(self) -> None:
        """Remove what is kept of the ended attempt here."""
        self._backend.forget(self._spec.attempt)
        shutil.rmtree(self._data_place(), ignore_errors=True)

    def _opened(self, data: Mapping[str, bytes]) -> dict[str, Path]:
        place = self._data_place()
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o711, parents=True)
        folders = {name: place / name for name in data}
        for name, folder in folders.items():
            unpack(data[name], folder)
            folder.chmod(0o700)
            self._give(folder)
        return folders

    def _give(self, folder: Path) -> None:
        """Let the box's user, and nobody else, read a folder."""
        if os.getuid() == 0:
            uid = self._spec.uid or FIRST_ORGANISATION_UID
            for path in (folder, *folder.rglob("*")):
                os.chown(path, uid, uid)

    def _data_place(self) -> Path:
        return self.place / "data" / self._spec.attempt.name


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
