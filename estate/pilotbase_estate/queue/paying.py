"""What the end of an attempt means for the voucher that pays it, in the transaction in which the job moves on."""

from __future__ import annotations

from dataclasses import replace

from pilotbase.documents.errors import PilotbaseError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction
from pilotbase_estate.backends.backend import Metered
from pilotbase_estate.documents.voucher import Usage, UsageSheet
from pilotbase_estate.queue.ending import Next
from pilotbase_estate.queue.rows import JobRow, QueueState
from pilotbase_estate.queue.submitting import order_of
from pilotbase_estate.vouchers import ledger
from pilotbase_estate.vouchers.relations import Ties
from pilotbase_estate.vouchers.settling import settle

SOURCE = "box"
"""The counters of the box that did the work: its control group, or /proc."""


def pay(here: View, change: Transaction, job: JobRow, follows: Next, metered: Metered, ties: Ties) -> Next:
    """Settle an attempt, or release what was set aside for it and set it aside for the next; return what follows.

    If the voucher no longer pays when its job is to be retried, the job ends with the reason.
    """
    if not job.voucher:
        return follows
    if follows.paid:
        settle(here, change, _sheet(job, metered, change))
        return follows
    ledger.release(here, change, job.name, job.attempt)
    if follows.state is not QueueState.WAITING:
        return follows
    try:
        ledger.hold(here, change, order_of(job.asked, job.attempt + 1, job.voucher), ties)
    except PilotbaseError as error:
        return replace(follows, state=QueueState.FAILED, reason=error.text)
    return follows


def _sheet(job: JobRow, metered: Metered, change: Transaction) -> UsageSheet:
    assert job.started_at is not None
    usage = Usage(
        source=SOURCE,
        node=job.nodes[0] if job.nodes else SOURCE,
        wall_ms=metered.wall_ms,
        cpu_ms=metered.cpu_ms,
        memory_mib_ms=metered.memory_mib_ms,
        gpu_ms={name.removeprefix("gpu/"): metered.wall_ms * held // 1000 for name, held in _gpus(job).items()},
    )
    return UsageSheet(job=job.name, attempt=job.attempt, started_at=job.started_at, ended_at=change.now, usage=usage)


def _gpus(job: JobRow) -> dict[str, int]:
    """Return the GPUs that all members held, in thousandths: a held GPU counts as used."""
    demand = job.asked.demand.vector
    return {name: amount * job.asked.members for name, amount in demand.items() if name.startswith("gpu/")}
