"""A labelled table with a key, faults, classes and coarse cells is measured in memory that does not grow with its rows.

Whoever wrote the file chose the size of its row groups: the whole table may be one.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

MOST = 450
"""MiB at any time (375 seen, 415 on a busy machine); the
rows of 8 million decoded take 600, and what is held of each for keys and cells 700 more."""
MEASURE = """
import json, re, sys, threading, time
from pathlib import Path
from pilotbase.data.quality.measuring import measure_quality
from pilotbase.documents.dataset import DataField, Dataset, FieldType, RecordSet
from pilotbase.documents.scenario import Contact

def anonymous():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

def watch():
    while True:
        most[0] = max(most[0], anonymous())
        time.sleep(0.005)

kinds = {"id": FieldType.INTEGER, "heat": FieldType.FLOAT, "note": FieldType.TEXT, "shift": FieldType.INTEGER,
         "failed": FieldType.TEXT}
more = {"heat": {"minimum": 0, "maximum": 90}, "failed": {"semantic": ("cr:Label",), "values": ("yes", "no")},
        "shift": {"sensitivity": "quasi_identifier"}}
fields = tuple(DataField(name=name, data_type=kind, **more.get(name, {})) for name, kind in kinds.items())
held = Dataset(name="runs", title="Runs", owner=Contact(organisation="plant"), purpose="statistics",
               record_sets=(RecordSet(name="runs", fields=fields, key=("id",)),))
most = [0.0]
threading.Thread(target=watch, daemon=True).start()
report = measure_quality(held, {"runs": Path(sys.argv[1])})
print(json.dumps([most[0], report.rule("range heat").failed, report.rule("key").failed]))
"""


def peak(folder: Path, millions: int, group: int) -> float:
    rows = millions * 1_000_000
    number = pl.int_range(rows, eager=False).alias("id")
    drawn = pl.LazyFrame({"at": [0]}).select(number)
    table = drawn.with_columns(
        pl.when(pl.col("id") % 100_000 == 1).then(pl.col("id") - 1).otherwise(pl.col("id")).alias("id"),
        (pl.col("id") % 100).cast(pl.Float64).alias("heat"),
        pl.format("note {} of this run", pl.col("id")).alias("note"),
        (pl.col("id") % 2).alias("shift"),
        pl.when(pl.col("id") % 7 == 0).then(pl.lit("yes")).otherwise(pl.lit("no")).alias("failed"),
    )
    table.sink_parquet(folder / f"{millions}.parquet", row_group_size=group)
    environment = {**os.environ, "POLARS_MAX_THREADS": "1", "TMPDIR": str(folder)}
    command = [sys.executable, "-c", MEASURE, str(folder / f"{millions}.parquet")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=True)
    most, hot, double = json.loads(done.stdout)
    assert (hot, double) == (rows * 9 // 100, rows // 100_000)
    return most


@pytest.mark.prove
@pytest.mark.parametrize("group", [250_000, 8_000_000])
def test_memory_does_not_grow_with_labelled_rows(tmp_path, group):
    """What is held of keys and cells before it goes to disk fills up within some five million rows."""
    few, many = peak(tmp_path, 8, group), peak(tmp_path, 16, group)
    assert many < min(MOST, 1.2 * few), (few, many)
