"""The baseline, measured: a column, a rule, a constant, or a reference application that runs in its own box.

Human performance too, if the scenario has a column of people's decisions.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from numpy.typing import NDArray

from pilotbase.catalogue.applications import read_application, store_application
from pilotbase.data.baselines import as_answered, baseline_answers, people_answers
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.limits import EndReason
from pilotbase.documents.scenario import ApplicationBaseline, ReferenceBaseline, Scenario
from pilotbase.documents.world import CLEAN
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.trial.answering import AnswerLog, complete_answers
from pilotbase.trial.arena.references import BLIND, play_all
from pilotbase.trial.arena.shelf import shelf_of
from pilotbase.trial.delivering import CaseDelivery, Features, SecretDelivery
from pilotbase.trial.entering import require_boxed
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.running import BoxTerms, PreparedApplication, kept_candidate, run_candidate, run_on_hidden
from pilotbase.trial.sealed import OpenedScenario

Deliver = Callable[[Features], CaseDelivery]


def keep_reference_application(lab: TrialRuntime, scenario: Scenario, folder: Path) -> str | None:
    """Return the digest of the scenario's reference application, kept by the base; None when it has none.

    Raises:
        InputError: its folder is missing, reaches out of the scenario's, or is no application.
        RefusedError: it is an endpoint.
    """
    if not isinstance(scenario.baseline, ApplicationBaseline):
        return None
    path = folder / scenario.baseline.path
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError("trial.baseline_outside", path=scenario.baseline.path, folder=folder)
    submission = read_application(path)
    require_boxed(submission.application)
    return store_application(submission, lab.applications).digest


def measured_others(
    lab: TrialRuntime, sealed: OpenedScenario, frame: pl.DataFrame, deliver: Deliver | None
) -> dict[str, NDArray[Any]]:
    """Return what ``baseline`` and ``people`` answer to ``frame``, coded like an application's, where they are given.

    ``deliver``: how a reference application gets the cases; None: without baseline.

    Raises:
        RefusedError: a reference application did not answer every case.
    """
    people = people_answers(sealed.scenario, frame, sealed.record.classes)
    found = {
        "baseline": None if deliver is None else measured_baseline(lab, sealed, frame, deliver),
        "people": None if people is None else _as_asked(people, sealed),
    }
    return {name: answers for name, answers in found.items() if answers is not None}


def measured_baseline(
    lab: TrialRuntime, sealed: OpenedScenario, frame: pl.DataFrame, deliver: Deliver
) -> NDArray[Any] | None:
    """Return the baseline's answers on ``frame``, shape (rows,), coded like an application's; None without baseline.

    Raises:
        RefusedError: a reference application did not answer every case.
    """
    scenario = sealed.scenario
    if scenario.baseline is None:
        return None
    if isinstance(scenario.baseline, ReferenceBaseline):
        return _played(lab, sealed, frame, scenario.baseline)
    if sealed.record.reference_application is None:
        answers = baseline_answers(scenario, frame, sealed.record.classes)
        return _as_asked(answers, sealed) if answers is not None else None
    candidate = kept_candidate(lab, sealed.record.reference_application)
    return _run_reference(lab, sealed, candidate, deliver(sealed.features(frame)))


def _played(
    lab: TrialRuntime, sealed: OpenedScenario, frame: pl.DataFrame, baseline: ReferenceBaseline
) -> NDArray[Any]:
    """Return the transcripts of a player that is no application."""
    settings = BoxSettings(level=sealed.scenario.trial.isolation)
    with shelf_of(lab).open(sealed.record.source, settings) as box:
        return play_all(box, frame, CLEAN, BLIND[baseline.player])


def _as_asked(answers: NDArray[Any], sealed: OpenedScenario) -> NDArray[Any]:
    return as_answered(answers, sealed.contract.prediction)


def _run_reference(
    lab: TrialRuntime, sealed: OpenedScenario, candidate: PreparedApplication, asked: CaseDelivery
) -> NDArray[Any]:
    contract, trial = sealed.contract, sealed.scenario.trial
    # Its figures leave a rehearsal, which may be repeated; on hidden cases it is kept apart as applications are.
    logs = LogPolicy.WITHHELD if isinstance(asked, SecretDelivery) else LogPolicy.FIGURES
    terms = BoxTerms(contract, trial.limits, trial.isolation, trial.batch_rows, logs)
    with (
        tempfile.TemporaryDirectory(dir=lab.folder("tmp")) as scratch,
        AnswerLog(Path(scratch) / "answers", b"baseline") as log,
    ):
        if isinstance(asked, SecretDelivery):
            run = run_on_hidden(lab, candidate, terms, asked, log)
        else:
            run = run_candidate(candidate, terms, asked, log)
        if run.end.reason is not EndReason.FINISHED:
            raise RefusedError("trial.baseline_failed", reason=run.ending)
        return complete_answers(asked, log.values(), contract.prediction)
