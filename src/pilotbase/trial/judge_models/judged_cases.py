"""The input of a judging: a table of cases with answers and the fields of the judge's prompt; and the labelling sheet.

People label the first cases of an order that a secret fixes, on sheets that reveal nothing about the judge. The secret
is drawn, and committed to by its hash, before the judge is asked: the supplier of the answers can't know which cases
are checked, and nobody can choose them by score. The same order is used for the decision (`trial decide --order-seed`),
so more labels can be drawn later: the evidence is valid at any number of them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pilotbase.data.sources.opening import read_table
from pilotbase.documents.errors import InputError, Issue, offer
from pilotbase.documents.files import format_csv
from pilotbase.documents.hashes import Digest, digest_json
from pilotbase.documents.judge import ANSWER, FIRST, REFERENCE, SECOND, Judge
from pilotbase.documents.texts import text
from pilotbase.trial.deciding import order_of_seed

CASE = "case"
_SOURCES: Mapping[str, tuple[str, ...]] = {
    ANSWER: ("prediction", ANSWER),
    FIRST: ("prediction", ANSWER),
    SECOND: ("baseline",),
    REFERENCE: (REFERENCE, "truth"),
}
"""Field of the prompt → the columns that may hold it; any other field is the column of the same name."""
Texts = tuple[str | None, ...]
_SEED_BYTES = 6
"""A number that JSON holds exactly."""
_TITLES = {
    "question": "问题",
    "reference": "参考答案",
    "answer": "回答",
    FIRST: "回答一",
    SECOND: "回答二",
    "context": "依据",
}


@dataclass(frozen=True)
class JudgedCases:
    """Cases in order: names, and for each prompt field its values, None where there is none."""

    names: tuple[str, ...]
    places: Mapping[str, Texts]

    @property
    def answers(self) -> Texts:
        """Return the answers; None: no answer."""
        return self.places[FIRST if FIRST in self.places else ANSWER]

    @property
    def digest(self) -> Digest:
        return digest_json([self.names, dict(self.places)])

    def __len__(self) -> int:
        return len(self.names)


def read_judged_cases(path: Path, judge: Judge, beside: Path | None = None) -> JudgedCases:
    """Return the cases in ``path``: ``case``, ``prediction`` and the fields in the prompt of ``judge``.

    ``beside``: a table with ``case`` whose columns are joined to those of ``path``. In a trial's records, the true
    answers of unscored cases are left out: they come from other cases (`pilotbase.trial.records`).

    Raises:
        InputError: every problem at once: missing columns, duplicate or unnamed cases.
    """
    frame = _as_texts(path)
    if "position" in frame.columns and "truth" in frame.columns:
        frame = frame.with_columns(pl.when(pl.col("position") != "-1").then(pl.col("truth")).alias("truth"))
    if beside is not None:
        frame = _joined(frame, _as_texts(beside), path.name, beside.name)
    issues = list(_problems(frame, path.name, judge))
    if issues:
        raise InputError.from_issues(path.name, issues)
    places = {place: tuple(frame[_source(place, frame.columns) or place].to_list()) for place in judge.places}
    return JudgedCases(tuple(frame[CASE].to_list()), places)


def order_seed(secret: bytes, judging: Digest) -> int:
    """Return the seed of the order in which cases are labelled and decided."""
    digest = hashlib.sha256(b"pilotbase judge\x00" + secret + judging.encode()).digest()
    return int.from_bytes(digest[:_SEED_BYTES])


def drawn_rows(cases: int, seed: int, start: int, end: int) -> list[int]:
    """Return the cases at places ``start`` … ``end`` − 1 of the order, as rows."""
    rows: list[int] = order_of_seed(cases, seed)[start:end].tolist()
    return rows


def changes_places(secret: bytes, row: int) -> bool:
    """Return whether the sheet swaps the two answers of a case: people favour the first one, too."""
    return bool(hmac.digest(secret, b"places" + row.to_bytes(8, "big"), "sha256")[0] & 1)


def format_sheet(judge: Judge, cases: JudgedCases, rows: Sequence[int], secret: bytes) -> bytes:
    """Return what labellers fill in: the cases ``rows`` without any score, and an empty column of labels."""
    places = sorted(judge.places, key=lambda place: place in (FIRST, SECOND))
    asked = "label 标注: 1 or 2, the better one 更好者" if judge.compares else "label 标注: right/wrong 对/错"
    header = ["item 编号", *(f"{place} {_TITLES.get(place, '')}".strip() for place in places), asked]
    return format_csv(header, ([*_cells(judge, cases, row, places, secret), ""] for row in rows))


def _as_texts(path: Path) -> pl.DataFrame:
    frame = read_table(path)
    frame.columns = [name.strip() for name in frame.columns]
    return frame.with_columns(pl.all().cast(pl.String))


def _joined(frame: pl.DataFrame, beside: pl.DataFrame, file: str, other: str) -> pl.DataFrame:
    for known, name in ((frame, file), (beside, other)):
        if CASE not in known.columns:
            raise InputError.from_issues(name, [_missing(CASE, known.columns, name)])
    lacking = frame.filter(~pl.col(CASE).is_in(beside[CASE].implode()))[CASE].to_list()
    if lacking or not beside[CASE].is_unique().all():
        raise InputError("judge.beside", file=other, count=len(lacking), found=", ".join(map(str, lacking[:5])))
    others = [name for name in beside.columns if name == CASE or name not in frame.columns]
    return frame.join(beside.select(others), on=CASE, how="left", maintain_order="left")


def _problems(frame: pl.DataFrame, file: str, judge: Judge) -> Iterator[Issue]:
    for place in (CASE, *judge.places):
        if _source(place, frame.columns) is None:
            yield _missing(place, frame.columns, file)
    if CASE in frame.columns:
        names = frame[CASE]
        for row in (names.is_null() | ~names.is_first_distinct()).arg_true().to_list()[:20]:
            problem = text("trial.cell_missing") if names[row] is None else text("trial.double_case", found=names[row])
            yield Issue(file=file, path=CASE, problem=problem)
    if not frame.height:
        yield Issue(file=file, path=CASE, problem=text("judge.no_cases"))


def _source(place: str, columns: list[str]) -> str | None:
    return next((name for name in _SOURCES.get(place, (place,)) if name in columns), None)


def _missing(place: str, columns: list[str], file: str) -> Issue:
    wanted = _SOURCES.get(place, (place,))
    problem = text("trial.column_missing", found=", ".join(wanted), allowed=offer(wanted[0], columns))
    return Issue(file=file, path=place, problem=problem, line=1)


def _cells(judge: Judge, cases: JudgedCases, row: int, places: Sequence[str], secret: bytes) -> list[str]:
    turned = {FIRST: SECOND, SECOND: FIRST} if judge.compares and changes_places(secret, row) else {}
    return [cases.names[row], *(cases.places[turned.get(place, place)][row] or "" for place in places)]
