"""Rehearsal 预演: the same arms, probes and scoring on the public sample: full logs, no attempt, not evidence."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from pilotbase.documents.figures import ShownCase
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.limits import EndReason
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.report import Report
from pilotbase.documents.site import Release
from pilotbase.documents.texts import text
from pilotbase.evidence import Levels
from pilotbase.measures import coded
from pilotbase.sandbox.box.settings import LogPolicy
from pilotbase.trial.baselines import measured_others
from pilotbase.trial.conforming import open_sample_for
from pilotbase.trial.delivering import as_hidden, cut_as_stated
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.perturbed_arms import AnsweredArm, ArmSession, answer_arms
from pilotbase.trial.probes import measured, with_probes
from pilotbase.trial.reporting import TrialFindings, build_report
from pilotbase.trial.running import Hooks, PreparedApplication
from pilotbase.trial.scoring import build_cases, describe, judge, perturbations_of, rules_of, settle_criteria
from pilotbase.trial.sealed import OpenedScenario
from pilotbase.trial.shown_cases import CaseGallery, answered_table, shown_cases
from pilotbase.trial.standards import with_standards
from pilotbase.workspace.actors import parties

_LEVELS = Levels(Fraction(1, 20), Fraction(1, 20))


@dataclass(frozen=True)
class Rehearsal:
    """A report that is no evidence, everything the application printed, and whether it may now cost an attempt."""

    report: Report
    log: str
    table: pl.DataFrame | None
    """The cases with the answers; None if the supplier may not hold rows of their dataset."""
    shown: tuple[ShownCase, ...] = ()
    """Some of the cases to look at; none if there is no table."""

    @property
    def passed(self) -> bool:
        """Return whether every case was answered according to the contract."""
        return self.report.isolation.end is EndReason.FINISHED


def rehearse(
    lab: TrialRuntime,
    sealed: OpenedScenario,
    candidate: PreparedApplication,
    on_progress: OnProgress = ignore_progress,
    release: Release | None = None,
) -> Rehearsal:
    """Return how the application performs on the public sample; a pass is remembered for its digest.

    ``release``: what may leave, in a rehearsal at a site. On cases of a dataset that isn't open, a rehearsal is a use,
    counted before anything is read; a supplier that may not hold its rows gets the result without them.

    Raises:
        RefusedError: the host can't provide the isolation level, or the dataset's terms don't permit it.
    """
    scenario, contract = sealed.scenario, sealed.contract
    subject = open_sample_for(lab, sealed, candidate, on_progress, release)
    frame, arms = subject.sample(), perturbations_of(scenario.criteria)
    stage = text("trial.progress.rehearse", application=candidate.submission.application.name)
    hooks = Hooks(on_batch=lambda done: subject.on_progress(Progress(stage, done, frame.height * (1 + len(arms)))))
    cut, began = cut_as_stated(scenario, frame), lab.store.clock()
    with tempfile.TemporaryDirectory(dir=lab.folder("tmp")) as scratch, lab.open_log_run():
        session = ArmSession(cut, Path(scratch), b"rehearsal", hooks)
        with answer_arms(subject, frame, arms, session) as (clean, *perturbed):
            clean = replace(clean, run=with_probes(clean.run, subject))
    others = measured_others(lab, sealed, frame, partial(as_hidden, cut=cut))
    under = {str(arm.under): arm.values for arm in perturbed}
    kept = build_cases(scenario, sealed.record.classes, frame, clean.values, others, under)
    cases, order = coded(kept), np.arange(frame.height, dtype=np.int64)
    # Scored case by case: a rehearsal claims nothing beyond its cases.
    criteria = [criterion.model_copy(update={"unit": "case"}) for criterion in settle_criteria(scenario)]
    decision = judge(criteria, cases, order, _LEVELS, measured(clean.run.load))
    observed = TrialFindings(
        scenario=scenario,
        contract=contract,
        candidate=candidate,
        judged=describe(criteria, cases, order, decision, contract.prediction.unit),
        clean=clean,
        arms=tuple(perturbed),
        cases=frame.height,
        day=lab.store.clock().date().isoformat(),
    )
    report = build_report(observed, (began, lab.store.clock()))
    report = with_standards(lab.view, None, report, scenario, candidate.submission.application)
    gallery = CaseGallery(frame, scenario.feature_fields, contract.prediction, kept, cases)
    rehearsal = Rehearsal(report.supplier_view(), _printed((clean, *perturbed)), None)
    if subject.terms.logs is LogPolicy.FULL:  # else no case is shown, and figures only as coarse as a trial tells
        table = answered_table(gallery, scenario.data.target)
        rehearsal = replace(rehearsal, report=report, table=table, shown=shown_cases(gallery, rules_of(criteria)))
    return _remembered(lab, sealed, candidate, rehearsal)


def has_rehearsed(lab: TrialRuntime, sealed: OpenedScenario, candidate: PreparedApplication) -> bool:
    """Return whether this version of the application, in this environment, has passed a rehearsal of this scenario."""
    return lab.view.head(_head(sealed, candidate)) is not None


def _printed(arms: Sequence[AnsweredArm]) -> str:
    """Return everything that the application printed in each arm, each part on a new line, however the last ends."""
    parts = [
        part
        for arm in arms
        for run in (arm.run, *(one.run for one in arm.again[:1]))
        for part in (
            "" if arm.under is None else f"--- {arm.under} ---",
            run.log,
            _told_beside(run.end.detail, run.log),
        )
    ]
    return "".join(part if part.endswith("\n") else f"{part}\n" for part in parts if part)


def _told_beside(detail: str, log: str) -> str:
    """Return the words of an end that are no mere repetition of what was printed last."""
    return "" if log.rstrip().endswith(detail.rstrip()) else detail


def _remembered(
    lab: TrialRuntime, sealed: OpenedScenario, candidate: PreparedApplication, rehearsal: Rehearsal
) -> Rehearsal:
    supplier = candidate.submission.application.supplier.organisation
    with lab.view.transaction("trial.rehearsed") as change:
        digest = change.put(rehearsal.report, parties(supplier), owner=supplier)
        if rehearsal.passed:
            change.let_stand(_head(sealed, candidate), digest)
    return rehearsal


def _head(sealed: OpenedScenario, candidate: PreparedApplication) -> str:
    parts = (sealed.record.scenario, candidate.reference.digest, candidate.reference.environment)
    return "rehearsed:" + ":".join(hex_of(part)[:40] for part in parts)
