"""Labels as files give them, with the place of each, before a campaign has said what may stand there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.texts import Text, text

MOST_TOLD = 100
"""So many problems are named; the rest are counted."""
LONGEST = 500
"""Characters of the name of an item, an account or a class."""
LARGEST = 1e15
"""Of numbers that are labels, on either side of zero."""

LeftOut = Literal["skipped", "empty", "prediction", "draft", "ground_truth", "other_control"]
"""What is in a file and is no label of an annotator; names: text ``labelling.left_out.<value>``."""


@dataclass(frozen=True)
class LabelSpan:
    """Where something stands: a field path of a JSON file, or a line of a table."""

    file: str
    path: str = ""
    line: int | None = None

    def issue(self, problem: Text) -> Issue:
        """Return ``problem`` as it is told of this place."""
        return Issue(file=self.file, path=self.path, line=self.line, problem=problem)

    def within(self, step: str) -> LabelSpan:
        """Return the place of a part of what stands here."""
        return LabelSpan(self.file, f"{self.path}{step}".lstrip("."), self.line)


@dataclass(frozen=True)
class FoundLabel:
    """One label, with the account of whoever gave it as the file spells it."""

    item: str
    account: str
    label: str
    at: datetime | None
    place: LabelSpan


@dataclass
class FileLabels:
    """What a file holds; ``issues`` are told all at once, and then none of its labels counts."""

    labels: list[FoundLabel] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    left_out: Counter[LeftOut] = field(default_factory=Counter)


def require_none(issues: Iterable[Issue], files: Iterable[str]) -> None:
    """Raise `InputError` with every problem of ``files``, if any; of very many the first, and how many more."""
    found = list(issues)
    if not found:
        return
    more = len(found) - MOST_TOLD
    told = found[:MOST_TOLD]
    if more > 0:
        told.append(Issue(file=found[MOST_TOLD].file, path="", problem=text("labelling.more", count=more)))
    raise InputError("input.problems", told, file=", ".join(files), count=len(found))


def read_moment(written: str) -> datetime:
    """Return the moment, in UTC, that ISO 8601 ``written`` names; raises `ValueError`: it is none, or has no zone."""
    moment = datetime.fromisoformat(written.strip())
    if moment.tzinfo is None:
        raise ValueError("no zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("in no year") from error


def is_name(written: object) -> bool:
    """Tell whether ``written`` can name an item, an account or a class: short, not blank, of letters that are any."""
    if not isinstance(written, str) or not written.strip() or len(written) > LONGEST:
        return False
    return not any("\ud800" <= letter <= "\udfff" or letter < " " for letter in written)
