"""Rehearsal 预演: the same box, limits and scoring on the public sample: full logs, no attempt, not evidence.

`conform` tries matrix and recorded exchanges alone, as a supplier does before a trial.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.base import Name, Part
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.exchanges import ExchangeFigures
from pilotbase.documents.figures import ShownCase
from pilotbase.documents.hashes import digest_json, hex_of
from pilotbase.documents.limits import EndReason
from pilotbase.documents.plan import ApplicationReference
from pilotbase.documents.probes import CellRun
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.report import Finding, Report
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.site import Release
from pilotbase.documents.terms import AccessGrant
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Outcome
from pilotbase.evidence import Levels
from pilotbase.measures import coded
from pilotbase.sandbox.box.probe import probe_host, require_level
from pilotbase.sandbox.box.settings import LogPolicy
from pilotbase.trial.answering import AnswerLog, complete_answers, count_abstentions
from pilotbase.trial.baselines import measured_others
from pilotbase.trial.delivering import Cut, Features, as_hidden, cut_as_stated
from pilotbase.trial.entering import AccessMode, enter_rehearsal, may_show_sample, require_leaving, while_it_stands
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.performance import summarise
from pilotbase.trial.perturbed_arms import AnsweredArm, perturbations_of, rehearse_arm
from pilotbase.trial.probes import PROBES, measured, with_probes
from pilotbase.trial.probing import ProbeSubject, look
from pilotbase.trial.records import format_answers
from pilotbase.trial.reporting import TrialFindings, build_report
from pilotbase.trial.running import BoxRun, BoxTerms, Hooks, PreparedApplication, run_candidate
from pilotbase.trial.scoring import build_cases, describe, judge, settle_criteria
from pilotbase.trial.sealed import OpenedScenario, read_public_sample
from pilotbase.trial.shown_cases import CaseGallery, shown_cases
from pilotbase.trial.standards import with_standards
from pilotbase.trial.stored_records import ARM
from pilotbase.workspace.actors import parties

MAXIMUM_CASES = 20_000
"""A rehearsal answers at most so many cases of the public sample (the first ones)."""


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
    on_progress = while_it_stands(lab.vault, _enter_sample(lab, sealed, candidate, release), on_progress)
    terms, frame = _sample_terms(lab, sealed, candidate), read_public_sample(lab, sealed).head(MAXIMUM_CASES)
    cut = cut_as_stated(scenario, frame)
    asked, began = as_hidden(sealed.features(frame), cut), lab.store.clock()
    stage = text("trial.progress.rehearse", application=candidate.submission.application.name)
    with (
        tempfile.TemporaryDirectory(dir=lab.folder("tmp")) as scratch,
        AnswerLog(Path(scratch) / "answers", b"rehearsal") as log,
        lab.open_log_run(),
    ):
        hooks = Hooks(on_batch=lambda done: on_progress(Progress(stage, done, frame.height)))
        run = run_candidate(candidate, terms, asked, log, hooks)
        subject = ProbeSubject(lab, sealed, candidate, terms, scenario.trial, lambda: asked.features, ignore_progress)
        run = with_probes(run, subject)
        answered, values = log.answered, log.values()
        arms = _rehearse_arms(lab, sealed, (asked.features, cut), Path(scratch), (candidate, terms))
    answers = complete_answers(asked, values, contract.prediction)
    perturbed = {str(arm.under): arm.values for arm in arms}
    others = measured_others(lab, sealed, frame, lambda features: as_hidden(features, cut))
    kept = build_cases(scenario, sealed.record.classes, frame, answers, others, perturbed)
    cases = coded(kept)
    order = np.arange(frame.height, dtype=np.int64)
    criteria = [_independent(criterion) for criterion in settle_criteria(scenario)]
    decision = judge(criteria, cases, order, Levels(Fraction(1, 20), Fraction(1, 20)), measured(run.load))
    judged = describe(criteria, cases, order, decision, contract.prediction.unit)
    observed = TrialFindings(
        scenario=scenario,
        candidate=candidate,
        judged=judged,
        run=run,
        performance=summarise(run.load),
        cases=frame.height,
        answered=answered,
        abstained=count_abstentions(answers, answered, contract.prediction),
        arms=arms,
        day=lab.store.clock().date().isoformat(),
    )
    report = build_report(observed, candidate, contract, (began, lab.store.clock()))
    report = with_standards(lab.view, None, report, scenario, candidate.submission.application)
    rehearsal = Rehearsal(report, _printed(run, arms), _table(frame, sealed, answers, perturbed))
    rehearsal = _shown(rehearsal, terms, CaseGallery(frame, scenario.feature_fields, contract.prediction, kept, cases))
    return _remembered(lab, sealed, candidate, rehearsal)


def _enter_sample(
    lab: TrialRuntime, sealed: OpenedScenario, candidate: PreparedApplication, release: Release | None = None
) -> AccessGrant | None:
    """Return permission to answer the public sample; None if nothing is counted. Raises `RefusedError`."""
    require_level(sealed.scenario.trial.isolation, probe_host())
    mode = AccessMode.of_trial(min(sealed.record.public_cases, MAXIMUM_CASES), release)
    require_leaving(lab.view, sealed.scenario, candidate.submission.application, mode.rows)
    name = digest_json([sealed.record.digest(), candidate.reference.digest, candidate.reference.environment])
    return enter_rehearsal(lab.view, sealed.scenario, candidate.reference.supplier.organisation, name, mode)


def _sample_terms(lab: TrialRuntime, sealed: OpenedScenario, candidate: PreparedApplication) -> BoxTerms:
    """Return the terms of a rehearsal: output is shown only to those who may hold the rows that it may reveal."""
    scenario, supplier = sealed.scenario, candidate.reference.supplier.organisation
    shown = LogPolicy.FULL if may_show_sample(lab.view, scenario, supplier) else LogPolicy.FIGURES
    trial, leaves = scenario.trial, candidate.endpoint is not None
    return BoxTerms(sealed.contract, trial.limits, trial.isolation, trial.batch_rows, shown, leaves)


def has_rehearsed(lab: TrialRuntime, sealed: OpenedScenario, candidate: PreparedApplication) -> bool:
    """Return whether this version of the application, in this environment, has passed a rehearsal of this scenario."""
    return lab.view.head(_head(sealed, candidate)) is not None


class Conformance(Part):
    """What an application keeps to of a scenario's matrix and exchanges; no evidence, as a rehearsal is none."""

    scenario: Name
    application: ApplicationReference
    findings: tuple[Finding, ...]
    cells: tuple[CellRun, ...] | None = None
    exchanges: tuple[ExchangeFigures, ...] | None = None

    @property
    def holds(self) -> bool:
        """Return whether nothing failed; an unmeasured part doesn't count as failed."""
        return all(finding.outcome is not Outcome.FAIL for finding in self.findings)


