"""Jobs of trials: rehearsals, boards, plans, runs, bundles."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.catalogue.applications import read_application
from pilotbase.catalogue.records import load_record
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import Act
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.record import ApplicationVersion, Record
from pilotbase.documents.scenario import Approval, Scenario
from pilotbase.documents.states import CommissionState
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.sandbox.box.ends import END_TEXTS
from pilotbase.trial.baselines import keep_reference_application
from pilotbase.trial.freezing import freeze_plan
from pilotbase.trial.rehearsing import has_rehearsed, rehearse
from pilotbase.trial.running import PreparedApplication, prepare_candidate
from pilotbase.trial.sealed import OpenedScenario
from pilotbase.trial.sealing import seal_scenario
from pilotbase.worker.base import Base
from pilotbase.worker.bundles.orders import erase_packed, pack_ordered
from pilotbase.worker.intake.boxed_tables import cases_in_box
from pilotbase.worker.intake.kept_files import opened_scenario
from pilotbase.worker.jobs.handling import Handler, Sweep, record_of, take_step
from pilotbase.worker.providers import seats
from pilotbase.worker.trials.boards import score_on_board
from pilotbase.worker.trials.consenting import end_refused, run_unless_held
from pilotbase.worker.trials.folder import rehearsal_folder, write_rehearsal
from pilotbase.workspace.jobs import Job
from pilotbase.workspace.listings import MAXIMUM_PAGE, Query, list_page


def rehearse_application(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Rehearse an application version on the public sample of the open scenario that it was made for."""
    version = base.lab.view.load(job.payload["application"], ApplicationVersion)
    assert version.scenario is not None
    scenario = load_record(base.lab.view, version.scenario)[0].documents["scenario"]
    sealed, candidate = _sealed(base, scenario, on_progress), _candidate(base, version.folder, on_progress)
    rehearsal = rehearse(base.lab, sealed, candidate, on_progress)
    write_rehearsal(rehearsal_folder(base.lab, version.folder, sealed.scenario.name), rehearsal)
    if record_of(base, job).documents["application"] == job.payload["application"]:
        take_step(base, job, Act.APPLICATION_REHEARSED, rehearsal.report.digest())


def submit_to_board(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Score an application version on the board of the open scenario that it was made for; no evidence, no attempt."""
    version = base.lab.view.load(job.payload["application"], ApplicationVersion)
    assert version.scenario is not None
    scenario = load_record(base.lab.view, version.scenario)[0].documents["scenario"]
    sealed, candidate = _sealed(base, scenario, on_progress), _candidate(base, version.folder, on_progress)
    _require_rehearsed(base, sealed, candidate, on_progress)
    score_on_board(base.lab, sealed, candidate, on_progress, _approved(base, version.scenario, job.subject))


def freeze(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Freeze the plan of a commission, rehearsing first if that has not been done."""
    record = record_of(base, job)
    if record.state != CommissionState.FREEZING:
        return
    documents = record.documents
    sealed = _sealed(base, documents["scenario"], on_progress)
    candidate = _candidate(base, documents["folder"], on_progress)
    _require_rehearsed(base, sealed, candidate, on_progress)
    plan = freeze_plan(base.lab, sealed, candidate, _granted(record), _repeat(record))
    take_step(base, job, Act.PLAN_FROZEN, plan.digest())


def run(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Run the frozen plan to its one report, or hold it for consent; restarted, it continues with the same attempt."""
    record = record_of(base, job)
    if record.state not in (CommissionState.QUEUED, CommissionState.RUNNING):
        return
    plan = base.lab.view.load(record.documents["plan"], TrialPlan)
    with seats().seat_of_trial(base.lab, record, plan, f"job:{job.identity}") as seat:
        if record_of(base, job).state == CommissionState.QUEUED:
            take_step(base, job, Act.TRIAL_START)
        report = run_unless_held(base, record, plan, seat.watched(on_progress))
        if report is None:
            return
        seat.count(report)
    if record_of(base, job).state == CommissionState.RUNNING:
        take_step(base, job, Act.TRIAL_REPORT, report.digest())


def end_refused_attempt(base: Base, job: Job, on_progress: OnProgress) -> None:
    """End the attempt of a trial whose payer has refused its cost."""
    on_progress(Progress(text("job.progress.consent_refused")))
    end_refused(base, job.subject)


def pack_bundle(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Pack the sample bundle that a person has ordered, and keep it for them for a day."""
    on_progress(Progress(text("job.progress.bundle")))
    pack_ordered(base, job)


HANDLERS: Mapping[WorkKind, Handler] = {
    WorkKind.REHEARSE: rehearse_application,
    WorkKind.BOARD: submit_to_board,
    WorkKind.FREEZE: freeze,
    WorkKind.TRIAL: run,
    WorkKind.CONSENT_REFUSED: end_refused_attempt,
    WorkKind.BUNDLE: pack_bundle,
}
FAILURES: Mapping[WorkKind, Act] = {WorkKind.FREEZE: Act.PLAN_REFUSED, WorkKind.TRIAL: Act.TRIAL_FAIL}
SWEEPS: tuple[Sweep, ...] = (erase_packed,)


def _granted(record: Record) -> list[Approval]:
    return [Approval(kind=one.kind, reference=one.reference, until=one.until) for one in record.approvals]


def _approved(base: Base, scenario: str, application: str) -> list[Approval]:
    """Return the filed approvals for trials of an application on a scenario: its board reads the same data."""
    trials = list_page(
        base.lab.view, Query("commission", scenario=scenario, application=application), limit=MAXIMUM_PAGE
    )
    records = (load_record(base.lab.view, listing.subject)[0] for listing in trials.items)
    return [approval for record in records for approval in _granted(record)]


def _repeat(record: Record) -> str:
    """Return the name of this re-run; empty for the first trial of a version."""
    repeated = [step for step in record.history if step.act is Act.TRIAL_REPEAT]
    return f"{name_of(record.subject)}-{record.round}" if repeated else ""


def _sealed(base: Base, digest: Digest, on_progress: OnProgress) -> OpenedScenario:
    scenario = base.lab.view.load(digest, Scenario)
    on_progress(Progress(text("trial.progress.seal", scenario=scenario.name)))
    with opened_scenario(base, scenario) as folder:
        reference = keep_reference_application(base.lab, scenario, folder)
        return seal_scenario(base.lab, scenario, folder, reference, cases_in_box)


def _candidate(base: Base, folder: Digest, on_progress: OnProgress) -> PreparedApplication:
    submission = read_application(base.lab.application_folder(folder))
    on_progress(Progress(text("trial.progress.environment", application=submission.application.name)))
    return prepare_candidate(base.lab, submission)


def _require_rehearsed(
    base: Base, sealed: OpenedScenario, candidate: PreparedApplication, on_progress: OnProgress
) -> None:
    """Rehearse if that has not been done; raises `RefusedError` when it fails."""
    if has_rehearsed(base.lab, sealed, candidate):
        return
    rehearsal = rehearse(base.lab, sealed, candidate, on_progress)
    end = rehearsal.report.isolation
    if not rehearsal.passed:
        raise RefusedError("worker.rehearsal_failed", reason=END_TEXTS[end.end], detail=end.detail)
