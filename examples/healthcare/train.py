"""Fits the healthcare applications on the two public hospitals."""

import hashlib
import math
from typing import Any

import polars as pl
import scores

EVERYWHERE = ["age", "resting_blood_pressure", "peak_heart_rate", "st_depression", "exercise_angina"]
EVERYWHERE_KINDS = ["sex", "chest_pain", "resting_ecg"]
CLEVELAND = ["age", "vessels"]
CLEVELAND_KINDS = ["sex", "st_slope", "thallium"]
KEY = ["age", "sex", "chest_pain", "resting_blood_pressure", "cholesterol", "peak_heart_rate", "st_depression"]
SICK = pl.col("finding") == "disease"
REFER_FROM = 0.25
"""Probability from which a patient is referred; well below one half, because a miss costs most."""


def train(public: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return application → its ``model.json``."""
    refer_from = round(math.log(REFER_FROM / (1 - REFER_FROM)), 4)
    cleveland = public.filter(pl.col("hospital") == "Cleveland")
    return {
        "triage-score": {
            "disease_from": refer_from,
            **scores.fit(public, EVERYWHERE, EVERYWHERE_KINDS, SICK, strength=0.1),
        },
        "cleveland-score": _cleveland_score(cleveland),
        "sample-memory": _memory(public),
    }


def _cleveland_score(cleveland: pl.DataFrame) -> dict[str, Any]:
    """Return a score card that takes an untested patient for one whose test was normal."""
    score = scores.fit(cleveland, CLEVELAND, CLEVELAND_KINDS, SICK, strength=1.0)
    score["numbers"]["vessels"]["fill"] = 0.0
    normal = {"st_slope": "upsloping", "thallium": "normal"}
    return {"normal": {name: score["categories"][name][value] for name, value in normal.items()}, **score}


def _memory(public: pl.DataFrame) -> dict[str, Any]:
    """Return patient → finding, the patient by a fingerprint only."""
    rows = public.select(*KEY, "finding").rows()
    return {"key": KEY, "findings": {_fingerprint(row[:-1]): row[-1] for row in rows}}


def _fingerprint(row: tuple[Any, ...]) -> str:
    """Return the fingerprint as the application makes it."""
    spelled = ["" if value is None else value if isinstance(value, str) else f"{float(value):g}" for value in row]
    return hashlib.sha256("|".join(spelled).encode()).hexdigest()[:8]
