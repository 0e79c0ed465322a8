"""What handlers of jobs share: their type, the record that ordered a job, its scenario and application, its step."""

from __future__ import annotations

from collections.abc import Callable

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.catalogue.applications import read_application
from pilotbase.catalogue.records import load_record
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import Act
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.record import Record, Result
from pilotbase.documents.scenario import Approval, Scenario
from pilotbase.documents.texts import text
from pilotbase.trial.baselines import keep_reference_application
from pilotbase.trial.running import PreparedApplication, prepare_candidate
from pilotbase.trial.sealed import OpenedScenario
from pilotbase.trial.sealing import seal_scenario
from pilotbase.worker.base import Base
from pilotbase.worker.intake.boxed_tables import cases_in_box
from pilotbase.worker.intake.kept_files import opened_scenario
from pilotbase.workspace.jobs import Job

Handler = Callable[[Base, Job, OnProgress], None]
Failure = Act | Callable[[Base, Job], None]
"""What follows when a job fails: the step that its record takes, or what to do. The job says the reason."""
Sweep = Callable[[Base], int]
"""Erases what jobs have left and nobody needs any more; returns the number of erased things."""


def staged(stage: str, do: Callable[[Base, Job], None]) -> Handler:
    """Return a handler of one stage, which the text ``stage`` names."""

    def handle(base: Base, job: Job, on_progress: OnProgress) -> None:
        on_progress(Progress(text(stage)))
        do(base, job)

    return handle


def record_of(base: Base, job: Job) -> Record:
    """Return the record that ordered a job."""
    return load_record(base.lab.view, job.subject)[0]


def take_step(base: Base, job: Job, act: Act, made: Digest | None = None) -> None:
    """Take a step on the record that ordered a job, with what the job has made."""
    advance(base.lab.view, job.subject, act, Move(Result(made=made) if made is not None else None))


def granted(record: Record) -> list[Approval]:
    """Return the approvals that were filed for a trial, as its plan names them."""
    return [Approval(kind=one.kind, reference=one.reference, until=one.until) for one in record.approvals]


def take_in(
    base: Base, scenario: Digest, application: Digest, on_progress: OnProgress
) -> tuple[OpenedScenario, PreparedApplication]:
    """Return a scenario version, its data sealed, and an application's folder, its requirements installed."""
    sealed = seal_version(base, scenario, on_progress)
    submission = read_application(base.lab.application_folder(application))
    on_progress(Progress(text("trial.progress.environment", application=submission.application.name)))
    return sealed, prepare_candidate(base.lab, submission)


def seal_version(base: Base, scenario: Digest, on_progress: OnProgress) -> OpenedScenario:
    """Return a scenario version with its data sealed, its table read in a box."""
    stated = base.lab.view.load(scenario, Scenario)
    on_progress(Progress(text("trial.progress.seal", scenario=stated.name)))
    with opened_scenario(base, stated) as folder:
        reference = keep_reference_application(base.lab, stated, folder)
        return seal_scenario(base.lab, stated, folder, reference, cases_in_box)
