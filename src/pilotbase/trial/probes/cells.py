"""Cells 适配单元: the same application in other environments, compared with its answers in the trial's environment.

Each cell runs in a box with its limits, on cases of the public sample. An application that didn't answer every case
isn't asked again; neither is an endpoint: its environment isn't ours.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.base import Part
from pilotbase.documents.contract import Prediction
from pilotbase.documents.limits import EndReason
from pilotbase.documents.probes import Cell, CellRun, Matrix
from pilotbase.documents.progress import Progress
from pilotbase.documents.report import Finding
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Verification
from pilotbase.measures import RunMeasurements as Measured
from pilotbase.measures.cases import probability_rows
from pilotbase.sandbox.box.ends import END_TEXTS
from pilotbase.trial.delivering import Column
from pilotbase.trial.design_findings import judged, unmeasured
from pilotbase.trial.performance import Load
from pilotbase.trial.probing import Findings, Probe, ProbeSubject, answers_in
from pilotbase.trial.running import BoxRun, BoxTerms, PreparedApplication


class CellRuns(Part):
    """What became of every cell."""

    runs: tuple[CellRun, ...]


class Cells(Probe[CellRuns]):
    """The cells of the requested matrix."""

    name = "cells"
    found = CellRuns
    sections = frozenset({Verification.ADAPTATION})
    conforms = True

    def look(self, subject: ProbeSubject, run: BoxRun | None) -> CellRuns | None:
        """Return what becomes of each cell that this machine is, and of the others that they are not."""
        matrix = subject.asked.matrix
        if matrix is None or not subject.boxed(run):
            return None
        return CellRuns(runs=tuple(_run_cells(subject, matrix)))

    def add(self, run: BoxRun, found: CellRuns) -> BoxRun:
        return run.measured(cells=found.runs)

    def of(self, load: Load) -> CellRuns | None:
        return None if load.cells is None else CellRuns(runs=load.cells)

    def measured(self, found: CellRuns, seen: Measured) -> Measured:
        return replace(seen, cells=tuple(one.agrees for one in found.runs if one.measured))

    def told(self, found: CellRuns) -> Mapping[str, Any]:
        return {"cells": found.runs}

    def findings(self, found: CellRuns) -> Findings:
        return {Verification.ADAPTATION: [_finding(run) for run in found.runs]}

    def unasked(self) -> Findings:
        return {Verification.ADAPTATION: [unmeasured("other_runtimes", text("trial.finding.no_other_runtimes"))]}


PROBE = Cells()


def what_differs_here(cell: Cell) -> str | None:
    """Return how this machine differs from ``cell``; None if the cell can run here."""
    python = ".".join(platform.python_version_tuple()[:2])
    here = {"system": platform.system(), "architecture": platform.machine(), "accelerator": "none", "python": python}
    wanted = {name: getattr(cell, name) for name in here}
    return next(
        (word for name, word in wanted.items() if word is not None and word.lower() != here[name].lower()), None
    )


def compared(cell: Cell, end: EndReason, answers: Column, reference: Column, tolerance: float) -> CellRun:
    """Return how far the answers of a cell lie from ``reference``; two abstentions are the same."""
    differing, largest = apart(answers, reference, tolerance)
    return CellRun(cell=cell, end=end, cases=len(reference), differing=int(differing.sum()), largest=largest)


def comparable(answers: Column, prediction: Prediction) -> Column:
    """Return answers as `apart` compares them: probabilities of classes as numbers, others as they are."""
    return probability_rows(answers, prediction.classes) if prediction.kind == "probabilities" else answers


def apart(
    answers: Column, reference: Column, tolerance: float | NDArray[np.float64]
) -> tuple[NDArray[np.bool_], float | None]:
    """Return which answers differ from ``reference``, shape (cases,), and the largest distance of numbers."""
    if reference.dtype.kind != "f":
        same = [np.array_equal(one, other) for one, other in zip(answers, reference, strict=True)]
        return ~np.array(same, dtype=np.bool_), None
    both = np.isnan(answers) & np.isnan(reference)
    with np.errstate(invalid="ignore"):
        distances = np.where(both, 0.0, np.abs(answers - reference))
    differing = ~(distances <= tolerance)
    known = distances[np.isfinite(distances)]
    rows = np.asarray(differing if differing.ndim == 1 else differing.any(axis=1), dtype=np.bool_)
    return rows, float(known.max()) if len(known) else None


def _run_cells(subject: ProbeSubject, matrix: Matrix) -> Iterator[CellRun]:
    candidate, terms, scratch = subject.candidate, subject.terms, subject.lab.folder("tmp")
    features = {name: column[: matrix.cases] for name, column in subject.features.items()}
    prediction, (_, reference) = terms.contract.prediction, answers_in(candidate, terms, features, scratch)
    for cell in matrix.cells:
        differs = what_differs_here(cell)
        if differs is not None:
            yield CellRun(cell=cell, differs_here=differs)
            continue
        subject.on_progress(Progress(text("trial.progress.cell", application=candidate.reference.name, cell=cell.name)))
        end, answers = answers_in(_candidate_of(cell, candidate), _terms_of(cell, terms), features, scratch)
        told, known = (comparable(each, prediction) for each in (answers, reference))
        yield compared(cell, end, told, known, matrix.tolerance)


def _terms_of(cell: Cell, terms: BoxTerms) -> BoxTerms:
    memory = {} if cell.memory_bytes is None else {"memory_bytes": cell.memory_bytes}
    return replace(
        terms,
        limits=terms.limits.model_copy(update=memory),
        batch_rows=cell.batch_rows or terms.batch_rows,
        isolation=cell.isolation or terms.isolation,
    )


def _candidate_of(cell: Cell, candidate: PreparedApplication) -> PreparedApplication:
    """Return the application with the threads that the cell gives it."""
    if cell.threads is None:
        return candidate
    application = candidate.submission.application
    resources = application.resources.model_copy(update={"threads": cell.threads})
    submission = replace(candidate.submission, application=application.model_copy(update={"resources": resources}))
    return replace(candidate, submission=submission)


def _finding(run: CellRun) -> Finding:
    """Return whether the application answers in a cell as in the trial; a cell that was not run does not pass."""
    check, cell = f"cell: {run.cell.name}", run.cell.name
    if not run.measured:
        return unmeasured(check, text("trial.finding.cell_elsewhere", cell=cell, wanted=run.differs_here))
    if run.end is not EndReason.FINISHED:
        ended = text("trial.finding.cell_ended", cell=cell, reason=END_TEXTS[run.end or EndReason.CANCELLED])
        return judged(check, holds=False, sentence=ended)
    values = {"cell": cell, "cases": run.cases, "differing": run.differing}
    said = text("trial.finding.cell_agrees" if run.agrees else "trial.finding.cell_differs", **values)
    return judged(check, run.agrees, said)
