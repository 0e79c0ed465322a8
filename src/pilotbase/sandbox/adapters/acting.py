"""An application that acts: its entry point makes a player, which answers each observation with its acts.

``agent()`` returns an object with ``act(observation) -> acts``, or a function of that form. Both are JSON values; a box
plays one episode. Where the application may use a model of the base, the first observation says ``"model": "base"``,
and the model is asked at a Unix socket, whose place is in the variable ``PILOTBASE_DOOR``. Standard library only;
loaded in the box like the other modules here, for manifests with ``interface: act``.
"""

from __future__ import annotations

import importlib
import json
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

DOOR = "agent_door"
"""The module beside this one with the socket, which is needed only where there is a model."""
Act = Callable[[Any], Any]


def load(given: Any) -> Callable[[Mapping[str, Any]], list[str]]:
    """Return a function that answers one observation, a JSON text, with acts, another."""
    sys.path.insert(0, given.folder)
    module, _, function = given.form["entry_point"].partition(":")
    player = getattr(importlib.import_module(module), function)()
    act = getattr(player, "act", player)
    if not callable(act):
        raise TypeError(f"{given.form['entry_point']} returned a {type(player).__name__} that cannot act")
    episode = ActingEpisode(act, lambda: given.neighbour(DOOR))
    return lambda batch: [episode.answer(json.loads(text)) for text in batch["observation"]]


class ActingEpisode:
    """One episode: beside a model the player acts in a thread of its own, so that it can ask while it acts."""

    def __init__(self, act: Act, door: Callable[[], Any]) -> None:
        """``door``: returns the module `agent_door`."""
        self._act, self._door = act, door
        self._messages: Any = None

    def answer(self, observation: Any) -> str:
        """Return the next message of the player; raises what it raised."""
        if "model" in observation and self._messages is None:
            self._open(observation["model"])
        if self._messages is None:
            return _spelled(self._act(observation))
        self._messages.take(observation)
        message: str = self._messages.next()
        return message

    def _open(self, model: str) -> None:
        door = self._door()
        self._messages = door.Messages()
        door.open_server(door.place(), self._messages, model)
        threading.Thread(target=self._play, daemon=True).start()

    def _play(self) -> None:
        while True:
            seen = self._messages.see()
            try:
                self._messages.send(_spelled(self._act(seen)))
            except BaseException as problem:  # noqa: BLE001 - it is raised where it is waited for
                self._messages.send(problem)


def _spelled(acts: Any) -> str:
    """Return acts as JSON; a text is passed on as it is, so that a model's own words are judged outside."""
    return acts if isinstance(acts, str) else json.dumps(acts, ensure_ascii=False)
