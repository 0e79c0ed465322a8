"""A tender: several applications answer the same hidden cases, each in its own box, and their answers are paired.

The tender is one attempt on the hidden set, and its cases are spent for everybody when the first leaves for a box. All
answers are committed before the order of scoring is revealed. Killed and restarted, it goes on from those it has.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import log
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.board import Separated, TenderPlace, TenderPlan, TenderResult, TenderTerms, entered_digest
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.hashes import Digest, digest_json, hex_of
from pilotbase.documents.limits import EndReason
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.scenario import Approval
from pilotbase.documents.texts import text
from pilotbase.evidence import draw_order
from pilotbase.evidence.paired import PairedTerms, compare_paired
from pilotbase.measures import coded, is_resource
from pilotbase.trial.board_measure import board_losses, board_rule, measure_problems, range_width
from pilotbase.trial.criteria_check import why_no_attempt
from pilotbase.trial.entering import AccessMode, enter_tender, require_boxed
from pilotbase.trial.freezing import require_ready
from pilotbase.trial.hidden_runs import HiddenRun, answer_slice
from pilotbase.trial.lab import SOFTWARE, TrialRuntime, name_once
from pilotbase.trial.running import Hooks, PreparedApplication
from pilotbase.trial.scoring import build_cases, unit_codes
from pilotbase.trial.sealed import OpenedScenario, draw_of, drawn_units, left_of, load_sealed
from pilotbase.trial.sealing import published_cases
from pilotbase.trial.verdict_rules import scoring_seed
from pilotbase.vault import attempts
from pilotbase.vault.opening import OpeningPurpose, ReaderGrant, read_hidden
from pilotbase.vault.sealing import HiddenSet
from pilotbase.workspace.actors import parties

Answers = NDArray[Any]
_STEPS = 10**6
"""Scores are read to so many steps of the measure's range, so that the martingales count whole numbers."""
_SAME, _FEWEST_SAME = 0.9, 10
"""Share, and number, of two applications' wrong answers that have to be the same before they are named as copies."""
_TENTH = 1.1


def freeze_tender(
    lab: TrialRuntime,
    sealed: OpenedScenario,
    entrants: Sequence[PreparedApplication],
    terms: TenderTerms,
    granted: Sequence[Sequence[Approval]] = (),
) -> TenderPlan:
    """Return the frozen plan of a tender between ``entrants``; the same entrants on the same terms have one plan.

    ``granted``: the approvals that were filed for each entrant.

    Raises:
        InputError: fewer than two entrants, two of one organisation, a measure without scores by case, or a margin
            that nobody can exceed.
        RefusedError: an endpoint, missing approvals, a missing rehearsal, too few fresh cases, units that are torn, or
            no attempt left.
    """
    references = sorted((one.reference for one in entrants), key=lambda one: one.subject)
    entered = entered_digest(references)
    head = f"tender-plan:{hex_of(digest_json([sealed.record.digest(), entered, terms.model_dump(mode='json')]))}"
    known = lab.view.load_head(head, TenderPlan)
    if known is not None:
        return known
    organisations = [one.supplier.organisation for one in references]
    if len(organisations) < 2:
        raise InputError("tender.one_entrant")
    twice = next((one for one in organisations if organisations.count(one) > 1), None)
    if twice is not None:
        raise InputError("tender.entered_twice", organisation=twice)
    require_comparable(sealed, terms)
    hidden = lab.view.load(sealed.record.hidden_set, HiddenSet)
    left = left_of(lab, sealed)
    if (refused := why_no_attempt(sealed.scenario, hidden, left)) is not None:
        raise refused
    draw = draw_of(left, terms.cases)
    if draw is None and left.fresh < terms.cases:
        raise RefusedError("trial.hidden_set_used_up", wanted=terms.cases, left=left.fresh)
    for number, candidate in enumerate(entrants):
        require_entrant(lab, sealed, candidate, terms, granted[number] if granted else ())
    nonce = secrets.token_hex(16)
    plan = TenderPlan(
        scenario=sealed.reference,
        sealed=sealed.record.digest(),
        terms=terms,
        draw=draw,
        entrants=tuple(references),
        nonce=nonce,
        order_commitment=attempts.order_commitment(lab.vault, hidden, entered, nonce),
        frozen_at=lab.store.clock(),
        software=SOFTWARE,
    )
    with lab.view.transaction("tender.frozen") as change:
        digest = change.put(plan, parties(), owner=hidden.owner)
    return lab.view.load(name_once(lab.view, head, digest), TenderPlan)


