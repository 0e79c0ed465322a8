"""The worlds that a base keeps, and where their boxes get an environment."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pilotbase.documents.base import Document
from pilotbase.documents.door import ModelDoor
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.limits import EndReason
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.world import World, WorldUse
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.sandbox.endpoints.calls import CallLog
from pilotbase.sandbox.engines import Worker
from pilotbase.trial.arena.kept_worlds import KeptWorld, keep_world, kept_world, read_world
from pilotbase.trial.arena.model_door import open_door
from pilotbase.trial.arena.stage import OBSERVATIONS, EpisodeStage, Start, player_settings
from pilotbase.trial.arena.world_box import WORLD_LIMITS, WorldBox
from pilotbase.trial.lab import TrialRuntime
from pilotbase.workspace.store import View
from pilotbase.worlds.folders import BRIDGES, write_world


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
            InvalidProofError: it is not kept here. WorldFailedError: it cannot be loaded.
        """
        of_world = BoxSettings(limits=WORLD_LIMITS, level=settings.level, logs=settings.logs)
        return WorldBox(self.kept(digest), self.environments, of_world)

    def stage(
        self, digest: Digest, start: Start, settings: BoxSettings, door: ModelDoor | None, calls: CallLog
    ) -> EpisodeStage:
        """Return a stage for an application whose boxes ``start`` opens; ``calls``: where those of a model are logged.

        Raises as `open`, as `open_door` and as ``start``.
        """
        world = self.open(digest, settings)
        try:
            opened = None if door is None else open_door(door, calls)
        except BaseException:
            world.close(EndReason.CANCELLED)
            raise
        return EpisodeStage(start, world, settings, opened)

    def take(self, use: WorldUse, folder: Path) -> KeptWorld:
        """Return the world that a scenario in ``folder`` names, kept here; raises `InputError` as the readers do."""
        with world_of(use, folder) as found:
            return keep_world(found, self.store)


class ScenarioWorld(Document):
    """Records the world of a scenario version, as suppliers see it."""

    document: Literal["scenario-world/1"] = "scenario-world/1"
    scenario: Digest
    world: World


def world_to_show(scenario: Scenario, folder: Path) -> ScenarioWorld | None:
    """Return what a base records of the world of a scenario in ``folder``; None: it has a table.

    Raises `InputError` as `world_of`.
    """
    if scenario.world is None:
        return None
    with world_of(scenario.world, folder) as found:
        return ScenarioWorld(scenario=scenario.digest(), world=found.world.shown())


def world_seen(view: View, scenario: Scenario) -> World | None:
    """Return the world of a scenario as recorded on the base, for whoever sees the scenario; None: there is none.

    ``view``: the base's own.
    """
    if scenario.world is None:
        return None
    found = view.find("scenario-world", {"scenario": scenario.digest()}, limit=1)
    return found[0].load(ScenarioWorld).world if found else None


@contextmanager
def world_of(use: WorldUse, folder: Path) -> Iterator[KeptWorld]:
    """Yield the world that a scenario in ``folder`` names, where it lies; raises `InputError` as the readers do."""
    if use.folder is not None:
        yield read_world(folder / use.folder)
        return
    if use.name in BRIDGES:
        raise InputError("worlds.of_package", world=use.name)
    with tempfile.TemporaryDirectory() as scratch:
        write_world(use.name or "", Path(scratch, "world"))
        yield read_world(Path(scratch, "world"))


def start_in_service(start: Start, settings: BoxSettings, seconds: float) -> Worker:
    """Return a fresh box for one dialogue, which ``start`` opens.

    Callers may take their time: what the application itself takes is bounded by the episode, and by CPU seconds.
    """
    alone = player_settings(settings, seconds)
    limits = alone.limits.model_copy(update={"wall_seconds": WORLD_LIMITS.wall_seconds})
    return start(OBSERVATIONS, replace(alone, limits=limits))


def shelf_of(lab: TrialRuntime) -> WorldShelf:
    """Return the worlds of a home."""
    return WorldShelf(lab.folder("worlds"), lab.folder("environments", ".worlds"))
