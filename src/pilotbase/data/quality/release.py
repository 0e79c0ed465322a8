"""What leaves the owner's hands in a quality report: a report on closed data is itself a release of them."""

from __future__ import annotations

import json
import re
import tempfile
from math import ceil, floor
from pathlib import Path
from typing import NamedTuple

from pilotbase.data.bridges.reading import load_description
from pilotbase.data.describing.observing import observe
from pilotbase.data.quality.measuring import ReferenceData, inferred_fields, measure_quality
from pilotbase.data.quality.page import render_quality
from pilotbase.data.sources.opening import open_source, scanning
from pilotbase.data.sources.source import ReadOptions
from pilotbase.documents.dataset import Dataset, FileObject, RecordSet
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.hashes import Digest
from pilotbase.documents.loading import load_document
from pilotbase.documents.progress import OnProgress, ignore_progress
from pilotbase.documents.quality import (
    Cell,
    Direction,
    FieldProfile,
    HistogramBin,
    QualityEntry,
    QualityGrade,
    QualityMeasurement,
    QualityReference,
    QualityReport,
    RecordSetProfile,
    RuleResult,
    Suspect,
    ValueCount,
)
from pilotbase.documents.scenario import Contact
from pilotbase.documents.terms import LeftOperand
from pilotbase.documents.texts import Language, Text, text
from pilotbase.documents.vocabularies import Opening

LEAST_CELL = 10
"""Counts of fewer records are not shown, unless the terms require a larger cell."""
_BY_VALUE = frozenset({"relative_abundance", "label_proportion_gap", "value_occurrence"})
"""Measures whose entries are named by values of the data."""


def released(report: QualityReport, dataset: Dataset) -> QualityReport:
    """Return what the dataset's level of opening allows of a full report.

    Of data that may be taken: everything. Of data that nobody may take: no row numbers, no value that is suspected, no
    smallest and largest values, no value that the description does not declare itself, no count that is under
    `least_cell` records or would reveal one, shares in two decimals, never better than they are, if their count is
    withheld; and in place of the plain hash the commitment that the description publishes, if it does.
    """
    if dataset.opening is not Opening.COMPUTE_TO_DATA:
        return report.model_copy(update={"view": "released"})
    least = least_cell(dataset)
    declared = frozenset(value for one in dataset.record_sets for field in one.fields for value in field.values)
    rows = {one.record_set: one.rows for one in report.profiles}
    measurements = tuple(
        _measurement(one, declared, _Cells(least, rows[one.record_set])) for one in report.measurements
    )
    return report.model_copy(
        update={
            "view": "released",
            "data": _published(dataset),
            "least_cell": least,
            "profiles": tuple(_profile(one, dataset, least) for one in report.profiles),
            "measurements": measurements,
            "grade": _grade(report.grade, measurements),
            "suspects": tuple(_suspect(one, _Cells(least, rows[one.record_set])) for one in report.suspects),
            "rules": tuple(_rule(one, _Cells(least, rows[one.record_set])) for one in report.rules),
        }
    )


def _published(dataset: Dataset) -> Digest | None:
    commitments = [one.commitment for one in dataset.distribution if isinstance(one, FileObject)]
    return commitments[0] if len(commitments) == 1 else None


def least_cell(dataset: Dataset) -> int:
    """Return how many records a count needs at least: `LEAST_CELL`, or more if the terms of use require it."""
    permissions = dataset.usage.permission if dataset.usage else ()
    asked = [
        int(constraint.right_operand[0])
        for permission in permissions
        for constraint in permission.constraint
        if constraint.left_operand is LeftOperand.MIN_CELL_SIZE and constraint.right_operand[0].isdecimal()
    ]
    return max([LEAST_CELL, *asked])


class _Cells(NamedTuple):
    """Decides which counts of a record set with so many rows may be shown."""

    least: int
    rows: int

    @property
    def reason(self) -> Text:
        return text("quality.reason.small_cell", least=self.least)

    def tell(self, *parts: float | None) -> bool:
        """Return whether all parts of a whole are 0 or large enough."""
        return all(part is None or part == 0 or part >= self.least for part in parts)

    def tell_whole(self, whole: float | None) -> bool:
        """Return whether so many are all rows (of one or several fields), or fewer by a large enough number."""
        return whole is None or not self.rows or self.tell(-whole % self.rows)


def _rule(rule: RuleResult, cells: _Cells) -> RuleResult:
    told = rule.model_copy(update={"rows": ()})
    if not cells.tell_whole(rule.evaluated):
        told = told.model_copy(update={"evaluated": None, "passed": None})
    if cells.tell(rule.failed, rule.passed):
        return told
    return told.model_copy(update={"passed": None, "failed": None, "reason": cells.reason})


def _suspect(found: Suspect, cells: _Cells) -> Suspect:
    """Return what kind of fault is where, without a row, a value or a small count."""
    count = found.count if found.count is not None and cells.tell(found.count, cells.rows - found.count) else None
    known = {"rows": (), "values": (), "count": count}
    sentence = text(
        "suspect.withheld" if found.fields else "suspect.withheld_rows",
        kind=Text(code=f"suspect.kind.{found.kind}"),
        fields=", ".join(found.fields),
    )
    return found.model_copy(update={**known, "sentence": sentence})


def _measurement(found: QualityMeasurement, declared: frozenset[str], cells: _Cells) -> QualityMeasurement:
    entries = tuple(
        _entry(one, cells, found.direction) for one in found.entries if _is_declared(one, found.measure, declared)
    )
    told = found.model_copy(update={"entries": entries})
    numerator, denominator = found.numerator, found.denominator
    if numerator is None or denominator is None or _tells(numerator, denominator, cells):
        return told
    figures = {"numerator": None, "denominator": None, "value": _roughly(found.value, found.direction)}
    # Exact bounds and their sample would reveal the count.
    figures |= {"lower": _roughly(found.lower, "higher"), "upper": _roughly(found.upper, "lower"), "sample": None}
    return told.model_copy(update={**figures, "reason": found.reason or cells.reason})


