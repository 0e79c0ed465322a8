"""The members of a job on their backend: started, polled, ended together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pilotbase.documents.limits import Limits
from pilotbase_estate.backends.backend import (
    AttemptPhase,
    ComputeBackend,
    EndCause,
    JobSpec,
    MemberAttempt,
    ProgramWork,
    Status,
)
from pilotbase_estate.queue.rows import JobRow

GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Prepared:
    """What a backend is given to do for a job."""

    work: ProgramWork
    limits: Limits
    uid: int | None = None


Works = Callable[[JobRow], Prepared]
"""Reads `JobRow.work`.

It raises `InputError`, `RefusedError` or `NotFoundError` if the job itself is at fault, and other errors if the machine
is.
"""


@dataclass(frozen=True)
class Members:
    """The members of jobs, on a backend."""

    backend: ComputeBackend
    works: Works

    def start(self, job: JobRow) -> None:
        """Start every member on its node, unless it was started before; raises as `Works` and the backend do."""
        prepared = self.works(job)
        known = {node.name for node in self.backend.capacity()}
        for attempt, node in zip(attempts_of(job), job.nodes, strict=True):
            self.backend.start(
                JobSpec(
                    attempt=attempt,
                    work=prepared.work,
                    demand=job.asked.demand.vector,
                    members=job.asked.members,
                    limits=_limits(job, prepared.limits),
                    uid=prepared.uid,
                    node=node if node in known else None,
                )
            )

    def all_started(self, job: JobRow) -> bool:
        """Return whether the backend knows every member: not if the process that recorded the job died first."""
        return all(self.backend.poll(attempt).phase is not AttemptPhase.UNKNOWN for attempt in attempts_of(job))

    def stop(self, job: JobRow) -> None:
        """End every member that runs."""
        for attempt in attempts_of(job):
            self.backend.stop(attempt, GRACE_SECONDS)

    def statuses(self, job: JobRow) -> list[Status]:
        """Return the state of the members. One that has failed ends the others; one that is no longer known is lost."""
        found = self._asked(job)
        if any(_has_failed(status) for status in found):
            self.stop(job)
            found = self._asked(job)
        return found

    def _asked(self, job: JobRow) -> list[Status]:
        found = [self.backend.poll(attempt) for attempt in attempts_of(job)]
        return [
            Status(AttemptPhase.ENDED, EndCause.LOST) if one.phase is AttemptPhase.UNKNOWN else one for one in found
        ]


def attempts_of(job: JobRow) -> list[MemberAttempt]:
    """Return the job's present attempt, by member."""
    return [MemberAttempt(job.name, job.attempt, member) for member in range(job.asked.members)]


def _has_failed(status: Status) -> bool:
    return status.phase is AttemptPhase.ENDED and (status.cause is not EndCause.RAN or status.exit_code != 0)


def _limits(job: JobRow, limits: Limits) -> Limits:
    """Return the limits of one member's box, which follow from its request."""
    demand = job.asked.demand.vector
    asked: dict[str, object] = {"wall_seconds": min(limits.wall_seconds, job.asked.max_seconds)}
    if "memory" in demand:
        asked["memory_bytes"] = demand["memory"]
    if demand.get("cpu"):
        asked["cpu_seconds"] = max(1, round(job.asked.max_seconds * demand["cpu"] / 1000))
    return Limits.model_validate({**limits.model_dump(), **asked})
