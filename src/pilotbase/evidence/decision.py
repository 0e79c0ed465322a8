"""The verdict over several criteria: accept when all are confirmed, reject when one is refuted, else inconclusive.

Each criterion may cross at its own time and stays crossed. A false accept needs a criterion that is truly not met to be
confirmed, so each is tested at the full α_acc and the overall accept still carries α_acc; a reject shares α_rej among
the criteria. A hidden set that has been scored whole is exact and carries no α: where all answers
and truths are known, a claim about it is decided in no other way.

Where figures are of all cases (`Design.described`), they describe: a confidence sequence holds at the last case as at
the stop, and a test for a fixed number is made anew for all of them. The verdict stays that of the stop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np

from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Guarantee, weakest
from pilotbase.evidence.criterion import CriterionTest, SingleTest, WorstTest
from pilotbase.evidence.intervals import BoundsPoint, Interval, invert
from pilotbase.evidence.lattice import MeanClaim
from pilotbase.evidence.martingale import Ints
from pilotbase.evidence.observations import Comparison
from pilotbase.evidence.planning import cases_to_decide, detectable_difference
from pilotbase.evidence.plans import (
    CriterionPlan,
    Design,
    Estimand,
    Levels,
    alphas_of,
    build_test,
    claim_text,
    method_of,
    never_refuted,
    not_measured_text,
    of_seen_groups,
)

_PATH_CASES, _PATH_LEVELS = 20_000, 16
"""How far and how finely the path before a census is followed; it has no effect on the decision."""

CriterionVerdict = Literal["pass", "fail", "inconclusive", "not_measured"]
Verdict = Literal["accept", "reject", "inconclusive"]


@dataclass(frozen=True)
class CriterionDecision:
    """The decision on one criterion: the bound on the threshold's side holds at α_acc, the other at α_rej/k.

    ``used`` and ``total`` count eligible entries (cases, clusters or blocks); ``cases_needed`` is a planning estimate
    of how many scored cases would decide, ``detectable`` the smallest distance that the whole set would decide. A
    ``pass`` of one criterion proves nothing at α: only the verdict over all criteria does.
    """

    rule: str
    verdict: CriterionVerdict
    estimate: float | None
    lower: float | None
    upper: float | None
    threshold: Fraction
    comparison: Comparison
    used: int
    total: int
    estimand: Estimand
    unit: str
    guarantee: Guarantee
    claim: Text
    decided_at: int | None
    path: tuple[BoundsPoint, ...]
    cases_needed: int | None = None
    detectable: float | None = None


@dataclass(frozen=True)
class Decision:
    """The verdict after ``decided`` cases, and the criteria with figures of the ``scored`` ones."""

    verdict: Verdict
    criteria: tuple[CriterionDecision, ...]
    decided: int
    scored: int
    total: int
    levels: Levels
    guarantee: Guarantee


@dataclass(frozen=True)
class CriterionOutcome:
    """The result of one criterion, without bounds; counts as in `CriterionDecision`."""

    verdict: CriterionVerdict
    used: int
    total: int
    decided_at: int | None


@dataclass(frozen=True)
class PointDecision:
    """A decision without bounds: the verdict, the cases scored for it, and the result of each criterion."""

    verdict: Verdict
    scored: int
    criteria: tuple[CriterionOutcome, ...]


@dataclass(frozen=True)
class _Trial:
    """One criterion under test: its plan, its test, its own horizon and when it crossed."""

    plan: CriterionPlan
    test: CriterionTest
    order: Ints
    horizon: int
    confirmed: int | None
    refuted: int | None
    sequential: bool = False
    """Decided by martingales while cases come in, not by one count at the end."""
    accept_from: int = 0

    @property
    def total(self) -> int:
        return len(self.order)


def decide(criteria: Sequence[CriterionPlan], order: Ints, levels: Levels, design: Design | None = None) -> Decision:
    """Return the verdict of ``criteria`` on the cases in ``order``, each scored at most once, in that order.

    ``order`` holds indices into the observations' arrays; with units, whole clusters must follow each other
    (`draw_order` does both). The hidden set claimed about is the cases in ``order``.

    Raises:
        InputError: no criterion, no case, a cluster torn apart, or a design that no guarantee covers.
    """
    design = design or Design()
    trials, decided = _run(criteria, order, levels, design)
    described = [_of_all(trial, design) if design.described else trial for trial in trials]
    scored = len(order) if design.described else decided
    concluded = tuple(
        _conclude(trial, shown, (decided, scored), levels, len(criteria))
        for trial, shown in zip(trials, described, strict=True)
    )
    return Decision(
        verdict=_overall([item.verdict for item in concluded]),
        criteria=concluded,
        decided=decided,
        scored=scored,
        total=len(order),
        levels=levels,
        guarantee=weakest([item.guarantee for item in concluded]),
    )


def verdict_of(
    criteria: Sequence[CriterionPlan], order: Ints, levels: Levels, design: Design | None = None
) -> tuple[Verdict, int]:
    """Return only the verdict of `decide` and the number of cases scored: much quicker, for simulations."""
    trials, scored = _run(criteria, order, levels, design or Design())
    return _overall([_verdict_at(trial, scored) for trial in trials]), scored


def outcome_of(
    criteria: Sequence[CriterionPlan], order: Ints, levels: Levels, design: Design | None = None
) -> PointDecision:
    """Return what `decide` would, without intervals, claims and planning: as quick as `verdict_of`."""
    trials, scored = _run(criteria, order, levels, design or Design())
    found = tuple(_outcome_at(trial, scored) for trial in trials)
    return PointDecision(_overall([item.verdict for item in found]), scored, found)


def estimate_of(plan: CriterionPlan, order: Ints, scored: int) -> float | None:
    """Return the estimate that `decide` gives after ``scored`` cases of ``order``; None when it is 0/0."""
    return _estimate(plan, build_test(plan, order, "anytime"), order[:scored])


def _estimate(plan: CriterionPlan, test: CriterionTest, scored: Ints) -> float | None:
    seen = plan.observation
    if seen.uncapped is not None:
        return float(seen.uncapped[0]) if test.measured() else None
    return test.estimate(len(scored)) if seen.plain is None else seen.plain(scored)


def _run(criteria: Sequence[CriterionPlan], order: Ints, levels: Levels, design: Design) -> tuple[list[_Trial], int]:
    """Return each criterion with its crossings, and when the run stops."""
    _check(criteria, order, design)
    horizon = min(design.cases or len(order), len(order)) if design.stop == "fixed" else len(order)
    trials = [_begin(plan, order, levels, len(criteria), design, horizon) for plan in criteria]
    whole = any(_by_all(trial.plan, design) for trial in trials)
    if design.stop != "early":
        last = len(order) if whole else horizon
        return [_refute(trial, trial.horizon, levels, len(criteria)) for trial in trials], last
    # Once everything is confirmed the run has stopped: later evidence refutes nothing.
    confirmed = _stopping_time(trials, horizon)
    trials = [_refute(trial, trial.horizon if trial.plan.run else confirmed, levels, len(criteria)) for trial in trials]
    return trials, len(order) if whole else _stopping_time(trials, horizon)


def _check(criteria: Sequence[CriterionPlan], order: Ints, design: Design) -> None:
    if not criteria:
        raise InputError("evidence.no_criteria")
    if len(order) == 0 and not all(plan.run for plan in criteria):
        raise InputError("evidence.no_cases")
    seen = np.zeros(order.max(initial=-1) + 1, dtype=bool)
    seen[order] = True
    if np.count_nonzero(seen) < len(order):
        raise InputError("evidence.order_repeats")
    if design.stop == "fixed" and not design.cases:
        raise InputError("evidence.fixed_without_cases")
    for plan in criteria:
        if plan.units is not None and not plan.run and _torn(plan.units[order]):
            raise InputError("evidence.order_breaks_units", unit=plan.unit)
        if plan.observation.form in ("gap", "quantile") and plan.comparison != "<=":
            raise InputError("evidence.needs_upper_bound", rule=plan.rule)
        if plan.observation.census_only and plan.estimand == "population":
            raise InputError("evidence.census_only", rule=plan.rule)


def _torn(codes: Ints) -> bool:
    changes = 1 + int((codes[1:] != codes[:-1]).sum()) if len(codes) else 0
    return changes != len(np.unique(codes))


def _begin(plan: CriterionPlan, order: Ints, levels: Levels, k: int, design: Design, horizon: int) -> _Trial:
    if plan.run:
        order = np.arange(len(plan.observation.parts[0].gain), dtype=np.int64)
        horizon = len(order)
    if _by_all(plan, design):
        horizon = len(order)
    total = len(order)
    test = build_test(plan, order, method_of(plan, design), horizon)
    least = 0 if plan.run else design.accept_from
    if not test.measured():
        return _Trial(plan, test, order, horizon, None, None)
    early = design.stop == "early" and not design.known
    if _is_census(plan, horizon, total) and (not early or plan.run or plan.observation.census_only):
        holds = test.holds(plan.threshold)
        confirmed = horizon if holds and least <= horizon else None
        return _Trial(plan, test, order, horizon, confirmed, None if holds else horizon, accept_from=least)
    if plan.observation.census_only:
        return _Trial(plan, test, order, horizon, None, None)
    confirmed = test.confirmed_at(plan.threshold, alphas_of(plan, levels, k)[0], horizon)
    if confirmed is not None:
        confirmed = max(confirmed, least) if least <= horizon and _meets_uncapped(plan) else None
    return _Trial(plan, test, order, horizon, confirmed, None, sequential=True, accept_from=least)


def _meets_uncapped(plan: CriterionPlan) -> bool:
    if plan.observation.uncapped is None:
        return True
    value = plan.observation.uncapped[0]
    return value >= plan.threshold if plan.comparison == ">=" else value <= plan.threshold


def _refute(trial: _Trial, horizon: int, levels: Levels, k: int) -> _Trial:
    """Return the trial with its refutation, if there is one by ``horizon``."""
    if not trial.sequential:
        return trial
    alpha = alphas_of(trial.plan, levels, k)[1]
    return replace(trial, refuted=trial.test.refuted_at(trial.plan.threshold, alpha, horizon))


def _is_census(plan: CriterionPlan, scored: int, total: int) -> bool:
    return plan.estimand != "population" and scored == total


def _by_all(plan: CriterionPlan, design: Design) -> bool:
    """Return whether all cases decide a criterion, because it is about them and all are known."""
    return design.known and plan.estimand == "hidden_set" and not plan.run


def _stopping_time(trials: Sequence[_Trial], horizon: int) -> int:
    """Return when the verdict is first reached: a refutation, or the last confirmation; otherwise the horizon.

    A criterion judged on its own run neither stops the cases nor waits for them.
    """
    on_cases = [trial for trial in trials if not trial.plan.run]
    refuted = min((t.refuted for t in on_cases if t.refuted is not None), default=horizon)
    times = [trial.confirmed for trial in on_cases]
    confirmed = max((time for time in times if time is not None), default=0) if None not in times else horizon
    return min(refuted, confirmed, horizon)


def _of_all(trial: _Trial, design: Design) -> _Trial:
    """Return the trial as all of its cases describe it, whenever it was decided."""
    if trial.horizon == trial.total:
        return trial
    test = build_test(trial.plan, trial.order, method_of(trial.plan, design), trial.total)
    return replace(trial, test=test, horizon=trial.total)


def _conclude(decided: _Trial, trial: _Trial, until: tuple[int, int], levels: Levels, k: int) -> CriterionDecision:
    """Return the decision of ``decided`` with the figures of ``trial``; ``until``: of how many cases each is."""
    stop, scored = until
    plan, test = trial.plan, trial.test
    at = _end(trial, scored)
    used, total = test.counts(at)
    census = _is_census(plan, at, trial.total)
    guarantee = _guarantee(trial, census)
    verdict = _verdict_at(decided, stop)
    interval = Interval(0.0, 0.0, ()) if verdict == "not_measured" else _interval(trial, at, census, levels, k)
    needed = _needed(trial, at, levels, k) if verdict == "inconclusive" else None
    bounded = verdict != "not_measured" and guarantee in ("exact_anytime", "exact_fixed")
    return CriterionDecision(
        rule=plan.rule,
        verdict=verdict,
        estimate=_estimate(plan, test, trial.order[:at]),
        lower=None if verdict == "not_measured" else interval.lower,
        upper=None if verdict == "not_measured" else interval.upper,
        threshold=plan.threshold,
        comparison=plan.comparison,
        used=used,
        total=total,
        estimand=plan.estimand,
        unit=plan.unit,
        guarantee=guarantee,
        claim=_claim(trial, census, (used, total)),
        decided_at=_decided_at(decided, verdict, _end(decided, stop)),
        path=interval.path,
        cases_needed=needed,
        detectable=_detectable(trial, at, levels, k) if bounded else None,
    )


def _claim(trial: _Trial, census: bool, counts: tuple[int, int]) -> Text:
    if not trial.test.measured():
        return not_measured_text()
    plan = trial.plan
    one_of_units = plan.observation.form == "function" and plan.unit != "case"
    joined = (plan.observation.joined or one_of_units) and not census
    claim = claim_text(plan.estimand, census, plan.unit, counts, joined)
    if plan.observation.uncapped is not None:
        claim = text("evidence.claim.blocks_capped", used=counts[0], most=plan.observation.uncapped[1])
    if plan.estimand == "population" and plan.observation.form in ("worst", "gap"):
        claim = of_seen_groups(claim)
    only_confirmed = plan.comparison == ">=" and not census and any(part.from_below for part in plan.observation.parts)
    return never_refuted(claim) if only_confirmed else claim


def _end(trial: _Trial, scored: int) -> int:
    """Return how far a criterion is judged: on its own run to the end, on cases to its own horizon."""
    return trial.horizon if trial.plan.run else min(scored, trial.horizon)


def _verdict_at(trial: _Trial, scored: int) -> CriterionVerdict:
    if not trial.test.measured():
        return "not_measured"
    at = _end(trial, scored)
    if _is_census(trial.plan, at, trial.total):
        if not trial.test.holds(trial.plan.threshold):
            return "fail"
        return "pass" if trial.accept_from <= at else "inconclusive"
    if trial.refuted is not None and trial.refuted <= at:
        return "fail"
    return "pass" if trial.confirmed is not None and trial.confirmed <= at else "inconclusive"


def _outcome_at(trial: _Trial, scored: int) -> CriterionOutcome:
    at = _end(trial, scored)
    verdict, (used, total) = _verdict_at(trial, scored), trial.test.counts(at)
    return CriterionOutcome(verdict, used, total, _decided_at(trial, verdict, at))


def _decided_at(trial: _Trial, verdict: CriterionVerdict, at: int) -> int | None:
    """Return when the evidence for the verdict was complete; for a census without an earlier crossing, its end."""
    if verdict not in ("pass", "fail"):
        return None
    crossed = trial.confirmed if verdict == "pass" else trial.refuted
    return at if crossed is None else min(crossed, at)


def _guarantee(trial: _Trial, census: bool) -> Guarantee:
    if not trial.test.measured():
        return "descriptive"
    if trial.plan.estimand == "run":
        return "measured_run"
    if census:
        return "exact_census"
    if trial.test.exact_fixed():
        return "exact_fixed"
    return "exact_anytime"


def _interval(trial: _Trial, at: int, census: bool, levels: Levels, k: int) -> Interval:
    """Return bounds at ``at``; for a whole hidden set the value itself, with the path of earlier bounds."""
    estimate = trial.test.estimate(at)
    exact = estimate if estimate is not None else 0.0
    if trial.plan.observation.census_only and not census:
        low, high = (float(end) for end in trial.test.range)
        return Interval(low, high, (BoundsPoint(at, low, high),))
    if trial.plan.estimand == "run" or trial.plan.observation.census_only:
        return Interval(exact, exact, (BoundsPoint(at, exact, exact),))
    alphas = alphas_of(trial.plan, levels, k)
    if not census:
        return invert(trial.test, trial.plan.comparison, alphas, at, trial.plan.threshold)
    until = min(at - 1, _PATH_CASES)
    before = invert(trial.test, trial.plan.comparison, alphas, until, trial.plan.threshold, _PATH_LEVELS)
    return Interval(exact, exact, (*before.path, BoundsPoint(at, exact, exact)))


def _needed(trial: _Trial, at: int, levels: Levels, k: int) -> int | None:
    """Return a planning estimate of how many scored cases would decide; None if there is none."""
    test = trial.test
    if trial.plan.observation.census_only:
        return trial.total
    if trial.plan.run:
        return None
    if not isinstance(test, SingleTest):
        return None
    known = test.stream.until(at)
    claim = test.claim(trial.plan.threshold, known)
    closed = _one_sided(test, claim, known)
    entries = None if closed else cases_to_decide(claim, known, alphas_of(trial.plan, levels, k))
    needed = None if entries is None else round(entries * at / max(known, 1))
    if trial.plan.estimand != "population":
        needed = min(needed or trial.total, trial.total)  # the whole set always decides
    return needed


def _detectable(trial: _Trial, at: int, levels: Levels, k: int) -> float | None:
    """Return the distance from the threshold that the whole set would decide: of groups, the largest."""
    test, bound = trial.test, trial.plan.threshold
    singles = test.groups if isinstance(test, WorstTest) else [test] if isinstance(test, SingleTest) else []
    share = min(alphas_of(trial.plan, levels, k)) / max(len(singles), 1)
    found = []
    for single in singles:
        known = single.stream.until(at)
        claim = single.claim(bound, known)
        closed = _one_sided(single, claim, known)
        values = None if closed else detectable_difference(claim, known, claim.size, share)
        if values is not None:
            found.append(values * single.value_per_unit(bound))
    return max(found) if singles and len(found) == len(singles) else None


def _one_sided(test: SingleTest, claim: MeanClaim, known: int) -> bool:
    """Return whether no number of entries like the ``known`` ones decides, as the measure is bounded from below only.

    They would have to decide that it is below its threshold.
    """
    if not test.from_below or known == 0:
        return False
    meets = float(claim.values[:known].mean()) >= float(claim.mean)
    return meets != (test.comparison == ">=")


def _overall(verdicts: Sequence[CriterionVerdict]) -> Verdict:
    if "fail" in verdicts:
        return "reject"
    return "accept" if set(verdicts) == {"pass"} else "inconclusive"
