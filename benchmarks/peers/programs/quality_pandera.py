"""The peer: pandera on an eager Polars table, every problem gathered, Parquet read included: FILE. No profile."""

from __future__ import annotations

import sys

import pandera.polars as pa
import polars as pl
from quality_rules import LISTS, PAIRS, PATTERN, PATTERNS, RANGES, REQUIRED, WORDS
from timing import say


def _checks(name: str) -> list[pa.Check]:
    found = [pa.Check.in_range(*RANGES[name])] if name in RANGES else []
    found += [pa.Check.isin(WORDS)] if name in LISTS else []
    return found + ([pa.Check.str_matches(PATTERN)] if name in PATTERNS else [])


def _ordered(less: str, more: str) -> pa.Check:
    return pa.Check(lambda data: data.lazyframe.select(pl.col(less) <= pl.col(more)))


NAMES = sorted({*REQUIRED, *RANGES, *LISTS, *PATTERNS})
SCHEMA = pa.DataFrameSchema(
    {name: pa.Column(checks=_checks(name), nullable=name not in REQUIRED) for name in NAMES},
    checks=[_ordered(less, more) for less, more in PAIRS],
)


def work() -> int:
    try:
        SCHEMA.validate(pl.read_parquet(sys.argv[1]), lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.filter(pl.col("column") == "f0")
        return cases.height
    return 0


say(work, ("pandera", "polars"))
