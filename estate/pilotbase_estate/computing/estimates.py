"""What a job costs before it is handed in: the most that it can, and what its program took in earlier runs.

Only earlier runs of the same organisation in the same pool count: of the same files if there are any, otherwise of a
program of the same name. No organisation sees another's runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.api.trials import SpanTold
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.estimate import Ceiling, PriceList, Span, cost_of
from pilotbase.documents.hashes import Digest
from pilotbase.documents.texts import Language
from pilotbase.evidence.remaining import Predicted, predict_next
from pilotbase.worker.trials.consenting import ceiling_of
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase_estate.computing.orders import WorkOrder
from pilotbase_estate.documents.api.pools import JobEstimateTold
from pilotbase_estate.documents.pool import JobEstimate
from pilotbase_estate.documents.resources import Vector, plus
from pilotbase_estate.operations.pools import ConsideredJob
from pilotbase_estate.queue import rows
from pilotbase_estate.queue.pools import pool_of
from pilotbase_estate.queue.rows import AttemptRow, Ending, QueueState
from pilotbase_estate.queue.submitting import JobRequest
from pilotbase_estate.vouchers.rules import amounts_over
from pilotbase_estate.vouchers.wallet import prices_of

_NEWEST = 200
"""How many of the organisation's jobs are looked through."""
_MOST_RUNS = 30


def estimate_job(view: View, asking: JobRequest, order: WorkOrder) -> JobEstimate:
    """Return what a job takes and costs, from the actor's own earlier runs and the pool's prices.

    Raises:
        InputError: the amount is too large to be counted or paid.
    """
    return _estimate(view, asking, list(_earlier(view, asking.pool, order.entry, order.folder)))


def estimate_unseen(view: View, asking: JobRequest, entry: tuple[str, ...]) -> JobEstimate:
    """Return the same before there are any files: from earlier runs of a program of that name.

    Raises:
        NotFoundError: there is no such pool.
        InputError: as `estimate_job`.
    """
    pool_of(view, asking.pool)
    return _estimate(view, asking, list(_earlier(view, asking.pool, entry)))


def job_estimate_told(view: View, language: Language, given: ConsideredJob) -> JobEstimateTold:
    """Return what a job would take and cost, before its program is handed in; raises as `estimate_unseen`."""
    asking = filled(JobRequest, given, max_seconds=given.hours * 3600)
    found, limit = estimate_unseen(view, asking, given.entry), ceiling_of()
    return filled(
        JobEstimateTold,
        found,
        seconds=SpanTold.model_validate(found.wall) if found.wall is not None else None,
        money=SpanTold.model_validate(found.money) if found.money is not None else None,
        limit=limit.spelled(),
        needs_consent=found.above(limit),
        said=found.said().render(language),
    )


def _estimate(view: View, asking: JobRequest, earlier: list[AttemptRow]) -> JobEstimate:
    prices, held = _prices(view, asking.pool), plus({}, asking.demand.vector, asking.members)
    most_ms = round(1000 * asking.max_seconds)
    most_money = None if prices is None else cost_of(prices, amounts_over(held, most_ms))
    runs = earlier[:_MOST_RUNS]
    wall = _span(predict_next([run.metered.wall_ms / 1000 for run in runs]), asking.max_seconds) if runs else None
    money = None
    if runs and prices is not None and most_money is not None:
        money = _span(predict_next([float(_cost(prices, run, held)) for run in runs]), float(most_money))
    return JobEstimate(
        most_seconds=asking.max_seconds,
        most_money=most_money,
        runs=len(runs),
        wall=wall,
        money=money,
        currency=prices.currency if prices is not None else "CNY",
        rates={} if prices is None else {name: prices.prices[name] for name in sorted(held) if prices.prices.get(name)},
    )


def consent_by(view: View, asking: JobRequest, ceiling: Ceiling | None = None) -> Callable[[WorkOrder], None]:
    """Return the check that lets a job be handed in below the limit, or below the base's own limit if none is given.

    Above the limit it raises `RefusedError`, which says what the job takes and how to consent.
    """
    limit = ceiling_of() if ceiling is None else ceiling

    def require(order: WorkOrder) -> None:
        found = estimate_job(view, asking, order)
        if found.above(limit):
            raise RefusedError("compute.consent_needed", figures=found.said(), limit=limit.spelled())

    return require


def consented(_: WorkOrder) -> None:
    """Accept a job at any cost: somebody has consented."""


def _earlier(view: View, pool: str, entry: tuple[str, ...], folder: Digest | None = None) -> Iterator[AttemptRow]:
    """Yield the attempts that ran a program to its end, newest first; without ``folder`` by its name alone."""
    with view.reading() as connection:
        over = rows.jobs_over(connection, pool, view.actor.organisation, _NEWEST)
        done = [
            (job, WorkOrder.model_validate_json(job.work)) for job in over if job.state is QueueState.DONE and job.work
        ]
        same = [job for job, other in done if (other.folder, other.entry) == (folder, entry)]
        same = same or [job for job, other in done if other.folder == folder]
        same = same or [job for job, other in done if other.entry[0] == entry[0]]
        for job in same:
            attempts = rows.attempts_of(connection, job.name)
            yield from (one for one in attempts[-1:] if one.ending is Ending.DONE and one.metered.wall_ms)


def _cost(prices: PriceList, run: AttemptRow, held: Vector) -> int:
    """Return what an earlier run would cost now: its counters, and what else is held while it runs."""
    counted = {"cpu": run.metered.cpu_ms, "memory": run.metered.memory_mib_ms}
    return cost_of(prices, amounts_over(held, run.metered.wall_ms) | counted)


def _prices(view: View, pool: str) -> PriceList | None:
    try:
        return prices_of(view, pool)[1]
    except NotFoundError:
        return None


def _span(found: Predicted, most: float) -> Span:
    """Return an interval, cut off at what was requested."""
    return Span(low=min(found.low, most), expected=min(found.expected, most), high=min(found.high, most)).rounded()
