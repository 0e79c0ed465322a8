"""Scoring: answers and truth become observations, the evidence engine decides, the report gets its figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.data.batches import truth_codes
from pilotbase.documents.criteria import PAIRED, UNITS, AcceptFloor, Perturbed, Rule, TrialDesign
from pilotbase.documents.figures import ErrorCounts, Figure
from pilotbase.documents.plan import units_for
from pilotbase.documents.probes import MODEL, PANEL
from pilotbase.documents.report import CriterionResult, GroupScore, PairedScores, PathPoint, RestsOn
from pilotbase.documents.scenario import Criterion, Scenario
from pilotbase.documents.scenario_data import TimeSplit
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Estimand, Outcome
from pilotbase.documents.world import LANGUAGE, SEED, TEMPLATE
from pilotbase.evidence import (
    CriterionDecision,
    CriterionPlan,
    Decision,
    Design,
    Levels,
    decide,
    estimate_of,
    one_of_each,
)
from pilotbase.measures import Cases, Observation, RunMeasurements, is_resource, measures, observe, observe_run, score
from pilotbase.measures.rules import block_of, given_columns, observe_arms, pair_scores
from pilotbase.trial.accept_floor import RunningCounts, floor_missed
from pilotbase.trial.figures import errors_of, figures_of

Ints = NDArray[np.int64]
Column = NDArray[Any]
Scores = tuple[tuple[str, float | None], ...]
"""(rule, score)."""
EARLY = Design(known=True, described=True)
Answerer = Literal["answers", "baseline", "people"]
"""Whose answers to the cases."""
NO_RUN = RunMeasurements(np.empty(0), 0, 0.0)
"""Where answers alone are judged."""


@dataclass(frozen=True)
class ScoredDecision:
    """The decision with its figures, ready for the report."""

    decision: Decision
    criteria: tuple[CriterionResult, ...]
    groups: tuple[GroupScore, ...]
    rests: RestsOn
    errors: ErrorCounts | None = None
    figures: tuple[Figure, ...] = ()
    """The data of the report's pictures."""
    baseline: Scores = ()
    """The baseline's own score for every criterion on answers."""
    people: Scores = ()

    def floor_missed(self, floor: AcceptFloor | None) -> Text | None:
        """Return why an accept cannot rest on so few cases, if it cannot."""
        return floor_missed(floor, self.rests)


def build_cases(
    scenario: Scenario,
    classes: tuple[str, ...],
    frame: pl.DataFrame,
    answers: Column,
    others: Mapping[str, Column] = MappingProxyType({}),
    perturbed: Mapping[str, Column] = MappingProxyType({}),
) -> Cases:
    """Return the cases as they are kept, in the order of ``frame``; every array of shape (rows,).

    Measures read them `coded`. ``others``: answers of ``baseline`` and ``people``. ``perturbed``: answers to the same
    cases by the perturbation, as rules spell it.
    """
    missing = [name for name in (PANEL, MODEL) if name not in frame.columns]
    frame = frame.with_columns(pl.lit("").alias(name) for name in missing)  # nobody has judged anything yet
    rules = rules_of(scenario.criteria)
    columns = {rule.by for rule in rules if rule.by}
    given = {name for rule in rules for name in given_columns(rule)}
    given |= set() if scenario.world is None else {TEMPLATE, LANGUAGE, SEED}  # what a replay plays again
    return Cases(
        truth=truth_codes(frame, scenario, classes),
        answers=answers,
        groups={name: _as_text(frame[name]) for name in sorted(columns)},
        units=unit_codes(scenario.criteria, frame),
        baseline=others.get("baseline"),
        classes=classes,
        positive=scenario.positive,
        kind=scenario.answer,
        perturbed=perturbed,
        given={name: _as_text(frame[name]) for name in sorted(given)},
        times=_times(scenario, frame),
        people=others.get("people"),
    )


def _times(scenario: Scenario, frame: pl.DataFrame) -> Column | None:
    """Return the time of each case, if numbers were split by time: the values shown from it are in the records."""
    split = scenario.data.split
    if not isinstance(split, TimeSplit) or scenario.target_form != "numbers":
        return None
    times = frame[split.column]
    return _as_text(times.cast(pl.Datetime("us")) if times.dtype.is_temporal() else times)


def rules_of(criteria: Sequence[Criterion]) -> tuple[Rule, ...]:
    """Return the parsed rules."""
    return tuple(criterion.parsed() for criterion in criteria)


def perturbations_of(criteria: Sequence[Criterion]) -> tuple[Perturbed, ...]:
    """Return the perturbations in the criteria, each once, in order."""
    found = [rule.under for rule in (criterion.parsed() for criterion in criteria) if rule.under is not None]
    return tuple({str(under): under for under in found}.values())


