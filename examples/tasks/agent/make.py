"""Writes errands in a pump hall: four places in a row, locked doors, a valve, parts to fetch, and an order in words.

Each case describes its world (facts; actions with what they need, add and drop) and says what is wanted. The truth is
what must hold at the end. Half of the worlds have a locked door on the way, whose key lies elsewhere.
"""

from __future__ import annotations

import csv
import json
import random
from itertools import pairwise
from pathlib import Path

CASES = 220
PLACES = ("store", "hall", "gallery", "cellar")
PARTS = {"seal": "密封圈", "bearing": "轴承", "filter": "滤芯"}
NAMED = {"store": "仓库", "hall": "大厅", "gallery": "廊道", "cellar": "地下室"}


def write(folder: Path) -> None:
    """Write ``cases.csv``."""
    draw = random.Random(20261127)
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("id", "order", "world", "language", "locked", "goal"))
        for number in range(CASES):
            table.writerow((f"c{number:04}", *errand(draw)))


def errand(draw: random.Random) -> tuple[str, ...]:
    """Return order, world, language, whether a door is locked on the way, and the goal as a JSON list of facts."""
    part, where = draw.choice(list(PARTS)), draw.sample(PLACES, 4)
    begin, source, target, valve = where[0], where[1], where[2], draw.choice(PLACES)
    numbers = {"valve": f"V{draw.randrange(10, 100)}", "door": f"D{draw.randrange(10, 100)}"}
    locked = draw.random() < 0.5
    world = world_of(draw, begin, {part: source}, valve, numbers, locked)
    goal = [f"{part} at {target}"]
    english = f"Bring the {part} to the {target}"
    chinese = f"请把{PARTS[part]}送到{NAMED[target]}"
    if draw.random() < 0.6:
        goal.append(f"{numbers['valve']} shut")
        english = draw.choice(
            (f"{english} and shut valve {numbers['valve']}", f"Shut {numbers['valve']}, then {english}")
        )
        chinese = draw.choice((f"{chinese}，并关闭阀门{numbers['valve']}", f"先关闭{numbers['valve']}，{chinese}"))
    language = draw.choice(("en", "zh"))
    order = f"{english}." if language == "en" else f"{chinese}。"
    return order, json.dumps(world), language, "yes" if locked else "no", json.dumps(goal)


def world_of(
    draw: random.Random, begin: str, things: dict[str, str], valve: str, numbers: dict[str, str], locked: bool
) -> dict[str, object]:
    """Return the world: who is where, and every action that there is."""
    door, key = numbers["door"], f"key of {numbers['door']}"
    places = draw.sample(PLACES, 4)  # how the places lie in a row
    gap = draw.randrange(3)
    reachable = places[: gap + 1] if places.index(begin) <= gap else places[gap + 1 :]
    things = things | {key: draw.choice(reachable)}
    facts = [f"you at {begin}", "hands empty", *(f"{name} at {place}" for name, place in things.items())]
    facts += [] if locked else [f"{door} open"]
    actions: dict[str, dict[str, list[str]]] = {}
    for at, (here, there) in enumerate(pairwise(places)):
        needs = [f"{door} open"] if at == gap else []
        for one, other in ((here, there), (there, here)):
            actions[f"go {one} {other}"] = {
                "needs": [f"you at {one}", *needs], "adds": [f"you at {other}"], "drops": [f"you at {one}"],
            }  # fmt: skip
            if at == gap:
                actions[f"unlock {door} from {one}"] = {
                    "needs": [f"you at {one}", f"{key} held"],
                    "adds": [f"{door} open"],
                }
    for name in things:
        for place in places:
            at_hand, lies = f"{name} held", f"{name} at {place}"
            actions[f"take {name} at {place}"] = {
                "needs": [f"you at {place}", lies, "hands empty"], "adds": [at_hand], "drops": [lies, "hands empty"],
            }  # fmt: skip
            actions[f"put {name} at {place}"] = {
                "needs": [f"you at {place}", at_hand], "adds": [lies, "hands empty"], "drops": [at_hand],
            }  # fmt: skip
    actions[f"shut {numbers['valve']}"] = {
        "needs": [f"you at {valve}", "hands empty"],
        "adds": [f"{numbers['valve']} shut"],
    }
    return {"facts": facts, "actions": actions}
