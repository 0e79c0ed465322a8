"""The scorer: opens hidden data, streams features, commits answers, scores, decides and reports.

It runs in a process of its own (`scorer_process`). Killed at any moment and started again it goes on from the
committed answers; the order of scoring is opened only after the last answer is committed; the report is stored once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.catalogue.applications import read_application
from pilotbase.compute.box.settings import LogPolicy
from pilotbase.data.leakage import Leakage, check_leakage
from pilotbase.documents.errors import InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.hashes import Digest, hex_of
from pilotbase.documents.limits import EndReason
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.report import ArmRecords, Order, Records, Report
from pilotbase.documents.report import Attempt as AttemptRecord
from pilotbase.documents.subjects import report_head
from pilotbase.documents.terms import Leave
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Outcome
from pilotbase.evidence import Decision, draw_order
from pilotbase.measures import Cases, coded
from pilotbase.trial.answering import count_abstentions
from pilotbase.trial.baselines import measured_others
from pilotbase.trial.criteria_check import require_enough
from pilotbase.trial.decision_digest import decision_digest
from pilotbase.trial.delivering import Cut, cut_as_stated, in_secret_order
from pilotbase.trial.entering import Way, enter, while_it_stands
from pilotbase.trial.estimating import UNASKED, Asking, Extent, Foresight, require_consent
from pilotbase.trial.lab import Lab
from pilotbase.trial.leaving import require_leaving
from pilotbase.trial.performance import summarise
from pilotbase.trial.perturbed_arms import AnsweredArm, Sitting, answer_arms, committed_digest, perturbations_of
from pilotbase.trial.probes import look_before, measured, with_probes
from pilotbase.trial.probing import Subject
from pilotbase.trial.records import CaseRecords
from pilotbase.trial.refreshing import refresh_advice
from pilotbase.trial.remainder import people_where_scored, shuffled_remainder
from pilotbase.trial.repeating import asked_again, differing_cases, run_column
from pilotbase.trial.reporting import Proof, build_report
from pilotbase.trial.running import Candidate, Run, Terms, prepare_candidate
from pilotbase.trial.scoring import build_cases, describe, judge, unit_codes
from pilotbase.trial.sealed import Sealed, load_sealed, read_public_sample
from pilotbase.trial.sections import Observed, Runs
from pilotbase.trial.standards import with_standards
from pilotbase.trial.stored_records import (
    RecordedFacts,
    further_columns,
    recorded_load,
    store_records,
    write_records,
)
from pilotbase.trial.verdict_rules import levels_of, scoring_seed, verdict_at_end
from pilotbase.vault.attempts import (
    Attempt,
    AttemptRequest,
    AttemptState,
    attempts_of,
    cancel_attempt,
    close_attempt,
    commit_answers,
    mark_delivered,
    mark_scored,
    mark_scored_before,
    open_attempt,
    remaining,
    reveal_order,
)
from pilotbase.vault.envelopes import seal_envelope
from pilotbase.vault.hidden import HiddenSet
from pilotbase.vault.opening import Purpose, ReaderGrant, open_hidden
from pilotbase.vault.sealing import secrets_of
from pilotbase.workspace.actors import parties

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Docket:
    """Everything about one trial that is fixed before it runs."""

    plan: TrialPlan
    sealed: Sealed
    candidate: Candidate
    hidden: HiddenSet
    asking: Asking
    """Above what the run is held until there is consent."""


@dataclass(frozen=True)
class Answered:
    """Committed answers, one a case (abstentions where there is none), and how the run was."""

    values: NDArray[Any]
    rows: Ints
    """The cases that were answered, as they were asked."""
    digest: Digest
    run: Run
    arms: tuple[AnsweredArm, ...] = ()
    """The perturbed arms."""

    @property
    def count(self) -> int:
        return len(self.rows)


def report_of(lab: Lab, plan: TrialPlan) -> Report | None:
    """Return the report of a plan that has run to its end, or None."""
    known = lab.view.head(report_head(plan.digest()))
    return lab.view.load(known, Report) if known is not None else None


def score_trial(lab: Lab, plan: TrialPlan, on_progress: OnProgress, asking: Asking | None = None) -> Report:
    """Return the one report of ``plan``; to be called in the scorer process only.

    ``asking``: above what the run is held until there is consent; None: it never is.

    Raises:
        RefusedError: the data leak, no fresh cases or attempts are left, another scorer is at work on this plan, or it
            is held.
        InvalidProofError: hidden data, application or environment are not what the plan names.
    """
    known = _reported_before(lab, plan, asking)
    if known is not None:
        return known
    began = lab.store.clock()
    docket = _open_docket(lab, plan, asking or UNASKED)
    leave = _enter(lab, docket)
    leakage = _refuse_leakage(lab, docket, leave, on_progress)
    request = AttemptRequest(plan.digest(), plan.application.digest, plan.nonce, plan.cases)
    attempt = open_attempt(lab.vault, docket.hidden, request)
    attempt, frame = _asked(lab, docket, attempt, leave)
    _require_enough(lab, docket, attempt, frame)
    others = _measure_others(lab, docket, attempt, frame, on_progress)
    answered = _answer(lab, docket, attempt, frame, while_it_stands(lab.vault, leave, on_progress))
    on_progress(Progress(text("trial.progress.score")))
    secret = reveal_order(lab.vault, docket.hidden, attempt)
    order = _scoring_order(docket, frame, secret)
    kept = _kept_cases(docket, frame, answered, others)
    cases = coded(kept)
    levels = levels_of(plan, docket.hidden.alpha, attempt.number)
    decision = judge(plan.criteria, cases, order, levels, measured(answered.run.load), plan.design)
    mark_scored(lab.vault, attempt, attempt.cases[order[: decision.scored]])
    records = _keep_records(lab, docket, attempt, (kept, answered, order, decision), secret)
    judged = describe(plan.criteria, cases, order, decision, plan.contract.prediction.unit)
    observed = Observed(
        scenario=docket.sealed.scenario,
        candidate=docket.candidate,
        judged=judged,
        run=answered.run,
        performance=summarise(answered.run.load),
        cases=plan.cases,
        answered=answered.count,
        abstained=count_abstentions(answered.values, answered.count, plan.contract.prediction),
        leakage=leakage,
        arms=answered.arms,
        labels=plan.labels,
        runs=_runs(docket, attempt, answered),
        day=lab.store.clock().date().isoformat(),
    )
    told = _attempt_record(lab, docket, attempt, answered.count, order[: decision.scored])
    proof = _proof(docket, told, records, secret, (decision, answered.run.end.reason))
    report = build_report(observed, docket.candidate, plan.contract, (began, lab.store.clock()), proof)
    return _publish(lab, docket, attempt, report)


def _proof(
    docket: Docket, told: AttemptRecord, records: Records, secret: bytes, ended: tuple[Decision, EndReason]
) -> Proof:
    plan, sealed = docket.plan, docket.sealed
    return Proof(
        plan=plan.digest(),
        reference=plan.scenario,
        attempt=told,
        records=records,
        blind=sealed.record.blind,
        order=Order(commitment=plan.order_commitment, nonce=plan.nonce, secret=secret.hex()),
        design=plan.design,
        decision=decision_digest(ended[0], plan.design, verdict_at_end(*ended)),
    )


def _reported_before(lab: Lab, plan: TrialPlan, asking: Asking | None) -> Report | None:
    """Return the report that there is, its attempt ended; raises `RefusedError` where there is none and it is held."""
    known = report_of(lab, plan)
    if known is not None:
        _close_attempts(lab, plan)
    elif asking is not None:
        require_consent(lab, plan.digest(), asking)
    return known


def _open_docket(lab: Lab, plan: TrialPlan, asking: Asking) -> Docket:
    folder = lab.application_folder(plan.application.digest)
    candidate = prepare_candidate(lab, read_application(folder))
    if candidate.reference != plan.application:
        raise InvalidProofError("trial.not_as_planned", plan=plan.digest())
    sealed = load_sealed(lab.view, plan.sealed)
    return Docket(plan, sealed, candidate, lab.view.load(plan.scenario.hidden_set, HiddenSet), asking)


def _enter(lab: Lab, docket: Docket) -> Leave:
    """Return the leave to open the hidden cases for this plan, counted once; raises as `enter`."""
    plan, scenario = docket.plan, docket.sealed.scenario
    way = Way.of_trial(plan.cases, plan.release)
    return enter(lab.view, scenario, plan.application.supplier.organisation, plan.digest(), way)


def _refuse_leakage(lab: Lab, docket: Docket, leave: Leave, on_progress: OnProgress) -> Leakage:
    """Return what was checked; hidden data that leak prove nothing, so nobody spends an attempt on them."""
    on_progress(Progress(text("trial.progress.leakage")))
    hidden = _read_hidden(lab, docket.hidden, ReaderGrant(Purpose.LEAKAGE, leave))
    leakage = check_leakage(read_public_sample(lab, docket.sealed), hidden, docket.sealed.scenario)
    failed = [check.sentence for check in leakage.checks if check.outcome is Outcome.FAIL]
    if failed:
        raise RefusedError("trial.leakage", problem=failed[0])
    return leakage


def _read_hidden(lab: Lab, hidden: HiddenSet, grant: ReaderGrant, cases: Ints | None = None) -> pl.DataFrame:
    return pl.concat([piece.frame for piece in open_hidden(lab.vault, hidden, grant, cases)])


def _asked(lab: Lab, docket: Docket, attempt: Attempt, leave: Leave) -> tuple[Attempt, pl.DataFrame]:
    """Return the rows that are asked, and the attempt with the case of each row."""
    repeats = docket.plan.repeats
    frame = _read_hidden(lab, docket.hidden, ReaderGrant(Purpose.FEATURES, leave, attempt.number), attempt.cases)
    if repeats is None:
        return attempt, frame
    return replace(attempt, cases=np.tile(attempt.cases, repeats)), asked_again(frame, repeats)


def _require_enough(lab: Lab, docket: Docket, attempt: Attempt, frame: pl.DataFrame) -> None:
    """Return when the attempt's cases are enough of each class; before it is spent, so that it is given back if not."""
    if attempt.state is AttemptState.OPEN:
        level = float(levels_of(docket.plan, docket.hidden.alpha, attempt.number).accept)
        with _given_back(lab, attempt):
            require_enough(docket.sealed.scenario, docket.sealed.record.classes, frame, level)


