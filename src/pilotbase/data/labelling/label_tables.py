"""Labels as files contain them, each with its place, before a campaign says which are allowed.

Labels, decisions and audits in plain tables have one row each, by the names of their columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import polars as pl

from pilotbase.data.sources.opening import read_table
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.files import read_cell
from pilotbase.documents.texts import Text, text

MOST_TOLD = 100
"""Problems that are named; the rest are counted."""
_LONGEST = 500
"""Characters of the name of an item, an account or a class."""
LARGEST = 1e15
"""Largest absolute value of numbers that are labels."""

LeftOut = Literal["skipped", "empty", "prediction", "draft", "ground_truth", "other_control"]
"""Parts of a file that are no annotator's label; names: text ``labelling.left_out.<value>``."""
LABEL_COLUMNS = ("item", "annotator", "label")


@dataclass(frozen=True)
class LabelSpan:
    """A place: a field path of a JSON file, or a line of a table."""

    file: str
    path: str = ""
    line: int | None = None

    def issue(self, problem: Text) -> Issue:
        """Return ``problem`` as an issue at this place."""
        return Issue(file=self.file, path=self.path, line=self.line, problem=problem)

    def within(self, step: str) -> LabelSpan:
        """Return the place of a part of this one."""
        return LabelSpan(self.file, f"{self.path}{step}".lstrip("."), self.line)


@dataclass(frozen=True)
class FoundLabel:
    """One label, with its annotator's account as spelled in the file."""

    item: str
    account: str
    label: str
    at: datetime | None
    place: LabelSpan


@dataclass
class FileLabels:
    """The content of a file; ``issues`` are reported all at once, and then none of its labels counts."""

    labels: list[FoundLabel] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    left_out: Counter[LeftOut] = field(default_factory=Counter)


class LabelRow(NamedTuple):
    """One row: its cells by column, without those that are empty, and its place."""

    cells: dict[str, str]
    place: LabelSpan


def read_label_table(path: Path) -> FileLabels:
    """Return the labels of a table of ``item,annotator,label`` and, if it is there, ``at`` (ISO 8601 with its zone).

    A row without a label was left open by its annotator. Raises as `read_rows`.
    """
    found = FileLabels()
    for row in read_rows(path, LABEL_COLUMNS):
        item, account, label = (row.cells.get(name) for name in LABEL_COLUMNS)
        if item is None or account is None:
            name = "item" if item is None else "annotator"
            found.issues.append(row.place.issue(text("labelling.empty_cell", column=name)))
        elif label is None:
            found.left_out["empty"] += 1
        elif not all(map(is_name, (item, account, label))):
            found.issues.append(row.place.issue(text("labelling.no_name")))
        else:
            found.labels.append(FoundLabel(item, account, label, moment_in(row, found), row.place))
    return found


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[LabelRow]:
    """Yield the rows of a table (CSV, Parquet or XLSX) that has at least ``columns``.

    Raises:
        InputError: as `pilotbase.data.sources.opening.read_table`; or columns are missing.
    """
    frame = read_texts(path)
    names = [name.strip().lower() for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError("data.double_column", file=path.name, found=", ".join(twice))
    frame.columns = names
    lacking = [name for name in columns if name not in frame.columns]
    if lacking:
        raise InputError("labelling.lacking_columns", file=path.name, lacking=lacking, found=frame.columns[:50])
    for number, row in enumerate(frame.iter_rows(named=True)):
        cells = {name: read_cell(cell) for name, cell in row.items() if cell}
        yield LabelRow(cells, LabelSpan(path.name, line=number + 2))


def read_texts(path: Path) -> pl.DataFrame:
    """Return a table with all of its cells as texts without surrounding blanks; raises as `read_rows`."""
    try:
        return read_table(path).with_columns(pl.all().cast(pl.String).str.strip_chars())
    except pl.exceptions.PolarsError as error:  # a cell that is a list of its own
        raise InputError("data.not_a_table", file=path.name, reason=str(error).partition("\n")[0][:80]) from None


def moment_in(row: LabelRow, found: FileLabels) -> datetime | None:
    """Return the row's moment, if it has one; an invalid moment becomes one of the file's problems."""
    written = row.cells.get("at")
    if written is None:
        return None
    try:
        return read_moment(written)
    except ValueError:
        found.issues.append(row.place.issue(text("labelling.no_moment", found=written[:80])))
        return None


def require_none(issues: Iterable[Issue], files: Iterable[str]) -> None:
    """Raise `InputError` with every problem of ``files``, if any; of very many, the first, and how many more."""
    found = list(issues)
    if not found:
        return
    more = len(found) - MOST_TOLD
    told = found[:MOST_TOLD]
    if more > 0:
        told.append(Issue(file=found[MOST_TOLD].file, path="", problem=text("labelling.more", count=more)))
    raise InputError("input.problems", told, file=", ".join(files), count=len(found))


def read_moment(written: str) -> datetime:
    """Return the moment, in UTC, that ISO 8601 ``written`` names; raises `ValueError` if it is none or has no zone."""
    moment = datetime.fromisoformat(written.strip())
    if moment.tzinfo is None:
        raise ValueError("no zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("in no year") from error


def is_name(written: object) -> bool:
    """Return whether ``written`` can name an item, an account or a class: short, not blank, of valid characters."""
    if not isinstance(written, str) or not written.strip() or len(written) > _LONGEST:
        return False
    return not any("\ud800" <= letter <= "\udfff" or letter < " " for letter in written)
