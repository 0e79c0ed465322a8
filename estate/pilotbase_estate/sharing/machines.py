"""The machines of a pool: what is free on each, and which of them a job may run on, and when.

What is kept for a waiting job, so that smaller ones may pass it without delaying it (EASY backfilling).

Lifka, "The ANL/IBM SP Scheduling System", JSSPP 1995: at the latest moment at which the first waiting job can start, if
all that runs takes its full time, it finds what it needs. Others start before it if they end by then, or request no
more than is left beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import ANY_GPU, Vector, counted, is_kind, total
from pilotbase_estate.sharing.accounts import Tally, add, allows, times_fitting
from pilotbase_estate.sharing.impossible import Placer
from pilotbase_estate.sharing.jobs import QueuedJob, Running, RunningJob


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


Free = dict[str, Tally]
"""Node → what is free on it, in the order of the pool."""


@dataclass(frozen=True)
class Closed:
    """When nodes are closed for maintenance; times in seconds."""

    starts: float
    ends: float
    nodes: frozenset[str]


class FreeMachines:
    """What is free in a pool; ``there``: node → what is present of it, if that is not what the pool says."""

    def __init__(self, pool: Pool, there: Mapping[str, Vector] | None = None) -> None:
        self.capacities = {name: counted(has) for name, has in (pool.capacities if there is None else there).items()}
        self._kinds = {
            node: {name: amount for name, amount in has.items() if is_kind(name)}
            for node, has in self.capacities.items()
        }
        self.free: Free = {name: dict(capacity) for name, capacity in self.capacities.items()}
        self.free_in_all: Tally = total(self.capacities.values())
        self.changed: set[str] = set()
        """Nodes that have changed since the last look."""
        self.moves = 0
        self.moved = dict.fromkeys(self.free, 0)
        """Node → the number of the last of `moves` that changed it."""
        self._windows = tuple(sorted(_windows(pool), key=lambda window: (window.starts, window.ends)))
        self._labels = {name: alike.labels for alike in pool.machines for name in alike.names}
        self._nodes_of: dict[tuple[tuple[str, str], ...], frozenset[str]] = {}

    def held(self, job: QueuedJob, node: str) -> Vector:
        """Return what a member of a job holds of a node; of GPUs of any kind, those that the node has.

        If it has several kinds, it is not known here which of them the member was given: it counts as holding each.
        """
        return self._of_kinds(job.each, node) if job.takes_any else job.each

    def held_in_all(self, job: QueuedJob, nodes: Sequence[str]) -> Vector:
        """Return what a job that runs on these nodes holds."""
        if not job.takes_any:
            return job.total
        return total(self._of_kinds(counted(job.demand_each), node) for node in nodes)

    def _of_kinds(self, asked: Vector, node: str) -> Vector:
        kinds = {kind: min(asked[ANY_GPU], has) for kind, has in self._kinds.get(node, {}).items()}
        return {**asked, **{kind: max(amount, asked.get(kind, 0)) for kind, amount in kinds.items()}}

    def of_kind(self, kind: str, there: Mapping[str, Vector]) -> Mapping[str, Vector]:
        """Return those of the nodes that have GPUs of one kind."""
        return {node: left for node, left in there.items() if kind in self._kinds[node]}

    def move(self, nodes: Sequence[str], job: QueuedJob, times: int) -> None:
        """Note that a job gives back what it holds of each of ``nodes`` (``times`` 1) or holds it (−1)."""
        self.moves += 1
        for node in nodes:
            if node in self.free:  # else the machine was taken out of the pool under a running job
                held = self.held(job, node)
                add(self.free[node], held, times)
                add(self.free_in_all, held, times)
                self.changed.add(node)
                self.moved[node] = self.moves

    def open_to(self, job: QueuedJob, at: float, free: Mapping[str, Vector] | None = None) -> Mapping[str, Vector]:
        """Return ``free`` (None: what is free now) on the nodes that a job may use if it starts ``at``."""
        there = self.free if free is None else free
        closed = self.closed_during(job, at)
        if not closed and not job.labels:
            return there
        shut = frozenset().union(*(window.nodes for window in closed))
        carrying = self._carrying(job.labels)
        return {node: left for node, left in there.items() if node not in shut and node in carrying}

    def carrying(self, job: QueuedJob) -> Mapping[str, Vector]:
        """Return the capacity of the nodes that have a job's labels, whether open or not."""
        nodes = self._carrying(job.labels)
        return {node: has for node, has in self.capacities.items() if node in nodes}

    def short(self, pool: Pool) -> list[str]:
        """Return the nodes that are not as the pool says."""
        return [node for node, declared in pool.capacities.items() if self.capacities[node] != counted(declared)]

    def closed_during(self, job: QueuedJob, at: float) -> list[Closed]:
        """Return the windows that close nodes to a job which starts ``at``, in the order of their begin."""
        until = at + job.max_seconds
        return [window for window in self._windows if window.starts < until and window.ends > at]

    def next_opening(self, job: QueuedJob, at: float) -> float | None:
        """Return when the next window ends that closes nodes to a job at a moment; None: none does."""
        return min((window.ends for window in self.closed_during(job, at)), default=None)

    def _carrying(self, labels: Mapping[str, str]) -> frozenset[str]:
        """Return the nodes that have all of ``labels``."""
        key = tuple(sorted(labels.items()))
        if key not in self._nodes_of:
            found = (node for node, own in self._labels.items() if labels.items() <= own.items())
            self._nodes_of[key] = frozenset(found)
        return self._nodes_of[key]


class Supposed:
    """What would be free if some jobs no longer ran; the machines themselves stay as they are."""

    def __init__(self, machines: FreeMachines) -> None:
        self.free: dict[str, Vector] = dict(machines.free)
        self._held = machines.held
        self._own: dict[str, Tally] = {}

    def move(self, nodes: Iterable[str], job: QueuedJob, times: int) -> None:
        """Suppose that a job gives back what it holds of each of ``nodes`` (``times`` 1) or holds it (−1)."""
        for node in nodes:
            if node not in self.free:
                continue
            if node not in self._own:
                self.free[node] = self._own[node] = dict(self.free[node])
            add(self._own[node], self._held(job, node), times)

    def tallies(self) -> Free:
        """Return what would be free, for the caller to keep up to date."""
        return {node: dict(free) for node, free in self.free.items()}


class Room:
    """Where a job could start if some running jobs had ended.

    ``fitting``: how many of its members fit on all machines as it is.
    """

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


def _windows(pool: Pool) -> Iterable[Closed]:
    named = {alike.name: alike.names for alike in pool.machines}
    for window in pool.maintenance:
        names = window.machines or tuple(named)
        nodes = frozenset(node for name in names for node in named[name])
        yield Closed(window.starts.timestamp(), window.ends.timestamp(), nodes)
