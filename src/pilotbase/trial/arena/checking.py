"""A world's folder as its author tries it: checked by every gate, or one episode shown."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pilotbase import __version__
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.nearest import offer
from pilotbase.documents.progress import OnProgress, ignore_progress
from pilotbase.documents.texts import text
from pilotbase.documents.transcript import Line, read_transcript
from pilotbase.documents.world import CLEAN, WORLD_MANIFEST, WORLD_PROGRAM, World
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.trial.arena.gates import GateSizes, WorldCheck, check_world
from pilotbase.trial.arena.kept_worlds import KeptWorld, keep_world, read_world
from pilotbase.trial.arena.playing import EpisodeKey, Player
from pilotbase.trial.arena.references import Guesser, Idle
from pilotbase.trial.arena.shelf import shelf_of
from pilotbase.trial.arena.world_box import WORLD_LIMITS, BoxedObedient, BoxedOracle, WorldBox
from pilotbase.trial.lab import TrialRuntime


@dataclass(frozen=True)
class EpisodeKind:
    """Which episode is shown; empty: the first of the manifest."""

    template: str = ""
    language: str = ""
    arm: str = CLEAN
    number: int = 0

    def key(self, world: World) -> EpisodeKey:
        """Return the episode; raises `InputError` if the world has none of that kind."""
        known = {
            "template": (self.template, world.templates.every),
            "language": (self.language, world.languages),
            "arm": (self.arm, (CLEAN, *(arm.value for arm in world.arms))),
        }
        for path, (found, allowed) in known.items():
            if found and found not in allowed:
                problem = text("input.not_allowed", found=found, allowed=offer(found, allowed))
                raise InputError.at(WORLD_MANIFEST, path, problem)
        named = {path: found or allowed[0] for path, (found, allowed) in known.items()}
        return EpisodeKey(name="", **named, seed=hashlib.sha256(f"pilotbase shown {self.number}".encode()).hexdigest())


def check_folder(
    lab: TrialRuntime, folder: Path, sizes: GateSizes | None = None, on_progress: OnProgress = ignore_progress
) -> WorldCheck:
    """Return what every gate finds about the world in ``folder``; raises as `read_world`."""
    kept = keep_world(read_world(folder), shelf_of(lab).store)
    return check_world(kept, lambda hash_seed: _open_box(lab, kept, hash_seed), sizes, on_progress)


def require_sound(lab: TrialRuntime, kept: KeptWorld) -> None:
    """Return if every gate holds for a kept world; one that has passed is not asked again by this version.

    Raises:
        InputError: some do not; every problem is named.
    """
    mark = lab.folder("tmp", "sound-worlds") / f"{hex_of(kept.digest)}-{__version__}"
    if mark.exists():
        return
    found = check_world(kept, lambda hash_seed: _open_box(lab, kept, hash_seed))
    if not found.holds:
        problems = [gate.problem for gate in found.gates if gate.problem is not None]
        issues = [Issue(file=WORLD_PROGRAM, path="", problem=one, hint=one.hint) for one in problems]
        raise InputError("worlds.not_sound", issues=issues, world=found.name, count=len(issues))
    mark.touch()


def show_episode(lab: TrialRuntime, folder: Path, kind: EpisodeKind, player: str) -> tuple[Line, ...]:
    """Return the lines of the transcript of one episode of the world in ``folder``.

    ``player``: ``oracle``, ``idle``, ``guessing``, or ``obedient``, which does what an attacker has written.

    Raises:
        InputError: the folder is no world, or the world has no such episodes.
    """
    kept = keep_world(read_world(folder), shelf_of(lab).store)
    key = kind.key(kept.world)
    with _open_box(lab, kept) as box:
        players: Mapping[str, Callable[[], Player]] = {
            "oracle": lambda: BoxedOracle(box),
            "idle": Idle,
            "guessing": lambda: Guesser(key.seed),
            "obedient": lambda: BoxedObedient(box),
        }
        return read_transcript(box.play(key, players[player]()))


def _open_box(lab: TrialRuntime, kept: KeptWorld, hash_seed: int = 0) -> WorldBox:
    settings = BoxSettings(limits=WORLD_LIMITS, logs=LogPolicy.FULL, hash_seed=hash_seed)
    return WorldBox(kept, shelf_of(lab).environments, settings)
