"""All problems of a file at once: each with its place and what to do, the first few of a kind, the rest counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pilotbase.data.sources.source import LONGEST_NAME, MOST_COLUMNS
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.texts import text

SHOWN = 5
"""Problems of one kind that are told; of the rest it is told how many there are."""


class Faults:
    """Collects the problems of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._issues: list[Issue] = []
        self._found: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, code: str, line: int | None = None, path: str = "", **params: object) -> None:
        """Note a problem: the text ``code`` and what to do, ``code``.hint; ``path`` is a column, a cell, a field."""
        self._found[code] += 1
        if self._found[code] <= SHOWN:
            problem, hint = text(code, **params), text(f"{code}.hint", **params)
            self._issues.append(Issue(file=self.file, path=path, line=line, problem=problem, hint=hint))

    def require_none(self) -> None:
        """Raise `InputError` with everything that was noted."""
        if not self._found:
            return
        rest = [text("source.more", count=count - SHOWN) for count in self._found.values() if count > SHOWN]
        more = [Issue(file=self.file, path="", problem=problem) for problem in rest]
        raise InputError.from_issues(self.file, [*self._issues, *more])


def refuse(file: str, code: str, line: int | None = None, path: str = "", **params: object) -> InputError:
    """Return the error of one problem of ``file``."""
    faults = Faults(file)
    faults.add(code, line, path, **params)
    try:
        faults.require_none()
    except InputError as error:
        return error
    raise AssertionError(code)


def check_names(names: Sequence[str], faults: Faults, line: int | None = 1, path: str = "") -> None:
    """Note columns without a name, of the same name, or of a name too long, and too many of them."""
    if len(names) > MOST_COLUMNS:
        faults.add("source.too_many_columns", line, path, found=len(names), limit=MOST_COLUMNS)
        return
    for position, name in enumerate(names, 1):
        if not name.strip():
            faults.add("source.unnamed_column", line, path, position=position)
        elif len(name) > LONGEST_NAME:
            found = name[:40]
            faults.add("source.long_name", line, path, position=position, found=found, limit=LONGEST_NAME)
    counted = Counter(name for name in names if name.strip())
    for name, count in counted.items():
        if count > 1:
            places = ", ".join(str(at) for at, other in enumerate(names, 1) if other == name)
            faults.add("source.double_column", line, path, found=name[:LONGEST_NAME], positions=places[:80])
