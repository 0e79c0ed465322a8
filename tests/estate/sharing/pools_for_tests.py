"""Small pools, and a play on them: jobs come, run as long as they may, and every turn is checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count

from pilotbase_estate.documents.pool import Machines, Pool, Quota, Window
from pilotbase_estate.documents.resources import Resources, plus, total
from pilotbase_estate.sharing.explaining import PoolScheduler
from pilotbase_estate.sharing.impossible import FirstFit
from pilotbase_estate.sharing.jobs import PoolState, QueuedJob, Running, SchedulingDecisions

MINUTE = 60.0
ANY = "gpu/any"


def resources(**amounts: object) -> Resources:
    return Resources.model_validate({name.replace("_", "/"): amount for name, amount in amounts.items()})


def vector(**amounts: object) -> Mapping[str, int]:
    return resources(**amounts).vector


def machines(number: int = 1, name: str = "node", labels: Mapping[str, str] | None = None, **capacity: object):
    return Machines(name=name, count=number, capacity=resources(**capacity), labels=labels or {})


def quota(organisation: str, weight: int = 1, **parts: object) -> Quota:
    return Quota(organisation=organisation, weight=weight, **parts)


def pool(*quotas: Quota, nodes: tuple[Machines, ...], **more: object) -> Pool:
    return Pool(name="hall", title="Hall", machines=nodes, quotas=quotas, **more)


def window(starts: float, ends: float, *names: str) -> Window:
    return Window(starts=datetime.fromtimestamp(starts, UTC), ends=datetime.fromtimestamp(ends, UTC), machines=names)


def decide(pool: Pool, state: PoolState, now: float, placer: FirstFit) -> SchedulingDecisions:
    """What a desk decides that knows nothing but the state."""
    return PoolScheduler(pool, placer, state, now).decide(now)


class Play:
    """A desk with a clock; every turn is held against what must always hold."""

    def __init__(self, shared: Pool) -> None:
        self.pool, self.now = shared, 0.0
        self.desk = PoolScheduler(shared, FirstFit())
        self.evictions: list[str] = []
        self.started: dict[str, float] = {}
        self.last = SchedulingDecisions()
        self._numbers = count(1)

    def submit(self, organisation: str, times: int = 1, max_seconds: float = 3600.0, **more: object) -> list[str]:
        """Hand in ``times`` jobs; names of demands' dimensions are keywords."""
        known = {"person", "members", "priority", "preemptible", "labels", "name"}
        about = {name: more.pop(name) for name in known & more.keys()}
        names = []
        for _ in range(times):
            name = str(about.get("name") or f"{organisation}-{next(self._numbers):04}")
            job = QueuedJob(
                name, organisation, str(about.get("person", "p")), vector(**more), max_seconds,
                **{key: about[key] for key in about if key not in ("name", "person")}, submitted=self.now,
            )  # fmt: skip
            self.desk.submit(job)
            names.append(name)
        return names

    def turn(self) -> SchedulingDecisions:
        self.last = self.desk.decide(self.now)
        self.evictions += [one.job for one in self.last.evictions]
        self.started |= {one.job: self.now for one in self.last.starts}
        check(self.desk)
        return self.last

    def settle(self) -> None:
        """Take turns at this moment until one changes nothing."""
        for _ in range(1000):
            if not (decided := self.turn()).starts and not decided.evictions:
                return
        raise AssertionError("it never settles")

    def wait(self, seconds: float) -> None:
        """Let time pass: jobs end when their time is over, and the desk looks again when it said so."""
        until = self.now + seconds
        while True:
            ends = min((one.ends for one in self.desk.books.running.values()), default=until)
            again = self.last.again_at or until
            self.now = min(until, max(min(ends, again), self.now))
            for running in list(self.desk.books.running.values()):
                if running.ends <= self.now:
                    self.desk.end(running.job.name, self.now)
            if self.now >= until:
                self.settle()
                return
            self.settle()

    def end(self, *names: str) -> None:
        for name in names:
            self.desk.end(name, self.now)

    def running(self, organisation: str | None = None) -> set[str]:
        books = self.desk.books.running.values()
        return {one.job.name for one in books if organisation in (None, one.job.organisation)}

    def used(self, organisation: str, dimension: str = "cpu") -> float:
        held = self.desk.books.accounts[organisation].used.get(dimension, 0)
        return held / 1000 if dimension == "cpu" or dimension.startswith("gpu/") else held


def check(desk: PoolScheduler) -> None:
    """Hold a desk against capacity, limits, the invariant of lending, and its own books made anew."""
    runs = list(desk.books.running.values())
    for node, capacity in desk.pool.capacities.items():
        held = total(_on(one, node) for one in runs)
        assert all(held.get(name, 0) <= capacity.get(name, 0) for name in held if name != ANY), (node, held)
        assert _gpus(held) <= _gpus(capacity), (node, held)
    drawn: dict[str, int] = {}
    for quota_ in desk.pool.quotas:
        own = [one for one in runs if one.job.organisation == quota_.organisation]
        _within(quota_.limit.vector, own)
        for person in {one.job.person for one in own}:
            _within(quota_.person_limit.vector, [one for one in own if one.job.person == person])
        drawn = plus(drawn, _drawn(desk, quota_, [one for one in own if one.protected]))
    whole = desk.pool.capacity
    assert all(amount <= whole.get(name, 0) for name, amount in drawn.items() if name != ANY), f"twice: {drawn}"
    assert drawn.get(ANY, 0) <= _gpus(whole), f"more GPUs promised than there are: {drawn}"


def _within(limit: Mapping[str, int], runs: list[Running]) -> None:
    held = total({name: amount * one.job.members for name, amount in one.job.demand.items()} for one in runs)
    for name, most in limit.items():
        assert (_gpus(held) if name == ANY else held.get(name, 0)) <= most, (name, held)


def _drawn(desk: PoolScheduler, quota_: Quota, protected: list[Running]) -> Mapping[str, int]:
    """Return what an organisation holds for good or is promised; of GPUs of any kind what their machines have."""
    promised = quota_.guarantee.vector
    held = total(_with_kind(desk, one, node) for one in protected for node in one.nodes)
    most = {name: max(held.get(name, 0), promised.get(name, 0)) for name in held.keys() | promised.keys()}
    kinds = sum(amount for name, amount in most.items() if name.startswith("gpu/") and name != ANY)
    return {**most, ANY: max(promised.get(ANY, 0), kinds)}


def _with_kind(desk: PoolScheduler, running: Running, node: str) -> Mapping[str, int]:
    """Return what a member holds, of GPUs of any kind by the kind of its machine."""
    (kind,) = [name for name in desk.pool.capacities[node] if name.startswith("gpu/")] or [ANY]
    return {kind if name == ANY else name: amount for name, amount in running.job.demand.items()}


def _gpus(vector: Mapping[str, int]) -> int:
    return sum(amount for name, amount in vector.items() if name.startswith("gpu/"))


def _on(running: Running, node: str) -> Mapping[str, int]:
    times = running.nodes.count(node)
    return {name: amount * times for name, amount in running.job.demand.items()}