def require_entrant(
    lab: TrialRuntime,
    sealed: OpenedScenario,
    candidate: PreparedApplication,
    terms: TenderTerms,
    granted: Sequence[Approval],
) -> None:
    """Return if one application may take part; raises `RefusedError` as `require_ready`, and for an endpoint."""
    require_boxed(candidate.submission.application)
    draw = draw_of(left_of(lab, sealed), terms.cases)
    mode = AccessMode.of_trial(terms.cases if draw is None else draw.cases)
    require_ready(lab, sealed, candidate, mode, granted)


def require_comparable(sealed: OpenedScenario, terms: TenderTerms) -> None:
    """Return if the measure has a score for each case and the margin is within its range; raises `InputError`."""
    scenario = sealed.scenario
    units = {one.unit for one in scenario.criteria if not is_resource(one.parsed())} - {"case"}
    problem = next(measure_problems(scenario, terms.measure, sealed.record.classes), None)
    if len(units) > 1:
        problem = text("trial.units_differ", found=sorted(units))
    if problem is not None:
        raise InputError("tender.measure", problem=problem)
    rule = board_rule(scenario, terms.measure)
    width = range_width(rule, sealed.record.classes)
    if not terms.margin < width:
        raise InputError("tender.margin", margin=terms.margin, measure=terms.measure, range=f"{width:g}")


def result_of(lab: TrialRuntime, plan: TenderPlan) -> TenderResult | None:
    """Return the result of a tender that has ended, or None."""
    return lab.view.load_head(_result_head(plan), TenderResult)


def place_head(plan: Digest, supplier: str) -> str:
    """Return the head of one supplier's own result."""
    return f"tender-place:{hex_of(plan)}/{supplier}"


def score_tender(lab: TrialRuntime, plan: TenderPlan, on_progress: OnProgress) -> TenderResult:
    """Return the one result of ``plan``; call it only in the scorer process.

    One that is known is derived again from the committed answers, as long as the base keeps them.

    Raises:
        RefusedError: another process works on it, the terms of the data do not permit it, too few fresh cases are
            left, or cases of it have been published; or the answers kept are not those committed to.
        InvalidProofError: the hidden data or an application differ from the plan, or the result from the answers.
    """
    sealed, hidden = load_sealed(lab.view, plan.sealed), lab.view.load(plan.scenario.hidden_set, HiddenSet)
    known = result_of(lab, plan)
    if known is not None:
        return _derived_again(lab, plan, (sealed, hidden), known)
    units = drawn_units(lab, sealed, plan.draw)
    request = attempts.AttemptRequest(plan.digest(), plan.entered, plan.nonce, plan.cases, units=units)
    attempt = attempts.open_attempt(lab.vault, hidden, request)
    frame = _admitted(lab, plan, (sealed, hidden), attempt)

    def spend() -> None:
        if attempt.state is attempts.AttemptState.OPEN:
            attempts.mark_delivered(lab.vault, attempt)
            attempts.mark_scored_before(lab.vault, hidden, attempt.cases)

    def hooks(place: int) -> Hooks:
        stage = text("trial.progress.answer", application=f"{place + 1}/{len(plan.entrants)}")
        return Hooks(spend, lambda done: on_progress(Progress(stage, done, frame.height)))

    answered = _answered(lab, plan, (sealed, hidden), frame, hooks)
    spend()
    attempts.commit_answers(lab.vault, attempt, answered.digest)
    on_progress(Progress(text("trial.progress.score")))
    secret = attempts.reveal_order(lab.vault, hidden, attempt)
    result = _decided(lab, plan, sealed, answered, secret)
    _store(lab, plan, result)
    attempts.close_attempt(lab.vault, attempt)
    return result


