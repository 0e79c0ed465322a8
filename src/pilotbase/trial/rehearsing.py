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
from numpy.typing import NDArray

from pilotbase.documents.figures import ShownCase
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.limits import EndReason
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.report import Report
from pilotbase.documents.site import Release
from pilotbase.documents.texts import Text, text
from pilotbase.evidence import Levels
from pilotbase.measures import Cases, coded
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
_FEWEST = 5
"""Cases of a class that say how it is answered."""
_CLEAR = 4
"""Standard errors by which other names for the classes must fit better."""
_MIXED_UP = "trial.reason.mixed_up"


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

    @property
    def doubt(self) -> Text | None:
        """Return the reason to think that class names are mixed up; None: there is none."""
        return next((one for one in self.report.reasons if one.code == _MIXED_UP), None)


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
    report = report.model_copy(update={"reasons": (*report.reasons, *_mixed_up(cases))})
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


def _mixed_up(cases: Cases) -> tuple[Text, ...]:
    """Say that the answers fit the cases far better under other names of the classes, if they do.

    A model's file often numbers the classes without naming them; a wrong order would otherwise show in a trial only.
    """
    names, shares = cases.classes, _shares(cases)
    if not shares.shape[1]:
        return ()
    of_classes = [shares[cases.truth == code] for code in range(len(names))]
    if min((len(one) for one in of_classes), default=0) < _FEWEST:
        return ()
    means = np.array([one.mean(axis=0) for one in of_classes])
    meant = (means / np.maximum(means.mean(axis=0), 1e-9)).argmax(axis=0)
    if sorted(meant) != list(range(len(names))):
        return ()
    gains = [one[:, meant == code][:, 0] - one[:, code] for code, one in enumerate(of_classes)]
    error = np.sqrt(sum(one.var(ddof=1) / len(one) for one in gains))
    if sum(one.mean() for one in gains) <= _CLEAR * error:
        return ()
    pairs = [f"{names[said]} → {names[true]}" for said, true in enumerate(meant) if said != true]
    return (text(_MIXED_UP, pairs=pairs),) if pairs else ()


def _shares(cases: Cases) -> NDArray[np.float64]:
    """Return how far each case is answered with each class, shape (cases, classes); an abstention with none."""
    answers, count = cases.answers, len(cases.classes)
    if cases.kind == "label":
        return np.asarray(answers[:, None] == np.arange(count), np.float64)
    if cases.kind == "probabilities":
        return np.nan_to_num(np.asarray(answers, np.float64))
    if cases.kind == "probability" and cases.positive is not None and count == 2:
        positive = np.arange(2) == cases.code(cases.positive)
        of_each: NDArray[np.float64] = np.where(positive, answers[:, None], 1 - answers[:, None])
        return np.nan_to_num(of_each)
    return np.zeros((len(answers), 0))


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
