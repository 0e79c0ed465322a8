"""What each kind of job does: the stages of a trial, joined to the record that ordered them.

A handler may run again after its worker was killed, with the same attempt: each goes on from what its stage has
committed, and takes its step on the record only where the record still waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.catalogue.applications import read_application
from pilotbase.catalogue.records import load_record
from pilotbase.certificate import reinstate, revoke, suspend
from pilotbase.certificate.issued import IssuedCertificate
from pilotbase.certificate.revocation import MAXIMUM_REASON
from pilotbase.compute.box.ends import END_TEXTS
from pilotbase.documents.certificate import REVOKED, SUPERSEDED, SUSPENDED
from pilotbase.documents.errors import PilotbaseError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import Act
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.record import ApplicationVersion, Record, Result
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Approval, Scenario
from pilotbase.documents.states import CommissionState
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.trial.baselines import keep_reference_application
from pilotbase.trial.freezing import freeze_plan
from pilotbase.trial.rehearsing import has_rehearsed, rehearse
from pilotbase.trial.running import PreparedApplication, prepare_candidate
from pilotbase.trial.sealed import OpenedScenario
from pilotbase.trial.sealing import seal_scenario
from pilotbase.worker.base import Base
from pilotbase.worker.bundles.orders import pack_ordered
from pilotbase.worker.computing.seats import seat_of_trial
from pilotbase.worker.computing.what_if import play_ordered
from pilotbase.worker.datasets.describing import describe_ordered
from pilotbase.worker.datasets.label_imports import import_ordered
from pilotbase.worker.datasets.label_rounds import prepare_items
from pilotbase.worker.datasets.labelling import prepare_decisions
from pilotbase.worker.datasets.measuring import measure_ordered
from pilotbase.worker.datasets.previewing import make_preview
from pilotbase.worker.datasets.statistics import answer_ordered
from pilotbase.worker.intake.boxed_tables import cases_in_box, texts_in_box
from pilotbase.worker.intake.kept_files import opened_scenario
from pilotbase.worker.sites.orders import pack_ordered as pack_for_a_site
from pilotbase.worker.sites.returning import examine_sent
from pilotbase.worker.trials.boards import score_on_board
from pilotbase.worker.trials.certifying import remarks_of
from pilotbase.worker.trials.consenting import end_refused, run_unless_held
from pilotbase.worker.trials.folder import rehearsal_folder, write_rehearsal
from pilotbase.worker.trials.issuing import issue
from pilotbase.workspace.jobs import Job
from pilotbase.workspace.listings import MAXIMUM_PAGE, Query, list_page

Handler = Callable[[Base, Job, OnProgress], None]


def rehearse_application(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Rehearse an application version on the public sample of the open scenario that it was made for."""
    version = base.lab.view.load(job.payload["application"], ApplicationVersion)
    assert version.scenario is not None
    scenario = load_record(base.lab.view, version.scenario)[0].documents["scenario"]
    sealed, candidate = _sealed(base, scenario, on_progress), _candidate(base, version.folder, on_progress)
    rehearsal = rehearse(base.lab, sealed, candidate, on_progress)
    write_rehearsal(rehearsal_folder(base.lab, version.folder, sealed.scenario.name), rehearsal)
    if _record(base, job).documents["application"] == job.payload["application"]:
        _step(base, job, Act.APPLICATION_REHEARSED, rehearsal.report.digest())


