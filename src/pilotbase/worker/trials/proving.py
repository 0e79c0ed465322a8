"""From a scenario's and an application's folder to report and certificate: does whatever is not yet done."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pilotbase.catalogue.applications import read_application, store_application
from pilotbase.certificate.envelope import Envelope
from pilotbase.documents.base import Step
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.report import Report
from pilotbase.documents.site import Release
from pilotbase.documents.texts import text
from pilotbase.sandbox.box.ends import END_TEXTS
from pilotbase.trial.arena.shelf import shelf_of
from pilotbase.trial.conforming import Conformance, conform
from pilotbase.trial.freezing import FreezeOrder, freeze_plan
from pilotbase.trial.rehearsing import has_rehearsed, rehearse
from pilotbase.trial.running import PreparedApplication, prepare_candidate
from pilotbase.trial.scenario_folder import naming_places
from pilotbase.trial.scorer_process import run_trial
from pilotbase.trial.sealed import OpenedScenario
from pilotbase.worker.base import Base
from pilotbase.worker.trials.carrying import carried_evidence
from pilotbase.worker.trials.certificates import issue
from pilotbase.worker.trials.consenting import Runner
from pilotbase.worker.trials.folder import (
    TrialFiles,
    judged_in,
    open_records,
    read_plan,
    write_json,
    write_rehearsal,
    write_trial,
)
from pilotbase.worker.trials.kits import seal_in, write_kit


@dataclass(frozen=True)
class Rehearsed:
    """A rehearsal and where its files are."""

    report: Report
    folder: Path
    passed: bool


@dataclass(frozen=True)
class ProvenTrial:
    """A report, its certificate and where their files are."""

    report: Report
    certificate: Certificate
    envelope: Envelope
    folder: Path


def rehearse_in(
    base: Base, scenario: Path, application: Path, out: Path | None = None, on_progress: OnProgress = ignore_progress
) -> Rehearsed:
    """Rehearse an application on a scenario's public sample and write the result, full logs included.

    Raises:
        InputError: scenario, data, application or lock are wrong, with every problem at once.
        RefusedError: the host does not give the isolation level.
    """
    sealed, candidate = take_in(base, scenario, application, Step.REHEARSE, on_progress)
    rehearsal = rehearse(base.lab, sealed, candidate, on_progress)
    folder = write_rehearsal(trial_folder(base, out, sealed, candidate) / "rehearsal", rehearsal)
    return Rehearsed(rehearsal.report, folder, rehearsal.passed)


def conform_in(base: Base, scenario: Path, application: Path, on_progress: OnProgress) -> Conformance:
    """Return how far an application conforms to matrix and exchanges; raises as `rehearse_in` and `conform`."""
    sealed, candidate = take_in(base, scenario, application, Step.REHEARSE, on_progress)
    return conform(base.lab, sealed, candidate, on_progress)


def kit_in(base: Base, scenario: Path, file: Path | None, on_progress: OnProgress = ignore_progress) -> Path:
    """Return where the kit of a scenario was written, by default beside its folder; raises as `write_kit`."""
    sealed = seal_in(base, scenario, Step.REHEARSE, on_progress)
    file = file or scenario.absolute().parent / f"{sealed.scenario.name}.kit.zip"
    write_kit(base.lab, sealed, file)
    return file


def freeze_in(
    base: Base,
    scenario: Path,
    application: Path,
    out: Path | None = None,
    on_progress: OnProgress = ignore_progress,
    carries: str = "",
) -> TrialPlan:
    """Return the frozen plan, written to its folder; raises as `frozen_in`."""
    plan, folder = frozen_in(base, (scenario, application), out, on_progress, carries)
    write_json(folder / "plan.json", plan)
    return plan


def prove(
    base: Base,
    scenario: Path,
    application: Path,
    out: Path | None = None,
    on_progress: OnProgress = ignore_progress,
    run: Runner = run_trial,
) -> ProvenTrial:
    """Return the report and the certificate of an application version on a scenario version; see `prove_plan`.

    Raises:
        InputError: scenario, data, application or lock are wrong, with every problem at once.
        RefusedError: isolation, approvals, rehearsal, leakage, attempts; no attempt is counted. Or it is held.
    """
    plan, folder = frozen_in(base, (scenario, application), out, on_progress)
    return prove_plan(base, plan, folder, on_progress, run)


def prove_plan(base: Base, plan: TrialPlan, folder: Path, on_progress: OnProgress, run: Runner) -> ProvenTrial:
    """Return the report and the certificate of a frozen plan, and write them to ``folder``.

    Run again, it returns the same report; killed on the way, or held by ``run`` for consent, it continues. Where
    experts judge, it is held until their verdicts are in the folder ``panel`` (`folder.judged_in`). Raises as `prove`.
    """
    with judged_in(base.lab, plan, folder / "panel"):
        report = run(base.lab, plan, on_progress)
    on_progress(Progress(text("trial.progress.report")))
    issued = issue(base, report, plan)
    records = open_records(base.lab, report, plan.scenario.owner.organisation)
    checkpoint = base.lab.view.checkpoint().note
    world = None if plan.contract.world is None else shelf_of(base.lab).kept(plan.contract.world).folder
    write_trial(folder, TrialFiles(plan, report, issued.certificate, issued.envelope, records, checkpoint, world))
    return ProvenTrial(report, issued.certificate, issued.envelope, folder)


def take_in(
    base: Base, scenario_path: Path, application_path: Path, step: Step, on_progress: OnProgress
) -> tuple[OpenedScenario, PreparedApplication]:
    """Return scenario and application as the base keeps them: data sealed, folder copied, requirements installed."""
    submission = read_application(application_path)
    sealed = seal_in(base, scenario_path, step, on_progress)
    on_progress(Progress(text("trial.progress.environment", application=submission.application.name)))
    kept = store_application(submission, base.lab.applications)
    return sealed, prepare_candidate(base.lab, kept)


def require_rehearsed(
    base: Base,
    sealed: OpenedScenario,
    candidate: PreparedApplication,
    folder: Path | None,
    on_progress: OnProgress,
    release: Release | None = None,
) -> None:
    """Rehearse if that has not been done; raises `RefusedError` when it fails, or finds the classes mixed up.

    ``folder``: where the result is written, if anywhere. ``release``: what may leave, if it is rehearsed at a site.
    """
    if has_rehearsed(base.lab, sealed, candidate):
        return
    rehearsal = rehearse(base.lab, sealed, candidate, on_progress, release)
    if folder is not None:
        write_rehearsal(folder / "rehearsal", rehearsal)
    if not rehearsal.passed:
        end = rehearsal.report.isolation
        said = {"reason": END_TEXTS[end.end], "detail": end.detail}
        if folder is None:
            raise RefusedError("worker.rehearsal_failed", **said)
        raise RefusedError("trial.rehearsal_failed", folder=folder, **said)
    if (doubt := rehearsal.doubt) is not None:  # told once, before it costs an attempt
        raise RefusedError("worker.rehearsal_doubted", doubt=doubt)


def trial_folder(base: Base, out: Path | None, sealed: OpenedScenario, candidate: PreparedApplication) -> Path:
    """Return the folder for the files of this application on this scenario; raises `RefusedError` if it has others."""
    name = f"{candidate.reference.name}-{candidate.reference.version}"
    supplier = candidate.reference.supplier.organisation
    folder = out or base.lab.folder("trials", sealed.scenario.name, supplier, name)
    folder.mkdir(parents=True, exist_ok=True)
    if (kept := folder / "plan.json").exists():
        plan = read_plan(kept)
        theirs = (plan.scenario.name, plan.application.supplier.organisation, plan.application.name)
        if theirs != (sealed.scenario.name, supplier, candidate.reference.name):
            raise RefusedError("trial.folder_taken", folder=folder)
    return folder


def frozen_in(
    base: Base, places: tuple[Path, Path], out: Path | None, on_progress: OnProgress, carries: str = ""
) -> tuple[TrialPlan, Path]:
    """Return the frozen plan of a scenario and an application in ``places``, and the folder of its files.

    It rehearses first if that has not been done. ``carries``: serial number of an earlier version's certificate to
    build on. Raises as `prove` and `carried_evidence`.
    """
    sealed, candidate = take_in(base, *places, Step.FREEZE, on_progress)
    folder = trial_folder(base, out, sealed, candidate)
    with naming_places(places[0]):
        require_rehearsed(base, sealed, candidate, folder, on_progress)
        evidence = carried_evidence(base, carries, sealed, candidate.reference) if carries else None
        return freeze_plan(base.lab, sealed, candidate, FreezeOrder(carries=evidence)), folder