def conform(
    lab: TrialRuntime, sealed: OpenedScenario, candidate: PreparedApplication, on_progress: OnProgress = ignore_progress
) -> Conformance:
    """Return the result of every cell, exchange and fault, with the same messages as in a trial.

    Like a rehearsal, it is a use of the public sample.

    Raises:
        InputError: the scenario has neither a matrix nor exchanges.
        RefusedError: an endpoint answers, which we can't stop or move to another environment; or as `rehearse`.
    """
    trial, name = sealed.scenario.trial, sealed.scenario.name
    if trial.matrix is None and trial.exchanges is None:
        raise InputError("trial.nothing_to_conform", scenario=name)
    if candidate.endpoint is not None:
        raise RefusedError("trial.conform_endpoint", application=candidate.reference.name)
    on_progress = while_it_stands(lab.vault, _enter_sample(lab, sealed, candidate), on_progress)
    sample = cache(lambda: sealed.features(read_public_sample(lab, sealed).head(MAXIMUM_CASES)))
    subject = ProbeSubject(lab, sealed, candidate, _sample_terms(lab, sealed, candidate), trial, sample, on_progress)
    with lab.open_log_run():
        found = [(probe, look(probe, subject, None)) for probe in PROBES if probe.conforms]
    tried = [(probe, part) for probe, part in found if part is not None]
    findings = [one for probe, part in tried for said in probe.findings(part).values() for one in said]
    figures = {name: figure for probe, part in tried for name, figure in probe.told(part).items()}
    return Conformance(scenario=name, application=candidate.reference, findings=tuple(findings), **figures)