def _runs(docket: Docket, attempt: Attempt, answered: Answered) -> Runs | None:
    """Return how far the runs of a case differ, where each was asked several times."""
    if docket.plan.repeats is None:
        return None
    return Runs(docket.plan.repeats, differing_cases(attempt.cases[answered.rows], answered.values[answered.rows]))


def _measure_others(
    lab: Lab, docket: Docket, attempt: Attempt, frame: pl.DataFrame, on_progress: OnProgress
) -> dict[str, NDArray[Any]]:
    """Return what baseline and people answer; an attempt where that cannot be measured is given back unless spent."""
    on_progress(Progress(text("trial.progress.baseline")))
    secret = _secrets(lab, docket, attempt)("delivery", "baseline")
    cut = _cut(docket, frame)
    with _given_back(lab, attempt):
        return measured_others(lab, docket.sealed, frame, lambda given: in_secret_order(given, cut, secret))


def _answer(lab: Lab, docket: Docket, attempt: Attempt, frame: pl.DataFrame, on_progress: OnProgress) -> Answered:
    plan, name = docket.plan, docket.candidate.reference.name
    arms, cut = perturbations_of(plan.criteria), _cut(docket, frame)
    stage, total = text("trial.progress.answer", application=name), frame.height * (1 + len(arms))
    extent = Extent(1 + len(arms), frame.height, cut.batches_of(frame.height), plan.limits)
    foresight = Foresight(lab, plan.digest(), docket.hidden.owner, docket.asking, extent)

    leaves, withheld = docket.candidate.endpoint is not None, LogPolicy.WITHHELD
    terms = Terms(plan.contract, plan.limits, plan.isolation, plan.batch_rows, withheld, leaves)

    def before_first() -> None:
        leaves = require_leaving(lab.view, docket.sealed.scenario, docket.candidate.submission.application, plan.cases)
        foresight.on_box()
        _spend(lab, attempt)
        if leaves:  # whoever keeps the endpoint may keep these cases: no later attempt gets them
            mark_scored_before(lab.vault, docket.hidden, attempt.cases)

    def on_batch(done: int) -> None:
        on_progress(Progress(stage, done, total))
        foresight.on_batch(done, on_progress)

    sitting = Sitting(
        candidate=docket.candidate,
        terms=terms,
        cut=cut,
        folder=lab.folder("runs", hex_of(plan.digest()), f"attempt-{attempt.number}"),
        commitment=plan.canonical(),
        secret=_secrets(lab, docket, attempt),
        committed=attempt.state is AttemptState.COMMITTED,
        spend=before_first,
        on_batch=on_batch,
        on_usage=foresight.on_usage,
    )
    subject = _subject(lab, docket, sitting, on_progress)
    with _given_back(lab, attempt):
        look_before(subject)
    with answer_arms(lab, docket.sealed, frame, arms, sitting) as (clean, *perturbed):
        _spend(lab, attempt)
        digest = committed_digest((clean, *perturbed))
        commit_answers(lab.vault, attempt, digest)
    run = with_probes(clean.run, replace(subject, committed=True))
    return Answered(clean.values, clean.rows, digest, run, tuple(perturbed))


