"""One cell of the matrix: run in a box with its limits, and compared with the answers in the trial's environment."""

from __future__ import annotations

import platform
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.adaptation import Cell, CellRun
from pilotbase.documents.limits import EndReason
from pilotbase.trial.answering import complete_answers
from pilotbase.trial.answers import AnswerLog
from pilotbase.trial.delivering import Features, in_file_order
from pilotbase.trial.running import Candidate, Terms, run_candidate

Answers = NDArray[Any]


def what_differs_here(cell: Cell) -> str | None:
    """Return what of ``cell`` this machine is not; None where it can be run here."""
    python = ".".join(platform.python_version_tuple()[:2])
    here = {"system": platform.system(), "architecture": platform.machine(), "accelerator": "none", "python": python}
    wanted = {name: getattr(cell, name) for name in here}
    return next(
        (word for name, word in wanted.items() if word is not None and word.lower() != here[name].lower()), None
    )


def terms_of(cell: Cell, terms: Terms) -> Terms:
    """Return the terms under which the cell is run."""
    limits = terms.limits if cell.memory_bytes is None else _with_memory(terms, cell.memory_bytes)
    return replace(
        terms,
        limits=limits,
        batch_rows=cell.batch_rows or terms.batch_rows,
        isolation=cell.isolation or terms.isolation,
    )


def answers_in(candidate: Candidate, terms: Terms, features: Features, scratch: Path) -> tuple[EndReason, Answers]:
    """Return how a run over ``features`` ended, and one answer a case."""
    asked = in_file_order(features, terms.batch_rows)
    with tempfile.TemporaryDirectory(dir=scratch) as folder, AnswerLog(Path(folder) / "answers", b"cell") as log:
        run = run_candidate(candidate, terms, asked, log)
        return run.end.reason, complete_answers(asked, log.values(), terms.contract.prediction)


def compared(cell: Cell, end: EndReason, answers: Answers, reference: Answers, tolerance: float) -> CellRun:
    """Return how far the answers of a cell lie from ``reference``; two abstentions are the same."""
    apart, largest = _apart(answers, reference, tolerance)
    return CellRun(cell=cell, end=end, cases=len(reference), differing=int(apart.sum()), largest=largest)


def candidate_of(cell: Cell, candidate: Candidate) -> Candidate:
    """Return the application with the threads that the cell gives it."""
    if cell.threads is None:
        return candidate
    application = candidate.submission.application
    resources = application.resources.model_copy(update={"threads": cell.threads})
    submission = replace(candidate.submission, application=application.model_copy(update={"resources": resources}))
    return replace(candidate, submission=submission)


def _with_memory(terms: Terms, memory: int) -> Any:
    return terms.limits.model_copy(update={"memory_bytes": memory})


def _apart(answers: Answers, reference: Answers, tolerance: float) -> tuple[NDArray[np.bool_], float | None]:
    if reference.dtype.kind != "f":
        return np.array([one != other for one, other in zip(answers, reference, strict=True)], dtype=np.bool_), None
    both = np.isnan(answers) & np.isnan(reference)
    with np.errstate(invalid="ignore"):
        distances = np.where(both, 0.0, np.abs(answers - reference))
    apart = ~(distances <= tolerance)
    known = distances[np.isfinite(distances)]
    rows = np.asarray(apart if apart.ndim == 1 else apart.any(axis=1), dtype=np.bool_)
    return rows, float(known.max()) if len(known) else None
