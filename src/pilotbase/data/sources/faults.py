"""All problems of a file at once: each with its place and what to do, the first few of a kind, the rest counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import polars as pl

from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.texts import Text, text

MOST_BYTES = 512 << 20
"""Bytes of a file whose table is held in memory, and of an unpacked workbook."""
MOST_CELLS = 200_000_000
"""Cells of a table in memory."""
MOST_COLUMNS = 10_000
"""Columns of a table, as `pilotbase.documents.dataset.RecordSet` holds them."""
LONGEST_NAME = 200
LONGEST_CELL = 8 << 20
"""Characters of one cell, such as the context of a question; more is nearly always an unclosed quote."""
DEEPEST = 12
"""Levels of members inside members that become columns."""
BROKEN = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""The table library's errors for a file that it cannot read."""
SHOWN = 5
"""Problems of one kind that are reported; the rest are only counted."""


def are_few(count: int, rows: int) -> bool:
    """Return whether so few of ``rows`` are wrong that the rest is read: at most a twentieth, or a single one."""
    return count <= max(1, rows // 20) and 2 * count < rows


class FileFaults:
    """Collects the problems of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._issues: list[Issue] = []
        self._found: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, problem: Text, line: int | None = None, path: str = "") -> None:
        """Note a problem, whose text has a ``.hint``: what to do; ``path`` is a column, a cell, a field."""
        self._found[problem.code] += 1
        if self._found[problem.code] <= SHOWN:
            self._issues.append(Issue(file=self.file, path=path, line=line, problem=problem, hint=problem.hint))

    def more(self, code: str, count: int) -> None:
        """Note that there are ``count`` further problems of a kind, which were not kept."""
        self._found[code] += count

    def require_none(self) -> None:
        """Raise `InputError` with everything that was noted."""
        if not self._found:
            return
        rest = [text("source.more", count=count - SHOWN) for count in self._found.values() if count > SHOWN]
        more = [Issue(file=self.file, path="", problem=problem) for problem in rest]
        raise InputError.from_issues(self.file, [*self._issues, *more])


def refuse(file: str, problem: Text, line: int | None = None, path: str = "") -> InputError:
    """Return the error of one problem of ``file``."""
    issue = Issue(file=file, path=path, line=line, problem=problem, hint=problem.hint)
    return InputError.from_issues(file, [issue])


def first_line(error: BaseException) -> str:
    """Return the beginning of a library's message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]


def check_names(names: Sequence[str], faults: FileFaults, line: int | None = 1, path: str = "") -> None:
    """Note columns without a name, of the same name, or of a name too long, and too many of them."""
    if len(names) > MOST_COLUMNS:
        faults.add(text("source.too_many_columns", found=len(names), limit=MOST_COLUMNS), line, path)
        return
    for position, name in enumerate(names, 1):
        if not name.strip():
            faults.add(text("source.unnamed_column", position=position), line, path)
        elif len(name) > LONGEST_NAME:
            found = name[:40]
            faults.add(text("source.long_name", position=position, found=found, limit=LONGEST_NAME), line, path)
    counted = Counter(name for name in names if name.strip())
    for name, count in counted.items():
        if count > 1:
            places = ", ".join(str(at) for at, other in enumerate(names, 1) if other == name)
            faults.add(text("source.double_column", found=name[:LONGEST_NAME], positions=places[:80]), line, path)
