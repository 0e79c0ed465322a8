"""Handing work in and cancelling it: what could never run is refused at once, what a voucher is to pay is set aside."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from types import MappingProxyType

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.texts import Text, text
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction
from pilotbase_estate.documents.pool import ComputeJob, Labels
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.documents.vocabularies import JobKind
from pilotbase_estate.queue import rows
from pilotbase_estate.queue.pools import pool_of
from pilotbase_estate.queue.rows import JobRow, QueueState
from pilotbase_estate.sharing.impossible import Empty, FirstFit, Placer
from pilotbase_estate.sharing.jobs import QueuedJob
from pilotbase_estate.vouchers import ledger
from pilotbase_estate.vouchers.rules import Ties

PLACER: Placer = FirstFit()
NO_TIES: Ties = MappingProxyType({})


@dataclass(frozen=True)
class JobRequest:
    """What somebody requests from a pool."""

    pool: str
    demand: Resources
    """Of each member."""
    max_seconds: float
    kind: JobKind = JobKind.OTHER
    members: int = 1
    priority: int = 0
    labels: Labels | None = None
    preemptible: bool = True
    work: str = ""
    """What a backend is to do, as `members.Works` reads it; '': a process of the base does it (a seat)."""
    subject: str = ""
    """What it is about: of several about the same subject, only one waits or runs."""
    voucher: str = ""
    """Which pays; '': nothing is paid."""


def submit(view: View, asking: JobRequest, ties: Ties = NO_TIES) -> JobRow:
    """Queue work for its pool and return it; the same subject, or the same request, returns the existing job.

    Raises:
        NotFoundError: there is no such pool, or no such voucher.
        RefusedError: it could never run (``pool.*``), or the voucher does not pay (``voucher.*``).
    """
    pool = pool_of(view, asking.pool)[1]
    with view.transaction("compute.submitted") as change:
        known = rows.live_job_about(change.connection, asking.subject) if asking.subject else None
        done = view.within(change).outcome()
        known = known or (rows.find_job(change.connection, done) if done is not None else None)
        if known is not None:
            return known
        asked = _job_of(change, asking)
        refusal = Empty(pool, PLACER).refusal(QueuedJob.of(asked))
        if refusal is not None:
            raise refusal
        rows.insert_job(change.connection, asked, asking.work, asking.subject, asking.voucher)
        if asking.voucher:
            order = order_of(asked, 1, asking.voucher)
            ledger.hold(view.within(change), change, order, ties)
        change.record("compute.submitted", [_subject(asked.name)], {"pool": asked.pool, "asked": str(asked.demand)})
        change.settle(asked.name)
        found = rows.find_job(change.connection, asked.name)
    assert found is not None
    return found


def cancel(view: View, name: str, reason: Text | None = None) -> JobRow:
    """Cancel a job: a waiting one ends at once, a running one at the next turn. Returns its state.

    The same request again changes nothing.

    Raises:
        NotFoundError: there is no such job for this actor.
        ConflictError: it has ended, or it is a seat, which goes with the work that has it.
    """
    with view.transaction("compute.cancelled") as change:
        job = job_within(view, change, name)
        if view.within(change).outcome() is not None:
            return job
        if job.is_seat:
            raise ConflictError("pool.seat_not_taken_back", job=name, subject=job.thing)
        why = reason or text("pool.cancelled_by", organisation=view.actor.organisation)
        if job.state is QueueState.WAITING:
            rows.update_job(change.connection, name, state=QueueState.CANCELLED.value, reason=why, ended_at=change.now)
            if job.voucher:
                ledger.release(view.within(change), change, name, job.attempt + 1)
        elif job.state in (QueueState.RUNNING, QueueState.STOPPING):
            rows.update_job(change.connection, name, state=QueueState.STOPPING.value, reason=why)
        else:
            raise ConflictError("pool.job_over", job=name, state=text(f"pool.state.{job.state.value}"))
        change.record("compute.cancelled", [_subject(name)])
        change.settle(name)
        found = rows.find_job(change.connection, name)
    assert found is not None
    return found


def job_within(view: View, change: Transaction, name: str) -> JobRow:
    """Return a job of the actor's organisation, or any for the operator; raises `NotFoundError` for others."""
    found = rows.find_job(change.connection, name)
    if found is None or not (view.actor.is_operator or view.actor.may_write_for(found.asked.organisation)):
        raise NotFoundError("pool.no_job", job=name)
    return found


def order_of(asked: ComputeJob, attempt: int, voucher: str) -> ledger.VoucherOrder:
    """Return the most that a voucher is to pay of an attempt."""
    total, seconds = Resources.of(asked.total), round(asked.max_seconds)
    return ledger.VoucherOrder(asked.name, attempt, voucher, asked.pool, total, seconds)


def _job_of(change: Transaction, asking: JobRequest) -> ComputeJob:
    return filled(
        ComputeJob,
        asking,
        name=f"job-{secrets.token_hex(8)}",
        organisation=change.actor.organisation,
        person=change.actor.person or change.actor.organisation,
        labels=asking.labels or {},
        submitted=change.now,
    )


def _subject(name: str) -> str:
    return f"compute-job:{name}"
