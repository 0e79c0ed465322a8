"""What a drop needs before the freeze: a floor beside it, independent cases where it claims a population, enough cases.

A constant answer drops by nothing under any perturbation. So every drop stands beside an absolute criterion on the same
measure; that no constant answer meets all criteria together, `pilotbase.trial.blind` sees to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from pilotbase.documents.criteria import Rule
from pilotbase.documents.scenario import Criterion, Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Estimand
from pilotbase.evidence import CriterionPlan, Design, Levels, verdict_of
from pilotbase.measures import Observation, Part, measures
from pilotbase.measures.perturbations import perturbation_of
from pilotbase.trial.scoring import Ints, settle_criteria

_SHOWN = 80
MOST_CASES = 4_000_000
"""How far cases are multiplied to tell how many a drop would need."""


def drop_problems(scenario: Scenario) -> Iterator[tuple[int, Text]]:
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


def _multiplied(plan: CriterionPlan, size: int) -> CriterionPlan:
    """Return the plan of a drop on so many copies of its cases."""
    (part,) = plan.observation.parts
    copies = Part(np.tile(part.gain, size), np.tile(part.weight, size), tuple(part.outcomes), part.root, part.unit)
    units = plan.units
    if units is not None:
        span = int(units.max(initial=0)) + 1
        units = np.concatenate([units + copy * span for copy in range(size)])
    return replace(plan, observation=Observation("single", (copies,)), units=units)
