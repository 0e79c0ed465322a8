"""A file measured on the spot: its record set in a description, the tables it refers to, and the report as files."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import NamedTuple

from pilotbase.data.bridges.reading import load_description
from pilotbase.data.describing.observing import observe
from pilotbase.data.quality.measuring import ReferenceData, measure_quality
from pilotbase.data.quality.page import render_quality
from pilotbase.data.quality.release import released
from pilotbase.data.sources.opening import open_source, scanning
from pilotbase.data.sources.source import ReadOptions
from pilotbase.documents.dataset import DataField, Dataset, FileObject, RecordSet
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import load_document
from pilotbase.documents.nearest import offer
from pilotbase.documents.progress import OnProgress, ignore_progress
from pilotbase.documents.quality import QualityReference, QualityReport
from pilotbase.documents.scenario import Contact
from pilotbase.documents.texts import Language

REPORT, PAGE = "quality.json", "quality.html"


class FileInput(NamedTuple):
    """A request to measure a file. ``full``: for the owner, nothing is left out of the report."""

    file: Path
    description: Path | None = None
    reference: Path | None = None
    quick: bool = False
    full: bool = False


def measure_file(given: FileInput, on_progress: OnProgress = ignore_progress) -> QualityReport:
    """Return the report on a file; without a description its columns are taken as they are.

    Raises:
        InputError: as `measure_quality`; every problem of the description or the reference; ``quality.no_record_set``.
    """
    dataset = (
        load_description(given.description).description.require() if given.description else inferred_dataset(given.file)
    )
    record_set = record_set_of(dataset, given.file)
    held = ReferenceData(
        reference=load_document(QualityReference, given.reference) if given.reference else QualityReference(),
        folder=given.reference.parent if given.reference else Path(),
        beside=_referred_to(dataset, record_set, given.description.parent) if given.description else {},
        quick=given.quick,
    )
    report = measure_quality(dataset, {record_set.name: given.file}, held, on_progress)
    return report if given.full else released(report, dataset)


def inferred_dataset(path: Path) -> Dataset:
    """Return a dataset of a file without a description: columns of the types that they have, and no promises.

    Raises:
        InputError: as `open_source`.
    """
    with tempfile.TemporaryDirectory(prefix="pilotbase-quality-") as scratch, scanning(path):
        table = open_source(str(path), Path(scratch), ReadOptions(quick=True)).only()
        columns = observe(table)
    name = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")[:60] or "table"
    fields = tuple(
        DataField(name=one.name, data_type=one.data_type, missing=("", *one.spellings), repeated=one.repeated)
        for one in columns
    )
    return Dataset(
        name=name,
        title=path.name,
        owner=Contact(organisation="unknown"),
        record_sets=(RecordSet(name=name, fields=fields),),
    )


def write_report(report: QualityReport, folder: Path, language: Language = "en") -> Path:
    """Write the document and its page into ``folder``; return the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    spelled = json.dumps(report.to_json_value(), ensure_ascii=False, indent=1)
    (folder / REPORT).write_text(spelled + "\n", "utf-8")
    (folder / PAGE).write_text(render_quality(report, language), "utf-8")
    return folder / PAGE


def record_set_of(dataset: Dataset, file: Path) -> RecordSet:
    """Return the record set that is read from ``file``, or the only one."""
    found = [one for one in dataset.record_sets if file.name in _files_of(dataset, one)]
    if not found and len(dataset.record_sets) == 1:
        return dataset.record_sets[0]
    if not found:
        names = [one.name for one in dataset.record_sets]
        raise InputError("quality.no_record_set", file=file.name, allowed=offer(file.stem, names))
    return found[0]


def _files_of(dataset: Dataset, record_set: RecordSet) -> set[str]:
    """Return the names of the files from which a record set is read."""
    read = {field.source.resource for field in record_set.fields if field.source is not None}
    return {
        Path(one.content_url).name
        for one in dataset.distribution
        if isinstance(one, FileObject) and one.id in read and one.content_url is not None
    }


def _referred_to(dataset: Dataset, record_set: RecordSet, folder: Path) -> dict[str, Path]:
    """Return the tables of other record sets to which this one refers, if they are beside the description."""
    wanted = {field.references.record_set for field in record_set.fields if field.references} - {record_set.name}
    return {
        name: folder / file
        for name in sorted(wanted)
        for file in sorted(_files_of(dataset, dataset.record_set(name)))
        if (folder / file).is_file()
    }
