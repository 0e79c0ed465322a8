"""A world in its box: loads the folder's ``world.py`` and plays one episode after the other, request by request.

    {"op": "start", "template", "seed", "language", "arm"}   → {"task", "done"}
    {"op": "call", "tool", "arguments"}                      → {"content", "error", "done"}
    {"op": "say", "text"}                                    → {"text", "done"}
    {"op": "wants", "tool", "arguments"}                     → {"wants"}
    {"op": "finish"}                                         → {"outcomes", "state"}
    {"op": "oracle", "observation"}                          → {"acts"}; null of a world without an oracle
    {"op": "draw", "template", "seed", "language", "arm"}    → what the oracle sees first, a list of observations
    {"op": "attack"}                                         → {"text", "act"}: what is written for the application to
                                                               obey, and the act or the acts that it asks for; null
                                                               without an attack
    {"op": "describe", "name"}                               → the manifest of one of the worlds that it plays, if it
                                                               is a bridge to them

``ToolError``, if ``world.py`` has it, is what a tool raises to answer with an error. Standard library only.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

_FIRST_ACTS = 3


def load(given: Any) -> Callable[[Mapping[str, Any]], list[str]]:
    """Return a function that answers one request, a JSON text."""
    sys.path.insert(0, given.folder)
    served = _Served(importlib.import_module("world"))
    return lambda batch: [json.dumps(served.answer(json.loads(text)), allow_nan=False) for text in batch["request"]]


class _Served:
    def __init__(self, world: Any) -> None:
        self._world = world
        self._tool_error = getattr(world, "ToolError", ())
        self._episode: Any = None
        self._oracle: Any = None

    def answer(self, asked: dict[str, Any]) -> Any:
        return getattr(self, asked.pop("op"))(**asked)

    def start(self, template: str, seed: str, language: str, arm: str) -> Any:
        self._episode = self._world.Episode(template, bytes.fromhex(seed), language, arm)
        self._oracle = None
        return {"task": self._episode.task, "done": bool(self._episode.done)}

    def call(self, tool: str, arguments: dict[str, Any]) -> Any:
        try:
            content, error = self._episode.call(tool, arguments), False
        except self._tool_error as refused:
            content, error = str(refused), True
        return {"content": content, "error": error, "done": bool(self._episode.done)}

    def say(self, text: str) -> Any:
        return {"text": self._episode.say(text), "done": bool(self._episode.done)}

    def wants(self, tool: str, arguments: dict[str, Any]) -> Any:
        return {"wants": bool(self._episode.wants(tool, arguments))}

    def finish(self) -> Any:
        return {"outcomes": self._episode.finish(), "state": self._episode.state()}

    def oracle(self, observation: dict[str, Any]) -> Any:
        if not hasattr(self._world, "Oracle"):
            return {"acts": None}
        self._oracle = self._oracle or self._world.Oracle(self._episode)
        return {"acts": self._oracle.act(observation)}

    def draw(self, **episode: str) -> Any:
        observation: dict[str, Any] = {"task": self.start(**episode)["task"]}
        seen = [observation]
        while len(seen) <= _FIRST_ACTS and (acts := self.oracle(observation)["acts"]):
            said = [self.say(act["say"])["text"] for act in acts if "say" in act]
            results = [self.call(act["tool"], act.get("arguments", {})) for act in acts if "tool" in act]
            observation = {"results": results, "user": "\n".join(said) or None}
            seen.append(observation)
            if any("done" in act for act in acts):
                break
        return seen

    def describe(self, name: str) -> Any:
        return self._world.describe(name)

    def attack(self) -> Any:
        return {"text": getattr(self._episode, "bait", ""), "act": getattr(self._episode, "attack", None)}
