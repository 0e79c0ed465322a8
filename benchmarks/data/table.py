"""A table of 20 columns with a known number of faults, and the dataset whose contract has twenty rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from pilotbase.documents.dataset import DataField, Dataset, FieldType, RecordSet, Reference, RowRule
from pilotbase.documents.scenario import Contact

SEED = 20261126
MILLION, REPEATED, KNOWN = 1_000_000, 37, 990
"""`REPEATED` of a million rows of a long table repeat a key; its references by ``i3`` resolve below `KNOWN`."""
WORDS = ("alpha", "beta", "gamma", "delta", "epsilon")
MISSING = ("f5", "i4", "s6")
"""Columns in each of which a hundredth is missing."""


def table(rows: int) -> pl.DataFrame:
    """Return six columns of floats, five of whole numbers, seven of texts, a truth and a time.

    In ``f0`` one value in two hundred is out of range.
    """
    draw = np.random.default_rng(SEED)
    floats = {f"f{number}": draw.uniform(0, 100, rows) for number in range(6)}
    floats["f1"] = np.minimum(floats["f1"], floats["f2"])
    floats["f0"][draw.permutation(rows)[: rows // 200]] = 150.0
    numbers = {f"i{number}": draw.integers(0, 1000, rows) for number in range(5)}
    numbers["i1"] = np.minimum(numbers["i1"], numbers["i2"])
    texts = {f"s{number}": np.array(WORDS)[draw.integers(0, len(WORDS), rows)] for number in range(4)}
    codes = {f"s{number}": [f"AB-{code:06d}" for code in draw.integers(0, 10**6, rows)] for number in (4, 5)}
    notes = {"s6": [f"note {code}" for code in draw.integers(0, 10**6, rows)]}
    rest = {
        "b": draw.random(rows) < 0.5,
        "t": np.datetime64("2026-01-01", "us") + np.sort(draw.integers(0, 10**13, rows)),
    }
    frame = pl.DataFrame({**floats, **numbers, **texts, **codes, **notes, **rest})
    gone = {name: pl.Series(draw.random(rows) < 0.01) for name in MISSING}
    return frame.with_columns(pl.when(~gone[name]).then(pl.col(name)).alias(name) for name in MISSING)


def faults(rows: int) -> int:
    """Return how many values of ``f0`` are out of range."""
    return rows // 200


def dataset() -> Dataset:
    """Return the dataset with its twenty rules, besides the types."""
    return Dataset(
        name="bench",
        title="Bench",
        owner=Contact(organisation="bench"),
        purpose="statistics",
        record_sets=(RecordSet(name="bench", fields=_fields(), rules=_rules()),),
    )


def _fields() -> tuple[DataField, ...]:
    required = ("i0", "f0", "s0", "t")
    kinds = {f"f{number}": FieldType.FLOAT for number in range(6)}
    kinds |= {f"i{number}": FieldType.INTEGER for number in range(5)}
    kinds |= {f"s{number}": FieldType.TEXT for number in range(7)}
    kinds |= {"b": FieldType.BOOLEAN, "t": FieldType.DATETIME}
    promised: dict[str, dict[str, object]] = {
        **{f"f{number}": {"minimum": 0, "maximum": 100} for number in range(5)},
        **{f"i{number}": {"minimum": 0, "maximum": 999} for number in range(3)},
        **{f"s{number}": {"values": WORDS} for number in range(4)},
        **{f"s{number}": {"pattern": "AB-[0-9]{6}"} for number in (4, 5)},
    }
    return tuple(
        DataField(name=name, data_type=kind, required=name in required, **promised.get(name, {}))
        for name, kind in kinds.items()
    )


def _rules() -> tuple[RowRule, ...]:
    return RowRule(name="floats-in-order", rule="f1 <= f2"), RowRule(name="numbers-in-order", rule="i1 <= i2")


def write(rows: int, folder: Path) -> tuple[Path, Path]:
    """Write the table as Parquet and CSV; return both paths."""
    frame = table(rows)
    frame.write_parquet(parquet := folder / "bench.parquet", row_group_size=250_000)
    frame.write_csv(csv := folder / "bench.csv")
    return parquet, csv


def long_dataset() -> Dataset:
    """Return the dataset of a long table: the same with a key, a label, and a reference to a list of numbers."""
    more: dict[str, dict[str, object]] = {
        "i3": {"references": Reference(record_set="numbers", field="number")},
        "s3": {"semantic": ("cr:Label",)},
    }
    fields = tuple(one.model_copy(update=more.get(one.name, {})) for one in _fields())
    key = DataField(name="id", data_type=FieldType.INTEGER, required=True)
    number = DataField(name="number", data_type=FieldType.INTEGER)
    long = RecordSet(name="bench", fields=(key, *fields), rules=_rules(), key=("id",))
    return dataset().model_copy(update={"record_sets": (long, RecordSet(name="numbers", fields=(number,)))})


def long_table(parquet: Path, millions: int) -> pl.LazyFrame:
    """Yield the table so many times over, streaming, each row with an ``id``; some repeat an earlier one."""
    below = pl.concat([pl.scan_parquet(parquet)] * millions).with_row_index("id")
    number = pl.col("id").cast(pl.Int64)
    repeats = (number % MILLION < 2 * REPEATED) & (number % 2 == 1)
    return below.with_columns(pl.when(repeats).then(number - 1).otherwise(number).alias("id"))


def long_faults(parquet: Path, millions: int) -> dict[str, int]:
    """Return the planted faults of a long table: values out of range, repeated keys, dangling references."""
    led_nowhere = pl.scan_parquet(parquet).select((pl.col("i3") >= KNOWN).sum()).collect().item()
    found = {"range f0": faults(MILLION), "key": REPEATED, "reference i3": led_nowhere}
    return {name: number * millions for name, number in found.items()} | {"distinct": millions * MILLION}


def write_numbers(folder: Path) -> Path:
    """Write the list to which a long table refers."""
    pl.DataFrame({"number": range(KNOWN)}).write_parquet(path := folder / "numbers.parquet")
    return path
