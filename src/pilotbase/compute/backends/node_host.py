"""What runs on a node of a cluster beside one attempt: the backend of one machine, spoken to from afar.

It takes and gives texts, bytes and numbers alone. It dies with the cluster's process that holds it, and the attempt
with it: a node that is told lost runs nothing any more.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pilotbase.compute.backends.backend import Phase, Work
from pilotbase.compute.backends.local import LocalBackend
from pilotbase.compute.backends.parcels import Parcel, opened, unpacked
from pilotbase.compute.backends.specs import read_spec, write_status


class NodeHost:
    """One attempt on this node."""

    def __init__(self, folder: str = "") -> None:
        place = Path(folder or tempfile.gettempdir()) / f"pilotbase-node-{os.getuid()}"
        place.mkdir(mode=0o711, exist_ok=True)
        self._parcels = place / "parcels"
        self._backend = LocalBackend(place / "attempts", dies_with_starter=True)

    def lacks(self, digests: list[str]) -> list[str]:
        """Return which parcels are not here yet."""
        return [digest for digest in digests if opened(self._parcels, digest) is None]

    def take(self, digest: str, archive: bytes) -> None:
        """Open a parcel here."""
        unpacked(self._parcels, Parcel(digest, archive))

    def start(self, spec: str, parcels: Mapping[str, str]) -> None:
        """Start the attempt of a spec whose folders stand for themselves: role → parcel; data as ``data/<name>``."""
        asked = read_spec(spec)
        folders = {role: self._parcels / digest for role, digest in parcels.items()}
        work = Work(
            folder=folders["folder"],
            entry=asked.work.entry,
            environment=folders.get("environment"),
            data={role.removeprefix("data/"): place for role, place in folders.items() if role.startswith("data/")},
        )
        self._backend.start(replace(asked, work=work, node=None))

    def poll(self, spec: str) -> str | None:
        """Return how the attempt ended, as `write_status` has it; with what was used so far while it runs."""
        status = self._backend.poll(read_spec(spec).attempt)
        return None if status.phase is Phase.UNKNOWN else write_status(status)

    def stop(self, spec: str, grace_seconds: float) -> None:
        """End the attempt; returns once it has ended."""
        self._backend.stop(read_spec(spec).attempt, grace_seconds)

    def logs(self, spec: str, offset: int) -> bytes:
        """Return what was printed from ``offset`` on."""
        return self._backend.logs(read_spec(spec).attempt, offset).text

    def output(self, spec: str) -> bytes | None:
        """Return what the attempt has left."""
        return self._backend.output(read_spec(spec).attempt)

    def forget(self, spec: str) -> None:
        """Remove what is kept of the attempt here."""
        self._backend.forget(read_spec(spec).attempt)
