"""Candidates for one scenario side by side, read from their reports: figures with their intervals, and no ranking."""

from __future__ import annotations

from collections.abc import Iterator

from pilotbase.catalogue.records import load_record
from pilotbase.documents.api.trials import Candidate, ComparedCriterion, Comparison
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.report import CriterionResult, Report
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import CommissionState
from pilotbase.documents.subjects import name_of
from pilotbase.worker.readings import scenario_for
from pilotbase.worker.trials.savings import CASES, saves
from pilotbase.workspace.listings import MAXIMUM_PAGE, Query, list_page
from pilotbase.workspace.store import View

_TRIED = (
    CommissionState.REPORTED,
    CommissionState.REFUSED,
    CommissionState.ACCEPTED,
    CommissionState.RECTIFICATION,
    CommissionState.SIGNING,
    CommissionState.CERTIFIED,
    CommissionState.SUSPENDED,
    CommissionState.REVOKED,
)
"""States in which a commission has a report."""


def compare(view: View, subject: str) -> Comparison:
    """Return the candidates for a scenario, in the order in which their trials ended.

    Raises:
        NotFoundError: the actor sees no such scenario, or is neither its owner nor the operator.
    """
    scenario = scenario_for(view, subject, ReadScope.COMPARISON)
    found = sorted(_candidates(view, subject, scenario), key=lambda one: (one.ended_at, one.trial))
    rules = dict.fromkeys(criterion.rule for one in found for criterion in one.criteria)
    return Comparison(
        scenario=subject,
        title=scenario.title,
        baseline=scenario.baseline.kind if scenario.baseline is not None else "none",
        currency=scenario.costs.currency if scenario.costs is not None else "",
        rules=tuple(rules),
        candidates=tuple(found),
    )


def _candidates(view: View, subject: str, scenario: Scenario) -> Iterator[Candidate]:
    after: str | None = None
    while True:
        page = list_page(view, Query("commission", states=_TRIED, scenario=subject), after, MAXIMUM_PAGE)
        for listing in page.items:
            record = load_record(view, listing.subject)[0]
            digest = record.documents.get("report")
            stored = view.get(digest) if digest is not None else None
            if stored is not None:
                report = stored.load(Report)
                tried = view.load(record.documents["scenario"], Scenario)
                yield _candidate(name_of(listing.subject), record.state, report, tried)
        after = page.after
        if after is None:
            return


def _candidate(trial: str, state: str, report: Report, scenario: Scenario) -> Candidate:
    performance, application = report.performance, report.application
    cpu = performance.cpu_seconds if performance is not None else None
    cases = report.counts.get("answered", 0)
    return Candidate(
        trial=trial,
        title=report.application_title,
        name=application.name,
        version=application.version,
        supplier=application.supplier.organisation,
        state=state,
        verdict=report.verdict,
        approximate=report.approximate or None,
        attempt=report.attempt.number if report.attempt is not None else 0,
        ended_at=report.ended_at,
        criteria=tuple(map(_criterion, report.criteria)),
        saves=saves(scenario, report),
        latency=performance.latency_quantiles.get("p95") if performance is not None else None,
        batch_rows=performance.batch_rows if performance is not None else None,
        computing=CASES * cpu / cases if cpu is not None and cases else None,
    )


def _criterion(result: CriterionResult) -> ComparedCriterion:
    measured_once = result.guarantee == "measured_run"
    return ComparedCriterion(
        rule=result.rule,
        outcome=result.outcome,
        threshold=result.threshold,
        estimate=result.estimate,
        lower=None if measured_once else result.lower,
        upper=None if measured_once else result.upper,
        baseline=result.baseline,
        better_by=_better_by(result),
        unit_label=result.unit_label,
        guarantee=result.guarantee,
    )


def _better_by(result: CriterionResult) -> float | None:
    if result.estimate is None or result.baseline is None:
        return None
    difference = result.estimate - result.baseline
    return difference if parse_rule(result.rule).comparison == ">=" else -difference
