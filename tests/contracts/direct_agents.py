"""Measures of agents once more, and a world that actions are replayed in: four rooms in a row, from the first on."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np

ROOMS = "ABCD"
STEPS = [*pairwise(ROOMS), *pairwise(reversed(ROOMS))]
WORLD = json.dumps(
    {"facts": ["A"], "actions": {a + b: {"needs": [a], "adds": [b], "drops": [a]} for a, b in STEPS}},
)
WALKS = {"A": '["AB", "BA"]', "B": '["AB"]', "C": '["AB", "BC"]'}
LOST = '["AB", "CD"]'


def goal_reached(cases: Any, _: Any) -> float:
    """Walk once more, room by room."""
    return float(np.mean([_end_of(json.loads(a)) == t for a, t in zip(cases.answers, cases.truth, strict=True)]))


def _end_of(walk: list[str]) -> str | None:
    here = "A"
    for step in walk:
        if step[0] != here:
            return None
        here = step[1]
    return here


FORMULAS = {
    "goal_reached": goal_reached,
    "score": lambda cases, _: float(cases.answers[:, 1].mean()),
    "judged": lambda cases, _: float(np.mean([said == "good" for said in cases.given["passage"]])),
}
