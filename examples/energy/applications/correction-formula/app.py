"""A correction formula, linear in temperature, pressure and humidity; plain Python."""

import json
from pathlib import Path

MODEL = json.loads(Path(__file__).with_name("model.json").read_text())


def predict(batch):
    """Return the net output of each hour, MW, one number a row."""
    columns = [batch[name] for name in MODEL["features"]]
    return [
        MODEL["intercept"] + sum(slope * value for slope, value in zip(MODEL["slopes"], row, strict=True))
        for row in zip(*columns, strict=True)
    ]
