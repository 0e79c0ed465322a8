"""Asking: the application answers the hidden cases, arm by arm, and the digest of all arms is fixed.

α is spent before the first batch leaves. Only after the digest is fixed do the later probes run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest, digest_json
from pilotbase.documents.limits import EndReason
from pilotbase.documents.progress import Progress
from pilotbase.documents.texts import text
from pilotbase.sandbox.box.ends import END_TEXTS
from pilotbase.trial.delivering import cut_as_stated
from pilotbase.trial.entering import require_leaving
from pilotbase.trial.estimating import RunEstimator, RunSize
from pilotbase.trial.hidden_runs import HiddenRun, answer_slice
from pilotbase.trial.perturbed_arms import AnsweredArm, ArmSession, answer_arms, committed_digest
from pilotbase.trial.phases.opening import TrialContext
from pilotbase.trial.phases.reserving import ReservedTrial
from pilotbase.trial.probes import with_probes
from pilotbase.trial.probes.invariance import cases_to_ask
from pilotbase.trial.records import format_answers
from pilotbase.trial.running import Hooks
from pilotbase.trial.scoring import perturbations_of
from pilotbase.trial.shown_episodes import dialogue_of
from pilotbase.vault.attempts import AttemptState, commit_answers, mark_delivered


@dataclass(frozen=True)
class AnsweredTrial:
    """A trial whose cases have been answered, in every arm: an abstention for each that has no answer."""

    reserved: ReservedTrial
    earlier: Digest | None
    """The commitment to the answers of the version that it is compared with, if it is."""
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
    arms = perturbations_of(reserved.trial.plan.criteria)
    with answer_arms(reserved.subject, reserved.frame, arms, _session(reserved, 1 + len(arms))) as (clean, *perturbed):
        _spend(reserved)
        yield AnsweredTrial(*_with_earlier(reserved), clean, tuple(perturbed))


@dataclass(frozen=True)
class CommittedTrial(AnsweredTrial):
    """A trial whose answers are committed; the clean run has the results of all probes."""

    digest: Digest
    """Of the answers of all arms."""

    @property
    def spelled(self) -> list[str | None]:
        """Return the answers as people read them, JSON with a line for each part; None where there is none.

        An episode is spelled as its dialogue.
        """
        if self.trial.plan.contract.prediction.kind == "episode":
            return [dialogue_of(transcript) for transcript in self.clean.values.tolist()]
        answers = format_answers(self.clean.values, self.trial.plan.contract.prediction)
        return [None if one is None else _readable(str(one)) for one in answers]


def commit(answered: AnsweredTrial) -> CommittedTrial:
    """Return the committed trial with the results of the probes.

    Raises:
        RefusedError: the terms of the data no longer permit it. InvalidProofError: results of a probe were altered.
    """
    trial, reserved, clean = answered.trial, answered.reserved, answered.clean
    digest = committed_digest((clean, *answered.perturbed))
    if answered.earlier is not None:
        digest = digest_json([digest, answered.earlier])
    commit_answers(trial.lab.vault, reserved.attempt, digest)
    run = with_probes(clean.run, replace(reserved.subject, committed=True))
    return CommittedTrial(reserved, answered.earlier, replace(clean, run=run), answered.perturbed, digest)


def _with_earlier(reserved: ReservedTrial) -> tuple[ReservedTrial, Digest | None]:
    """Return the trial with the earlier version's answers as its baseline, and their commitment, if it has one.

    Raises:
        RefusedError: the earlier version did not answer every case.
    """
    trial, plan = reserved.trial, reserved.trial.plan
    if plan.carries is None:
        return reserved, None
    place, repeats, earlier = (f"attempt-{reserved.attempt.number}",), plan.repeats or 1, plan.carries.application
    stage = text("trial.progress.answer", application=f"{earlier.name} {earlier.version}")
    hooks = Hooks(on_batch=lambda done: trial.on_progress(Progress(stage, done, reserved.frame.height)))
    run = HiddenRun(earlier, plan, "earlier", place, repeats)
    answers, end, digest = answer_slice(trial.lab, (trial.sealed, trial.hidden), run, reserved.frame, hooks)
    if end is not EndReason.FINISHED:
        raise RefusedError("trial.earlier_failed", reason=END_TEXTS[end])
    return replace(reserved, others={**reserved.others, "baseline": answers}), digest


def _readable(spelled: str) -> str:
    try:
        parsed = json.loads(spelled) if spelled[:1] in ("{", "[") else None
    except (ValueError, RecursionError):
        return spelled
    return spelled if parsed is None else json.dumps(parsed, ensure_ascii=False, indent=2)


def _session(reserved: ReservedTrial, boxes: int) -> ArmSession:
    trial, subject, rows = reserved.trial, reserved.subject, reserved.frame.height
    lab, plan, scenario, folder = trial.lab, trial.plan, trial.sealed.scenario, subject.folder
    assert folder is not None
    cut = cut_as_stated(scenario, reserved.frame, plan.repeats or 1)
    stage = text("trial.progress.answer", application=trial.candidate.reference.name)
    alone = cases_to_ask(subject.asked, rows // cut.runs, subject.spared)
    asks, most = trial.terms.asked_of(trial.candidate), None if scenario.door is None else scenario.door.most_cost
    paid_in = None if asks is None or asks.prices is None else asks.prices.currency
    most_paid = None if most is None or trial.candidate.endpoint is not None else float(100 * most)
    again = (alone,) if alone else ()
    size = RunSize(boxes, rows, cut.batches_of(rows), plan.limits, again, paid_in, most_paid)
    estimator = RunEstimator(lab, plan.digest(), trial.hidden.owner, trial.limit, size)

    def before_first() -> None:
        require_leaving(lab.view, scenario, trial.candidate.submission.application, plan.cases)
        estimator.meter.begin_box()
        _spend(reserved)

    def on_batch(done: int) -> None:
        subject.on_progress(Progress(stage, done, rows * boxes))
        estimator.on_batch(done, subject.on_progress)

    hooks = Hooks(before_first, on_batch, estimator.meter.take, estimator.ask_more)
    return ArmSession(cut, folder, plan.canonical(), hooks)


def _spend(reserved: ReservedTrial) -> None:
    """Spend α before the first batch leaves, even if the application fails earlier. Repeating it changes nothing."""
    if reserved.attempt.state is AttemptState.OPEN:
        mark_delivered(reserved.trial.lab.vault, reserved.attempt)
