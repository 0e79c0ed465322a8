"""Reads the order, then tries actions in its own copy of the world, nearest first, until the order holds."""

import json
import re
from collections import deque

PARTS = {"seal": "密封圈", "bearing": "轴承", "filter": "滤芯"}
PLACES = {"store": "仓库", "hall": "大厅", "gallery": "廊道", "cellar": "地下室"}
MOST = 20_000
"""States that are looked at before it gives up."""


def predict(batch):
    return [errand(order, json.loads(world)) for order, world in zip(batch["order"], batch["world"], strict=True)]


def errand(order, world):
    actions = plan(world, wanted(order))
    return None if actions is None else json.dumps(actions)


def wanted(order):
    """Return the facts that an order asks for."""
    part = next(name for name, chinese in PARTS.items() if name in order or chinese in order)
    place = next(name for name, chinese in PLACES.items() if re.search(rf"to the {name}|送到{chinese}", order))
    valve = re.search(r"V\d+", order)
    return {f"{part} at {place}"} | ({f"{valve[0]} shut"} if valve else set())


def plan(world, goal):
    """Return the shortest list of actions after which the goal holds; None where there is none."""
    tools = [
        (name, *(frozenset(tool.get(key, ())) for key in ("needs", "adds", "drops")))
        for name, tool in world["actions"].items()
    ]
    begin = frozenset(world["facts"])
    came = {begin: None}
    waiting = deque([begin])
    while waiting and len(came) < MOST:
        state = waiting.popleft()
        if goal <= state:
            return walked(came, state)
        for name, needs, adds, drops in tools:
            if needs <= state and (after := (state - drops) | adds) not in came:
                came[after] = state, name
                waiting.append(after)
    return None


def walked(came, state):
    actions = []
    while came[state] is not None:
        state, name = came[state]
        actions.append(name)
    return actions[::-1]
