"""The chance of a fault from five readings."""

import json
import math
from pathlib import Path

MODEL = json.loads(Path(__file__).with_name("model.json").read_text("utf-8"))
FEATURES = MODEL["features"]


def predict(batch):
    return [chance(values) for values in zip(*(batch[name] for name in FEATURES), strict=True)]


def chance(values):
    score = MODEL["start"] + sum(
        weight * (value - middle) / spread
        for value, (middle, spread, weight) in zip(values, FEATURES.values(), strict=True)
        if value == value  # a missing reading is NaN
    )
    return 1 / (1 + math.exp(-max(min(score, 40), -40)))
