"""Ours: FILE and ``rules`` (these and the types alone), ``profile`` (that too), ``quick`` (measures of one pass too).

``whole``: distributions, keys, duplicates and near copies too. ``long`` and NUMBERS: the same of a long table, with a
reference to these.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from benchmarks.data.table import dataset, long_dataset  # noqa: E402
from benchmarks.peers.programs.timing import say  # noqa: E402
from pilotbase.data.quality.checks import CheckCount, RowCheck, row_checks  # noqa: E402
from pilotbase.data.quality.columns import RecordTable, open_record_table  # noqa: E402
from pilotbase.data.quality.measuring import (  # noqa: E402
    ReferenceData,
    count_all,
    measure_quality,
)
from pilotbase.data.quality.profiling import profile, profile_counts  # noqa: E402

FILE, EXTENT = Path(sys.argv[1]), sys.argv[2]


def rules() -> int:
    table = open_record_table(dataset().record_sets[0], FILE, FILE.parent)
    return int(count_all(table, checked(table))["failed range f0"])


def profiled() -> int:
    table = open_record_table(dataset().record_sets[0], FILE, FILE.parent)
    counts = count_all(table, [*checked(table), *profile_counts(table)])
    assert len(profile(table, counts, None, most=0).fields) == len(table.columns)
    return int(counts["failed range f0"])


def checked(table: RecordTable) -> list[CheckCount]:
    checks = [check for check in row_checks(table) if isinstance(check, RowCheck)]
    return [count for check in checks for count in (check.evaluated, check.failed)]


def whole() -> int:
    report = measure_quality(dataset(), {"bench": FILE}, ReferenceData(quick=EXTENT == "quick"))
    return report.rule("range f0").failed or 0


def long() -> dict[str, int]:
    held = ReferenceData(beside={"numbers": Path(sys.argv[3])})
    report = measure_quality(long_dataset(), {"bench": FILE}, held)
    failed = {name: report.rule(name).failed or 0 for name in ("range f0", "key", "reference i3")}
    return failed | {"distinct": int(report.measurement("uniqueness").numerator or 0)}


WORK = {"rules": rules, "profile": profiled, "quick": whole, "whole": whole, "long": long}
say(WORK[EXTENT], ("pilotbase", "polars"))
