"""A report or a plan read from a file of whomever: bounded, and refused in words where it cannot be shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pydantic

from pilotbase.documents.base import Document
from pilotbase.documents.errors import InputError
from pilotbase.documents.files import read_bounded
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Report
from pilotbase.documents.texts import LANGUAGES, Text
from pilotbase.worker.trials.folder import RECORDS

MAXIMUM_BYTES = 16 << 20
_SHOWN_CASES = "cases.csv"

Kind = TypeVar("Kind", bound=Document)


def read_report(path: Path) -> Report:
    """Return the report in a file or in a trial's folder.

    Raises:
        InputError: there is no such file, it is too large, it is no report, or it says what this version has no
            sentence for.
    """
    file = path / "report.json" if path.is_dir() else path
    report = _document(file, Report, "worker.no_report")
    require_known_sentences(report, file)
    return report


def require_known_sentences(report: Report, file: Path) -> None:
    """Return if each sentence of a report can be shown; raises `InputError` naming the first that cannot."""
    unknown = next((sentence for sentence in _sentences(report) if not _is_known(sentence)), None)
    if unknown is not None:
        raise InputError("worker.foreign_sentence", file=file, found=unknown.code[:80])


def read_plan(file: Path) -> TrialPlan:
    """Return the plan in a file; raises `InputError` when there is none, or it is too large or no plan."""
    return _document(file, TrialPlan, "worker.no_plan")


def cases_file(path: Path) -> Path:
    """Return the file that holds all cases of ``path``: of a trial's folder or its ``cases.csv`` the records beside it.

    ``cases.csv`` shows people the truths of scored cases only, and how many there are of each class enters a decision.
    """
    shown = path / _SHOWN_CASES if path.is_dir() else path
    records = shown.parent / RECORDS
    return records if shown.name == _SHOWN_CASES and records.is_file() else shown


def _document(file: Path, kind: type[Kind], problem: str) -> Kind:
    try:
        # The reader of JSON bounds depth and length of numbers, and refuses half surrogate pairs.
        return kind.model_validate_json(read_bounded(file, MAXIMUM_BYTES))
    except pydantic.ValidationError:
        raise InputError(problem, file=file) from None


def _sentences(value: object) -> Iterator[Text]:
    """Yield every sentence of a document, the outer ones only: what is nested is rendered with them."""
    if isinstance(value, Text):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _sentences(item)
    elif isinstance(value, pydantic.BaseModel):
        for name in type(value).model_fields:
            yield from _sentences(getattr(value, name))


def _is_known(sentence: Text) -> bool:
    try:
        for language in LANGUAGES:
            sentence.render(language)
    except (LookupError, ValueError, TypeError, AttributeError):  # no such code, a value missing or of another kind
        return False
    return True
