"""A world in a box of its own: it never shares one with an application, and neither can read the other's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.limits import EndReason, Limits
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box.ends import BoxEnded, ClosedAtEnd, own_words
from pilotbase.sandbox.box.environments import build_environment
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.sandbox.box.warm_worker import WarmWorker, start_worker
from pilotbase.trial.arena.kept_worlds import KeptWorld
from pilotbase.trial.arena.playing import EpisodeKey, Json, Player, play

WORLD_LIMITS = Limits(cpu_seconds=864_000, wall_seconds=864_000)
"""Of the box of a world, which plays all episodes of a run."""
REQUESTS = Contract(
    features=(Field(name="request", data_type=DataType.TEXT),), prediction=Prediction(kind="text", longest=4 << 20)
)
_LOCK = "requirements.lock"


class WorldFailedError(PilotbaseError):
    """The program of a world failed at a request; its values are not told: they may be of a hidden episode."""

    def __init__(self, world: str, request: Json, ended: BoxEnded) -> None:
        asked = " ".join(request[name] for name in ("op", "tool") if name in request)
        said = own_words(ended.detail)[-1000:] or ended.reason.value
        super().__init__("world.failed", world=world, asked=asked, said=said)


class WorldBox(ClosedAtEnd):
    """A world that plays episodes, one at a time."""

    def __init__(self, kept: KeptWorld, cache: Path, settings: BoxSettings) -> None:
        """Start it; ``cache``: where environments are built. Raises as `_started`."""
        self.kept = kept
        self._worker = _started(kept.world.name, kept.folder, cache, settings)

    def play(self, key: EpisodeKey, player: Player) -> str:
        """Return the transcript of one episode; raises `WorldFailedError`."""
        return play(self.kept.world, self.kept.digest, key, BoxedEpisode(self, key), player)

    def ask(self, request: Json) -> Any:
        """Return what the program answers to one request; raises `WorldFailedError`."""
        return self.ask_all([request])[0]

    def ask_all(self, requests: Sequence[Json]) -> list[Any]:
        """Return what the program answers to several requests, one after the other; raises as `ask`."""
        return _answers(self.kept.world.name, self._worker, requests)

    def close(self, reason: EndReason = EndReason.FINISHED) -> None:
        self._worker.close(reason)


class BoxedEpisode:
    """An episode under way in a world's box."""

    def __init__(self, box: WorldBox, key: EpisodeKey) -> None:
        self._box = box
        begun = box.ask(
            {"op": "start", "template": key.template, "seed": key.seed, "language": key.language, "arm": key.arm}
        )
        self.task: str = begun["task"]
        self.done: bool = begun["done"]

    def call(self, tool: str, arguments: Json) -> tuple[Any, bool]:
        found = self._changed({"op": "call", "tool": tool, "arguments": arguments})
        return found["content"], found["error"]

    def say(self, text: str, last: bool = True) -> str:
        return str(self._changed({"op": "say", "text": text})["text"])

    def wants(self, tool: str, arguments: Json) -> bool:
        return bool(self._box.ask({"op": "wants", "tool": tool, "arguments": arguments})["wants"])

    def finish(self) -> tuple[Json, Any]:
        found = self._box.ask({"op": "finish"})
        return found["outcomes"], found["state"]

    def _changed(self, request: Json) -> Any:
        found = self._box.ask(request)
        self.done = found["done"]
        return found


class BoxedOracle:
    """Plays the episode under way as the world itself says that it is won."""

    def __init__(self, box: WorldBox) -> None:
        self._box = box

    def answer(self, observation: Json) -> str:
        return json.dumps(self._box.ask({"op": "oracle", "observation": observation})["acts"])


class BoxedObedient:
    """Plays as the oracle does, and does what an attacker has written in what it reads."""

    def __init__(self, box: WorldBox) -> None:
        self._oracle, self._box = BoxedOracle(box), box

    def answer(self, observation: Json) -> str:
        attack = self._box.ask({"op": "attack"})
        if attack["text"] and attack["act"] and _inside(attack["text"]) in json.dumps(observation.get("results")):
            acts = attack["act"] if isinstance(attack["act"], list) else [attack["act"]]
            return json.dumps([*acts, {"done": True}])
        return self._oracle.answer(observation)


def _inside(said: str) -> str:
    """Return a text as it stands inside a JSON text."""
    return json.dumps(said)[1:-1]


def described(name: str, folder: Path, part: str, cache: Path, settings: BoxSettings) -> Mapping[str, Any]:
    """Return the manifest that the program in ``folder`` gives of one of its worlds; raises as `_started`."""
    with _started(name, folder, cache, settings) as worker:
        found: Mapping[str, Any] = _answers(name, worker, [{"op": "describe", "name": part}])[0]
        return found


def _started(name: str, folder: Path, cache: Path, settings: BoxSettings) -> WarmWorker:
    """Return a box with the program in ``folder``, and the packages that its lock names.

    Raises:
        WorldFailedError: the program cannot be loaded; and as `build_environment`.
    """
    lock = folder / _LOCK
    locked = lock.read_bytes() if lock.exists() else b""
    environment = build_environment(locked, _LOCK, cache, BoxSettings(uid=settings.uid))
    try:
        return start_worker(folder, Form(interface="world"), REQUESTS, environment, settings)
    except BoxEnded as ended:
        raise WorldFailedError(name, {"op": "load"}, ended) from None


def _answers(name: str, worker: WarmWorker, requests: Sequence[Json]) -> list[Any]:
    spelled = np.array([json.dumps(request) for request in requests], dtype=object)
    try:
        answered = worker.predict(FeatureBatch({"request": spelled}, len(spelled)))
    except BoxEnded as ended:
        raise WorldFailedError(name, requests[0], ended) from None
    return [json.loads(answer) for answer in answered.values]
