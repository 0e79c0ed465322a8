"""Functions that read a table in a box: `sandbox.box.own_program` calls them in the folder of the table."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from pilotbase.data.plain_columns import encode_columns
from pilotbase.data.source_cases import columns_of
from pilotbase.data.sources.opening import read_table

TEXTS = "texts.bin"


def describe(given: dict[str, Any]) -> dict[str, Any]:
    """Return the names of the columns and the number of rows."""
    tempfile.tempdir = given["result"]  # temporary data of a table scan take no memory
    columns, rows = columns_of(Path(given["table"]), Path(given["result"]))
    return {"columns": columns, "rows": rows}


def texts(given: dict[str, Any]) -> dict[str, Any]:
    """Return the names of the columns and the number of rows; every value, as text, is the file `TEXTS`."""
    tempfile.tempdir = given["result"]
    stored = read_table(Path(given["table"]))
    plain = [name for name, kind in stored.schema.items() if not (kind.is_nested() or kind == pl.Binary)]
    frame = stored.select(pl.col(plain).cast(pl.String))
    with Path(given["result"], TEXTS).open("xb") as written:
        written.writelines(encode_columns(frame))
    return {"columns": frame.columns, "rows": frame.height}
