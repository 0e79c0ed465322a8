"""What jobs are estimated to take and cost, by API."""

from __future__ import annotations

from pilotbase.documents.api.trials import SpanTold
from pilotbase.documents.texts import Language
from pilotbase.worker.trials.consenting import ceiling_of
from pilotbase.workspace.store import View
from pilotbase_estate.computing.estimates import estimate_unseen
from pilotbase_estate.documents.api.job_estimates import JobEstimateTold
from pilotbase_estate.operations.pools import ConsideredJob
from pilotbase_estate.queue.submitting import JobRequest


def job_estimate_told(view: View, language: Language, given: ConsideredJob) -> JobEstimateTold:
    """Return what a job would take and cost, before its program is handed in; raises as `estimate_unseen`."""
    asking = JobRequest(given.pool, given.demand, given.hours * 3600, members=given.members)
    found, limit = estimate_unseen(view, asking, given.entry), ceiling_of()
    return JobEstimateTold(
        most_seconds=found.most_seconds,
        most_money=found.most_money,
        rates=found.rates,
        currency=found.currency,
        runs=found.runs,
        seconds=SpanTold.model_validate(found.wall) if found.wall is not None else None,
        money=SpanTold.model_validate(found.money) if found.money is not None else None,
        limit=limit.spelled(),
        needs_consent=found.above(limit),
        said=found.said().render(language),
    )