def error_level(criteria: Sequence[Criterion]) -> float:
    """Return α: the strictest criterion's error probability holds for all, so one number speaks for the verdict."""
    return round(1 - max((criterion.confidence for criterion in criteria), default=0.95), 9)


def supplier_level(criteria: Sequence[Criterion], suppliers: Sequence[str] | None) -> float:
    """Return the α that is divided over one supplier's attempts: all of it, or an equal share."""
    return error_level(criteria) / max(1, len(suppliers or ()))


def settle_criteria(scenario: Scenario) -> tuple[Criterion, ...]:
    """Return the criteria with the scenario's decision threshold written out where a rule leaves it open."""
    if scenario.prediction != "probability":
        return scenario.criteria
    cut = Decimal(str(scenario.decision_threshold))
    return tuple(with_cut(criterion, cut) for criterion in scenario.criteria)


def with_cut(criterion: Criterion, cut: Decimal) -> Criterion:
    """Return the criterion with the decision threshold written out where its measure takes one and it does not."""
    rule = criterion.parsed()
    measure = measures().get(rule.measure)
    if measure is None or "cut" in rule.arguments or all(item.name != "cut" for item in measure.parameters):
        return criterion
    return criterion.model_copy(update={"rule": str(replace(rule, arguments={**rule.arguments, "cut": cut}))})


def unit_of(criteria: Sequence[Criterion]) -> str | None:
    """Return the column whose values are the units of criteria on answers; None if every case is its own unit.

    Criteria with different units are refused at sealing; until then it is one of them.
    """
    units = {criterion.unit for criterion in criteria if not is_resource(criterion.parsed())} - {"case"}
    return min(units, default=None)


def unit_problems(criteria: Sequence[Criterion]) -> Iterator[tuple[int | None, Text]]:
    """Yield (index or None, sentence): different units, and claims about a population that leave the unit out.

    Whole units are drawn, so cases that count one by one beside them are no independent draws.
    """
    units = {one.unit for one in criteria if not is_resource(one.parsed())} - {"case"}
    if len(units) > 1:
        yield None, text("trial.units_differ", found=sorted(units))
    for index, one in enumerate(criteria):
        alone = one.unit == "case" and one.estimand is Estimand.POPULATION and not is_resource(one.parsed())
        if units and alone:
            yield index, text("trial.unit_left_out", rule=one.rule, unit=min(units))


def unit_codes(criteria: Sequence[Criterion], frame: pl.DataFrame) -> Ints | None:
    """Return a code per case from the criteria's unit column; None as `unit_of`."""
    unit = unit_of(criteria)
    return None if unit is None else codes_of(frame[unit])


def codes_of(column: pl.Series) -> Ints:
    """Return a code per case, equal where the values of ``column`` are."""
    return np.unique(_as_text(column), return_inverse=True)[1].astype(np.int64)


def first_units(order: Ints, codes: Ints | None, cases: int | None) -> int:
    """Return how many cases of ``order`` a sample of about ``cases`` takes (None: all of them).

    With units (``codes``: one per case) it takes whole ones, as many as have so many cases on average.
    """
    if cases is None or codes is None or not len(order):
        return len(order) if cases is None else min(cases, len(order))
    ends = np.flatnonzero(np.append(np.diff(codes[order]) != 0, True)) + 1
    return int(ends[units_for(cases, len(ends), len(order)) - 1])


def judge(
    criteria: Sequence[Criterion],
    cases: Cases,
    order: Ints,
    levels: Levels,
    run: RunMeasurements,
    design: Design = EARLY,
) -> Decision:
    """Return the decision on ``cases`` scored in ``order`` (indices into their arrays), and on the ``run``."""
    return decide([plan_criterion(criterion, cases, order, run) for criterion in criteria], order, levels, design)


def design_on(
    criteria: Sequence[Criterion], cases: Cases, order: Ints, design: TrialDesign, known: bool = True
) -> Design:
    """Return the design on ``cases``: of units of several sizes, whose number the plan fixes, a fixed one scores all.

    Units that are complete after a fixed number of cases are too often small ones.
    """
    floor = design.accept_from
    accept_from = 0 if floor is None else RunningCounts.of(criteria, cases, order).first(floor)
    sizes = np.array([1]) if cases.units is None else np.unique(cases.units, return_counts=True)[1]
    fixed = design.cases if design.cases is None or sizes.min() == sizes.max() else len(cases)
    return Design(design.stop, fixed, known, described=known, accept_from=accept_from)


def plan_criterion(criterion: Criterion, cases: Cases, order: Ints, run: RunMeasurements = NO_RUN) -> CriterionPlan:
    """Return the criterion with its observations, on answers or on the run."""
    rule = criterion.parsed()
    if is_resource(rule):
        return plan_run(criterion.rule, rule, run)
    return _planned(criterion, cases, order, lambda entering: observe(rule, cases, entering, criterion.estimand.value))


