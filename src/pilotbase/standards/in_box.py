"""File checks for a standard that run in a box: each takes plain values and returns values that JSON can represent.

The current folder in the box is the one that holds the files.

Sources: TC260-003 (2024) as excerpted, for what is counted; Cohen (1960) for kappa.
"""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pilotbase.documents.errors import InputError
from pilotbase.documents.files import read_bounded
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.standards import StandardCheck
from pilotbase.standards.ai_labels.checking import check_file

METHOD = "pb-answers-1.0"
LARGEST = 256 << 20
MOST_WORDS = 1_000_000
LONGEST_WORD = 200
_YES, _NO = frozenset({"pass", "ok", "1", "yes", "合格", "通过"}), frozenset({"fail", "0", "no", "不合格", "不通过"})


def look_for_labels(given: Mapping[str, Any]) -> Any:
    """Return the result of `check_file` for each of ``files``, in their order."""
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


def check_keywords(answers: Path, words: Path, column: str, at: datetime, software: str) -> StandardCheck:
    """Return how many answers of a table contain none of the words of a list (one per line, # begins a comment).

    Letters are compared without case, width and composition (NFKC).

    Raises:
        InputError: a file is missing, too large or not UTF-8; the column doesn't exist, or there is no answer or no
            word.
    """
    listed, said = read_bounded(words, LARGEST), read_bounded(answers, LARGEST)
    finder = _Finder(_words(listed, words))
    found = list(_column(said, answers, column))
    if not found:
        raise InputError("standard.no_answers", file=answers)
    return StandardCheck(
        kind="keyword-check",
        sample=len(found),
        passed=sum(not finder.holds_one(_folded(one)) for one in found),
        method=METHOD,
        subject=digest_bytes(said),
        against=digest_bytes(listed),
        words=finder.count,
        made_at=at,
        software=software,
    )


def check_reviews(reviews: Path, at: datetime, software: str) -> StandardCheck:
    """Return how many answers two reviewers both passed; an answer on which they differ counts as not passed.

    The table has a column ``case`` and one column per reviewer, with the reviewer's name, containing ``pass`` or
    ``fail``.

    Raises:
        InputError: not exactly two reviewers, a duplicate case, or a cell that is neither.
    """
    data = read_bounded(reviews, LARGEST)
    rows = list(_rows(data, reviews))
    names = [name for name in (rows[0] if rows else ()) if name != "case"]
    if len(names) != 2 or not rows or "case" not in rows[0]:
        raise InputError("standard.two_reviewers", file=reviews, found=names)
    seen: set[str] = set()
    judged: list[tuple[bool, bool]] = []
    for number, row in enumerate(rows, 2):
        if row["case"] in seen:
            raise InputError("standard.case_twice", file=reviews, row=number, found=row["case"])
        seen.add(row["case"])
        judged.append((_judged(row[names[0]], reviews, number), _judged(row[names[1]], reviews, number)))
    return StandardCheck(
        kind="spot-check",
        sample=len(judged),
        passed=sum(one and other for one, other in judged),
        method=METHOD,
        subject=digest_bytes(data),
        reviewers=tuple(names),
        agreement=_kappa(judged),
        made_at=at,
        software=software,
    )


class _Finder:
    """Finds whether a text contains a word of a list: by the first two letters, then by each length that occurs."""

    def __init__(self, words: Sequence[str]) -> None:
        self.count = len(words)
        self._single = frozenset(word for word in words if len(word) == 1)
        self._by_start: dict[str, dict[int, set[str]]] = {}
        for word in words:
            if len(word) > 1:
                self._by_start.setdefault(word[:2], {}).setdefault(len(word), set()).add(word)

    def holds_one(self, content: str) -> bool:
        """Return whether ``content`` contains a word."""
        if not self._single.isdisjoint(content):
            return True
        for at in range(len(content) - 1):
            lengths = self._by_start.get(content[at : at + 2])
            if lengths and any(content[at : at + length] in words for length, words in lengths.items()):
                return True
        return False


def _words(data: bytes, file: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in _decoded(data, file).splitlines())
    words = sorted({_folded(line) for line in lines if line})
    if not words or len(words) > MOST_WORDS or max(map(len, words)) > LONGEST_WORD:
        raise InputError("standard.bad_list", file=file, allowed=MOST_WORDS, longest=LONGEST_WORD)
    return words


def _folded(content: str) -> str:
    return unicodedata.normalize("NFKC", content).casefold()


def _column(data: bytes, file: Path, column: str) -> Iterator[str]:
    for number, row in enumerate(_rows(data, file), 1):
        if column not in row:
            raise InputError("standard.no_column", file=file, row=number, found=column, allowed=sorted(row))
        yield row[column]


def _rows(data: bytes, file: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file, or of a JSON lines file, by the file's extension."""
    content = _decoded(data, file)
    if file.suffix in (".jsonl", ".ndjson"):
        for number, line in enumerate(content.splitlines(), 1):
            if line.strip():
                yield _object(line, file, number)
        return
    try:
        for row in csv.DictReader(io.StringIO(content), restval=""):
            yield {str(name): str(value) for name, value in row.items() if name is not None}
    except csv.Error as error:
        raise InputError("standard.no_table", file=file, row=0, reason=str(error)) from None


def _object(line: str, file: Path, number: int) -> dict[str, str]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError("standard.no_table", file=file, row=number, reason=type(error).__name__) from None
    if not isinstance(value, dict):
        raise InputError("standard.no_table", file=file, row=number, reason=type(value).__name__)
    return {str(name): content if isinstance(content, str) else json.dumps(content) for name, content in value.items()}


def _decoded(data: bytes, file: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("standard.no_utf8", file=file) from None


def _judged(cell: str, file: Path, row: int) -> bool:
    said = _folded(cell.strip())
    if said not in _YES | _NO:
        raise InputError("standard.no_judgement", file=file, row=row, found=cell[:60])
    return said in _YES


def _kappa(judged: Sequence[tuple[bool, bool]]) -> float | None:
    """Return Cohen's kappa; None if there are no cases or both gave one same answer to all: chance explains it all."""
    count = len(judged)
    if not count:
        return None
    agreed = sum(one == other for one, other in judged) / count
    first, second = (sum(one[index] for one in judged) / count for index in (0, 1))
    chance = first * second + (1 - first) * (1 - second)
    return None if chance == 1 else (agreed - chance) / (1 - chance)
