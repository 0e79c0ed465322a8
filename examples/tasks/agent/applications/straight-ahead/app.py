"""Walks straight to what it was told, takes it where it is wanted, and hopes that all doors are open."""

import json
import re

PARTS = {"seal": "密封圈", "bearing": "轴承", "filter": "滤芯"}
PLACES = {"store": "仓库", "hall": "大厅", "gallery": "廊道", "cellar": "地下室"}


def predict(batch):
    cases = zip(batch["order"], batch["world"], strict=True)
    return [json.dumps(errand(order, json.loads(world))) for order, world in cases]


def errand(order, world):
    here = next(fact[7:] for fact in world["facts"] if fact.startswith("you at "))
    part = next(name for name, chinese in PARTS.items() if name in order or chinese in order)
    target = next(name for name, chinese in PLACES.items() if re.search(rf"to the {name}|送到{chinese}", order))
    source = next(fact.rpartition(" ")[2] for fact in world["facts"] if fact.startswith(f"{part} at "))
    valve = re.search(r"V\d+", order)
    actions = []
    if valve:
        actions += way(world, here, here := world["actions"][f"shut {valve[0]}"]["needs"][0][7:])
        actions.append(f"shut {valve[0]}")
    actions += [*way(world, here, source), f"take {part} at {source}", *way(world, source, target)]
    return [*actions, f"put {part} at {target}"]


def way(world, here, there):
    """Return the steps from one place to another, as if every door were open."""
    found = {here: []}
    for at in (waiting := [here]):
        for name in world["actions"]:
            verb, *places = name.split(" ")
            if verb == "go" and places[0] == at and places[1] not in found:
                found[places[1]] = [*found[at], name]
                waiting.append(places[1])
    return found[there]
