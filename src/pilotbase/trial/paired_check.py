"""What a drop needs before the freeze: a floor beside it, independent cases where it claims a population, enough cases.

A constant answer drops by nothing under any perturbation. So every drop stands beside an absolute criterion on the same
measure, and no constant answer may meet all absolute criteria on the public sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.answer_texts import right_answer
from pilotbase.documents.criteria import PAIRED, Rule
from pilotbase.documents.scenario import Criterion, Scenario
from pilotbase.documents.tasks import SPELLED
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Estimand
from pilotbase.evidence import CriterionPlan, Design, Levels, verdict_of
from pilotbase.measures import Cases, Observation, Part, coded, is_resource, measures, score
from pilotbase.measures.perturbations import perturbation_of
from pilotbase.trial.scoring import Ints, build_cases, settle_criteria

_SHOWN = 80
MOST_CASES = 4_000_000
"""How far cases are multiplied to tell how many a drop would need."""


def drop_problems(scenario: Scenario, classes: tuple[str, ...], public: pl.DataFrame) -> Iterator[tuple[int, Text]]:
    """Yield what is wrong with the drops among the criteria, as (index, sentence)."""
    criteria = settle_criteria(scenario)
    rules = [criterion.parsed() for criterion in criteria]
    drops = [index for index, rule in enumerate(rules) if rule.wrapper == "drop"]
    for index in drops:
        if not any(_is_floor(rule, rules[index], scenario.positive) for rule in rules):
            alone = replace(rules[index].plain, unit=None)
            example = f"{alone.key} {'<=' if measures()[alone.measure].better == 'lower' else '>='} …"
            yield index, text("trial.drop_without_floor", rule=criteria[index].rule, example=example)
        if _across_cases(criteria[index]):
            yield index, text("trial.drop_across_cases", rule=criteria[index].rule, under=str(rules[index].under))
    constant = _passing_constant(scenario, classes, public) if drops else None
    if constant is not None:
        yield drops[0], text("trial.constant_passes", rule=criteria[drops[0]].rule, answer=constant)


def cases_for_drop(plan: CriterionPlan, order: Ints, levels: Levels, design: Design) -> tuple[int, int | None]:
    """Return how many eligible cases there are, and how many confirm a drop when nothing drops at all.

    The second is found by multiplying the cases, so it is the first where these suffice; None when no number does.
    """
    there = int(np.count_nonzero(plan.observation.parts[0].weight))
    size = 1
    while size * len(order) <= MOST_CASES:
        many = np.concatenate([order + copy * len(order) for copy in range(size)])
        scaled = design if design.cases is None else replace(design, cases=design.cases * size)
        if verdict_of([_multiplied(plan, size)], many, levels, scaled)[0] == "accept":
            return there, size * there
        size *= 2
    return there, None


def _is_floor(rule: Rule, drop: Rule, positive: str | None) -> bool:
    """Tell whether ``rule`` asks of the drop's own measure to be good, and not just to be anything."""
    if rule.wrapper not in (None, "worst") or rule.measure != drop.measure:
        return False
    if (rule.label or positive) != (drop.label or positive) or dict(rule.arguments) != dict(drop.arguments):
        return False
    measure = measures()[rule.measure]
    low, high = measure.range({name: value for name, value in rule.arguments.items() if not isinstance(value, str)})
    return rule.threshold < high if measure.better == "lower" else rule.threshold > low


def _across_cases(criterion: Criterion) -> bool:
    under = criterion.parsed().under
    return under is not None and criterion.estimand is Estimand.POPULATION and perturbation_of(under).across_cases


def _passing_constant(scenario: Scenario, classes: tuple[str, ...], public: pl.DataFrame) -> str | None:
    """Return a constant answer that meets every absolute criterion on the public sample; None when there is none."""
    absolute = [rule for rule in (item.parsed() for item in settle_criteria(scenario)) if not is_resource(rule)]
    absolute = [rule for rule in absolute if rule.wrapper not in PAIRED and not measures()[rule.measure].needs_baseline]
    cases = build_cases(scenario, classes, public, np.zeros(public.height))
    for name, answers in _constants(cases).items():
        answered = coded(replace(cases, answers=answers))
        if all(_met(rule, score(rule, answered)) for rule in absolute):
            return name
    return None


def _constants(cases: Cases) -> dict[str, NDArray[Any]]:
    """Return constant answers by their spelling: each class, or what is usual among the truths."""
    size = len(cases)
    if cases.kind == "label":
        return {label: np.full(size, code) for code, label in enumerate(cases.classes)}
    if cases.kind == "probability":
        return {f"{value:g}": np.full(size, value) for value in (0.0, 0.5, 1.0)}
    if not size:
        return {}
    if cases.kind in SPELLED:
        usual = right_answer(Counter(cases.truth.tolist()).most_common(1)[0][0], cases.kind)
        return {usual[:_SHOWN]: np.full(size, usual, dtype=object)}
    middle = float(np.nanmedian(cases.truth))
    return {f"{middle:g}": np.full((size, 2) if cases.kind == "interval" else size, middle)}


def _met(rule: Rule, value: float | None) -> bool:
    if value is None:
        return False
    return value >= float(rule.threshold) if rule.comparison == ">=" else value <= float(rule.threshold)


def _multiplied(plan: CriterionPlan, size: int) -> CriterionPlan:
    """Return the plan of a drop on so many copies of its cases."""
    (part,) = plan.observation.parts
    copies = Part(np.tile(part.gain, size), np.tile(part.weight, size), tuple(part.outcomes), part.root, part.unit)
    units = plan.units
    if units is not None:
        span = int(units.max(initial=0)) + 1
        units = np.concatenate([units + copy * span for copy in range(size)])
    return replace(plan, observation=Observation("single", (copies,)), units=units)
