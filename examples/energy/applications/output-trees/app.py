"""Gradient-boosted trees for the net output, followed with numpy alone."""

import json
from pathlib import Path

import numpy as np

MODEL = json.loads(Path(__file__).with_name("model.json").read_text())
SPLIT, THRESHOLD, LEAF = (np.array(MODEL[name]) for name in ("split", "threshold", "leaf"))
TREES = np.arange(len(SPLIT))


def predict(batch):
    """Return the net output of each hour, MW, shape (rows,)."""
    matrix = np.asarray(batch.matrix(MODEL["features"]))
    rows = np.arange(len(matrix))[:, None]
    node = np.zeros((len(matrix), len(TREES)), dtype=np.int64)
    for _ in range(MODEL["depth"]):
        value = matrix[rows, SPLIT[TREES, node]]
        node = 2 * node + 1 + (value > THRESHOLD[TREES, node])
    return MODEL["base"] + LEAF[TREES, node - SPLIT.shape[1]].sum(axis=1)
