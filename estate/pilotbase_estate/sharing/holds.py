"""What is kept for a waiting job, so that smaller ones may pass it without delaying it (EASY backfilling).

Lifka, "The ANL/IBM SP Scheduling System", JSSPP 1995: at the latest moment at which the first waiting job can start, if
all that runs takes its full time, it finds what it needs. Others start before it if they end by then, or request no
more than is left beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pilotbase_estate.documents.resources import Vector
from pilotbase_estate.sharing.amounts import Tally, add, allows
from pilotbase_estate.sharing.jobs import QueuedJob, Running, RunningJob
from pilotbase_estate.sharing.machines import Free, FreeMachines, Room, Supposed


@dataclass
class Hold:
    """Kept of a grant, such as a limit: ``spare`` is left beside the job ``of`` from ``at`` on."""

    of: str
    at: float
    spare: Tally

    def lets(self, job: QueuedJob, now: float) -> bool:
        """Return whether a job may pass."""
        return now + job.max_seconds <= self.at or allows(self.spare, {}, job.total)

    def passed(self, job: QueuedJob, now: float) -> None:
        """Note that a job passes."""
        if now + job.max_seconds > self.at:
            add(self.spare, {name: value for name, value in job.total.items() if name in self.spare}, -1)


def hold_of_granted(granted: Vector, used: Vector, job: QueuedJob, runs: Iterable[Running], now: float) -> Hold:
    """Return what is kept of ``granted`` for a job; ``runs`` use some of it."""
    room = {name: most - used.get(name, 0) for name, most in granted.items()}
    at = now
    for running in sorted(runs, key=lambda one: (one.ends, one.job.name)):
        if allows(room, {}, job.total):
            break
        at = max(running.ends, now)
        add(room, {name: value for name, value in running.job.total.items() if name in room})
    spare = {name: left - job.total.get(name, 0) for name, left in room.items()}
    return Hold(job.name, at, spare)


class NodeHold:
    """Kept of the machines for the job ``of``: from ``at`` on, at the latest, it has ``nodes``.

    It stays as announced while jobs end early: a job that passes later never delays it.
    """

    def __init__(self, kept: RunningJob, job: QueuedJob, later: Free, machines: FreeMachines) -> None:
        self.kept, self.job = kept, job
        self._later = later
        """What is free on each machine from then on, beside the job."""
        self._machines = machines
        self.beside: Free = {node: self._least(node) for node in machines.free}
        """What a job that still runs then may have."""

    def holds(self) -> bool:
        """Return whether the machines are still available for the job."""
        return all(self._later[node].get(name, 0) >= 0 for node in set(self.kept.nodes) for name in self.job.each)

    def outlasts(self, job: QueuedJob, now: float) -> bool:
        """Return whether a job that starts now may still run when the waiting one is to start."""
        return now + job.max_seconds > self.kept.at

    def moved(self, running: Running, times: int) -> None:
        """Note that a job starts (``times`` −1) or has ended (1)."""
        for node in running.nodes:
            if node in self._later:
                if running.ends > self.kept.at:
                    add(self._later[node], self._machines.held(running.job, node), times)
                self.beside[node] = self._least(node)

    def _least(self, node: str) -> Tally:
        later = self._later[node]
        return {name: min(value, later.get(name, 0)) for name, value in self._machines.free[node].items()}


def hold_again(kept: RunningJob, job: QueuedJob, machines: FreeMachines, runs: Iterable[Running]) -> NodeHold:
    """Return a hold as it was announced before, over what runs now."""
    supposed = Supposed(machines)
    for running in runs:
        if running.ends <= kept.at:
            supposed.move(running.nodes, running.job, 1)
    supposed.move(kept.nodes, job, -1)
    return NodeHold(kept, job, supposed.tallies(), machines)


def hold_of_machines(
    machines: FreeMachines, room: Room, job: QueuedJob, runs: Iterable[Running], now: float
) -> NodeHold | None:
    """Return what is kept of the machines for a job, or None if it could not start even after all ``runs`` have ended.

    ``runs`` are sorted by their ends.
    """
    ending = list(runs)
    for index, running in enumerate(ending):
        room.without(running)
        at = max(running.ends, now)
        more = index + 1 < len(ending) and ending[index + 1].ends <= at
        nodes = None if more else room.place(at)
        if nodes is not None:
            room.supposed.move(nodes, job, -1)
            return NodeHold(RunningJob(job.name, at, nodes), job, room.supposed.tallies(), machines)
    return None
