"""Several runs per question 每题多次运行: each hidden case is asked several times; cases are the independent units.

A run is a pass over all cases in its own secret order, so that no question follows itself. The mean over the runs
estimates the system including its noise. Runs of a case are dependent: counted one by one they prove nothing,
so all answers to a case form one unit. A claim about the hidden set is about the
answers in these runs; only a claim about a population extends to other cases, and to other runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.scenario import Criterion, Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.measures import is_resource, measures
from pilotbase.trial.carried import compared
from pilotbase.trial.records import REPEATED, RUN, Ints
from pilotbase.trial.scoring import settle_criteria


def planned_criteria(scenario: Scenario, comparisons: int = 0) -> tuple[Criterion, ...]:
    """Return the criteria as a plan has them: settled, and by the case where each is asked several times.

    A unit that the scenario names holds the runs of its cases together already. ``comparisons``: how many versions in
    a row are compared with the one before, this one included; 0: none.
    """
    criteria = settle_criteria(scenario)
    if comparisons:
        criteria = tuple(one for item in criteria for one in compared(item, comparisons))
    if scenario.trial.repeats is None:
        return criteria
    on_answers = [item for item in criteria if not is_resource(item.parsed())]
    unit = next((item.unit for item in on_answers if item.unit != "case"), REPEATED)
    return tuple(item.model_copy(update={"unit": unit}) if item in on_answers else item for item in criteria)


def repeat_problems(scenario: Scenario) -> Iterator[tuple[int | None, Text]]:
    """Yield (index of the criterion, problem) if cases can't be asked as often as stated; no index: applies to all."""
    for index, rule in enumerate(criterion.parsed() for criterion in scenario.criteria):
        runs = rule.arguments.get("k") if rule.measure == "all_of" else None
        if isinstance(runs, Decimal) and runs > (scenario.trial.repeats or 1):
            yield index, text("trial.repeats_few", rule=str(rule), runs=int(runs))
    if scenario.trial.repeats is None:
        return
    for index, rule in enumerate(criterion.parsed() for criterion in scenario.criteria):
        measure = measures().get(rule.measure)
        if measure is not None and measure.pooled:
            yield index, text("trial.repeats_pairs", rule=str(rule))
    if any(field.name == REPEATED for field in scenario.data.fields):
        yield None, text("trial.repeats_column", name=REPEATED)


def asked_again(frame: pl.DataFrame, repeats: int) -> pl.DataFrame:
    """Return the rows of ``frame`` run by run, with the column that holds the runs of a case together."""
    numbered = frame.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(REPEATED))
    return pl.concat([numbered] * repeats)


def run_column(cases: int, repeats: int | None) -> dict[str, Ints]:
    """Return of records which run each answer is of, where there are several."""
    return {} if repeats is None else {RUN: np.repeat(np.arange(repeats, dtype=np.int64), cases)}


def differing_cases(cases: Ints, answers: NDArray[Any]) -> int:
    """Return to how many ``cases`` not all ``answers`` are the same; equal places of both belong together."""
    given: dict[int, set[str]] = {}
    for case, answer in zip(cases.tolist(), answers.tolist(), strict=True):
        given.setdefault(case, set()).add(repr(answer))
    return sum(len(found) > 1 for found in given.values())
