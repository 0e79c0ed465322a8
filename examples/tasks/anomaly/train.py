"""Fits bearing-watch on pumps of another plant: ``python examples/tasks/anomaly/train.py``. A logistic regression."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from make import COLUMNS, SEED, minutes

FEATURES = ("load", "rms", "kurtosis", "high_band", "temperature")
ELSEWHERE = SEED + 1
ROUNDS, PULL = 30, 1.0


def main() -> None:
    """Write the weights."""
    rows = minutes(ELSEWHERE)
    values = np.array([[row[COLUMNS.index(name)] for name in FEATURES] for row in rows])
    faulty = np.array([row[-1] == "faulty" for row in rows], dtype=float)
    middle, spread = values.mean(axis=0), values.std(axis=0)
    weights = logistic(np.column_stack([np.ones(len(rows)), (values - middle) / spread]), faulty)
    model = {
        "start": round(weights[0], 4),
        "features": {
            name: [round(number, 4) for number in three]
            for name, three in zip(FEATURES, zip(middle, spread, weights[1:], strict=True), strict=True)
        },
    }
    file = Path(__file__).with_name("applications") / "bearing-watch" / "model.json"
    file.write_text(json.dumps(model, indent=1) + "\n", "utf-8")


def logistic(values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the weights of a logistic regression with a quadratic pull to zero, by Newton's method."""
    weights = np.zeros(values.shape[1])
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-values @ weights))
        slope = values.T @ (truth - chance) - PULL * weights
        bend = (values * (chance * (1 - chance))[:, None]).T @ values + PULL * np.eye(len(weights))
        weights = weights + np.linalg.solve(bend, slope)
    return weights


if __name__ == "__main__":
    main()