def _planned(criterion: Criterion, cases: Cases, order: Ints, look: Callable[[Ints], Observation]) -> CriterionPlan:
    rule, units = criterion.parsed(), cases.units if criterion.unit != "case" else None
    estimand: Literal["hidden_set", "population"] = criterion.estimand.value
    observation, threshold = look(order), Fraction(rule.threshold)
    if units is not None and (observation.joined or observation.form == "function"):
        # An entry of several cases needs independent ones: of each unit one, drawn.
        observation, units = look(one_of_each(order, units)), None
    return CriterionPlan(criterion.rule, observation, rule.comparison, threshold, estimand, criterion.unit, units)


def plan_run(source: str, rule: Rule, run: RunMeasurements) -> CriterionPlan:
    """Return a criterion on a run: on its blocks, if the rule says how long one is, or on that run alone."""
    seen, block, threshold = observe_run(rule, run), block_of(rule), Fraction(rule.threshold)
    if block is None:
        return CriterionPlan(source, seen, rule.comparison, threshold, estimand="run", unit="request", run=True)
    units = None if seen.quantile is None else np.arange(len(seen.parts[0].gain)) // block
    return CriterionPlan(source, seen, rule.comparison, threshold, "population", "request_block", units, run=True)


@dataclass(frozen=True)
class ReportedCases:
    """Which cases the figures of a report are of, beside those that decided."""

    whole: bool = True
    """Else groups and figures are of the scored cases only, as in older reports."""
    by_unit: bool = True
    """Else the scores of baseline, people and groups are over cases, as in older reports."""


TODAY = ReportedCases()


@dataclass(frozen=True)
class ScoredCases:
    """Cases of which the first ``scored`` in ``order`` count: anybody's answers to them get the same kind of score.

    A claim about a population with units is about the mean of units, so its scores are; all others are over cases.
    """

    cases: Cases
    order: Ints
    scored: int
    by_unit: bool = True
    """Else all scores are over cases, as in older reports."""

    @classmethod
    def whole(cls, cases: Cases, by_unit: bool = True) -> ScoredCases:
        """Return all of ``cases``, those of a unit after each other."""
        order = np.arange(len(cases)) if cases.units is None else np.argsort(cases.units, kind="stable")
        return cls(cases, order.astype(np.int64), len(cases), by_unit)

    @cached_property
    def seen(self) -> Cases:
        """The cases that count, in their own order."""
        return self.cases if self.scored == len(self.cases) else self.cases.among(np.sort(self.order[: self.scored]))

    def score(self, criterion: Criterion, whose: Answerer = "answers") -> float | None:
        """Return the criterion's measure of one of the columns of answers; None when it is 0/0."""
        by_unit = self.counts_units(criterion)
        cases = self.cases if by_unit else self.seen
        cases = replace(cases, answers=getattr(cases, whose))
        if not by_unit:
            return score(criterion.parsed(), cases)
        return estimate_of(plan_criterion(criterion, cases, self.order), self.order, self.scored)

    def arms(self, criterion: Criterion) -> tuple[float | None, float | None]:
        """Return the two scores whose difference a drop or a lift is."""
        rule = criterion.parsed()
        if not self.counts_units(criterion):
            return pair_scores(rule, self.seen)

        def arm(place: int) -> float | None:
            plan = _planned(criterion, self.cases, self.order, lambda own: observe_arms(rule, self.cases, own)[place])
            return estimate_of(plan, self.order, self.scored)

        return arm(0), arm(1)

    def counts_units(self, criterion: Criterion) -> bool:
        """Return whether a score is a mean over units."""
        of_units = self.cases.units is not None and criterion.unit != "case"
        return self.by_unit and of_units and criterion.estimand is Estimand.POPULATION


def describe(
    criteria: Sequence[Criterion],
    cases: Cases,
    order: Ints,
    decision: Decision,
    target_unit: str | None,
    reported: ReportedCases = TODAY,
) -> ScoredDecision:
    """Return the decision with scores of baseline and people on the scored cases; groups and figures on all.

    ``target_unit``: of answers.
    """
    scored = ScoredCases(cases, order, decision.scored, reported.by_unit)
    shown = order if reported.whole else order[: decision.scored]
    results = tuple(
        _result(criterion, found, target_unit or "", scored)
        for criterion, found in zip(criteria, decision.criteria, strict=True)
    )
    return ScoredDecision(
        decision,
        results,
        tuple(_group_scores(criteria, cases.among(np.sort(shown)), reported.by_unit)),
        RunningCounts.of(criteria, cases, order).rests_on(decision.decided),
        errors_of(cases, rules_of(criteria)) if reported.whole else None,
        figures_of(cases.among(shown), rules_of(criteria)),
        _scores_of("baseline", criteria, scored),
        _scores_of("people", criteria, scored),
    )


