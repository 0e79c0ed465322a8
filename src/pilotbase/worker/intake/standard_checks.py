"""Checks that a person runs on files and answers for a standard, without a base; each leaves a record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pilotbase.documents.standard_check import CheckedFile, StandardCheck
from pilotbase.standards.ai_labels.checking import KINDS, check_file, files_of, record_of
from pilotbase.standards.answer_checks import check_keywords, check_reviews
from pilotbase.trial.lab import SOFTWARE
from pilotbase.worker.whole_files import write_whole
from pilotbase.workspace.store import utc_now


def check_labels(paths: Sequence[Path]) -> tuple[list[CheckedFile], list[StandardCheck]]:
    """Return which labels files and folders carry, and a record of each check that any of them is about."""
    files, now = [check_file(path, name) for name, path in files_of(paths)], utc_now()
    records = [record_of(kind, files, now, SOFTWARE) for kind in KINDS]
    return files, [record for record in records if record is not None]


def check_answers_for_keywords(answers: Path, words: Path, column: str) -> StandardCheck:
    """Return the record of a search for keywords; raises as `check_keywords`."""
    return check_keywords(answers, words, column, utc_now(), SOFTWARE)


def check_two_reviewers(reviews: Path) -> StandardCheck:
    """Return the record of what two reviewers said; raises as `check_reviews`."""
    return check_reviews(reviews, utc_now(), SOFTWARE)


def write_record(file: Path, record: StandardCheck) -> None:
    """Write a record as readable JSON, its folder with it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps(record.to_json_value(), ensure_ascii=False, indent=1))
