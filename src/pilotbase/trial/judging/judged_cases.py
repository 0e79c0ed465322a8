"""What is judged: a table of cases with what was answered, and whatever the judge's prompt names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pilotbase.data.sources.opening import read_table
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.hashes import Digest, digest_json
from pilotbase.documents.judge import ANSWER, FIRST, REFERENCE, SECOND, Judge
from pilotbase.documents.nearest import offer
from pilotbase.documents.texts import text

CASE = "case"
_SOURCES: Mapping[str, tuple[str, ...]] = {
    ANSWER: ("prediction", ANSWER),
    FIRST: ("prediction", ANSWER),
    SECOND: ("baseline",),
    REFERENCE: (REFERENCE, "truth"),
}
"""Place of the prompt → the columns that may hold it; any other place is a column of its own name."""

Texts = tuple[str | None, ...]


@dataclass(frozen=True)
class JudgedCases:
    """Cases in their order: names, and for each place of the prompt what stands there, None where nothing does."""

    names: tuple[str, ...]
    places: Mapping[str, Texts]

    @property
    def answers(self) -> Texts:
        """Return what was answered; None: no answer."""
        return self.places[FIRST if FIRST in self.places else ANSWER]

    @property
    def digest(self) -> Digest:
        """Return what names these cases."""
        return digest_json([self.names, dict(self.places)])

    def __len__(self) -> int:
        return len(self.names)


def read_judged_cases(path: Path, judge: Judge, beside: Path | None = None) -> JudgedCases:
    """Return the cases in ``path``: ``case``, ``prediction`` and what the prompt of ``judge`` names.

    ``beside``: a table with ``case`` whose columns are put beside those of ``path``. Of a trial's records the true
    answers of cases that were not scored are left out: they are others' (`pilotbase.trial.remainder`).

    Raises:
        InputError: every problem at once: columns that are missing, double or nameless cases.
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