def _subject(lab: Lab, docket: Docket, sitting: Sitting, on_progress: OnProgress) -> Subject:
    """Return who is probed beside the hidden cases, on cases of the public sample."""
    sealed, plan = docket.sealed, docket.plan
    return Subject(
        lab=lab,
        sealed=sealed,
        candidate=docket.candidate,
        terms=sitting.terms,
        asked=plan,
        sample=cache(lambda: sealed.features(read_public_sample(lab, sealed))),
        on_progress=on_progress,
        secret=sitting.secret,
        seed=plan.digest().encode(),
        folder=sitting.folder,
        committed=sitting.committed,
    )


def _secrets(lab: Lab, docket: Docket, attempt: Attempt) -> Callable[[str, str], bytes]:
    """Return what gives the secrets of an attempt, by what they are for and for which arm."""
    bundle, named = secrets_of(lab.vault, docket.hidden), (docket.plan.digest(), str(attempt.number))
    return lambda label, arm: bundle.derive(label, *named, *filter(None, [arm]))


def _cut(docket: Docket, frame: pl.DataFrame) -> Cut:
    return cut_as_stated(docket.sealed.scenario, frame, docket.plan.repeats or 1)


@contextlib.contextmanager
def _given_back(lab: Lab, attempt: Attempt) -> Iterator[None]:
    """Give the attempt back where what is done within fails, unless it is spent."""
    try:
        yield
    except PilotbaseError:
        if attempt.state is AttemptState.OPEN:
            cancel_attempt(lab.vault, attempt)
        raise


