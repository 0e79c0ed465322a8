"""What a box is asked about files for a standard: each takes plain values and returns what JSON can spell.

A box stands in the folder that holds the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pilotbase.standards.ai_labels.checking import check_file
from pilotbase.standards.answer_checks import check_keywords, check_reviews


def look_for_labels(given: Mapping[str, Any]) -> Any:
    """Return what `check_file` says of each of ``files``, in their order."""
    return {"files": [check_file(Path(name), name).to_json_value() for name in given["files"]]}


def search_for_keywords(given: Mapping[str, Any]) -> Any:
    """Return the record of `check_keywords`."""
    answers, words = map(Path, given["files"])
    return check_keywords(answers, words, given["column"], _moment(given), given["software"]).to_json_value()


def compare_reviewers(given: Mapping[str, Any]) -> Any:
    """Return the record of `check_reviews`."""
    (reviews,) = map(Path, given["files"])
    return check_reviews(reviews, _moment(given), given["software"]).to_json_value()


def _moment(given: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(given["at"])
