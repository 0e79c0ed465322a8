"""Fits load-regression on other districts: ``python examples/tasks/forecasting/train.py``. Least squares by lead."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from make import COLUMNS, LEADS, SEED, forecasts

ELSEWHERE = range(SEED + 1, SEED + 7)
PULL = 3.0
SURE = 0.93


def main() -> None:
    """Write the weights, and for `forecasting-interval` how far off they were, too."""
    rows = [dict(zip(COLUMNS, row, strict=True)) for seed in ELSEWHERE for row in forecasts(seed)]
    weights, off = {}, {}
    for lead in LEADS:
        chosen = [row for row in rows if row["lead"] == lead]
        values, loads = np.array([inputs(row) for row in chosen]), np.array([row["load"] for row in chosen])
        found = np.linalg.solve(values.T @ values + PULL * np.eye(values.shape[1]), values.T @ loads)
        weights[str(lead)] = [round(float(weight), 4) for weight in found]
        off[str(lead)] = round(float(np.quantile(abs(values @ found - loads), SURE)), 2)
    here = Path(__file__).resolve().parent
    keep({"weights": weights}, here / "applications" / "load-regression")
    keep({"weights": weights, "off": off}, here.with_name("forecasting-interval") / "applications" / "load-interval")


def keep(model: dict, application: Path) -> None:
    """Write a model beside the code that reads it."""
    (application / "model.json").write_text(json.dumps(model) + "\n", "utf-8")


def inputs(row: dict) -> list[float]:
    """Return what the model sees of a row, as its ``app.py`` does."""
    place = row["hour"] + 24 * (row["weekend"] == "true")
    cold = max(18 - row["temperature"], 0)
    return [
        *(float(at == place) for at in range(48)),
        cold,
        row["load_now"] / 10,
        row["load_day_before"] / 10,
        row["load_week_before"] / 10,
    ]


if __name__ == "__main__":
    main()
