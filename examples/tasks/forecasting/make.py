"""Draws the hourly load of a district for 140 days, and forecasts to be made of it: a row is an origin and a lead."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

DAYS, BEGIN = 140, datetime(2025, 1, 6)  # noqa: DTZ001 - local time, as the meters have it
LEADS = (1, 6, 12, 24)
SEED = 20260916
COLUMNS = (
    "time", "lead", "hour", "weekend", "temperature", "load_now", "load_day_before", "load_week_before", "bought_by",
    "load",
)  # fmt: skip


def write(folder: Path) -> None:
    """Write ``cases.csv``."""
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        table.writerows(forecasts(SEED))


def forecasts(seed: int) -> list[tuple]:
    """Return a row for each origin and lead, in the order of `COLUMNS`; an origin every six hours."""
    draw = np.random.default_rng(seed)
    temperature, load = hours(draw)
    rows = []
    for origin in range(7 * 24, DAYS * 24 - max(LEADS), 6):
        for lead in LEADS:
            hour = origin + lead
            time = BEGIN + timedelta(hours=hour)
            told = temperature[hour] + draw.normal(0, 0.04 * lead + 0.2)
            known = (told, load[origin], load[hour - 24], load[hour - 168], load[hour - 168], load[hour])
            weekend = "true" if time.weekday() >= 5 else "false"
            rows.append((time.isoformat(), lead, time.hour, weekend, *(round(float(value), 2) for value in known)))
    return rows


def hours(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return temperature and load of each hour, shape (hours,): °C, MW."""
    hour = np.arange(DAYS * 24)
    fronts = wandering(draw, 0.995, 0.45)
    temperature = 6 + 5 * np.sin(2 * np.pi * (hour % 24 - 9) / 24) + 6 * hour / len(hour) + fronts
    weekend = (hour // 24) % 7 >= 5
    day = 70 * np.sin(2 * np.pi * (hour % 24 - 8) / 24) + 45 * np.sin(4 * np.pi * (hour % 24 - 5) / 24)
    heating = 7 * np.maximum(18 - temperature, 0)
    return temperature, 420 + day * np.where(weekend, 0.6, 1.0) - 55 * weekend + heating + wandering(draw, 0.9, 7)


def wandering(draw: np.random.Generator, keep: float, step: float) -> np.ndarray:
    """Return a series that forgets its past by ``keep`` an hour, shape (hours,)."""
    values = np.zeros(DAYS * 24)
    for at in range(1, len(values)):
        values[at] = keep * values[at - 1] + draw.normal(0, step)
    return values
