"""What follows from how an attempt ended: the one place that says what is retried, and at whose cost.

| ending | then | its voucher |
|---|---|---|
| done | done | settled on what was used |
| failed by its own fault, or at a limit; late; cancelled | over | settled on what was used |
| lost: machine, process or setup | tried again, `MOST_LOSSES` times | given back |
| evicted for somebody else | waits again, with its place in the line | given back |

A cancelled job is never retried, however its attempt ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pilotbase.documents.limits import EndReason
from pilotbase.documents.texts import Text, text
from pilotbase.sandbox.box.ends import END_TEXTS
from pilotbase_estate.backends.backend import EndCause, Metered, Status
from pilotbase_estate.queue.rows import Ending, JobRow, QueueState

MOST_LOSSES = 3


@dataclass(frozen=True)
class Next:
    """A job's state after an attempt, and whether the attempt is paid for."""

    state: QueueState
    reason: Text | None
    paid: bool
    losses: int = 0
    evictions: int = 0


def ending_of(statuses: Sequence[Status], wanted: Ending | None) -> Ending:
    """Return how an attempt whose members have all ended did end; ``wanted``: why we ended it, if we did.

    If it was only stopped, and no reason is recorded, a dispatcher evicted it and died before recording that.
    """
    causes = [status.cause for status in statuses]
    boxes = [status.box for status in statuses]
    if all(box is EndReason.FINISHED for box in boxes):
        return Ending.DONE
    if wanted is not None:
        return wanted
    if EndReason.WALL_LIMIT in boxes:
        return Ending.LATE
    if any(cause in (EndCause.LOST, EndCause.FAILED) for cause in causes):
        return Ending.LOST
    by_themselves = [box for box, cause in zip(boxes, causes, strict=True) if cause is EndCause.RAN]
    return Ending.FAILED if any(box is not EndReason.FINISHED for box in by_themselves) else Ending.EVICTED


def next_of(job: JobRow, ending: Ending, statuses: Sequence[Status]) -> Next:
    """Return the state of ``job`` after its attempt has ended that way."""
    if ending is Ending.DONE:
        return Next(QueueState.DONE, None, paid=True)
    if ending is Ending.CANCELLED or (job.state is QueueState.STOPPING and ending in (Ending.EVICTED, Ending.LOST)):
        return Next(QueueState.CANCELLED, job.reason, paid=ending is Ending.CANCELLED)
    if ending is Ending.EVICTED:
        return Next(QueueState.WAITING, text("pool.ending.evicted"), paid=False, evictions=1)
    if ending is Ending.LATE:
        return Next(QueueState.FAILED, text("pool.ending.late"), paid=True)
    if ending is Ending.LOST:
        given_up = job.losses + 1 >= MOST_LOSSES
        state = QueueState.FAILED if given_up else QueueState.WAITING
        reason = text("pool.ending.lost_too_often", times=MOST_LOSSES) if given_up else text("pool.ending.lost")
        return Next(state, reason, paid=False, losses=1)
    return Next(QueueState.FAILED, _own_fault(statuses), paid=True)


def sum_of(statuses: Sequence[Status]) -> Metered:
    """Return what all members used: the longest time by the clock, the sums of the rest."""
    metered = [status.metered for status in statuses]
    return Metered(
        wall_ms=max((one.wall_ms for one in metered), default=0),
        cpu_ms=sum(one.cpu_ms for one in metered),
        memory_mib_ms=sum(one.memory_mib_ms for one in metered),
        memory_peak_bytes=max((one.memory_peak_bytes for one in metered), default=0),
    )


def _own_fault(statuses: Sequence[Status]) -> Text:
    boxes = [status.box for status in statuses if status.box not in (None, EndReason.FINISHED, EndReason.CANCELLED)]
    return END_TEXTS[boxes[0]] if boxes and boxes[0] is not None else text("pool.ending.failed")
