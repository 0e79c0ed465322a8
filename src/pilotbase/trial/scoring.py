"""Scoring: answers and truth become observations, the evidence engine decides, the report gets its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.data.batches import truth_codes
from pilotbase.documents.criteria import PAIRED, UNITS, Perturbed, Rule
from pilotbase.documents.figures import Figure
from pilotbase.documents.probes import MODEL, PANEL
from pilotbase.documents.report import CriterionResult, GroupScore, PairedScores, PathPoint
from pilotbase.documents.scenario import Criterion, Scenario, TimeSplit, TrialDesign
from pilotbase.documents.vocabularies import Estimand, Outcome
from pilotbase.evidence import CriterionDecision, CriterionPlan, Decision, Design, Levels, decide, one_of_each
from pilotbase.measures import Cases, RunMeasurements, is_resource, measures, observe, observe_run, score
from pilotbase.measures.rules import block_of, given_columns, pair_scores
from pilotbase.trial.figures import figures_of

Ints = NDArray[np.int64]
Column = NDArray[Any]
Scores = tuple[tuple[str, float | None], ...]
"""(rule, score)."""
EARLY = TrialDesign()
NO_RUN = RunMeasurements(np.empty(0), 0, 0.0)
"""Where answers alone are judged."""


@dataclass(frozen=True)
class ScoredDecision:
    """The decision with its figures, ready for the report."""

    decision: Decision
    criteria: tuple[CriterionResult, ...]
    groups: tuple[GroupScore, ...]
    figures: tuple[Figure, ...] = ()
    """The data of the report's pictures."""
    baseline: Scores = ()
    """The baseline's own score for every criterion on answers."""
    people: Scores = ()


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


def unit_codes(criteria: Sequence[Criterion], frame: pl.DataFrame) -> Ints | None:
    """Return a code per case from the criteria's unit column; None as `unit_of`."""
    unit = unit_of(criteria)
    return None if unit is None else np.unique(_as_text(frame[unit]), return_inverse=True)[1].astype(np.int64)


def judge(
    criteria: Sequence[Criterion],
    cases: Cases,
    order: Ints,
    levels: Levels,
    run: RunMeasurements,
    design: TrialDesign = EARLY,
) -> Decision:
    """Return the decision on ``cases`` scored in ``order`` (indices into their arrays), and on the ``run``."""
    plans = [plan_criterion(criterion, cases, order, run) for criterion in criteria]
    return decide(plans, order, levels, Design(design.stop, design.cases))


def plan_criterion(criterion: Criterion, cases: Cases, order: Ints, run: RunMeasurements = NO_RUN) -> CriterionPlan:
    """Return the criterion with its observations, on answers or on the run."""
    rule = criterion.parsed()
    threshold = Fraction(rule.threshold)
    if is_resource(rule):
        return plan_run(criterion.rule, rule, run)
    estimand: Literal["hidden_set", "population"] = criterion.estimand.value
    units = cases.units if criterion.unit != "case" else None
    observation = observe(rule, cases, order, estimand)
    if units is not None and (observation.joined or observation.form == "function"):
        # An entry of several cases needs independent ones: of each unit one, drawn.
        observation, units = observe(rule, cases, one_of_each(order, units), estimand), None
    return CriterionPlan(criterion.rule, observation, rule.comparison, threshold, estimand, criterion.unit, units)


def plan_run(source: str, rule: Rule, run: RunMeasurements) -> CriterionPlan:
    """Return a criterion on a run: on its blocks, if the rule says how long one is, or on that run alone."""
    seen, block, threshold = observe_run(rule, run), block_of(rule), Fraction(rule.threshold)
    if block is None:
        return CriterionPlan(source, seen, rule.comparison, threshold, estimand="run", unit="request", run=True)
    units = None if seen.quantile is None else np.arange(len(seen.parts[0].gain)) // block
    return CriterionPlan(source, seen, rule.comparison, threshold, "population", "request_block", units, run=True)