def _rehearse_arms(
    lab: TrialRuntime,
    sealed: OpenedScenario,
    given: tuple[Features, Cut],
    scratch: Path,
    who: tuple[PreparedApplication, BoxTerms],
) -> tuple[AnsweredArm, ...]:
    """Return the answers under each perturbation in the criteria, each from its own box."""
    return tuple(
        rehearse_arm(lab, sealed, given, under, scratch, who) for under in perturbations_of(sealed.scenario.criteria)
    )


def _printed(run: BoxRun, arms: Sequence[AnsweredArm]) -> str:
    """Return everything that the application printed, under each perturbation too."""
    return _joined([run.log, run.end.detail, *(said for arm in arms for said in _printed_in(arm))])


def _printed_in(arm: AnsweredArm) -> tuple[str, str, str]:
    return f"--- {arm.under} ---", arm.run.log, arm.run.end.detail


def _joined(parts: Sequence[str]) -> str:
    """Return the outputs one after the other, each starting on a new line, however the previous one ends."""
    return "".join(part if part.endswith("\n") else f"{part}\n" for part in parts if part)


def _shown(rehearsal: Rehearsal, terms: BoxTerms, looked_at: CaseGallery) -> Rehearsal:
    """Return it as the supplier gets it: who may hold no row gets no case, and figures as coarse as a trial tells."""
    if terms.logs is LogPolicy.FULL:
        rules = [parse_rule(result.rule) for result in rehearsal.report.criteria]
        return replace(rehearsal, shown=shown_cases(looked_at, rules))
    return replace(rehearsal, report=rehearsal.report.supplier_view(), table=None)


def _remembered(
    lab: TrialRuntime, sealed: OpenedScenario, candidate: PreparedApplication, rehearsal: Rehearsal
) -> Rehearsal:
    supplier = candidate.submission.application.supplier.organisation
    head = _head(sealed, candidate)
    with lab.view.transaction("trial.rehearsed") as change:
        digest = change.put(rehearsal.report, parties(supplier), owner=supplier)
        if rehearsal.passed:
            change.let_stand(head, digest)
    return rehearsal


def _head(sealed: OpenedScenario, candidate: PreparedApplication) -> str:
    parts = (sealed.record.scenario, candidate.reference.digest, candidate.reference.environment)
    return "rehearsed:" + ":".join(hex_of(part)[:40] for part in parts)


def _independent(criterion: Criterion) -> Criterion:
    """Score case by case: a rehearsal claims nothing beyond its cases."""
    return criterion.model_copy(update={"unit": "case"})


def _table(
    frame: pl.DataFrame, sealed: OpenedScenario, answers: NDArray[Any], perturbed: Mapping[str, NDArray[Any]]
) -> pl.DataFrame:
    """Return the part of the public sample that the supplier may see, with the application's answers."""
    shown = [*(field.name for field in sealed.scenario.feature_fields), sealed.scenario.data.target]
    answered = pl.Series("prediction", format_answers(answers, sealed.contract.prediction))
    under = [
        pl.Series(f"{ARM}{name}", format_answers(values, sealed.contract.prediction))
        for name, values in perturbed.items()
    ]
    return frame.select(shown).with_columns(answered, *under)
