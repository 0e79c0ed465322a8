"""The worlds that a base keeps, and where their boxes get an environment."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pilotbase.documents.hashes import Digest
from pilotbase.documents.world import WorldUse
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.trial.arena.kept_worlds import KeptWorld, keep_world, kept_world, read_world
from pilotbase.trial.arena.stage import EpisodeStage, Start
from pilotbase.trial.arena.world_box import WorldBox
from pilotbase.trial.lab import TrialRuntime
from pilotbase.worlds.folders import write_world


@dataclass(frozen=True)
class WorldShelf:
    """Where worlds are kept under their digests, and environments of their boxes are built."""

    store: Path
    environments: Path

    def kept(self, digest: Digest) -> KeptWorld:
        """Return a world that is kept here; raises `InvalidProofError` if it is missing or was altered."""
        return kept_world(self.store, digest)

    def open(self, digest: Digest, settings: BoxSettings) -> WorldBox:
        """Return a started world, a program of the base's, under the level and the log policy of ``settings``.

        Raises:
            InvalidProofError: it is not kept here. PilotbaseError: ``world.failed``.
        """
        return WorldBox(self.kept(digest), self.environments, BoxSettings(level=settings.level, logs=settings.logs))

    def stage(self, digest: Digest, start: Start, settings: BoxSettings) -> EpisodeStage:
        """Return a stage for an application whose boxes ``start`` opens; raises as `open`, and as ``start``."""
        return EpisodeStage(start, self.open(digest, settings), settings)

    def take(self, use: WorldUse, folder: Path) -> KeptWorld:
        """Return the world that a scenario in ``folder`` names, kept here; raises `InputError` as the readers do."""
        with world_of(use, folder) as found:
            return keep_world(found, self.store)


@contextmanager
def world_of(use: WorldUse, folder: Path) -> Iterator[KeptWorld]:
    """Yield the world that a scenario in ``folder`` names, where it lies; raises `InputError` as the readers do."""
    if use.folder is not None:
        yield read_world(folder / use.folder)
        return
    with tempfile.TemporaryDirectory() as scratch:
        write_world(use.name or "", Path(scratch, "world"))
        yield read_world(Path(scratch, "world"))


def shelf_of(lab: TrialRuntime) -> WorldShelf:
    """Return the worlds of a home."""
    return WorldShelf(lab.folder("worlds"), lab.folder("environments", ".worlds"))
