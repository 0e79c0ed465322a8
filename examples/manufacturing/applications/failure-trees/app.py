"""Boosted trees over the physics of a milling machine, followed with numpy alone."""

import json
from pathlib import Path

import numpy as np

MODEL = json.loads(Path(__file__).with_name("model.json").read_text())
SPLIT, THRESHOLD, LEAF = (np.array(MODEL[name]) for name in ("split", "threshold", "leaf"))
TREES = np.arange(len(SPLIT))
QUALITY = {"L": 0.0, "M": 1.0, "H": 2.0}


def predict(batch):
    """Return ``failure`` or ``normal`` for each workpiece, shape (rows,)."""
    return np.where(score(describe(batch)) >= MODEL["alarm_from"], "failure", "normal")


def describe(batch):
    """Return what makes a machine fail: heat, power and strain, in the order of ``MODEL["features"]``."""
    air, process, speed, torque, wear = (
        np.asarray(batch[name], dtype=np.float64)
        for name in ("air_temperature", "process_temperature", "rotational_speed", "torque", "tool_wear")
    )
    quality = np.array([QUALITY.get(kind, 1.0) for kind in batch["product_type"]])
    power = torque * speed * 2 * np.pi / 60
    return np.column_stack([process - air, speed, power, wear, wear * torque, torque, quality])


def score(matrix):
    """Return the log odds of a failure."""
    rows = np.arange(len(matrix))[:, None]
    node = np.zeros((len(matrix), len(TREES)), dtype=np.int64)
    for _ in range(MODEL["depth"]):
        value = matrix[rows, SPLIT[TREES, node]]
        node = 2 * node + 1 + (value > THRESHOLD[TREES, node])
    return MODEL["base"] + LEAF[TREES, node - SPLIT.shape[1]].sum(axis=1)
