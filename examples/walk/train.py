"""Fits both versions of the walk's application on the public sample (January and February)."""

import math
from typing import Any

import numpy as np
import polars as pl
import scores
import trees
from sklearn.ensemble import GradientBoostingClassifier

LATE = pl.col("arrival") == "late"
NAMES = ["carrier", "origin"]
TIMETABLE = ["hour", "weekday", "distance", "departures_in_hour", "recent_delay", "visibility", "precipitation"]
WEATHER = [*TIMETABLE, "temperature", "humidity", "wind_speed"]
DOUBT = 100
"""So many average flights are added to every airline before its share of late ones is taken."""


def train(public: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return application → its ``model.json``."""
    return {
        "late-arrivals-1": _boosted(public, TIMETABLE),
        "late-arrivals-2": scores.fit(public, WEATHER, NAMES, LATE, strength=1.0),
    }


def _boosted(public: pl.DataFrame, numbers: list[str]) -> dict[str, Any]:
    late = (public["arrival"] == "late").to_numpy()
    share = round(float(late.mean()), 4)
    lateness = {name: _lateness(public, name, share) for name in NAMES}
    fill = {name: round(float(np.median(public[name].drop_nulls().to_numpy())), 2) for name in numbers}
    columns = [public[name].replace_strict(lateness[name]) for name in NAMES]
    columns += [public[name].fill_null(fill[name]) for name in numbers]
    matrix = np.column_stack([column.cast(pl.Float64).to_numpy() for column in columns])
    model = GradientBoostingClassifier(n_estimators=100, max_depth=3, learning_rate=0.1, subsample=0.5, random_state=0)
    exported = trees.export(model.fit(matrix, late), [*NAMES, *numbers], math.log(share / (1 - share)))
    return {"share": share, "lateness": lateness, "fill": fill, **exported}


def _lateness(flights: pl.DataFrame, name: str, share: float) -> dict[str, float]:
    """Return value → share of late flights, pulled towards the mean."""
    pulled = (LATE.sum() + DOUBT * share) / (pl.len() + DOUBT)
    return dict(flights.group_by(name).agg(pulled.round(4)).sort(name).rows())
