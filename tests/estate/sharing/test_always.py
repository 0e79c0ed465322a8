"""What holds whatever comes, found out by machines that hand in, end and wait at random.

After every turn: capacity, limits, and the invariant of lending (`pools_for_tests.check`). Besides: the same state
gives the same decision; nobody is evicted by the decision that starts it; a job within its guarantee that is first in
its line starts within the minimum time; evictions for a share raise the least shares; nobody is evicted more often than
the cap says; and when nothing comes any more, all that waits runs.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from pilotbase.documents.errors import RefusedError
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.sharing.books import LEAST_RUN
from pilotbase_estate.sharing.impossible import FirstFit
from pilotbase_estate.sharing.jobs import SchedulingDecisions
from tests.estate.sharing.pools_for_tests import Play, decide, machines, pool, quota, resources

MINIMUM = 600.0
NAMES = ("a", "b", "c")
AMOUNT = st.integers(0, 6)


class Watched(Play):
    """A play in which every turn is compared with one from the bare state, and with what was promised."""

    def __init__(self, shared: Pool, whole: bool) -> None:
        super().__init__(shared)
        self.whole = whole
        self.since: dict[str, float] = {}
        self.counted: Counter[str] = Counter()

    def turn(self) -> SchedulingDecisions:
        state, before = self.desk.state(self.now), self.shares()
        afresh = decide(self.pool, state, self.now, FirstFit())
        decided = super().turn()
        assert (afresh.starts, afresh.evictions) == (decided.starts, decided.evictions)
        assert not {one.job for one in decided.starts} & {one.job for one in decided.evictions}
        causes = {one.cause for one in decided.evictions}
        if causes == {"share"}:
            assert self.shares() > before
        for one in decided.evictions:
            self.counted[one.job] += 1
            account = self.desk.books.accounts[one.job.partition("-")[0]]
            evicted = next(waiting.job for waiting in account.line.in_order() if waiting.job.name == one.job)
            if one.cause != "reclaim" or self.desk.books.promises.can_be_firm(account, evicted):
                assert self.counted[one.job] <= self.pool.evictions_at_most
        if self.whole:
            self.hold_to_promises()
        return decided

    def hold_to_promises(self) -> None:
        """On one machine whatever is free in all is free in one piece, so a guarantee is back in time."""
        first = set()
        for account in self.desk.books.accounts.values():
            for pending in account.line.first(1):
                if self.desk.books.promises.entitled(account, pending.job):
                    first.add(pending.job.name)
        self.since = {name: self.since.get(name, self.now) for name in first}
        soon = max(self.pool.minimum_run, LEAST_RUN)
        late = {name: self.now - since for name, since in self.since.items() if self.now - since > soon}
        assert not late, f"promised and not given: {late}"

    def shares(self) -> list[float]:
        return sorted(account.share for account in self.desk.books.accounts.values())


class Sharing(RuleBasedStateMachine):
    nodes = (machines(cpu=12, gpu_t4=4),)

    @initialize(
        guarantees=st.tuples(*[st.tuples(AMOUNT, st.integers(0, 2))] * 3),
        weights=st.tuples(*[st.integers(1, 3)] * 3),
        limits=st.tuples(*[st.none() | st.integers(6, 12)] * 3),
        cap=st.integers(0, 3),
        named=st.tuples(*[st.booleans()] * 3),
        minimum=st.sampled_from((0.0, MINIMUM)),
    )
    def open(self, guarantees, weights, limits, cap, named, minimum):
        quotas, left = [], {"cpu": 12, "gpu_t4": 4}
        for name, (cpu, gpu), weight, limit, full in zip(NAMES, guarantees, weights, limits, named, strict=True):
            cpu, gpu = min(cpu, left["cpu"]), min(gpu, left["gpu_t4"])
            left = {"cpu": left["cpu"] - cpu, "gpu_t4": left["gpu_t4"] - gpu}
            guarantee = resources(cpu=cpu, gpu_t4=gpu) if full else resources(cpu=cpu)
            more = {} if limit is None else {"limit": resources(cpu=limit)}
            quotas.append(quota(name, weight, guarantee=guarantee, **more))
        shared = pool(*quotas, nodes=self.nodes, minimum_run=minimum, evictions_at_most=cap, half_life=3600)
        self.play = Watched(shared, len(shared.capacities) == 1)

    @rule(
        organisation=st.sampled_from(NAMES),
        times=st.integers(1, 4),
        cpu=st.integers(1, 6),
        gpu=st.integers(0, 2),
        members=st.sampled_from((1, 1, 1, 2)),
        minutes=st.sampled_from((1, 5, 30, 240)),
        priority=st.sampled_from((0, 0, 1)),
        preemptible=st.sampled_from((True, True, True, False)),
        person=st.sampled_from(("p", "q")),
    )
    def submit(self, organisation, times, cpu, gpu, minutes, **more):
        try:
            self.play.submit(organisation, times, max_seconds=60.0 * minutes, cpu=cpu, gpu_t4=gpu, **more)
        except RefusedError:
            return
        self.play.settle()

    @rule(minutes=st.integers(1, 60))
    def wait(self, minutes):
        self.play.wait(60.0 * minutes)

    @precondition(lambda self: self.play.running())
    @rule(data=st.data())
    def end_early(self, data):
        self.play.end(data.draw(st.sampled_from(sorted(self.play.running()))))
        self.play.settle()

    def teardown(self):
        if not hasattr(self, "play"):
            return
        for _ in range(200):
            if not self.play.desk.waiting:
                return
            self.play.wait(4 * 3600.0)
        raise AssertionError("a job waits for ever")


class OnSeveralMachines(Sharing):
    nodes = (machines(3, cpu=4, gpu_t4=2),)


MACHINES = [Sharing, OnSeveralMachines]
QUICK = settings(max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(QUICK, max_examples=2000, stateful_step_count=40)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("machine", MACHINES)
def test_always(machine):
    run_state_machine_as_test(machine, settings=QUICK)


@pytest.mark.prove
@pytest.mark.parametrize("machine", MACHINES)
def test_always_at_length(machine):
    run_state_machine_as_test(machine, settings=LONG)