def _kept_cases(docket: Docket, frame: pl.DataFrame, answered: Answered, others: Mapping[str, NDArray[Any]]) -> Cases:
    perturbed = {str(arm.under): arm.values for arm in answered.arms}
    sealed = docket.sealed
    scenario = sealed.scenario.model_copy(update={"criteria": docket.plan.criteria})
    return build_cases(scenario, sealed.record.classes, frame, answered.values, others, perturbed)


def _spend(lab: Lab, attempt: Attempt) -> None:
    """Spend α: before the first batch leaves, and for an application that never came so far. Again changes nothing."""
    if attempt.state is AttemptState.OPEN:
        mark_delivered(lab.vault, attempt)


def _scoring_order(docket: Docket, frame: pl.DataFrame, secret: bytes) -> Ints:
    return draw_order(frame.height, scoring_seed(docket.plan, secret), unit_codes(docket.plan.criteria, frame))


def _keep_records(
    lab: Lab, docket: Docket, attempt: Attempt, outcome: tuple[Cases, Answered, Ints, Decision], secret: bytes
) -> Records:
    cases, answered, order, decision = outcome
    position = np.full(len(order), -1, dtype=np.int64)
    position[order[: decision.scored]] = np.arange(decision.scored)
    plan, bundle = docket.plan, secrets_of(lab.vault, docket.hidden)
    truth, unscored = shuffled_remainder(cases, position, plan.criteria, bundle.derive("remainder", plan.digest()))
    prediction = plan.contract.prediction
    shown = people_where_scored(cases, position, prediction)
    columns = {**further_columns(shown), **run_column(plan.cases, plan.repeats)}
    records = CaseRecords(attempt.cases, answered.values, truth, position, prediction, plan.batch_rows, columns)
    facts = RecordedFacts(
        plan=plan.digest(),
        attempt=attempt.number,
        alpha_of_all=docket.hidden.alpha,
        order_secret=secret.hex(),
        answers=answered.digest,
        end=answered.run.end.reason,
        answered=answered.count,
        unscored=unscored,
        load=recorded_load(answered.run.load),
    )
    stored = store_records(records, facts, bundle.derive("records", plan.digest()))
    blob = seal_envelope(lab.vault, docket.hidden.owner, plan.digest(), write_records(stored))
    arms = tuple(ArmRecords(under=str(arm.under), answers=arm.digest) for arm in answered.arms)
    return Records(root=stored.root, leaves=len(stored.leaves), answers=answered.digest, blob=blob, arms=arms or None)


