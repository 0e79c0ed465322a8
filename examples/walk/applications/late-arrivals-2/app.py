"""A score card over timetable and weather, in plain Python; `model.json` holds its weights."""

import json
import math
from pathlib import Path

MODEL = json.loads(Path(__file__).with_name("model.json").read_text())


def predict(batch):
    """Return the probability that each flight arrives late."""
    return [1 / (1 + math.exp(-value)) for value in odds(batch)]


def odds(batch):
    """Return the log odds of each flight: the weights of its numbers and names, added up."""
    found = [MODEL["intercept"]] * batch.rows
    for name, number in MODEL["numbers"].items():
        for row, value in enumerate(batch[name]):
            filled = number["fill"] if value != value else value
            found[row] += number["weight"] * (filled - number["centre"]) / number["scale"]
    for name, weights in MODEL["categories"].items():
        for row, value in enumerate(batch[name]):
            found[row] += weights.get(str(value), 0.0)
    return found
