"""Jobs of trials: worlds checked, kits, plans, runs, bundles; at a site, packs going out and reports coming in."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.documents.hashes import hex_of
from pilotbase.documents.permissions import Act
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.record import Commission
from pilotbase.documents.states import CommissionState
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.trial.freezing import FreezeOrder, freeze_plan
from pilotbase.worker.base import Base
from pilotbase.worker.intake.public_kits import keep_kit, lacks_kit, tend_kits
from pilotbase.worker.jobs.handling import (
    Failure,
    Handler,
    Sweep,
    granted,
    record_of,
    seal_version,
    staged,
    take_in,
    take_step,
)
from pilotbase.worker.providers import seats
from pilotbase.worker.public import KIT_RETRY, failed_kits, is_lasting
from pilotbase.worker.reactions.drafts import of_kit, tell_of
from pilotbase.worker.sample_bundles.orders import erase_packed, pack_ordered
from pilotbase.worker.sites.orders import erase_old_packs, examine_sent
from pilotbase.worker.sites.orders import pack_ordered as site_pack_ordered
from pilotbase.worker.trials.carrying import carried_evidence
from pilotbase.worker.trials.consenting import end_refused, run_unless_held
from pilotbase.worker.trials.proving import require_rehearsed
from pilotbase.worker.worlds import check_ordered
from pilotbase.workspace.jobs import Job


def make_kit(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Keep the kit of a scenario version, unless it is closed or was changed meanwhile."""
    subject, version = job.payload["subject"], job.payload["scenario"]
    if lacks_kit(base, subject) == version:
        sealed = seal_version(base, version, on_progress)
        on_progress(Progress(text("job.progress.kit")))
        keep_kit(base, sealed)


def tell_missing_kit(base: Base, job: Job) -> None:
    """Notify who can act that a scenario has no kit: at once if that lasts, else once tries come no later any more."""
    tries, lasts = len(failed_kits(base.lab.view, job.payload["scenario"])) + 1, is_lasting(job)
    if lasts or tries == len(KIT_RETRY.delays):
        tell_of(base.lab.view, of_kit(base.lab.view, job.payload["subject"], job, tries, lasts))


def freeze(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Freeze the plan of a commission, rehearsing first if that has not been done."""
    record = record_of(base, job)
    if record.state != CommissionState.FREEZING:
        return
    sealed, candidate = take_in(base, record.documents["scenario"], record.documents["folder"], on_progress)
    require_rehearsed(base, sealed, candidate, None, on_progress)
    repeated = any(step.act is Act.TRIAL_REPEAT for step in record.history)
    # The name of this re-run; empty for the first trial of a version.
    repeat = f"{name_of(record.subject)}-{record.round}" if repeated else ""
    serial = base.lab.view.load(record.documents["commission"], Commission).carries
    carries = None if serial is None else carried_evidence(base, hex_of(serial), sealed, candidate.reference)
    plan = freeze_plan(base.lab, sealed, candidate, FreezeOrder(granted(record), repeat, carries=carries))
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


HANDLERS: Mapping[WorkKind, Handler] = {
    WorkKind.KIT: make_kit,
    WorkKind.FREEZE: freeze,
    WorkKind.TRIAL: run,
    WorkKind.CONSENT_REFUSED: staged("job.progress.consent_refused", lambda base, job: end_refused(base, job.subject)),
    WorkKind.BUNDLE: staged("job.progress.bundle", pack_ordered),
    WorkKind.SITE_PACK: site_pack_ordered,
    WorkKind.WORLD: check_ordered,
    WorkKind.SITE_REPORT: staged("job.progress.site_report", examine_sent),
}
FAILURES: Mapping[WorkKind, Failure] = {
    WorkKind.KIT: tell_missing_kit,
    WorkKind.FREEZE: Act.PLAN_REFUSED,
    WorkKind.TRIAL: Act.TRIAL_FAIL,
}
SWEEPS: tuple[Sweep, ...] = (erase_packed, tend_kits, erase_old_packs)
