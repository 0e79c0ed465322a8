"""Whether to try which jobs could make room: if all candidates together do not suffice, no order need be tried.

Most waiting jobs request more than could be freed, in decision after decision. So the number of members that would fit
is kept, and only machines that have changed are recounted.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence

from pilotbase_estate.documents.resources import Vector
from pilotbase_estate.sharing.accounts import Account
from pilotbase_estate.sharing.amounts import add, times_fitting
from pilotbase_estate.sharing.asks import Asks
from pilotbase_estate.sharing.jobs import QueuedJob, Running
from pilotbase_estate.sharing.machines import Free, FreeMachines


class StartForecast:
    """The last prospect of each organisation's jobs."""

    def __init__(self, machines: FreeMachines, asks: Asks) -> None:
        self._machines, self._asks = machines, asks
        self._kept: dict[tuple[str, str], tuple[Hashable, Prospect]] = {}

    def of_own(self, claimant: Account, job: QueuedJob) -> bool:
        """Return whether jobs of its own organisation with a lower priority could make room for a job."""
        of = job.ask, job.priority, claimant.changes
        return self._is_enough(("own", claimant.name), of, job, lambda: claimant.lower(job))

    def for_share(self, givers: Sequence[Account], claimant: Account, job: QueuedJob) -> bool:
        """Return whether organisations could make room and still keep at least the share that the claimant then has."""
        if not givers:
            return False
        of = job.ask, claimant.changes, *((giver.name, giver.changes) for giver in givers)

        def given() -> Iterable[Running]:
            after = claimant.share_with(job.total)
            return (running for giver in givers for running in giver.can_give(after))

        return self._is_enough(("share", claimant.name), of, job, given)

    def _is_enough(
        self, key: tuple[str, str], of: Hashable, job: QueuedJob, ended: Callable[[], Iterable[Running]]
    ) -> bool:
        kept = self._kept.get(key)
        if kept is None or kept[0] != of:
            kept = self._kept[key] = of, Prospect(self._machines, job, ended())
        return self._asks.fitting(job.ask) + kept[1].more() >= job.members


class Prospect:
    """How many more members of a job would fit if none of ``ended`` ran, as sums on each machine show."""

    def __init__(self, machines: FreeMachines, job: QueuedJob, ended: Iterable[Running]) -> None:
        self._machines, self._asked, self._most = machines, job.each, job.members
        self._freed: Free = {}
        for running in ended:
            for node in running.nodes:
                if node in machines.free:
                    add(self._freed.setdefault(node, {}), machines.held(running.job, node))
        self._more = dict.fromkeys(self._freed, 0)
        self._seen = -1

    def more(self) -> int:
        """Return how many."""
        moved = self._machines.moved
        for node, freed in self._freed.items():
            if moved[node] > self._seen:
                self._more[node] = self._more_on(self._machines.free[node], freed)
        self._seen = self._machines.moves
        return sum(self._more.values())

    def _more_on(self, free: Vector, freed: Vector) -> int:
        after = dict(free)
        add(after, freed)
        return times_fitting(self._asked, after, self._most) - times_fitting(self._asked, free, self._most)
