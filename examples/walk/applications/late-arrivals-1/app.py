"""Boosted trees, followed with numpy alone; `model.json` says over which columns."""

import json
from pathlib import Path

import numpy as np

MODEL = json.loads(Path(__file__).with_name("model.json").read_text())
SPLIT, THRESHOLD, LEAF = (np.array(MODEL[name]) for name in ("split", "threshold", "leaf"))
TREES = np.arange(len(SPLIT))


def predict(batch):
    """Return the probability that each flight arrives late, shape (rows,)."""
    matrix = describe(batch)
    rows = np.arange(len(matrix))[:, None]
    node = np.zeros((len(matrix), len(TREES)), dtype=np.int64)
    for _ in range(MODEL["depth"]):
        value = matrix[rows, SPLIT[TREES, node]]
        node = 2 * node + 1 + (value > THRESHOLD[TREES, node])
    odds = MODEL["base"] + LEAF[TREES, node - SPLIT.shape[1]].sum(axis=1)
    return 1 / (1 + np.exp(-odds))


def describe(batch):
    """Return one column for each of ``MODEL["features"]``: numbers as they are, names by their usual lateness."""
    columns = []
    for name in MODEL["features"]:
        if name in MODEL["lateness"]:
            usual = MODEL["lateness"][name]
            columns.append([usual.get(value, MODEL["share"]) for value in batch[name]])
        else:
            value = np.asarray(batch[name], dtype=np.float64)
            columns.append(np.where(np.isnan(value), MODEL["fill"][name], value))
    return np.column_stack(columns)
