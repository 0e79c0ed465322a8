"""Where a job could start if some running jobs had ended."""

from __future__ import annotations

from pilotbase_estate.sharing.amounts import times_fitting
from pilotbase_estate.sharing.jobs import QueuedJob, Running
from pilotbase_estate.sharing.machines import FreeMachines, Supposed
from pilotbase_estate.sharing.placer import Placer


class Room:
    """Room for one job; ``fitting``: how many of its members fit on all machines as it is."""

    def __init__(self, machines: FreeMachines, placer: Placer, job: QueuedJob, fitting: int) -> None:
        self._machines, self._placer, self._job, self._fitting = machines, placer, job, fitting
        self.supposed = Supposed(machines)

    def without(self, running: Running, times: int = 1) -> None:
        """Suppose that a job no longer runs (``times`` −1: that it does run)."""
        for node in running.nodes:
            if node in self.supposed.free:
                before = self._members_on(node)
                self.supposed.move((node,), running.job, times)
                self._fitting += self._members_on(node) - before

    def place(self, at: float) -> tuple[str, ...] | None:
        """Return a node for each member if the job starts ``at``; None: there is not enough."""
        if self._fitting < self._job.members:
            return None
        there = self._machines.open_to(self._job, at, self.supposed.free)
        return self._placer.place(there, self._job.each, self._job.members)

    def _members_on(self, node: str) -> int:
        return times_fitting(self._job.each, self.supposed.free[node], self._job.members)
