"""Candidates for one scenario side by side: figures of their reports with intervals, in the order of a tender."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pilotbase.catalogue.records import load_record
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.api.trials import Candidate, ComparedCriterion, Comparison
from pilotbase.documents.board import MOST_ENTRANTS
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.report import CriterionResult, Report
from pilotbase.documents.scenario import ConstantBaseline, Costs, Scenario
from pilotbase.documents.states import CommissionState
from pilotbase.documents.subjects import name_of
from pilotbase.worker.base import Base
from pilotbase.worker.readings import scenario_for
from pilotbase.worker.trials.tenders import newest_decided
from pilotbase.workspace.listings import Query, every_listing
from pilotbase.workspace.store import View

_TRIED = (
    CommissionState.REPORTED,
    CommissionState.REFUSED,
    CommissionState.ACCEPTED,
    CommissionState.RECTIFICATION,
    CommissionState.SIGNING,
    CommissionState.CERTIFIED,
    CommissionState.SUSPENDED,
    CommissionState.EXPIRED,
    CommissionState.REVOKED,
)
"""States in which a commission has a report."""
CASES = 1000
_NAMES = ("recall", "precision", "specificity")


@dataclass(frozen=True)
class _Scores:
    """The scores of one answerer on the scored cases, by measure; absent if no criterion needs it."""

    recall: float | None
    precision: float | None
    specificity: float | None


def compare(base: Base, view: View, subject: str) -> Comparison:
    """Return the candidates for a scenario in the order of its newest tender, and in that in which trials ended.

    Raises:
        NotFoundError: the actor sees no such scenario, or is neither its owner nor the operator.
    """
    scenario = scenario_for(view, subject, ReadScope.COMPARISON)
    tender, places = newest_decided(base, view, subject)
    found = sorted(
        _candidates(view, subject, places), key=lambda one: (one.place or MOST_ENTRANTS + 1, one.ended_at, one.trial)
    )
    rules = dict.fromkeys(criterion.rule for one in found for criterion in one.criteria)
    return Comparison(
        scenario=subject,
        title=scenario.title,
        baseline=scenario.baseline.kind if scenario.baseline is not None else "none",
        currency=scenario.costs.currency if scenario.costs is not None else "",
        rules=tuple(rules),
        candidates=tuple(found),
        tender=tender,
    )


def _candidates(view: View, subject: str, places: Mapping[Digest, int]) -> Iterator[Candidate]:
    for listing in every_listing(view, Query("commission", states=_TRIED, scenario=subject)):
        record = load_record(view, listing.subject)[0]
        digest = record.documents.get("report")
        stored = view.get(digest) if digest is not None else None
        if stored is not None:
            tried = view.load(record.documents["scenario"], Scenario)
            made = _candidate(name_of(listing.subject), record.state, report := stored.load(Report), tried)
            yield made.model_copy(update={"place": places.get(report.application.digest)})


def _candidate(trial: str, state: str, report: Report, scenario: Scenario) -> Candidate:
    performance, application = report.performance, report.application
    cpu = performance.cpu_seconds if performance is not None else None
    cases = report.counts.get("answered", 0)
    return filled(
        Candidate,
        report,
        application,
        trial=trial,
        title=report.application_title,
        supplier=application.supplier.organisation,
        state=state,
        approximate=report.approximate or None,
        attempt=report.attempt.number if report.attempt is not None else 0,
        criteria=tuple(map(_criterion, report.criteria)),
        saves=saves(scenario, report),
        latency=performance.latency_quantiles.get("p95") if performance is not None else None,
        batch_rows=performance.batch_rows if performance is not None else None,
        computing=CASES * cpu / cases if cpu is not None and cases else None,
    )


def _criterion(result: CriterionResult) -> ComparedCriterion:
    measured_once = result.guarantee == "measured_run"
    return filled(
        ComparedCriterion,
        result,
        lower=None if measured_once else result.lower,
        upper=None if measured_once else result.upper,
        better_by=_better_by(result),
    )


def _better_by(result: CriterionResult) -> float | None:
    if result.estimate is None or result.baseline is None:
        return None
    difference = result.estimate - result.baseline
    return difference if parse_rule(result.rule).comparison == ">=" else -difference


def saves(scenario: Scenario, report: Report) -> float | None:
    """Return the saving in costs of errors over the baseline, per `CASES` cases; None if the report does not show it.

    With share π of the positive class among the scored cases, cost M of a miss and F of a false alarm, recall R and
    precision P or specificity S, errors cost π·(1 − R)·M + π·R·(1/P − 1)·F a case, or π·(1 − R)·M + (1 − π)·(1 − S)·F
    (Elkan, IJCAI 2001). A criterion ``cost(miss=M, false_alarm=F)`` states it directly. The figure has no interval.
    """
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
    estimates = (results[name].estimate if name in results else None for name in _NAMES)
    ours = _cost(_Scores(*estimates), share, costs)
    theirs = _baseline_cost(scenario, results, share, costs)
    return None if ours is None or theirs is None else CASES * (theirs - ours)


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
    """Return the figure of a criterion on the cost itself, if it uses the scenario's costs."""
    result = results.get("cost")
    if result is None or result.estimate is None or result.baseline is None:
        return None
    wanted = (f"miss={costs.miss:g}", f"false_alarm={costs.false_alarm:g}")
    return CASES * (result.baseline - result.estimate) if all(one in result.rule for one in wanted) else None


def _share(report: Report, results: Mapping[str, CriterionResult]) -> float | None:
    recall, scored = results.get("recall"), report.counts.get("scored")
    return recall.scored / scored if recall is not None and recall.scored and scored else None


def _baseline_cost(
    scenario: Scenario, results: Mapping[str, CriterionResult], share: float, costs: Costs
) -> float | None:
    if isinstance(scenario.baseline, ConstantBaseline):
        always = str(scenario.baseline.value) == scenario.positive
        return (1 - share) * costs.false_alarm if always else share * costs.miss
    scores = _Scores(*(results[name].baseline if name in results else None for name in _NAMES))
    return _cost(scores, share, costs)


def _cost(scores: _Scores, share: float, costs: Costs) -> float | None:
    """Return the cost of errors for each case, or None if the scores leave misses or false alarms open."""
    if scores.recall is None:
        return None
    misses = share * (1 - scores.recall) * costs.miss
    if scores.specificity is not None:
        return misses + (1 - share) * (1 - scores.specificity) * costs.false_alarm
    if scores.precision:
        return misses + share * scores.recall * (1 / scores.precision - 1) * costs.false_alarm
    return None
