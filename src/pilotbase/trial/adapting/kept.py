"""All cells of an attempt, each run once: a scorer that is started again reads what there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pilotbase.documents.adaptation import CellRun, Matrix
from pilotbase.documents.base import Part
from pilotbase.documents.limits import EndReason
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.texts import text
from pilotbase.trial.adapting.cells import (
    answers_in,
    candidate_of,
    compared,
    terms_of,
    what_differs_here,
)
from pilotbase.trial.delivering import Features
from pilotbase.trial.lab import Lab
from pilotbase.trial.perturbed_arms import Sitting
from pilotbase.trial.run_files import read_marked, write_marked
from pilotbase.trial.running import Candidate, Run, Terms
from pilotbase.trial.sealed import Sealed, read_public_sample


class CellRuns(Part):
    """What became of every cell."""

    runs: tuple[CellRun, ...]


def with_cells(
    lab: Lab, sealed: Sealed, sitting: Sitting, run: Run, matrix: Matrix | None, on_progress: OnProgress
) -> Run:
    """Return ``run`` with what became of each cell of the plan's matrix, on cases of the public sample.

    An application that did not answer every case is not asked again, nor is an endpoint: its environment is not ours.
    """
    if matrix is None or not can_be_asked(sitting.candidate, run):
        return run
    file, key = sitting.folder / "cells", sitting.secret("run", "cells")
    kept = read_marked(CellRuns, file, key)
    if kept is None:
        sample = sealed.features(read_public_sample(lab, sealed).head(matrix.cases))
        found = run_cells(sitting.candidate, sitting.terms, matrix, sample, lab.folder("tmp"), on_progress)
        kept = CellRuns(runs=found)
        write_marked(kept, file, key)
    return replace(run, load=replace(run.load, cells=kept.runs))


def rehearsed_cells(
    candidate: Candidate, terms: Terms, run: Run, matrix: Matrix | None, sample: tuple[Features, Path]
) -> Run:
    """Return ``run`` with what becomes of each cell in a rehearsal; ``sample``: cases, and a folder to work in."""
    if matrix is None or not can_be_asked(candidate, run):
        return run
    features = {name: column[: matrix.cases] for name, column in sample[0].items()}
    return replace(run, load=replace(run.load, cells=run_cells(candidate, terms, matrix, features, sample[1])))


def run_cells(
    candidate: Candidate,
    terms: Terms,
    matrix: Matrix,
    features: Features,
    scratch: Path,
    on_progress: OnProgress = lambda _: None,
) -> tuple[CellRun, ...]:
    """Return what becomes of each cell that this machine is, and of the others that they are not."""
    _, reference = answers_in(candidate, terms, features, scratch)

    def runs() -> Iterator[CellRun]:
        for cell in matrix.cells:
            differs = what_differs_here(cell)
            if differs is not None:
                yield CellRun(cell=cell, differs_here=differs)
                continue
            on_progress(Progress(text("trial.progress.cell", application=candidate.reference.name, cell=cell.name)))
            end, answers = answers_in(candidate_of(cell, candidate), terms_of(cell, terms), features, scratch)
            yield compared(cell, end, answers, reference, matrix.tolerance)

    return tuple(runs())


def can_be_asked(candidate: Candidate, run: Run) -> bool:
    """Tell whether the application has answered its cases in a box of ours, so that it may be asked again."""
    return run.end.reason is EndReason.FINISHED and candidate.endpoint is None