def submit_to_board(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Score an application version on the board of the open scenario that it was made for; no evidence, no attempt."""
    version = base.lab.view.load(job.payload["application"], ApplicationVersion)
    assert version.scenario is not None
    scenario = load_record(base.lab.view, version.scenario)[0].documents["scenario"]
    sealed, candidate = _sealed(base, scenario, on_progress), _candidate(base, version.folder, on_progress)
    _require_rehearsed(base, sealed, candidate, on_progress)
    score_on_board(base.lab, sealed, candidate, on_progress, _approved(base, version.scenario, job.subject))


def freeze(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Freeze the plan of a commission, rehearsing first where that has not been done."""
    record = _record(base, job)
    if record.state != CommissionState.FREEZING:
        return
    documents = record.documents
    sealed = _sealed(base, documents["scenario"], on_progress)
    candidate = _candidate(base, documents["folder"], on_progress)
    _require_rehearsed(base, sealed, candidate, on_progress)
    plan = freeze_plan(base.lab, sealed, candidate, _granted(record), _repeat(record))
    _step(base, job, Act.PLAN_FROZEN, plan.digest())


def run(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Run the frozen plan to its one report, or hold it for consent; started again it goes on with the same attempt."""
    record = _record(base, job)
    if record.state not in (CommissionState.QUEUED, CommissionState.RUNNING):
        return
    plan = base.lab.view.load(record.documents["plan"], TrialPlan)
    with seat_of_trial(base, record, plan, f"job:{job.identity}") as seat:
        if _record(base, job).state == CommissionState.QUEUED:
            _step(base, job, Act.TRIAL_START)
        report = run_unless_held(base, record, plan, seat.watched(on_progress))
        if report is None:
            return
        seat.count(report)
    if _record(base, job).state == CommissionState.RUNNING:
        _step(base, job, Act.TRIAL_REPORT, report.digest())


def end_refused_attempt(base: Base, job: Job, on_progress: OnProgress) -> None:
    """End the attempt of a trial whose payer has refused what it costs."""
    on_progress(Progress(text("job.progress.consent_refused")))
    end_refused(base, job.subject)


def certify(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Issue the certificate that was ordered; one of an earlier round is revoked first."""
    record, view = _record(base, job), base.lab.view
    if record.state != CommissionState.SIGNING:
        return
    on_progress(Progress(text("job.progress.certificate")))
    plan = view.load(record.documents["plan"], TrialPlan)
    report = view.load(record.documents["report"], Report)
    before = record.documents.get("certificate")
    if before is not None:
        _revoke(base, before, SUPERSEDED)
    issued = issue(base, report, plan, remarks_of(view, record))
    _step(base, job, Act.CERTIFICATE_ISSUE, issued.digest())


def publish_revocation(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Put the certificate of a record on the base's signed list of revocations."""
    on_progress(Progress(text("job.progress.revocation")))
    _revoke(base, job.payload["certificate"], job.payload.get("note") or REVOKED)


def publish_standing(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Let the base's signed list say of a certificate what its record says: suspended, or not.

    It reads the record again after each publication: a step taken meanwhile has a job of its own, which may be done.
    """
    on_progress(Progress(text("job.progress.standing")))
    serial = base.lab.view.load(job.payload["certificate"], IssuedCertificate).certificate.serial
    record, published = _record(base, job), None
    while record.state != published:
        published, now = record.state, base.lab.store.clock()
        if published == CommissionState.CERTIFIED:
            reinstate(base.trust, base.lab.view, base.revocations, serial, now)
        else:
            suspend(base.trust, base.lab.view, base.revocations, serial, _why_suspended(record), now)
        record = _record(base, job)


def pack_bundle(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Pack the sample bundle that a person has asked for, and keep it for them for a day."""
    on_progress(Progress(text("job.progress.bundle")))
    pack_ordered(base, job)


def describe_files(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Describe files that an organisation has sent, in a box."""
    on_progress(Progress(text("job.progress.describe")))
    describe_ordered(base, job)


def measure_quality_of(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Measure the quality of files that an owner keeps, in a box."""
    on_progress(Progress(text("job.progress.quality")))
    measure_ordered(base, job)


def show_first_rows(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Make the first rows of a file that was sent to be kept, in a box."""
    on_progress(Progress(text("job.progress.first_rows")))
    make_preview(base, job)


def tell_statistics(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Answer a question about a closed dataset with noise, once its ε is spent."""
    answer_ordered(base, job, on_progress, texts_in_box)


def draw_items(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Draw the items of a labelling round and seal them for its annotators."""
    on_progress(Progress(text("job.progress.label_items")))
    prepare_items(base, job, texts_in_box)


def draw_differing(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Seal the items on which annotators differ for who decides."""
    on_progress(Progress(text("job.progress.label_items")))
    prepare_decisions(base, job, texts_in_box)


def import_labels(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Take labels from an export of Label Studio into a round."""
    on_progress(Progress(text("job.progress.label_import")))
    import_ordered(base, job)


def take_site_report(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Examine the report of a site, keep it and certify it."""
    on_progress(Progress(text("job.progress.site_report")))
    examine_sent(base, job)


def give_up(base: Base, job: Job, reason: Text) -> None:
    """Tell the record that its job came to nothing, where it still waits for it."""
    act = _FAILURES.get(job.kind)
    if act is None:
        return
    try:
        advance(base.lab.view, job.subject, act, Move(reason=reason))
    except PilotbaseError as error:
        if error.code != "record.wrong_state":
            raise


HANDLERS: Mapping[WorkKind, Handler] = {
    WorkKind.REHEARSE: rehearse_application,
    WorkKind.BOARD: submit_to_board,
    WorkKind.FREEZE: freeze,
    WorkKind.TRIAL: run,
    WorkKind.CONSENT_REFUSED: end_refused_attempt,
    WorkKind.CERTIFICATE: certify,
    WorkKind.REVOCATION: publish_revocation,
    WorkKind.SUSPENSION: publish_standing,
    WorkKind.REINSTATEMENT: publish_standing,
    WorkKind.BUNDLE: pack_bundle,
    WorkKind.DESCRIBE: describe_files,
    WorkKind.QUALITY: measure_quality_of,
    WorkKind.FIRST_ROWS: show_first_rows,
    WorkKind.STATISTICS: tell_statistics,
    WorkKind.LABEL_ITEMS: draw_items,
    WorkKind.LABEL_CLOSE: draw_differing,
    WorkKind.LABEL_IMPORT: import_labels,
    WorkKind.SITE_PACK: pack_for_a_site,
    WorkKind.SITE_REPORT: take_site_report,
    WorkKind.WHAT_IF: play_ordered,
}
"""Kind of job → what it does."""
_FAILURES: Mapping[str, Act] = {
    WorkKind.FREEZE: Act.PLAN_REFUSED,
    WorkKind.TRIAL: Act.TRIAL_FAIL,
    WorkKind.CERTIFICATE: Act.CERTIFICATE_FAIL,
}


def _record(base: Base, job: Job) -> Record:
    return load_record(base.lab.view, job.subject)[0]


def _granted(record: Record) -> list[Approval]:
    return [Approval(kind=one.kind, reference=one.reference, until=one.until) for one in record.approvals]


def _approved(base: Base, scenario: str, application: str) -> list[Approval]:
    """Return the approvals that are filed for trials of an application on a scenario: its board reads the same data."""
    trials = list_page(
        base.lab.view, Query("commission", scenario=scenario, application=application), limit=MAXIMUM_PAGE
    )
    records = (load_record(base.lab.view, listing.subject)[0] for listing in trials.items)
    return [approval for record in records for approval in _granted(record)]


def _repeat(record: Record) -> str:
    """Return a name for the re-run that this round is, empty for the first trial of a version."""
    repeated = [step for step in record.history if step.act is Act.TRIAL_REPEAT]
    return f"{name_of(record.subject)}-{record.round}" if repeated else ""


def _step(base: Base, job: Job, act: Act, made: Digest | None = None) -> None:
    advance(base.lab.view, job.subject, act, Move(Result(made=made) if made is not None else None))


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
    """Rehearse where that has not been done; raises `RefusedError` when it fails."""
    if has_rehearsed(base.lab, sealed, candidate):
        return
    rehearsal = rehearse(base.lab, sealed, candidate, on_progress)
    end = rehearsal.report.isolation
    if not rehearsal.passed:
        raise RefusedError("worker.rehearsal_failed", reason=END_TEXTS[end.end], detail=end.detail)


def _why_suspended(record: Record) -> str:
    notes = [step.note for step in record.history if step.act is Act.CERTIFICATE_SUSPEND and step.note]
    return (notes[-1] if notes else SUSPENDED)[:MAXIMUM_REASON]


def _revoke(base: Base, certificate: Digest, reason: str) -> None:
    serial = base.lab.view.load(certificate, IssuedCertificate).certificate.serial
    revoke(base.trust, base.lab.view, base.revocations, serial, reason[:MAXIMUM_REASON], base.lab.store.clock())
