"""How long a decision takes with 10,000 waiting jobs: one job ends, one comes, one decision is made."""

from __future__ import annotations

import heapq
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

from pilotbase_estate.documents.pool import Machines, Pool, Quota
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.sharing.explaining import PoolScheduler
from pilotbase_estate.sharing.impossible import FirstFit
from pilotbase_estate.sharing.jobs import QueuedJob, SchedulingDecisions

GIB = 1 << 30
LENGTHS = (600.0, 1800.0, 3600.0, 7200.0, 14_400.0)


@dataclass(frozen=True)
class Took:
    """Milliseconds of a decision, and decisions per second."""

    median: float
    p95: float
    slowest: float
    per_second: float

    @classmethod
    def of(cls, milliseconds: list[float]) -> Took:
        """Return the summary of single times."""
        ordered = sorted(milliseconds)
        middle, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
        return cls(middle, late, ordered[-1], 1000 * len(ordered) / sum(ordered))


@dataclass(frozen=True)
class Admission:
    """The measurements, in wall and processor time, and what the decisions did."""

    wall: Took
    processor: Took
    """The time on an otherwise idle machine."""
    starts: int
    evictions: int
    running: int


def measure(queued: int = 10_000, decisions: int = 3000, organisations: int = 20, machines: int = 64) -> Admission:
    """Return how long decisions took: each sees one job end, one come, and every job start that may.

    The time includes everything: the end, the submission and the decision.
    """
    generator = random.Random(8)
    jobs = _jobs(generator, organisations)
    desk = PoolScheduler(pool_of(organisations, machines), FirstFit())
    for _ in range(queued):
        desk.submit(next(jobs))
    now, ends = 0.0, list[tuple[float, str]]()
    ends += _ends(desk, desk.decide(now), now, generator)
    while desk.waiting < queued:
        desk.submit(next(jobs))
    heapq.heapify(ends)
    wall, processor, made = list[float](), list[float](), list[SchedulingDecisions]()
    for _ in range(decisions):
        while (ending := heapq.heappop(ends))[1] not in desk.books.running:
            pass  # it was evicted
        now, job = ending[0], next(jobs)
        begun, used = time.perf_counter(), time.process_time()
        desk.end(ending[1], now)
        if desk.waiting < queued:
            desk.submit(job)
        made.append(desk.decide(now))
        wall.append((time.perf_counter() - begun) * 1000)
        processor.append((time.process_time() - used) * 1000)
        for one in _ends(desk, made[-1], now, generator):
            heapq.heappush(ends, one)
    starts, evictions = sum(len(one.starts) for one in made), sum(len(one.evictions) for one in made)
    return Admission(Took.of(wall), Took.of(processor), starts, evictions, len(desk.books.running))


def pool_of(organisations: int, machines: int) -> Pool:
    """Return a pool of which four fifths are guaranteed."""
    capacity = {"cpu": 32, "memory": "128 GiB", "gpu/t4": 4}
    guarantee = {
        "cpu": int(0.8 * 32 * machines / organisations),
        "memory": int(0.8 * 128 * machines / organisations) * GIB,
        "gpu/t4": int(0.8 * 4 * machines / organisations),
    }
    return Pool(
        name="measured",
        title="Measured",
        machines=(Machines(name="node", count=machines, capacity=Resources.model_validate(capacity)),),
        quotas=tuple(
            Quota(organisation=f"org-{number}", guarantee=Resources.model_validate(guarantee), weight=1 + number % 3)
            for number in range(organisations)
        ),
    )


def _jobs(generator: random.Random, organisations: int) -> Iterator[QueuedJob]:
    number = 0
    while True:
        number += 1
        cores = generator.choice((1, 2, 4, 8))
        gpus = generator.choice((0, 0, 1, 1, 2, 4))
        demand = {"cpu": 1000 * cores, "memory": cores * generator.choice((2, 4)) * GIB, "gpu/t4": 1000 * gpus}
        yield QueuedJob(
            f"job-{number}",
            f"org-{generator.randrange(organisations)}",
            f"person-{generator.randrange(5)}",
            demand,
            generator.choice(LENGTHS),
            generator.choice((1, 1, 1, 1, 1, 1, 2, 4)),
            generator.choice((0, 0, 0, 1)),
            submitted=float(number),
            preemptible=generator.random() > 0.1,
        )


def _ends(
    desk: PoolScheduler, made: SchedulingDecisions, now: float, generator: random.Random
) -> Iterator[tuple[float, str]]:
    for start in made.starts:
        running = desk.books.running[start.job]
        yield now + running.job.max_seconds * generator.uniform(0.2, 1.0), start.job


if __name__ == "__main__":
    print(measure())