@dataclass(frozen=True)
class _Answered:
    """The cases, every entrant's answers to them, and how answering ended; ``digest``: the commitment to all."""

    frame: pl.DataFrame
    given: Sequence[Answers]
    ends: Sequence[EndReason]
    digest: Digest


def _answered(
    lab: TrialRuntime,
    plan: TenderPlan,
    of: tuple[OpenedScenario, HiddenSet],
    frame: pl.DataFrame,
    hooks: Callable[[int], Hooks],
) -> _Answered:
    """Return all answers to ``frame``; ``hooks``: of the entrant at a place. Runs that have ended are only read."""
    runs = [HiddenRun(entrant, plan, "tender", (entrant.supplier.organisation,)) for entrant in plan.entrants]
    found = [answer_slice(lab, of, run, frame, hooks(place)) for place, run in enumerate(runs)]
    given, ends, committed = zip(*found, strict=True)
    return _Answered(frame, given, ends, digest_json(list(committed)))


def _derived_again(
    lab: TrialRuntime, plan: TenderPlan, of: tuple[OpenedScenario, HiddenSet], known: TenderResult
) -> TenderResult:
    sealed, hidden = of
    places = (f"runs/tender-{hex_of(plan.digest())}/{entrant.supplier.organisation}" for entrant in plan.entrants)
    if not all((lab.home.path / place / "ended").exists() for place in places):
        return known
    request = attempts.AttemptRequest(plan.digest(), plan.entered, plan.nonce, plan.cases)
    attempt = attempts.open_attempt(lab.vault, hidden, request)
    frame = read_hidden(lab.vault, hidden, ReaderGrant.of_owner(hidden.owner), attempt.cases)
    answered = _answered(lab, plan, of, frame, lambda _: Hooks())
    attempts.commit_answers(lab.vault, attempt, answered.digest)
    found = _decided(lab, plan, sealed, answered, attempts.reveal_order(lab.vault, hidden, attempt))
    if found.model_copy(update={"decided_at": known.decided_at}) != known:
        raise InvalidProofError("tender.differs", scenario=sealed.scenario.name)
    return known


def _result_head(plan: TenderPlan) -> str:
    return f"tender-result:{hex_of(plan.digest())}"


def _admitted(
    lab: TrialRuntime,
    plan: TenderPlan,
    of: tuple[OpenedScenario, HiddenSet],
    attempt: attempts.VaultAttempt,
) -> pl.DataFrame:
    """Return the cases once every entrant is permitted to answer them; what fails here gives the attempt back."""
    sealed, hidden = of
    try:
        for entrant in plan.entrants:
            supplier = entrant.supplier.organisation
            leave = enter_tender(lab.view, sealed.scenario, supplier, plan.digest(), plan.cases)
            grant = ReaderGrant(OpeningPurpose.TRIAL, leave, attempt.number)
            frame = read_hidden(lab.vault, hidden, grant, attempt.cases)
        if len(published_cases(lab, hidden.owner, frame)):
            raise RefusedError("trial.board_published", scenario=sealed.scenario.name)
    except PilotbaseError:
        if attempt.state is attempts.AttemptState.OPEN:
            attempts.cancel_attempt(lab.vault, attempt)
        raise
    return frame


