"""What a candidate saves against the baseline, from the costs of a miss and a false alarm and the scores of a report.

With share π of the positive class among the scored cases, cost M of a miss and F of a false alarm, recall R and
precision P or specificity S, errors cost a case π·(1 − R)·M + π·R·(1/P − 1)·F, or π·(1 − R)·M + (1 − π)·(1 − S)·F
(Elkan, IJCAI 2001). A criterion ``cost(miss=M, false_alarm=F)`` says it itself. The figure has no interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pilotbase.documents.report import CriterionResult, Report
from pilotbase.documents.scenario import ConstantBaseline, Costs, Scenario

CASES = 1000


@dataclass(frozen=True)
class _Scores:
    """The scores of one answerer on the scored cases, by measure; absent where no criterion asks for it."""

    recall: float | None
    precision: float | None
    specificity: float | None


def saves(scenario: Scenario, report: Report) -> float | None:
    """Return what errors cost less than with the baseline, per `CASES` cases; None where the report does not tell."""
    costs = scenario.costs
    if costs is None or scenario.positive is None:
        return None
    results = _of_positive(scenario, report)
    stated = _stated(results, costs)
    if stated is not None:
        return stated
    share = _share(report, results)
    if share is None:
        return None
    ours = _cost(_Scores(*(_ours(results, name) for name in _NAMES)), share, costs)
    theirs = _baseline_cost(scenario, results, share, costs)
    return None if ours is None or theirs is None else CASES * (theirs - ours)


_NAMES = ("recall", "precision", "specificity")


def _of_positive(scenario: Scenario, report: Report) -> Mapping[str, CriterionResult]:
    """Return the plain criteria about the positive class by their measure."""
    found = {}
    rules = {criterion.rule: criterion.parsed() for criterion in scenario.criteria}
    for result in report.criteria:
        rule = rules.get(result.rule)
        if rule is not None and rule.wrapper is None and rule.label in (None, scenario.positive):
            found[rule.measure] = result
    return found


def _stated(results: Mapping[str, CriterionResult], costs: Costs) -> float | None:
    """Return what a criterion on the cost itself says, where it counts with the scenario's costs."""
    result = results.get("cost")
    if result is None or result.estimate is None or result.baseline is None:
        return None
    wanted = (f"miss={costs.miss:g}", f"false_alarm={costs.false_alarm:g}")
    return CASES * (result.baseline - result.estimate) if all(one in result.rule for one in wanted) else None


def _share(report: Report, results: Mapping[str, CriterionResult]) -> float | None:
    recall, scored = results.get("recall"), report.counts.get("scored")
    return recall.scored / scored if recall is not None and recall.scored and scored else None


def _ours(results: Mapping[str, CriterionResult], name: str) -> float | None:
    return results[name].estimate if name in results else None


def _baseline_cost(
    scenario: Scenario, results: Mapping[str, CriterionResult], share: float, costs: Costs
) -> float | None:
    if isinstance(scenario.baseline, ConstantBaseline):
        always = str(scenario.baseline.value) == scenario.positive
        return (1 - share) * costs.false_alarm if always else share * costs.miss
    scores = _Scores(*(results[name].baseline if name in results else None for name in _NAMES))
    return _cost(scores, share, costs)


def _cost(scores: _Scores, share: float, costs: Costs) -> float | None:
    """Return what errors cost a case, or None where the scores leave misses or false alarms open."""
    if scores.recall is None:
        return None
    misses = share * (1 - scores.recall) * costs.miss
    if scores.specificity is not None:
        return misses + (1 - share) * (1 - scores.specificity) * costs.false_alarm
    if scores.precision:
        return misses + share * scores.recall * (1 / scores.precision - 1) * costs.false_alarm
    return None
