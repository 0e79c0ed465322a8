"""The answers of a dataset's owner in a file; the same are given by flags, asked for, or sent to a hub."""

from __future__ import annotations

from pathlib import Path

import pydantic

from pilotbase.documents.described import Answers
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import issues_of
from pilotbase.documents.yaml_reader import read_yaml


def read_answers(path: Path) -> Answers:
    """Return the answers in a YAML file.

    Raises:
        InputError: no YAML, or names and values that are none of `Answers`, all at once.
    """
    source = read_yaml(path)
    try:
        return Answers.model_validate(source.value)
    except pydantic.ValidationError as error:
        issues = issues_of(source.file, error, Answers)
        placed = [issue.model_copy(update={"line": source.lines.get(issue.path)}) for issue in issues]
        raise InputError.from_issues(source.file, placed) from None
