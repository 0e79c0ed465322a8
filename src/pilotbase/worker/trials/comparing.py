"""Candidates for one scenario side by side: figures of their reports with intervals, in the order of a tender."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pilotbase.catalogue.records import load_record
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.api.trials import Candidate, ComparedCriterion, Comparison
from pilotbase.documents.board import MOST_ENTRANTS
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.report import CriterionResult, Report
from pilotbase.documents.scenario import Scenario
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
        saves=saves(report),
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


def saves(report: Report) -> float | None:
    """Return the saving in costs of errors over the baseline, per `CASES` cases; None if the report does not show it.

    The figure has no interval.
    """
    costs, errors = report.costs, report.errors
    if costs is None or errors is None or not errors.cases:
        return None
    ours, theirs = errors.priced(costs, report.contract.prediction.classes)
    return None if theirs is None else CASES * (theirs - ours) / errors.cases
