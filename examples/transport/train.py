"""Fits the transport applications on the public sample (January to October)."""

import math
from typing import Any

import numpy as np
import polars as pl
import scores
import trees
from sklearn.ensemble import GradientBoostingClassifier

LATE = pl.col("arrival") == "late"
NAMES = ["carrier", "destination", "origin"]
NUMBERS = [
    "hour",
    "weekday",
    "distance",
    "departures_in_hour",
    "recent_delay",
    "temperature",
    "humidity",
    "wind_speed",
    "precipitation",
    "visibility",
]
CARD_NUMBERS = ["hour", "recent_delay", "visibility", "humidity", "departures_in_hour"]
LEAN = 0.25
"""How far the log odds are raised: the desk would rather be warned once too often."""
DOUBT = 100
"""So many average flights are added to every airline and destination before its share of late ones is taken."""


def train(public: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return application → its ``model.json``."""
    january = public.filter(pl.col("scheduled_departure").dt.month() == 1)
    return {
        "delay-trees": _delay_trees(public),
        "carrier-ranking": {
            "share": _share(january),
            "late_in_january": _lateness(january, "carrier", 0),
        },
        "first-impression": scores.fit(public, CARD_NUMBERS, ["origin"], LATE, strength=1.0),
    }


def _delay_trees(public: pl.DataFrame) -> dict[str, Any]:
    share = _share(public)
    lateness = {name: _lateness(public, name, DOUBT) for name in NAMES}
    fill = {name: round(float(np.median(public[name].drop_nulls().to_numpy())), 2) for name in NUMBERS}
    columns = [public[name].replace_strict(lateness[name]) for name in NAMES]
    columns += [public[name].fill_null(fill[name]) for name in NUMBERS]
    matrix = np.column_stack([column.cast(pl.Float64).to_numpy() for column in columns])
    late = (public["arrival"] == "late").to_numpy()
    model = GradientBoostingClassifier(
        n_estimators=150, max_depth=4, learning_rate=0.12, subsample=0.5, max_features=5, random_state=0
    )
    exported = trees.export(model.fit(matrix, late), [*NAMES, *NUMBERS], math.log(share / (1 - share)))
    return {"share": share, "lean": LEAN, "lateness": lateness, "fill": fill, **exported}


def _share(flights: pl.DataFrame) -> float:
    return round(float((flights["arrival"] == "late").to_numpy().mean()), 4)


def _lateness(flights: pl.DataFrame, name: str, doubt: int) -> dict[str, float]:
    """Return value → share of late flights, pulled towards the mean by ``doubt`` flights."""
    share = (LATE.sum() + doubt * _share(flights)) / (pl.len() + doubt)
    return dict(flights.group_by(name).agg(share.round(4)).sort(name).rows())
