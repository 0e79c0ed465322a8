"""Fits note-reader on notes of another port: ``python examples/tasks/multilabel/train.py``.

A logistic regression for each fault over pairs of letters, by gradient descent.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
from make import SEED, notes

CASES, ROUNDS, STEP, PULL = 500, 300, 0.5, 2e-3
APPLICATION = Path(__file__).with_name("applications") / "note-reader"


def main() -> None:
    """Write the weights of each fault: of every pair of letters, and where it starts."""
    rows = notes(SEED + 1, CASES)
    pairs = [reader().pairs(note) for _, _, note, _ in rows]
    known = sorted(set().union(*pairs))
    values = np.array([[float(pair in seen) for pair in known] for seen in pairs])
    faults = sorted({fault for *_, named in rows for fault in named.split("|") if fault})
    model = {}
    for fault in faults:
        start, weights = logistic(values, np.array([fault in named.split("|") for *_, named in rows], dtype=float))
        kept = {pair: round(float(one), 2) for pair, one in zip(known, weights, strict=True) if abs(one) > 0.05}
        model[fault] = {"start": round(float(start), 2), "pairs": kept}
    (APPLICATION / "model.json").write_text(json.dumps(model, ensure_ascii=False) + "\n", "utf-8")


def reader():
    """Return the application's module: pairs are made in one place."""
    spec = importlib.util.spec_from_file_location("note_reader", APPLICATION / "app.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def logistic(values: np.ndarray, truth: np.ndarray) -> tuple[float, np.ndarray]:
    """Return start and weights with a quadratic pull to zero."""
    start, weights = 0.0, np.zeros(values.shape[1])
    for _ in range(ROUNDS):
        off = truth - 1 / (1 + np.exp(-(values @ weights + start)))
        start += STEP * off.mean()
        weights += STEP * (values.T @ off / len(values) - PULL * weights)
    return start, weights


if __name__ == "__main__":
    main()
