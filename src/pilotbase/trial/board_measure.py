"""The measure of a board: one loss per case, whose mean gives the score for any answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.criteria import Rule, parse_rule
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.scenario import Criterion, Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.measures import Cases, RuleContext, measures, observe, problems_of
from pilotbase.trial.scenario_folder import MANIFEST
from pilotbase.trial.scoring import with_cut


@dataclass(frozen=True)
class BoardLosses:
    """Losses in [0, 1] of the eligible cases in case order, and how to convert a mean loss to a score of the measure.

    A case with less weight in the measure has proportionally smaller losses.
    """

    values: NDArray[np.float64]
    worst: float
    """The score at a mean loss of 1."""
    best: float
    eligible: NDArray[np.bool_]
    """Which cases count, shape (cases,)."""

    def score(self, mean: float) -> float:
        """Return the score for a mean loss."""
        return self.best + mean * (self.worst - self.best)


def board_rule(scenario: Scenario, measure: str) -> Rule:
    """Return the measure as a rule in its natural direction, with the scenario's decision threshold written out.

    Raises:
        InputError: it cannot be read.
    """
    rule = parse_rule(f"{measure} >= 0")
    known = measures().get(rule.measure)
    lower = known is not None and known.better == "lower"
    rule = replace(rule, comparison="<=" if lower else ">=")
    if scenario.prediction != "probability":
        return rule
    return with_cut(Criterion(rule=str(rule)), Decimal(str(scenario.decision_threshold))).parsed()


def check_board(scenario: Scenario, classes: tuple[str, ...]) -> None:
    """Return when the scenario has no board, or one whose measure can be scored case by case.

    Raises:
        InputError: with everything that keeps it from that.
    """
    if scenario.trial.board is not None:
        found = measure_problems(scenario, scenario.trial.board.measure, classes)
        issues = [Issue(file=MANIFEST, path="trial.board.measure", problem=problem) for problem in found]
        if issues:
            raise InputError.from_issues(MANIFEST, issues)


def board_losses(scenario: Scenario, measure: str, cases: Cases) -> BoardLosses:
    """Return the losses of ``cases``: 0 is the best that the measure can give, 1 the worst for the heaviest case.

    Raises:
        InputError: no case of the board is eligible (a recall without a case of its class).
    """
    rule = board_rule(scenario, measure)
    (part,) = observe(rule, cases, np.arange(len(cases), dtype=np.int64)).parts
    eligible = part.weight > 0
    if not eligible.any():
        raise InputError("trial.board_empty", measure=measure)
    gain, weight = (column[eligible].astype(np.float64) for column in (part.gain, part.weight))
    ends = [part.unit * up / down for up, down in part.outcomes if down]
    low, high = min(ends), max(ends)
    worst, best = (low, high) if rule.comparison == ">=" else (high, low)
    losses = (part.unit * gain - best * weight) / (worst - best) / weight.max()
    # Over cases of unequal weight the mean of the losses is at most weight.mean() / weight.max().
    return BoardLosses(losses, best + (worst - best) * float(weight.max() / weight.mean()), best, eligible)


def measure_problems(scenario: Scenario, measure: str, classes: tuple[str, ...] | None) -> Iterator[Text]:
    """Yield why ``measure`` is not scored case by case; ``classes`` None: they are not known yet."""
    try:
        rule = board_rule(scenario, measure)
    except InputError as error:
        yield error.text
        return
    columns = frozenset(field.name for field in scenario.data.fields)
    kind = scenario.answer
    setting = RuleContext(kind, classes or (), scenario.positive, columns, has_baseline=False)
    found = problems_of(rule, setting) if classes is not None else ()
    known = measures().get(rule.measure)
    if found:
        yield from found
    elif rule.wrapper is not None or known is None or not known.paired:
        allowed = ", ".join(name for name, item in measures().items() if item.paired and kind in item.kinds)
        yield text("trial.board_measure", found=measure, allowed=allowed)
