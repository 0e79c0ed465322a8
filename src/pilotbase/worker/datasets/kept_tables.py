"""A kept table of a dataset, opened by the worker under a leave for statistics."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import polars as pl

from pilotbase.data.quality.columns import ROW, RecordTable, record_table
from pilotbase.data.terms.evaluating import budgets
from pilotbase.documents.dataset import Dataset, FileObject, RecordSet
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.states import DatasetState
from pilotbase.documents.subjects import Subject
from pilotbase.documents.terms import AccessGrant, Action
from pilotbase.documents.vocabularies import Opening
from pilotbase.vault.dataset_files import KeptFile, find_kept, open_file
from pilotbase.worker.base import Base
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View

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


def offered(base: Base, view: View, dataset: Subject) -> list[str]:
    """Return the record sets of a closed, published dataset on which the actor may order statistics."""
    listing = find_listing(view, dataset)
    if listing is None or listing.state != DatasetState.PUBLISHED or not view.actor.organisation:
        return []
    described = view.load(listing.digest, Dataset)
    own = next((one for one in budgets(view, dataset) if one.organisation == view.actor.organisation), None)
    if described.opening is not Opening.COMPUTE_TO_DATA or own is None or own.limit == 0:
        return []
    return record_sets_kept(base, described)


def kept_record_set(base: Base, dataset: Dataset, wanted: str) -> RecordSet:
    """Return the record set of that name, '' for the first one whose table the base keeps.

    Raises:
        InputError: there is none of that name, or its table is not kept.
    """
    names, kept = [one.name for one in dataset.record_sets], record_sets_kept(base, dataset)
    if wanted and wanted not in names:
        raise InputError("private.no_record_set", found=wanted, allowed=offer(wanted, names))
    name = wanted or next(iter(kept), "")
    if name not in kept:
        raise InputError("statistics.not_kept", dataset=dataset.subject, found=name or "–")
    return dataset.record_set(name)


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
