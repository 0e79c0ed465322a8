"""A dataset in another format, with its measurements; in a format of records, with its records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pilotbase.data.bridges import bridges
from pilotbase.data.bridges.definition import Bridge, Written
from pilotbase.data.bridges.tc609 import write_records
from pilotbase.data.croissant.findings import FIGURES, NOTHING, FieldStatistics, Measured, Measurement
from pilotbase.data.sources.opening import read_table
from pilotbase.documents.dataset import DataField, Dataset, FieldType, FileObject, RecordSet
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.hashes import digest_of
from pilotbase.documents.loading import load_document
from pilotbase.documents.publication import is_closed
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.yaml_reader import Plain

_OF_RECORDS = "tc609"


def write_dataset(dataset: Dataset, to: str, folder: Path | None = None, found: Measured = NOTHING) -> Written:
    """Return ``dataset`` in the format called ``to``, with its measurements if the format has a place for them.

    ``folder``: the folder of its files, for a format of records.

    Raises:
        InputError: there is no such format, or it has no place for what is requested.
    """
    bridge = _bridge(to)
    holds_records = any(one.inline is not None for one in dataset.record_sets)
    if to == _OF_RECORDS and folder is not None and not holds_records:
        lines = "".join(f"{line}\n" for line in _lines(dataset, folder))
        bridge = replace(bridge, spell=lambda *_: lines)
    return bridge.write(dataset, found)


def require_measurements(to: str) -> None:
    """Return if the format called ``to`` has a place for measurements; raises `InputError`."""
    bridge = _bridge(to)
    if not bridge.measures:
        raise InputError("bridge.no_measurements", format=bridge.title)


def _bridge(name: str) -> Bridge:
    known = bridges()
    if name not in known:
        raise InputError("bridge.no_such_format", found=name, allowed=offer(name, known))
    return known[name]


def _lines(dataset: Dataset, folder: Path) -> Iterator[str]:
    """Yield the records of every record set whose table is in the folder."""
    if is_closed(dataset):
        raise InputError("croissant.closed_inline")
    found = False
    for record_set in dataset.record_sets:
        file = _file_of(record_set, dataset)
        if file is not None:
            found = True
            yield from write_records(dataset, record_set, _rows(record_set, _inside(folder, file)))
    if not found:
        raise InputError("bridge.no_records", name=dataset.name)


def _file_of(record_set: RecordSet, dataset: Dataset) -> FileObject | None:
    sources = {field.source.resource for field in record_set.fields if field.source is not None}
    files = [one for one in dataset.distribution if isinstance(one, FileObject) and one.id in sources]
    return next((one for one in files if one.content_url and not one.contained_in), None)


def _inside(folder: Path, file: FileObject) -> Path:
    """Return the path of a file in the folder; raises `InputError` if its address leads out of it."""
    path = (folder / (file.content_url or "")).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise InputError("bridge.outside", found=file.content_url)
    return path


def _rows(record_set: RecordSet, path: Path) -> Iterator[Mapping[str, Plain]]:
    table = read_table(path)
    columns = {field.source.column or field.name: field for field in record_set.fields if field.source is not None}
    for row in table.iter_rows(named=True):
        yield {field.name: _value(row.get(column), field) for column, field in columns.items()}


def _value(spelled: object, field: DataField) -> Plain:
    """Return a value as the type of its field; unchanged if it does not fit, so that nothing is lost."""
    if spelled is None or str(spelled) in field.missing:
        return None
    try:
        if field.data_type is FieldType.INTEGER:
            return int(str(spelled))
        return float(str(spelled)) if field.data_type is FieldType.FLOAT else str(spelled)
    except ValueError:
        return str(spelled)


def measured_in(path: Path, dataset: Dataset) -> Measured:
    """Return what the report in a file measured of ``dataset``, as far as its level of opening allows.

    Raises:
        InputError: as `measured_of`, and every problem of the file.
    """
    return measured_of(load_document(QualityReport, path), dataset, str(path))


def measured_of(report: QualityReport, dataset: Dataset, file: str) -> Measured:
    """Return what a report measured of ``dataset``; ``file``: the report's file, for error messages.

    Raises:
        InputError: it is about another dataset or version, about other bytes than the description says, or holds what
            only the owner of a closed dataset may see.
    """
    about, expected = f"{report.dataset} {report.version}", f"{dataset.subject} {dataset.version}"
    if about != expected:
        raise InputError("bridge.other_quality", file=file, found=about, expected=expected)
    if report.view == "full" and is_closed(dataset):
        raise InputError("bridge.full_report", file=file)
    _require_same_bytes(report, dataset, file)
    return Measured(
        tuple(
            Measurement(
                one.measure,
                one.value,
                one.record_set,
                **{part: getattr(one, part) for part in FIGURES},
                method=report.method,
                engine=report.engine,
                data=report.data,
            )
            for one in report.measurements
            if one.value is not None
        ),
        tuple(
            FieldStatistics(profile.record_set, field.field, field.mean, field.minimum, field.maximum)
            for profile in report.profiles
            for field in profile.fields
            if field.data_type in (FieldType.FLOAT, FieldType.INTEGER)
        ),
    )


def _require_same_bytes(report: QualityReport, dataset: Dataset, file: str) -> None:
    """Return unless the one measured file is described with another hash than it had."""
    if len(report.files) != 1 or report.data is None:
        return
    described = [
        (digest_of(one.sha256) if one.sha256 is not None and not is_closed(dataset) else one.commitment)
        for one in dataset.distribution
        if isinstance(one, FileObject) and report.files[0] in (one.id, Path(one.content_url or one.id).name)
    ]
    if described and None not in described and report.data not in described:
        raise InputError("bridge.quality_of_other_bytes", file=file, name=report.files[0])
