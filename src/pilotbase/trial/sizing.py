"""How many cases, labels, days and how much money a rule needs: by simulation with the tests that decide a trial.

Right answers are made worse until the measure has the supposed true value; trials of such cases are then drawn and
decided. The search starts at the z-test's number plus 2.6 times that which cases without a single error need.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.api.trials import PlannedCriterion, PowerPoint, SizePlan, SizeTerms
from pilotbase.documents.criteria import Rule, parse_rule
from pilotbase.documents.errors import InputError
from pilotbase.documents.probes import MODEL, PANEL
from pilotbase.documents.scenario import Criterion, Scenario
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Estimand
from pilotbase.evidence import CriterionPlan, Design, Levels, attempt_levels, exact, feasibility_of, verdict_of
from pilotbase.evidence.distributions import normal_upper_quantile
from pilotbase.measures import (
    Cases,
    Kind,
    MeasurePart,
    Observation,
    RuleContext,
    coded,
    is_resource,
    measure_named,
    problems_of,
    score,
)
from pilotbase.measures.cases import JUDGED_GOOD, JUDGED_POOR, Ints
from pilotbase.measures.definition import Measure
from pilotbase.measures.rules import given_columns, range_of
from pilotbase.trial.carried import compared
from pilotbase.trial.criteria_check import right_answers
from pilotbase.trial.few_labels import GROUP, JudgeScores, decide_few_labels, require_few_label_criteria
from pilotbase.trial.recorded_cases import RecordedCases
from pilotbase.trial.scoring import build_cases, plan_criterion, settle_criteria, supplier_level

MOST_CASES = 200_000
_SAMPLE, _ROWS = 20_000, 40_000_000
"""Made-up cases, and cases drawn for one point of the curve, about."""
DRAWS, FEW_DRAWS, _JUDGED_DRAWS = 400, 150, 60
"""Trials simulated for one point: of quick tests, of slow ones and for a draft, with a judge model."""
_LONG, _ENOUGH = 500, 4000
"""Cases of a public sample: at most so many of texts and pictures; copied until there are so many for a value."""
_CURVE = (0.3, 0.5, 0.7, 0.85, 1.0, 1.25, 1.6)
"""The power is simulated at these multiples of about the cases needed."""
_JUDGE_WEIGHT = Fraction(3, 4)
_KINDS: tuple[Kind, ...] = ("label", "probability", "probabilities", "value")


class Effort(NamedTuple):
    """How long a plan may take, and how many trials are simulated for one point."""

    seconds: float = math.inf
    draws: int = DRAWS


FULL_EFFORT = Effort()


@dataclass(frozen=True)
class PlannedCases:
    """Criteria on cases with right answers, as the public sample has them; ``stop``: ``early`` or ``fixed``."""

    criteria: tuple[Criterion, ...]
    cases: Cases
    alpha: float
    stop: str = "early"
    left_out: tuple[str, ...] = ()
    """Rules that no number of cases decides by itself: of a run, of a gap, of a change."""
    of_hidden_set: frozenset[str] = frozenset()
    """Rules that the scenario judges on its hidden set."""


def cases_of_scenario(
    scenario: Scenario, classes: tuple[str, ...], public: pl.DataFrame, with_earlier: bool = False
) -> PlannedCases:
    """Return the criteria of a scenario that can be planned, on its ``public`` sample.

    ``with_earlier``: those with a margin compare two versions, and are met with it. Claims about hidden cases are
    planned as claims about the population: a whole hidden set decides about itself with any number of cases. Raises
    `InputError`: there is no criterion to plan.
    """
    settled = [two for one in settle_criteria(scenario) for two in (compared(one) if with_earlier else (one,))]
    wanted = [one.model_copy(update={"estimand": Estimand.POPULATION}) for one in settled]
    chosen = tuple(one for one in wanted if _plannable(one.parsed(), with_earlier))
    left_out = tuple(one.rule for one in wanted if one not in chosen)
    if not chosen:
        raise InputError("trial.nothing_to_plan", rules=", ".join(left_out))
    if scenario.answer not in _KINDS and public.height > _LONG:  # texts and pictures take long to compare
        public = public.sample(_LONG, seed=0)
    said = {} if scenario.trial.panel is None else {PANEL: JUDGED_GOOD, MODEL: "0"}  # all answers are right
    public = public.with_columns(pl.lit(value).alias(name) for name, value in said.items())
    if all(PANEL in given_columns(one.parsed()) for one in chosen):  # what experts judge needs no answer of the sample
        public = public.with_columns(pl.col(scenario.data.target).fill_null("-"))
    right = right_answers(scenario, classes, public)
    cases = coded(build_cases(scenario, classes, public, right))
    copies = -(-(_LONG if scenario.answer not in _KINDS else _ENOUGH) // len(cases))
    many = cases.among(np.tile(np.arange(len(cases)), copies))
    if many.units is not None:
        many = replace(many, units=many.units + np.repeat(np.arange(copies), len(cases)) * (many.units.max() + 1))
    hidden = frozenset(one.rule for one in settled if one.estimand is Estimand.HIDDEN_SET)
    alpha = supplier_level(scenario.criteria, scenario.trial.suppliers)
    return PlannedCases(chosen, many, alpha, "early" if scenario.trial.stop == "early" else "fixed", left_out, hidden)


def cases_of_rule(terms: SizeTerms) -> PlannedCases:
    """Return the rule of ``terms`` on made-up cases with its prevalence, groups and units; raises `InputError`."""
    rule = parse_rule(terms.rule)
    measure = measure_named(rule.measure)
    asked: tuple[Kind, ...] = ("text",) if PANEL in given_columns(rule) else _KINDS
    kind = next((one for one in asked if isinstance(measure, Measure) and one in measure.kinds), None)
    unknown = [name for name in given_columns(rule) if name not in (PANEL, MODEL)]
    with_earlier = terms.discordance is not None
    if kind is None or unknown or rule.mistakes or not _plannable(rule, with_earlier):
        raise InputError("trial.rule_needs_scenario", rule=terms.rule)
    label = rule.label or "yes"
    columns = frozenset(filter(None, (rule.by, *given_columns(rule))))
    found = problems_of(rule, RuleContext(kind, ("", label), label, columns, with_earlier, estimand="population"))
    if found:
        raise InputError("measure.rule_problem", rule=terms.rule, problem=found[0])
    numbers = np.arange(_SAMPLE, dtype=np.int64)
    ours = np.random.default_rng(0).permutation(numbers < round(terms.prevalence * _SAMPLE))
    truth: NDArray[Any] = np.zeros(_SAMPLE) if kind == "value" else ours.astype(np.int64)
    if kind == "text":
        truth = np.full(_SAMPLE, "", dtype=object)
    cases = Cases(
        truth=truth,
        answers=truth.astype(np.float64) if kind == "probability" else truth,
        groups={rule.by: np.array([f"{n % terms.groups}" for n in numbers], dtype=object)} if rule.by else {},
        units=numbers // terms.cluster if terms.cluster > 1 else None,
        classes=() if kind == "value" else ("", label),
        positive=None if kind == "value" else label,
        kind=kind,
        given={name: np.full(_SAMPLE, JUDGED_GOOD, dtype=object) for name in given_columns(rule)},
    )
    unit = "unit" if terms.cluster > 1 else "case"
    return PlannedCases((Criterion(rule=terms.rule, estimand=Estimand.POPULATION, unit=unit),), cases, terms.alpha)


def plan_size(planned: PlannedCases, terms: SizeTerms, effort: Effort = FULL_EFFORT) -> SizePlan:
    """Return the cases for every criterion to be met with ``terms.power``, and what they cost.

    Raises:
        InputError: a supposed value that is no better than its threshold or cannot occur, a rule that no number of
            cases decides, a number beyond `MOST_CASES`, or it would take longer than ``effort`` allows.
    """
    number = terms.attempt or 1
    levels = attempt_levels(exact(planned.alpha), number)
    stop = planned.stop if terms.stop == "own" else terms.stop
    power = 1 - (1 - terms.power) / len(planned.criteria)  # all have to be met: their misses add up at most
    truths, until = _truths(planned, terms), time.monotonic() + effort.seconds
    found = []
    for one, truth in zip(planned.criteria, truths, strict=True):
        simulated = _Simulated.of(planned.cases, _without_arm(one), truth, levels, stop, terms)
        found.append(
            _planned(replace(simulated, until=until, draws=effort.draws), power).model_copy(update={"rule": one.rule})
        )
    cases = max(one.cases for one in found)
    labels = max(one.labels for one in found)
    judgements = labels + round(terms.double * labels)
    missing = None if terms.hidden is None or terms.hidden >= cases else cases - terms.hidden
    return SizePlan(
        attempt=number,
        level=float(levels.accept),
        stop=stop,
        power=terms.power,
        criteria=[one.model_copy(update={"of_hidden_set": one.rule in planned.of_hidden_set}) for one in found],
        left_out=planned.left_out,
        cases=cases,
        labels=judgements,
        cost=cases * terms.case_cost + judgements * terms.label_cost,
        days=cases * terms.case_days + judgements * terms.label_days,
        attempts=None if terms.hidden is None else terms.hidden // cases,
        missing=missing,
    )


def _plannable(rule: Rule, with_earlier: bool) -> bool:
    return not is_resource(rule) and rule.wrapper in (None, "worst", *(["lift"] if with_earlier else []))


def _without_arm(criterion: Criterion) -> Criterion:
    """Return the criterion on the cases as they are: under a perturbation there are as many."""
    return criterion.model_copy(update={"rule": str(replace(criterion.parsed(), under=None))})


def _truths(planned: PlannedCases, terms: SizeTerms) -> list[float]:
    """Return the supposed values; where none is given, half-way from the threshold to the best value, of a lift 0."""
    criteria = planned.criteria
    if len(terms.truth) > len(criteria):
        raise InputError("trial.truths_too_many", found=len(terms.truth), allowed=len(criteria))
    found = list(terms.truth)
    for criterion in criteria[len(found) :]:
        rule = criterion.parsed()
        best = range_of(rule, planned.cases.classes)[rule.comparison == ">="]
        found.append(0.0 if rule.wrapper == "lift" else float((rule.threshold + best) / 2))
    for criterion, truth in zip(criteria, found, strict=True):
        rule = criterion.parsed()
        if (truth - float(rule.threshold)) * (1 if rule.comparison == ">=" else -1) <= 0:
            raise InputError("trial.truth_not_better", rule=criterion.rule, truth=f"{truth:g}")
    return found


@dataclass
class _Simulated:
    """Trials of one criterion whose measure has the supposed value; ``judge``: scores of a judge model."""

    criterion: Criterion
    truth: float
    plan: CriterionPlan
    cases: Cases
    levels: Levels
    stop: str
    fewest: int
    judge: NDArray[np.float64] | None = None
    _times: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    _horizon: int = 0
    known: dict[int, float] = field(default_factory=dict)
    """Size → the share of trials at that fixed number that meet the criterion."""
    until: float = math.inf
    """When simulating has to end, on the monotonic clock."""
    draws: int = DRAWS

    @classmethod
    def of(
        cls, right: Cases, criterion: Criterion, truth: float, levels: Levels, stop: str, terms: SizeTerms
    ) -> _Simulated:
        rows = np.arange(len(right), dtype=np.int64)
        design = Design("fixed", len(rows)) if stop == "fixed" else Design()
        right = replace(right, baseline=right.answers)
        ideal = plan_criterion(criterion, right, rows)
        most = feasibility_of(ideal, rows, levels, design)
        if most.needed is None:
            raise InputError("trial.never_confirmed", rule=criterion.rule)
        fewest = math.ceil(most.needed * len(rows) / max(most.available, 1))
        if criterion.parsed().wrapper == "lift":
            cases = _two_versions(right, criterion, truth, terms.discordance or 0.0)
        else:
            cases = _made_worse(right, criterion, truth, terms.correlation)
        judge = None
        if terms.judge_error is not None:
            require_few_label_criteria([criterion], right)
            good = plan_criterion(criterion, cases, rows).observation.parts[0].gain == 1
            wrong = np.random.default_rng(5).random(len(rows)) < terms.judge_error
            judge = np.where(good ^ wrong, 1.0, 0.0)
        plan = plan_criterion(criterion, cases, rows)
        return cls(criterion, truth, plan, cases, levels, stop, fewest, judge)

    @property
    def each(self) -> int:
        """Cases for each label: a judge model also reads cases without one."""
        return 1 if self.judge is None else GROUP + 1

    @property
    def most(self) -> int:
        """The largest number that is simulated."""
        return MOST_CASES // self.each

    def too_large(self) -> InputError:
        """Return why no number is planned: it would be beyond ``most``."""
        rule, truth = self.criterion.rule, f"{self.truth:g}"
        return InputError("trial.too_large_to_plan", rule=rule, truth=truth, cases=MOST_CASES)

    def start(self, power: float) -> int:
        """Return about how many cases (with a judge: labels) are needed, by the closed form, else 100."""
        part, rule = self.plan.observation.parts[0], self.criterion.parsed()
        share, sign = rule.threshold**part.root / part.unit, 1 if rule.comparison == ">=" else -1
        gains, size = sign * (part.gain - float(share) * part.weight), 1.0
        mean, low = float(gains.mean()), max(-sign * (gain - float(share) * weight) for gain, weight in part.outcomes)
        if self.plan.observation.form not in ("single", "worst") or mean <= 0 or low <= 0:
            return max(self.fewest // self.each, 100)
        spread = float(gains.var())
        if self.plan.units is not None:
            size = len(gains) / (self.plan.units.max() + 1)
            spread = float(np.bincount(self.plan.units, gains).var()) / size
        if self.judge is not None:
            trust = float(_JUDGE_WEIGHT)
            spread, low = float((gains - trust * self.judge).var() + trust**2 * self.judge.var() / GROUP), low + trust
        alpha = float(self.levels.accept)
        normal = (_z(1 - alpha) + _z(power)) ** 2 * spread / mean**2
        found = normal + 2.6 * size * math.log(1 / alpha) / math.log1p(mean / low)
        return max(self.fewest // self.each, math.ceil(found * len(self.plan.observation.parts)), 10)

    @property
    def _binary(self) -> bool:
        seen = self.plan.observation
        return not seen.joined and self.plan.units is None and all(len(set(one.outcomes)) == 2 for one in seen.parts)

    def at(self, size: int) -> float:
        """Return the share of trials of ``size`` cases (with a judge: labels) that meet the criterion."""
        if self.stop == "early" and self.judge is None:
            if size > self._horizon:
                self._horizon = size
                self._times = np.array(self._repeat(size, lambda once: once[1] if once[0] else math.inf))
            return float((self._times <= size).mean())
        if size not in self.known:
            self.known[size] = float(np.mean(self._repeat(size, lambda once: once[0])))
        return self.known[size]

    def _repeat(self, size: int, of: Callable[[tuple[bool, int]], float]) -> list[float]:
        rng = np.random.default_rng([size, 1])
        draws = self.draws if self.stop == "early" or self._binary else FEW_DRAWS
        draws = _JUDGED_DRAWS if self.judge is not None else draws
        rows = size * len(self.plan.observation.parts)
        draws = min(draws, max(_ROWS // rows, _JUDGED_DRAWS))
        return [of(self._once(size, rng)) for _ in range(draws)]

    def _once(self, size: int, rng: np.random.Generator) -> tuple[bool, int]:
        """Return whether one trial meets the criterion, and after how many cases."""
        if time.monotonic() > self.until:
            raise InputError("trial.planning_takes_long", rule=self.criterion.rule)
        rows, units = self._drawn(size * self.each, rng)
        order = np.arange(len(rows), dtype=np.int64)
        if self.judge is not None:
            drawn = replace(self.cases.among(rows), units=units)
            scores = JudgeScores(self.judge[rows], _JUDGE_WEIGHT, GROUP, bounded=False)
            made = decide_few_labels([self.criterion], RecordedCases(drawn), scores, order, self.levels, size)
            return made.verdict == "accept", made.labels
        design = Design("fixed", len(rows)) if self.stop == "fixed" else Design()
        verdict, scored = verdict_of([self._plan_of(rows, units)], order, self.levels, design)
        return verdict == "accept", scored

    def _drawn(self, size: int, rng: np.random.Generator) -> tuple[Ints, Ints | None]:
        """Return cases drawn like those of the sample, whole units at a time, and their units."""
        if self.plan.units is None:
            return rng.integers(0, len(self.cases), size), None
        members, starts, counts = self._members
        chosen = rng.integers(0, len(starts), max(1, int(size / counts.mean())))
        sizes = counts[chosen]
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        rows = members[np.repeat(starts[chosen], sizes) + within]
        return rows, np.repeat(np.arange(len(chosen), dtype=np.int64), sizes)

    @cached_property
    def _members(self) -> tuple[Ints, Ints, Ints]:
        """Return the cases unit by unit, where each unit begins there, and how many it has."""
        units = np.zeros(0, dtype=np.int64) if self.plan.units is None else self.plan.units
        members = np.argsort(units, kind="stable")
        starts = np.flatnonzero(np.diff(units[members], prepend=-1))
        return members, starts, np.diff(np.append(starts, len(members)))

    def _plan_of(self, rows: Ints, units: Ints | None) -> CriterionPlan:
        seen = self.plan.observation
        if seen.joined or seen.form == "function":
            return plan_criterion(self.criterion, replace(self.cases.among(rows), units=units), np.arange(len(rows)))
        parts = tuple(
            MeasurePart(one.gain[rows], one.weight[rows], tuple(one.outcomes), one.root, one.unit, one.name)
            for one in seen.parts
        )
        return replace(self.plan, observation=Observation(seen.form, parts, quantile=seen.quantile), units=units)


def _planned(simulated: _Simulated, power: float) -> PlannedCriterion:
    if simulated.start(power) > 2 * simulated.most:
        raise simulated.too_large()
    size = _early(simulated, power) if simulated.stop == "early" and simulated.judge is None else None
    size = size or _fixed(simulated, power)
    sizes = sorted(simulated.known or {max(1, round(share * size)) for share in _CURVE})
    near = [one for one in sizes if 0.2 * size < one < 1.8 * size]
    return PlannedCriterion(
        rule=simulated.criterion.rule,
        truth=simulated.truth,
        fewest=simulated.fewest,
        cases=size * simulated.each,
        labels=size,
        power=power,
        never_refuted=any(part.from_below for part in simulated.plan.observation.parts),
        median=int(np.quantile(simulated._times, 0.5, method="higher")) if len(simulated._times) else None,
        curve=[PowerPoint(cases=one * simulated.each, power=round(simulated.at(one), 4)) for one in near],
    )


def _early(simulated: _Simulated, power: float) -> int:
    """Return by when the share ``power`` of trials that may stop at any time have met the criterion."""
    horizon = min(2 * simulated.start(power), simulated.most)
    while simulated.at(horizon) < min(power + 0.02, 1 - 1 / simulated.draws):
        if horizon == simulated.most:
            raise simulated.too_large()
        horizon = min(2 * horizon, simulated.most)
    return int(np.quantile(simulated._times, power, method="higher"))


def _fixed(simulated: _Simulated, power: float) -> int:
    """Return the number at which a trial of a fixed number meets the criterion with probability ``power``.

    The normal quantile of the power is a line in √n: it is fitted to simulated points near the number sought.
    """
    most, base = simulated.most, _z(1 - float(simulated.levels.accept))
    size = min(simulated.start(power), most)
    for _ in range(4):
        for share in _CURVE:
            simulated.at(min(max(1, round(share * size)), most))
        near = {n: p for n, p in simulated.known.items() if 0.2 < p < 0.995}
        if len(near) >= 3:
            shares = np.array(list(near.values()))
            quantiles = np.array([_z(share) for share in shares])
            weights = np.exp(-(quantiles**2) / 2) / np.sqrt(shares * (1 - shares))
            slope, height = np.polyfit(np.sqrt(list(near)), quantiles, 1, w=weights)
            found = ((_z(power) - height) / slope) ** 2 if slope > 0 else 2.0 * size
        else:
            reached = _z(min(max(simulated.at(size), 0.02), 0.98))
            found = size * ((_z(power) + base) / max(reached + base, 0.3)) ** 2
        close = len(near) >= 3 and abs(found - size) < 0.4 * size
        if found > most and size == most:
            raise simulated.too_large()
        size = math.ceil(min(max(found, size / 3, 1), 3 * size, most))
        if close:
            break
    return size


def _made_worse(right: Cases, criterion: Criterion, truth: float, correlation: float) -> Cases:
    """Return cases whose answers are so much worse that the measure is ``truth``; raises `InputError`: it cannot be.

    ``correlation``: of the errors of two cases of one unit.
    """
    rule, rng = criterion.parsed(), np.random.default_rng(3)
    size = len(right)
    luck, noise, others = rng.random(size), rng.standard_normal(size), rng.permutation(size)
    if right.units is not None and correlation > 0:
        shared = rng.random(size) < math.sqrt(correlation)
        codes = np.unique(right.units, return_inverse=True)[1]
        luck = np.where(shared, rng.random(size)[codes], luck)
        noise = np.where(shared, rng.standard_normal(size)[codes], noise)

    def worse(error: float) -> Cases:
        return _answered(right, rule, error, {"luck": luck, "noise": noise, "others": others})

    sign = 1 if rule.comparison == ">=" else -1
    best = score(rule, right)
    if best is None or sign * (best - truth) < 0:
        raise InputError("trial.truth_unreachable", rule=criterion.rule, truth=f"{truth:g}", best=_spelled(best))
    low, high = 0.0, 0.999
    for _ in range(22):
        middle = (low + high) / 2
        value = score(rule, worse(middle))
        low, high = (middle, high) if value is not None and sign * (value - truth) > 0 else (low, middle)
    return worse(high)


def _two_versions(right: Cases, criterion: Criterion, lift: float, discordance: float) -> Cases:
    """Return cases of which only one version gets the share ``discordance`` right; raises `InputError`: cannot be.

    The later one is better by ``lift``, where it counts right answers.
    """
    rule, size = criterion.parsed(), len(right)
    if right.kind in ("value", "probability", "probabilities") or abs(lift) > discordance:
        raise InputError("trial.discordance_unreachable", rule=criterion.rule, lift=lift, discordance=discordance)
    rng = np.random.default_rng(3)
    luck, others = (rng.permutation(size) + 0.5) / size, rng.permutation(size)
    ours = _answered(right, rule, (discordance - lift) / 2, {"luck": luck, "noise": luck, "others": others})
    theirs = _answered(right, rule, (discordance + lift) / 2, {"luck": 1 - luck, "noise": luck, "others": others})
    return replace(ours, baseline=theirs.answers)


def _answered(right: Cases, rule: Rule, error: float, drawn: Mapping[str, NDArray[Any]]) -> Cases:
    wrong, spread = drawn["luck"] < error, error / (1 - error) * drawn["noise"]
    if PANEL in given_columns(rule):
        said = {**right.given, PANEL: np.where(wrong, JUDGED_POOR, JUDGED_GOOD).astype(object)}
        if MODEL in said:  # of a judge that errs in one answer of twenty
            scores = np.where(drawn["others"] % 20 == 0, wrong, ~wrong)
            said[MODEL] = (scores - scores.mean()).astype(object)
        return replace(right, given=said)
    if right.kind == "label":
        shift = 1 + drawn["others"] % max(len(right.classes) - 1, 1)
        return replace(right, answers=np.where(wrong, (right.truth + shift) % len(right.classes), right.truth))
    if right.kind == "probability":
        towards = np.where(right.truth == right.code(right.positive or right.classes[-1]), 1.0, -1.0)
        return replace(right, answers=(1 + np.tanh(3 * (towards + spread))) / 2)
    if right.kind == "probabilities":
        of_truth = ((1 + np.tanh(3 * (1 + spread))) / 2)[:, None]
        others = (1 - of_truth) / max(len(right.classes) - 1, 1)
        return replace(right, answers=np.where(right.answers == 1, of_truth, others))
    if right.kind == "value":
        scale = float(np.nanstd(right.truth)) or abs(float(rule.threshold)) or 1.0
        return replace(right, answers=right.truth + scale * spread)
    return replace(right, answers=right.answers[np.where(wrong, drawn["others"], np.arange(len(right)))])


def _spelled(value: float | None) -> str | Text:
    return "–" if value is None else f"{value:g}"


def _z(share: float) -> float:
    return -normal_upper_quantile(share)
