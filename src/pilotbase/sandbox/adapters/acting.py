"""An application that acts: its entry point makes a player, which answers each observation with its acts.

``agent()`` returns an object with ``act(observation) -> acts``, or a function of that form. Both are JSON values; a box
plays one episode. Standard library only; loaded in the box like the other modules here, for manifests with
``interface: act``.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any


def load(given: Any) -> Callable[[Mapping[str, Any]], list[str]]:
    """Return a function that answers one observation, a JSON text, with acts, another."""
    sys.path.insert(0, given.folder)
    module, _, function = given.form["entry_point"].partition(":")
    player = getattr(importlib.import_module(module), function)()
    act = getattr(player, "act", player)
    if not callable(act):
        raise TypeError(f"{given.form['entry_point']} returned a {type(player).__name__} that cannot act")
    return lambda batch: [_spelled(act(json.loads(text))) for text in batch["observation"]]


def _spelled(acts: Any) -> str:
    """Return acts as JSON; a text is passed on as it is, so that a model's own words are judged outside."""
    return acts if isinstance(acts, str) else json.dumps(acts, ensure_ascii=False)
