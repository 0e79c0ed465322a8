"""Functions that read a table in a box: `sandbox.box.own_program` calls them in the folder of the table."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from pilotbase.data.describing.observing import Column
from pilotbase.data.plain_columns import encode_columns
from pilotbase.data.quality.measuring import inferred_fields, profile_rows
from pilotbase.data.source_cases import CaseSource, WantedCases
from pilotbase.data.sources.opening import read_table
from pilotbase.documents.dataset import FieldType, RecordSet

TEXTS = "texts.bin"


def describe(given: dict[str, Any]) -> dict[str, Any]:
    """Return the names of the columns, the number of rows, how they were read, and their values, counted."""
    tempfile.tempdir = given["result"]  # temporary data of a table scan take no memory
    found = CaseSource(Path(given["table"]), Path(given["result"])).seen(WantedCases(""))
    fields = inferred_fields(_as_spelled(found.columns[one]) for one in found.table.columns)
    profile = profile_rows(RecordSet(name="cases", fields=fields), found.table.lazy())
    told = [sentence.model_dump(mode="json") for sentence in found.told]
    rows = found.rows if found.sampled else found.table.height
    return {"columns": found.table.columns, "rows": rows, "told": told, "profile": profile.to_json_value()}


def _as_spelled(column: Column) -> Column:
    """Return the column as its values are shown: 是 and 否 as they stand there."""
    return replace(column, data_type=FieldType.TEXT) if column.data_type is FieldType.BOOLEAN else column


def texts(given: dict[str, Any]) -> dict[str, Any]:
    """Return the names of the columns and the number of rows; every value, as text, is the file `TEXTS`."""
    tempfile.tempdir = given["result"]
    stored = read_table(Path(given["table"]))
    plain = [name for name, kind in stored.schema.items() if not (kind.is_nested() or kind == pl.Binary)]
    frame = stored.select(pl.col(plain).cast(pl.String))
    with Path(given["result"], TEXTS).open("xb") as written:
        written.writelines(encode_columns(frame))
    return {"columns": frame.columns, "rows": frame.height}
