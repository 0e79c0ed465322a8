"""What is kept of one decision for the next never decides: a busy desk says what one says that begins from its state.

The random machines of `test_always` make short plays; what is kept matters where jobs wait for long.
"""

import random
from itertools import count

import pytest

from pilotbase.documents.errors import RefusedError
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.sharing.explaining import PoolScheduler
from pilotbase_estate.sharing.impossible import FirstFit
from pilotbase_estate.sharing.jobs import QueuedJob
from tests.estate.sharing.pools_for_tests import check, decide, machines, pool, quota, resources, vector

NAMES = ("a", "b", "c", "d")


def busy_pool(generator: random.Random) -> Pool:
    quotas = [
        quota(
            name,
            generator.randint(1, 3),
            guarantee=resources(cpu=generator.randint(0, 6), gpu_t4=1),
        )
        for name in NAMES
    ]
    return pool(*quotas, nodes=(machines(4, cpu=8, gpu_t4=2),), minimum_run=300, longest_job=7200)


def some_job(generator: random.Random, number: int, now: float) -> QueuedJob:
    return QueuedJob(
        f"job-{number}",
        generator.choice(NAMES),
        "p",
        vector(cpu=generator.choice((1, 2, 4, 8)), gpu_t4=generator.choice((0, 0, 1, 2))),
        generator.choice((300.0, 1800.0, 7200.0)),
        generator.choice((1, 1, 2, 3)),
        generator.choice((0, 0, 1)),
        now,
        generator.random() > 0.1,
    )


@pytest.mark.one_in(5)
@pytest.mark.parametrize("seed", [1, 2, 4, 5, 7])
def test_a_busy_desk_decides_as_a_new_one_would(seed):
    generator, numbers = random.Random(seed), count(1)
    desk, now, evicted = PoolScheduler(busy_pool(generator), FirstFit()), 0.0, 0
    for _ in range(80):
        for _ in range(generator.choice((0, 1, 1, 3))):
            try:
                desk.submit(some_job(generator, next(numbers), now))
            except RefusedError:
                continue
        afresh = decide(desk.pool, desk.state(now), now, FirstFit())
        decided = desk.decide(now)
        assert (decided.starts, decided.evictions) == (afresh.starts, afresh.evictions), now
        check(desk)
        evicted += sum(one.cause != "reclaim" for one in decided.evictions)
        ends = [one.ends for one in desk.books.running.values()]
        now = min([now + generator.choice((60.0, 300.0)), *ends])
        for running in list(desk.books.running.values()):
            if running.ends <= now or generator.random() < 0.03:
                desk.end(running.job.name, now)
    assert evicted, "nobody made room for anybody: nothing was tried"