def _scores_of(whose: Answerer, criteria: Sequence[Criterion], scored: ScoredCases) -> Scores:
    return tuple(
        (criterion.rule, _own_score(whose, _alone(criterion), scored))
        for criterion in criteria
        if not is_resource(criterion.parsed())
    )


def _own_score(whose: Answerer, criterion: Criterion, scored: ScoredCases) -> float | None:
    """Return what others score.

    None for a drop or a lift, which compares two answers, for a measure under a perturbation, where others give none,
    and for experts' verdicts, which are about the application's answers alone.
    """
    rule = criterion.parsed()
    if getattr(scored.cases, whose) is None or is_resource(rule):
        return None
    if rule.wrapper in PAIRED or rule.under is not None or PANEL in given_columns(rule):
        return None
    return scored.score(criterion, whose)


def _alone(criterion: Criterion) -> Criterion:
    """Return the plain measure of a drop or a lift, with abstentions counted against it; other criteria unchanged."""
    rule = criterion.parsed()
    if rule.wrapper not in PAIRED:
        return criterion
    alone = replace(rule.plain, comparison="<=" if measures()[rule.measure].better == "lower" else ">=")
    return criterion.model_copy(update={"rule": str(alone)})


def _paired(criterion: Criterion, scored: ScoredCases) -> PairedScores | None:
    """Return the two scores whose difference a drop or a lift is, on the scored cases."""
    rule = criterion.parsed()
    if rule.wrapper not in PAIRED:
        return None
    first, second = scored.arms(criterion)
    people = _own_score("people", _alone(criterion), scored)
    if rule.wrapper == "lift":
        return PairedScores(ours=first, baseline=second, people=people)
    return PairedScores(under=str(rule.under), clean=first, perturbed=second, people=people)


def _result(criterion: Criterion, found: CriterionDecision, target_unit: str, scored: ScoredCases) -> CriterionResult:
    rule, within = criterion.parsed(), _within(criterion.parsed())
    return CriterionResult(
        rule=criterion.rule,
        outcome=Outcome(found.verdict),
        threshold=float(found.threshold),
        estimate=within(found.estimate),
        lower=within(found.lower),
        upper=within(found.upper),
        scored=found.used,
        available=found.total,
        estimand=Estimand.HIDDEN_SET if found.estimand == "run" else Estimand(found.estimand),
        unit=found.unit,
        confidence=criterion.confidence,
        guarantee=found.guarantee,
        claim=found.claim,
        needed=found.cases_needed,
        detectable=found.detectable,
        baseline=_own_score("baseline", criterion, scored),
        people=_own_score("people", criterion, scored),
        paired=_paired(criterion, scored),
        path=tuple(
            PathPoint(cases=point.cases, lower=within(point.lower), upper=within(point.upper)) for point in found.path
        ),
        unit_label=UNITS[rule.unit][0] if rule.unit else target_unit if _is_in_target_units(rule) else "",
    )


def _within(rule: Rule) -> Callable[[float | None], float | None]:
    """Return what cuts a bound to the measure's range, beyond which only entries with a judge's scores lie."""
    if "scores" not in rule.arguments:
        return lambda value: value
    return lambda value: value if value is None else min(max(value, 0.0), 1.0)


def _is_in_target_units(rule: Rule) -> bool:
    return not is_resource(rule) and measures()[rule.measure].in_target_units


def _group_scores(criteria: Sequence[Criterion], cases: Cases, by_unit: bool) -> list[GroupScore]:
    """Return each grouped rule's measure in each group; descriptive; abstentions harm it."""
    found = []
    for criterion in criteria:
        rule = criterion.parsed()
        if rule.by is None:
            continue
        better = measures()[rule.measure].better
        plain = replace(rule, wrapper=None, by=None, comparison=">=" if better == "higher" else "<=")
        for group, chosen in _members(cases.groups, rule.by):
            members = ScoredCases.whole(cases.among(chosen), by_unit)
            seen = observe(plain, members.cases, np.arange(len(chosen)))
            counted = int(np.any([part.weight > 0 for part in seen.parts], axis=0).sum())
            value = seen.value(plain.comparison)
            if members.counts_units(criterion):
                value = members.score(criterion.model_copy(update={"rule": str(plain)}))
            found.append(GroupScore(column=rule.by, group=group, measure=plain.key, cases=counted, score=value))
    return found


def _members(groups: Mapping[str, Column], column: str) -> list[tuple[str, Ints]]:
    names, codes = np.unique(groups[column], return_inverse=True)
    return [(str(name), np.flatnonzero(codes == code)) for code, name in enumerate(names.tolist())]


def _as_text(column: pl.Series) -> Column:
    return np.array(column.cast(pl.String).fill_null("").to_list(), dtype=str)
