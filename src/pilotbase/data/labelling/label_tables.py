"""Labels, decisions and audits in plain tables: one row each, by the names of their columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl

from pilotbase.data.labelling.found_labels import FileLabels, FoundLabel, LabelSpan, is_name, read_moment
from pilotbase.data.sources.opening import read_table
from pilotbase.documents.errors import InputError
from pilotbase.documents.files import read_cell
from pilotbase.documents.texts import text

LABEL_COLUMNS = ("item", "annotator", "label")


class LabelRow(NamedTuple):
    """One row: its cells by column, without those that are empty, and its place."""

    cells: dict[str, str]
    place: LabelSpan


def read_label_table(path: Path) -> FileLabels:
    """Return the labels of a table of ``item,annotator,label`` and, if it is there, ``at`` (ISO 8601 with its zone).

    A row without a label was left open by its annotator. Raises as `read_rows`.
    """
    found = FileLabels()
    for row in read_rows(path, LABEL_COLUMNS):
        item, account, label = (row.cells.get(name) for name in LABEL_COLUMNS)
        if item is None or account is None:
            name = "item" if item is None else "annotator"
            found.issues.append(row.place.issue(text("labelling.empty_cell", column=name)))
        elif label is None:
            found.left_out["empty"] += 1
        elif not all(map(is_name, (item, account, label))):
            found.issues.append(row.place.issue(text("labelling.no_name")))
        else:
            found.labels.append(FoundLabel(item, account, label, moment_in(row, found), row.place))
    return found


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[LabelRow]:
    """Yield the rows of a table (CSV, Parquet or XLSX) that has at least ``columns``.

    Raises:
        InputError: as `pilotbase.data.sources.opening.read_table`; or columns are lacking.
    """
    frame = read_texts(path)
    names = [name.strip().lower() for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError("data.double_column", file=path.name, found=", ".join(twice))
    frame.columns = names
    lacking = [name for name in columns if name not in frame.columns]
    if lacking:
        raise InputError("labelling.lacking_columns", file=path.name, lacking=lacking, found=frame.columns[:50])
    for number, row in enumerate(frame.iter_rows(named=True)):
        cells = {name: read_cell(cell) for name, cell in row.items() if cell}
        yield LabelRow(cells, LabelSpan(path.name, line=number + 2))


def read_texts(path: Path) -> pl.DataFrame:
    """Return a table with all of its cells as texts without blanks at their ends; raises as `read_rows`."""
    try:
        return read_table(path).with_columns(pl.all().cast(pl.String).str.strip_chars())
    except pl.exceptions.PolarsError as error:  # a cell that is a list of its own
        raise InputError("data.not_a_table", file=path.name, reason=str(error).partition("\n")[0][:80]) from None


def moment_in(row: LabelRow, found: FileLabels) -> datetime | None:
    """Return when, where the row says so; what is no moment is one of the file's problems."""
    written = row.cells.get("at")
    if written is None:
        return None
    try:
        return read_moment(written)
    except ValueError:
        found.issues.append(row.place.issue(text("labelling.no_moment", found=written[:80])))
        return None
