"""A kept table of a dataset, opened by the worker under a leave for statistics."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import polars as pl

from pilotbase.data.quality.columns import ROW, RecordTable, record_table
from pilotbase.documents.dataset import Dataset, FileObject, RecordSet
from pilotbase.documents.errors import InputError
from pilotbase.documents.terms import AccessGrant, Action
from pilotbase.vault.dataset_files import KeptFile, find_kept, open_file
from pilotbase.worker.base import Base

ReadTexts = Callable[[Path], pl.DataFrame]
"""Reads every value of a table as text, in a box that sees only the folder of the table."""


def kept_table(base: Base, dataset: Dataset, record_set: RecordSet) -> KeptFile:
    """Return the kept file of a record set; raises `InputError` if there is none."""
    kept = {one.name: one for one in find_kept(base.lab.vault, dataset.subject, dataset.digest())}
    found = [kept[name] for name in table_names(dataset, record_set) if name in kept]
    if not found:
        raise InputError("statistics.not_kept", dataset=dataset.subject, found=record_set.name)
    return found[0]


def record_sets_kept(base: Base, dataset: Dataset) -> list[str]:
    """Return the record sets whose table the base keeps, in the order of the description."""
    kept = {one.name for one in find_kept(base.lab.vault, dataset.subject, dataset.digest())}
    return [one.name for one in dataset.record_sets if kept & set(table_names(dataset, one))]


def opened_table(base: Base, kept: KeptFile, leave: AccessGrant, record_set: RecordSet, read: ReadTexts) -> RecordTable:
    """Return the records of a kept file, every value as its file spells it; no opened data are left behind.

    Raises:
        RefusedError: the leave is not in force, or no longer.
        InputError: the file is no table.
    """
    frame = texts_of(kept, open_file(base.lab.vault, kept, leave, action=Action.COMPUTE_ON), read)
    return record_table(record_set, frame.lazy().with_row_index(ROW, offset=1))


def texts_of(kept: KeptFile, pieces: Iterable[bytes], read: ReadTexts) -> pl.DataFrame:
    """Return every value of a kept table as text, read in a box; ``pieces``: its bytes, under any leave.

    Raises:
        InputError: the file is no table.
    """
    with tempfile.TemporaryDirectory(prefix="pilotbase-table-") as outer:
        folder = Path(outer, "given")
        folder.mkdir()
        table = folder / f"table{Path(kept.name).suffix.lower()}"
        with table.open("wb") as written:
            written.writelines(pieces)
        return read(table)


def table_names(dataset: Dataset, record_set: RecordSet) -> Sequence[str]:
    """Return the names under which the file of a record set may be kept."""
    read = {field.source.resource for field in record_set.fields if field.source is not None}
    files = [one for one in dataset.distribution if isinstance(one, FileObject)]
    own = [one for one in files if one.id in read] or (files if len(dataset.record_sets) == 1 else [])
    return [name for one in own for name in (one.file_name, one.id)]
