"""What a quality report measured, as far as it speaks of this very version and may be told; else nothing of it."""

from __future__ import annotations

from pathlib import Path

from pilotbase.data.croissant.measurements import FieldStatistics, Measured, Measurement
from pilotbase.documents.dataset import Dataset, FieldType, FileObject
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import digest_of
from pilotbase.documents.loading import load_document
from pilotbase.documents.publication import is_closed
from pilotbase.documents.quality import QualityReport


def measured_in(path: Path, dataset: Dataset) -> Measured:
    """Return what the report in a file measured of ``dataset`` and its level of opening lets out.

    Raises:
        InputError: as `measured_of`, and every problem of the file.
    """
    return measured_of(load_document(QualityReport, path), dataset, str(path))


def measured_of(report: QualityReport, dataset: Dataset, file: str) -> Measured:
    """Return what a report measured of ``dataset``; ``file``: where it stands, for what is refused.

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
                numerator=one.numerator,
                denominator=one.denominator,
                lower=one.lower,
                upper=one.upper,
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
    """Return unless the one file that was measured is described with another hash than it had."""
    if len(report.files) != 1 or report.data is None:
        return
    described = [
        (digest_of(one.sha256) if one.sha256 is not None and not is_closed(dataset) else one.commitment)
        for one in dataset.distribution
        if isinstance(one, FileObject) and report.files[0] in (one.id, Path(one.content_url or one.id).name)
    ]
    if described and None not in described and report.data not in described:
        raise InputError("bridge.quality_of_other_bytes", file=file, name=report.files[0])
