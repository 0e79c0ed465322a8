"""What runs on a node of a cluster for one attempt: the backend of one machine, called remotely.

It takes and returns only texts, bytes and numbers. It dies with the cluster's process that holds it, and the attempt
with it: a node reported as lost no longer runs anything.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pilotbase.sandbox.box.settings import FIRST_ORGANISATION_UID
from pilotbase_estate.backends.backend import AttemptPhase, ProgramWork, read_spec, write_status
from pilotbase_estate.backends.local import LocalBackend
from pilotbase_estate.backends.parcels import ParcelHost, unpack


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
