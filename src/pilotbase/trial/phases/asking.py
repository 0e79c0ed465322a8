"""Asking: the application answers the hidden cases, arm by arm, and the digest of all arms is fixed.

α is spent before the first batch leaves. Only after the digest is fixed do the later probes run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.hashes import Digest
from pilotbase.documents.progress import Progress
from pilotbase.documents.texts import text
from pilotbase.trial.delivering import cut_as_stated
from pilotbase.trial.entering import require_leaving
from pilotbase.trial.estimating import RunEstimator, RunSize
from pilotbase.trial.perturbed_arms import AnsweredArm, AttemptSession, answer_arms, committed_digest, perturbations_of
from pilotbase.trial.phases.opening import TrialContext
from pilotbase.trial.phases.reserving import ReservedTrial
from pilotbase.trial.probes import with_probes
from pilotbase.trial.running import BoxRun
from pilotbase.vault.attempts import AttemptState, commit_answers, mark_delivered, mark_scored_before


@dataclass(frozen=True)
class AnsweredTrial:
    """A trial whose cases have been answered, in every arm."""

    reserved: ReservedTrial
    clean: AnsweredArm
    perturbed: tuple[AnsweredArm, ...]

    @property
    def trial(self) -> TrialContext:
        return self.reserved.trial


@contextmanager
def answering(reserved: ReservedTrial) -> Iterator[AnsweredTrial]:
    """Yield the answers of every arm; no other process works on this attempt until the block exits.

    Raises:
        RefusedError: another process is working on it, the run is held, or the terms of the data no longer permit it.
        InvalidProofError: files of an earlier process were altered.
    """
    trial = reserved.trial
    with answer_arms(
        trial.lab, trial.sealed, reserved.frame, perturbations_of(trial.plan.criteria), _session(reserved)
    ) as (clean, *perturbed):
        _spend(reserved)
        yield AnsweredTrial(reserved, clean, tuple(perturbed))


@dataclass(frozen=True)
class CommittedAnswers:
    """Committed answers, one per case (an abstention if there is none), and the run."""

    reserved: ReservedTrial
    values: NDArray[Any]
    rows: NDArray[np.int64]
    """The cases that were answered, as they were asked."""
    digest: Digest
    run: BoxRun
    """With the results of all probes."""
    arms: tuple[AnsweredArm, ...]
    """The perturbed arms."""

    @property
    def trial(self) -> TrialContext:
        return self.reserved.trial

    @property
    def count(self) -> int:
        return len(self.rows)


def commit(answered: AnsweredTrial) -> CommittedAnswers:
    """Return the committed answers with the results of the probes.

    Raises:
        RefusedError: the terms of the data no longer permit it. InvalidProofError: results of a probe were altered.
    """
    trial, reserved, clean = answered.trial, answered.reserved, answered.clean
    digest = committed_digest((clean, *answered.perturbed))
    commit_answers(trial.lab.vault, reserved.attempt, digest)
    run = with_probes(clean.run, replace(reserved.subject, committed=True))
    return CommittedAnswers(reserved, clean.values, clean.rows, digest, run, answered.perturbed)


def _session(reserved: ReservedTrial) -> AttemptSession:
    trial, subject, rows = reserved.trial, reserved.subject, reserved.frame.height
    lab, plan, scenario = trial.lab, trial.plan, trial.sealed.scenario
    boxes, cut = 1 + len(perturbations_of(plan.criteria)), cut_as_stated(scenario, reserved.frame, plan.repeats or 1)
    stage = text("trial.progress.answer", application=trial.candidate.reference.name)
    size = RunSize(boxes, rows, cut.batches_of(rows), plan.limits)
    estimator = RunEstimator(lab, plan.digest(), trial.hidden.owner, trial.limit, size)

    def before_first() -> None:
        leaves = require_leaving(lab.view, scenario, trial.candidate.submission.application, plan.cases)
        estimator.on_box()
        _spend(reserved)
        if leaves:  # the endpoint's operator may keep these cases: no later attempt gets them
            mark_scored_before(lab.vault, trial.hidden, reserved.attempt.cases)

    def on_batch(done: int) -> None:
        subject.on_progress(Progress(stage, done, rows * boxes))
        estimator.on_batch(done, subject.on_progress)

    return AttemptSession(
        candidate=subject.candidate,
        terms=subject.terms,
        cut=cut,
        folder=reserved.folder,
        commitment=plan.canonical(),
        secret=subject.secret,
        committed=subject.committed,
        spend=before_first,
        on_batch=on_batch,
        on_usage=estimator.on_usage,
    )


def _spend(reserved: ReservedTrial) -> None:
    """Spend α before the first batch leaves, even if the application fails earlier. Repeating it changes nothing."""
    if reserved.attempt.state is AttemptState.OPEN:
        mark_delivered(reserved.trial.lab.vault, reserved.attempt)