def _decided(
    lab: TrialRuntime,
    plan: TenderPlan,
    sealed: OpenedScenario,
    answered: _Answered,
    secret: bytes,
) -> TenderResult:
    """Return what the answers decide in the order that ``secret`` draws."""
    frame, given, terms = answered.frame, answered.given, plan.terms
    units = unit_codes(sealed.scenario.criteria, frame)
    order = draw_order(frame.height, scoring_seed(plan, secret), units)
    frame, given = frame[order], [answers[order] for answers in given]
    scores, span = _scores(sealed, plan, frame, given)
    entries = np.rint(_STEPS * _by_unit(scores, None if units is None else units[order])).astype(np.int64)
    margin, tolerance = (Fraction(str(bound)) / span * _STEPS for bound in (terms.margin, terms.tolerance))
    found = compare_paired(entries, _STEPS, PairedTerms(margin, tolerance, terms.alpha))
    names = [one.subject for one in plan.entrants]
    separated = tuple(
        Separated(better=names[a], worse=names[b], cases=_rounded(cases)) for (a, b), cases in found.better.items()
    )
    return TenderResult(
        plan=plan.digest(),
        terms=terms,
        entrants=tuple(names),
        separated=separated,
        best=tuple(names[place] for place in sorted(found.best)),
        copies=tuple((names[a], names[b]) for a, b in _copies(given, scores < 1)),
        ended=tuple(answered.ends),
        decided_at=lab.store.clock(),
    )


def _store(lab: TrialRuntime, plan: TenderPlan, result: TenderResult) -> None:
    """Store the result together with each supplier's own place."""
    owner = plan.scenario.owner.organisation
    with lab.view.transaction("tender.decided") as change:
        for entrant, end in zip(plan.entrants, result.ended, strict=True):
            supplier = entrant.supplier.organisation
            seen = change.put(_place(result, entrant.subject, end), parties(supplier), owner=owner)
            change.set_head(place_head(plan.digest(), supplier), seen, expected=None)
        change.set_head(_result_head(plan), change.put(result, parties(), owner=owner), expected=None)


def _scores(
    sealed: OpenedScenario, plan: TenderPlan, frame: pl.DataFrame, given: Sequence[Answers]
) -> tuple[NDArray[np.float64], Fraction]:
    """Return a score in [0, 1] for each eligible case and entrant, 1 the best, and how many units of the measure 1 is.

    Cases that do not count have NaN: the truth alone decides which.
    """
    columns = []
    for answers in given:
        cases = coded(build_cases(sealed.scenario, sealed.record.classes, frame, answers))
        losses = board_losses(sealed.scenario, plan.terms.measure, cases)
        column = np.full(len(losses.eligible), np.nan)
        column[losses.eligible] = 1 - losses.values
        columns.append(column)
    return np.stack(columns, axis=1), Fraction(abs(losses.worst - losses.best) * losses.heaviest)


def _by_unit(scores: NDArray[np.float64], units: NDArray[np.int64] | None) -> NDArray[np.float64]:
    """Return the eligible scores, of each unit its mean, in their order; a unit's cases follow each other."""
    counts = ~np.isnan(scores[:, 0])
    scores = scores[counts]
    if units is None:
        return scores
    _, first, codes = np.unique(units[counts], return_index=True, return_inverse=True)
    size = np.bincount(codes)
    means = np.stack([np.bincount(codes, weights=column) / size for column in scores.T], axis=1)
    return means[np.argsort(first)]


def _copies(given: Sequence[Answers], wrong: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the pairs that gave the same wrong answers far more often than to cases that do not belong together."""
    spelled = [np.array([repr(np.asarray(one).tolist()) for one in answers]) for answers in given]

    def shared(a: int, b: int, shift: int) -> int:
        same = (spelled[a] == np.roll(spelled[b], shift)) & wrong[:, a] & np.roll(wrong[:, b], shift)
        return int(same.sum())

    found = []
    for a, b in combinations(range(len(given)), 2):
        same, either = shared(a, b, 0), int((wrong[:, a] | wrong[:, b]).sum())
        if same >= max(_FEWEST_SAME, _SAME * either, 2 * shared(a, b, 1)):
            found.append((a, b))
    return found


def _rounded(cases: int) -> int:
    """Return a count to a tenth: the exact one would tell colluding entrants about single cases."""
    return round(_TENTH ** round(log(cases) / log(_TENTH)))


def _place(result: TenderResult, subject: str, end: EndReason) -> TenderPlace:
    return TenderPlace(
        plan=result.plan,
        application=subject,
        end=end,
        others=len(result.entrants) - 1,
        better_than=sum(one.better == subject for one in result.separated),
        worse_than=sum(one.worse == subject for one in result.separated),
        best=subject in result.best,
    )
