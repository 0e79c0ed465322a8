"""Draws the forecasts of the example ``forecasting``, without what reserves were bought by."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

LEFT_OUT = "bought_by"


def write(folder: Path) -> None:
    """Write ``cases.csv``."""
    spec = importlib.util.spec_from_file_location("forecasts", Path(__file__).parents[1] / "forecasting" / "make.py")
    drawn = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawn)
    kept = [at for at, name in enumerate(drawn.COLUMNS) if name != LEFT_OUT]
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerows([row[at] for at in kept] for row in (drawn.COLUMNS, *drawn.forecasts(drawn.SEED)))