def _attempt_record(lab: Lab, docket: Docket, attempt: Attempt, answered: int, scored_rows: Ints) -> AttemptRecord:
    hidden, sealed = docket.hidden, docket.sealed
    now, reserved = remaining(lab.vault, hidden), docket.plan.cases
    scored = len(np.unique(attempt.cases[scored_rows]))
    spent = scored if docket.candidate.endpoint is None else reserved
    left = replace(now, fresh=now.fresh + reserved - spent)
    advice = refresh_advice(sealed.scenario, sealed.record.classes, read_public_sample(lab, sealed), left)
    return AttemptRecord(
        number=attempt.number,
        alpha=float(levels_of(docket.plan, docket.hidden.alpha, attempt.number).accept),
        alpha_of_all=hidden.alpha,
        reserved=reserved,
        answered=answered // (docket.plan.repeats or 1),
        scored=scored,
        fresh_left=left.fresh,
        used_before=now.scored - spent,
        attempts_left=now.attempts,
        refresh=advice or None,
        alpha_before=now.spent_alpha - attempt.alpha,
        alpha_left=hidden.alpha - now.spent_alpha,
    )


def _publish(lab: Lab, docket: Docket, attempt: Attempt, report: Report) -> Report:
    """Store the report as the one of its plan, with the view for the supplier beside it, then end the attempt."""
    owner, supplier = docket.hidden.owner, docket.candidate.reference.supplier.organisation
    scenario, application = docket.sealed.scenario, docket.candidate.submission.application
    report = with_standards(lab.view, docket.plan.standards, report, scenario, application)
    with lab.view.transaction("trial.reported") as change:
        digest = change.put(report, parties(), owner=owner, fields={"scenario": docket.sealed.scenario.name})
        change.put(report.supplier_view(), parties(), owner=supplier, fields={"full": digest})
        change.set_head(report_head(docket.plan.digest()), digest, expected=None)
    close_attempt(lab.vault, attempt)
    return report


def _close_attempts(lab: Lab, plan: TrialPlan) -> None:
    """End an attempt whose scorer was killed between storing the report and ending it."""
    hidden = lab.view.load(plan.scenario.hidden_set, HiddenSet)
    for attempt in attempts_of(lab.vault, hidden):
        if attempt.plan == plan.digest() and attempt.state is AttemptState.COMMITTED:
            close_attempt(lab.vault, attempt)