def _tells(numerator: float, denominator: float, cells: _Cells) -> bool:
    return cells.tell(numerator, denominator - numerator) and cells.tell_whole(denominator)


def _is_declared(one: QualityEntry, measure: str, declared: frozenset[str]) -> bool:
    return measure not in _BY_VALUE or one.name.partition(" | ")[0].rpartition("=")[2] in declared


def _entry(one: QualityEntry, cells: _Cells, direction: Direction) -> QualityEntry:
    if one.numerator is None or one.denominator is None or _tells(one.numerator, one.denominator, cells):
        return one
    figures = {"numerator": None, "denominator": None, "value": _roughly(one.value, direction)}
    return one.model_copy(update=figures)


def _roughly(value: float | None, direction: Direction) -> float | None:
    """Return two decimals, never better than the value is."""
    if value is None or direction == "neither":
        return None if value is None else round(value, 2)
    return floor(value * 100) / 100 if direction == "higher" else ceil(value * 100) / 100


def _grade(grade: QualityGrade, measurements: tuple[QualityMeasurement, ...]) -> QualityGrade:
    """Return the grade with the figures that its measures show; its outcome stays."""
    told = {(one.measure, one.record_set): one.value for one in measurements}
    requirements = tuple(
        one.model_copy(update={"value": told[one.measure, one.record_set]}) for one in grade.requirements
    )
    worst = told.get((grade.worst or "", grade.record_set or ""))
    return grade.model_copy(update={"requirements": requirements, "value": worst})


def _profile(found: RecordSetProfile, dataset: Dataset, least: int) -> RecordSetProfile:
    fields = {field.name: field for field in dataset.record_set(found.record_set).fields}
    told = []
    for one in found.fields:
        field = fields[one.field]
        bounded = field.minimum is not None and field.maximum is not None
        told.append(_field(one, found.rows, bounded, frozenset(field.values), least))
    return found.model_copy(update={"fields": tuple(told)})


def _field(one: FieldProfile, rows: int, bounded: bool, declared: frozenset[str], least: int) -> FieldProfile:
    few = not _Cells(least, rows).tell(one.missing, rows - (one.missing or 0))
    small = rows - (one.missing or 0) < least
    wrong = one.wrong if one.wrong == 0 or (one.wrong or 0) >= least else None
    return one.model_copy(
        update={
            "missing": None if few else one.missing,
            "wrong": wrong,
            "minimum": None,
            "maximum": None,
            "mean": None if small else _rounded(one.mean),
            "deviation": None if small else _rounded(one.deviation),
            "distinct": None,
            "histogram": _bins(one.histogram, least) if bounded else (),
            "values": _values(one.values, declared, least),
            "drift": _rounded(one.drift),
        }
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.3g}")


def _bins(bins: tuple[HistogramBin, ...], least: int) -> tuple[HistogramBin, ...]:
    counts = suppressed([one.count for one in bins], least)
    return tuple(one.model_copy(update={"count": count, "later": 0}) for one, count in zip(bins, counts, strict=True))


def _values(values: tuple[ValueCount, ...], declared: frozenset[str], least: int) -> tuple[ValueCount, ...]:
    if any(one.value not in declared for one in values):
        return ()  # what is left out could be computed from the rest
    counts = suppressed([one.count for one in values], least)
    return tuple(one.model_copy(update={"count": count, "later": 0}) for one, count in zip(values, counts, strict=True))


def suppressed(counts: list[Cell], least: int) -> list[Cell]:
    """Return the counts without those from 1 to below ``least``; a single one takes the next larger with it.

    Otherwise it could be computed from the sum, which is known.
    """
    few = {place for place, count in enumerate(counts) if count is not None and 0 < count < least}
    others = [place for place, count in enumerate(counts) if count is not None and count >= least]
    if few and sum(counts[place] or 0 for place in few) < least and others:
        few.add(min(others, key=lambda place: counts[place] or 0))
    return [None if place in few else count for place, count in enumerate(counts)]


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
    if given.description is not None:
        dataset = load_description(given.description).description.require()
    else:
        dataset = inferred_dataset(given.file, on_progress)
    record_set = record_set_of(dataset, given.file)
    held = ReferenceData(
        reference=load_document(QualityReference, given.reference) if given.reference else QualityReference(),
        folder=given.reference.parent if given.reference else Path(),
        beside=_referred_to(dataset, record_set, given.description.parent) if given.description else {},
        quick=given.quick,
        inferred=given.description is None,
    )
    report = measure_quality(dataset, {record_set.name: given.file}, held, on_progress)
    return report if given.full else released(report, dataset)


def inferred_dataset(path: Path, on_progress: OnProgress = ignore_progress) -> Dataset:
    """Return a dataset of a file without a description: columns of the types that they have, and no promises.

    Raises:
        InputError: as `open_source`.
    """
    with tempfile.TemporaryDirectory(prefix="pilotbase-quality-") as scratch, scanning(path):
        table = open_source(str(path), Path(scratch), ReadOptions(quick=True, on_progress=on_progress)).only()
        fields = inferred_fields(observe(table, on_progress=on_progress))
    name = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")[:60] or "table"
    return Dataset(
        name=name,
        title=path.name,
        owner=Contact(organisation="unknown"),
        record_sets=(RecordSet(name=name, fields=fields),),
    )


def write_report(report: QualityReport, folder: Path, language: Language) -> Path:
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
