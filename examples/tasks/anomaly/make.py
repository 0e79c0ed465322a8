"""Draws minutes of ten pumps: load wanders, vibration follows it, and now and then a bearing is faulty for a while."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

PUMPS, MINUTES = 10, 120
SEED = 20260915
COLUMNS = ("pump", "minute", "load", "rms", "kurtosis", "high_band", "temperature", "bearing")


def write(folder: Path) -> None:
    """Write ``cases.csv``."""
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        table.writerows(minutes(SEED))


def minutes(seed: int) -> list[tuple]:
    """Return the minutes of all pumps, one row each, in the order of `COLUMNS`."""
    draw = np.random.default_rng(seed)
    rows = []
    for pump in range(PUMPS):
        faulty = episodes(draw)
        load = 70 + 18 * np.sin(np.arange(MINUTES) / 15 + draw.uniform(0, 6)) + draw.normal(0, 5, MINUTES)
        for minute in range(MINUTES):
            rows.append((f"p{pump:02}", minute, *sensors(load[minute], faulty[minute], draw)))
    return rows


def episodes(draw: np.random.Generator) -> np.ndarray:
    """Return in which minutes a bearing is faulty: two or three stretches of 8 to 16."""
    faulty = np.zeros(MINUTES, dtype=bool)
    for start in draw.choice(MINUTES - 16, draw.integers(2, 4), replace=False):
        faulty[start : start + draw.integers(8, 17)] = True
    return faulty


def sensors(load: float, faulty: bool, draw: np.random.Generator) -> tuple:
    """Return load, vibration, kurtosis, share of high frequencies, temperature and what is the matter."""
    wear = draw.gamma(6, 1 / 6) if faulty else 0.0
    rms = 0.045 * load + 0.4 * wear + draw.normal(0, 0.4)
    kurtosis = 3 + 2.4 * wear + draw.gamma(2, 0.35)
    high = 0.12 + 0.13 * wear + draw.normal(0, 0.045)
    temperature = 35 + 0.25 * load + 3 * wear + draw.normal(0, 2)
    measured = (load, max(rms, 0.1), kurtosis, min(max(high, 0.0), 1.0), temperature)
    return (*(round(float(value), 4) for value in measured), "faulty" if faulty else "fine")