def describe(
    criteria: Sequence[Criterion],
    cases: Cases,
    order: Ints,
    decision: Decision,
    target_unit: str | None,
    whole: bool = True,
) -> ScoredDecision:
    """Return the decision with scores of baseline and people on the scored cases; groups and figures on all.

    ``target_unit``: of answers. ``whole``: else groups and figures are of the scored cases too, as in older trials.
    """
    in_order, rules = order[: decision.scored], rules_of(criteria)
    seen, shown = cases.among(np.sort(in_order)), order if whole else in_order
    results = tuple(
        _result(criterion, found, target_unit or "", seen)
        for criterion, found in zip(criteria, decision.criteria, strict=True)
    )
    return ScoredDecision(
        decision,
        results,
        tuple(_group_scores(rules, cases.among(np.sort(shown)))),
        figures_of(cases.among(shown), rules),
        _scores_of(seen.baseline, criteria, seen),
        _scores_of(seen.people, criteria, seen),
    )


def _scores_of(answers: Column | None, criteria: Sequence[Criterion], cases: Cases) -> Scores:
    return tuple(
        (criterion.rule, _own_score(answers, _alone(criterion.parsed()), cases))
        for criterion in criteria
        if not is_resource(criterion.parsed())
    )


def _own_score(answers: Column | None, rule: Rule, cases: Cases) -> float | None:
    """Return what others score who gave ``answers``; None for a difference between two answers, which they have not,
    and for experts' verdicts, which are of the application's answers alone."""
    if answers is None or is_resource(rule) or rule.wrapper in PAIRED or PANEL in given_columns(rule):
        return None
    return score(rule, replace(cases, answers=answers))


def _alone(rule: Rule) -> Rule:
    """Return the plain measure of a drop or a lift, with abstentions counted against it; other rules unchanged."""
    if rule.wrapper not in PAIRED:
        return rule
    return replace(rule.plain, comparison="<=" if measures()[rule.measure].better == "lower" else ">=")


def _paired(rule: Rule, cases: Cases) -> PairedScores | None:
    """Return the two scores whose difference a drop or a lift is, on the scored cases."""
    if rule.wrapper not in PAIRED:
        return None
    first, second = pair_scores(rule, cases)
    people = _own_score(cases.people, _alone(rule), cases)
    if rule.wrapper == "lift":
        return PairedScores(ours=first, baseline=second, people=people)
    return PairedScores(under=str(rule.under), clean=first, perturbed=second, people=people)


def _result(criterion: Criterion, found: CriterionDecision, target_unit: str, seen: Cases) -> CriterionResult:
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
        baseline=_own_score(seen.baseline, rule, seen),
        people=_own_score(seen.people, rule, seen),
        paired=_paired(rule, seen),
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


def _group_scores(rules: Sequence[Rule], cases: Cases) -> list[GroupScore]:
    """Return each grouped rule's measure in each group; descriptive; abstentions harm it."""
    found = []
    for rule in rules:
        if rule.by is None:
            continue
        better = measures()[rule.measure].better
        plain = replace(rule, wrapper=None, by=None, comparison=">=" if better == "higher" else "<=")
        for group, chosen in _members(cases.groups, rule.by):
            seen = observe(plain, cases.among(chosen), np.arange(len(chosen)))
            counted = int(np.any([part.weight > 0 for part in seen.parts], axis=0).sum())
            value = seen.value(plain.comparison)
            found.append(GroupScore(column=rule.by, group=group, measure=plain.key, cases=counted, score=value))
    return found


def _members(groups: Mapping[str, Column], column: str) -> list[tuple[str, Ints]]:
    names, codes = np.unique(groups[column], return_inverse=True)
    return [(str(name), np.flatnonzero(codes == code)) for code, name in enumerate(names.tolist())]


def _as_text(column: pl.Series) -> Column:
    return np.array(column.cast(pl.String).fill_null("").to_list(), dtype=str)
