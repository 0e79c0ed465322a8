"""Paired criteria: the difference between two answers to the same case, exact and decided like any bounded mean.

``drop(measure under perturbation)``   by how much the measure is worse under the perturbation
``lift(measure)``                      by how much it is better than the baseline's

Both are Σ (ahead - behind) / Σ weight over integers, turned round for measures where lower is better. An abstention
harms the criterion on either side: without an answer in the clean arm a case counts as right there, so that breaking
oneself in the clean arm buys nothing; without one under the perturbation it counts as wrong; where the baseline has no
answer, the baseline counts as right (corrections of the evidence engine, last bullets).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.contract import Field
from pilotbase.documents.criteria import Rule
from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import Text, text
from pilotbase.measures.definition import Measure
from pilotbase.measures.observation import Comparison, MeasureInput, MeasurePart
from pilotbase.measures.perturbations import perturbation_problems
from pilotbase.measures.reals import Reals


def observe_pair(measure: Measure, rule: Rule, question: MeasureInput) -> MeasurePart:
    """Return the paired difference of each case; of positive values the application is worse (drop) or better (lift).

    Raises:
        InputError: ``measure.not_paired``, or the cases have no second answers.
    """
    ahead, behind = arms_of(measure, rule, question)
    if not measure.paired or not np.array_equal(ahead.weight, behind.weight):
        raise InputError("measure.not_paired", measure=measure.name, rule=str(rule))
    if measure.better == "lower":
        ahead, behind = behind, ahead
    kept = np.int16 if ahead.gain.dtype.itemsize == 1 else np.int64
    gain = np.subtract(ahead.gain, behind.gain, dtype=kept)
    reals, slack = _real_differences(ahead, behind), ahead.slack + behind.slack
    outcomes = _differences(ahead.outcomes, behind.outcomes)
    return replace(ahead, gain=gain, outcomes=outcomes, reals=reals, slack=slack)


def arms_of(measure: Measure, rule: Rule, question: MeasureInput) -> tuple[MeasurePart, MeasurePart]:
    """Return what the measure observes of (clean, perturbed) answers of a drop, or of (ours, the baseline's).

    Raises:
        InputError: ``measure.no_second_answers``.
    """
    second = _second_answers(rule, question)
    harsh: Comparison = ">=" if measure.better == "higher" else "<="
    kind: Comparison = "<=" if measure.better == "higher" else ">="
    first_way, second_way = (kind, harsh) if rule.wrapper == "drop" else (harsh, kind)
    first = measure.observe(replace(question, comparison=first_way))
    cases = replace(question.cases, answers=second)
    return first, measure.observe(replace(question, cases=cases, comparison=second_way))


def pair_problems(rule: Rule, measure: Measure, features: Sequence[Field], has_baseline: bool) -> list[Text]:
    """Return what is wrong with a drop or a lift, in sentences; nothing for other rules."""
    if rule.wrapper not in ("drop", "lift"):
        return []
    found = []
    if not measure.paired:
        found.append(text("measure.not_paired", measure=measure.name, rule=str(rule)))
    if rule.wrapper == "lift":
        if rule.comparison != ">=":
            found.append(text("measure.lift_direction", rule=str(rule)))
        if not has_baseline and not measure.needs_baseline:
            found.append(text("measure.baseline_missing", measure=f"lift({measure.name})"))
        return found
    if rule.comparison != "<=":
        found.append(text("measure.drop_direction", rule=str(rule)))
    return found + ([] if rule.under is None else perturbation_problems(rule.under, features))


def _second_answers(rule: Rule, question: MeasureInput) -> NDArray[Any]:
    cases = question.cases
    second = cases.baseline if rule.wrapper == "lift" else cases.perturbed.get(str(rule.under))
    if second is None:
        raise InputError("measure.no_second_answers", rule=str(rule))
    return second


def _real_differences(ahead: MeasurePart, behind: MeasurePart) -> Reals | None:
    if ahead.reals is None and behind.reals is None:
        return None
    first, second = (part.reals or _from_lattice(part) for part in (ahead, behind))
    return Reals(first.gains - second.gains, first.weights)


def _from_lattice(part: MeasurePart) -> Reals:
    weight = part.weight.astype(np.float64)
    gain = np.where(weight > 0, part.gain * part.unit / np.where(weight > 0, weight, 1), 0.0)
    return Reals(gain, (weight > 0).astype(np.float64))


def _differences(ahead: Sequence[tuple[int, int]], behind: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return every difference of two outcomes of one weight; for real values the extremes and steps stay among them."""
    pairs = {(first - second, weight) for first, weight in ahead for second, other in behind if weight == other}
    return tuple(sorted(pairs))
