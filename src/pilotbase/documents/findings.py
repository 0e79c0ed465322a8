"""What several checks find wrong with one document, gathered so that one run tells all of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pilotbase.documents.errors import InputError, Issue


class Findings:
    """The problems that were found so far."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []

    @contextmanager
    def about(self, path: str) -> Iterator[None]:
        """Gather what the block raises: each problem at its own field, or at ``path`` where it names none."""
        try:
            yield
        except InputError as error:
            self.issues += error.issues or [Issue(file="", path=path, problem=error.text, hint=error.hint)]

    def require_none(self, file: str) -> None:
        """Raise `InputError` with every problem of ``file``, if there is any."""
        if self.issues:
            raise InputError.from_issues(file, (_in_file(issue, file) for issue in self.issues))


def _in_file(issue: Issue, file: str) -> Issue:
    return issue if issue.file else issue.model_copy(update={"file": file})
