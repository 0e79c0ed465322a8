"""Policies replayed on a trace one after the other, and written as the document by which people compare them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import digest_json
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.texts import Text, text
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.pool_replay import InflatedPart, Policy, PoolReplay, ReplayedTrace
from pilotbase_estate.documents.resources import Resources, Vector, total
from pilotbase_estate.placing.fgd import Fragmentation
from pilotbase_estate.placing.fleet import Fleet, NodeDemand, Placement, read_ask
from pilotbase_estate.replay.policies import (
    ALONE,
    PLACEMENTS,
    PolicyContext,
    fragmentation_of,
    on_clock,
    placement_of,
    require_quotas,
    scheduler_of,
)
from pilotbase_estate.replay.simulating import SimulatedRun, merged_gpus, policy_replay, simulate
from pilotbase_estate.replay.traces import Trace, hastened

MOST_LOOKS = 300
TURNS_BETWEEN_TELLINGS = 50
"""How often a replay reports its progress and checks whether to continue."""
INFLATION = 1.3
"""Jobs are drawn until they ask for so many times the GPUs there are (Weng et al., ATC 2023, §6.2)."""
MARKS = (0.8, 0.95, 1.0, 1.3)
"""The demands at which the figures of Weng et al. (ATC 2023) are read, in multiples of the GPUs there are."""


def replay(
    trace: Trace,
    policies: Sequence[Policy],
    setting: PolicyContext = ALONE,
    load: float = 1.0,
    on_progress: OnProgress = ignore_progress,
) -> PoolReplay:
    """Return the result of each policy on ``trace``, with the gaps between submissions divided by ``load``.

    Raises:
        InputError: the pool of ``setting`` can't be replayed on it (`policies.require_quotas`).
    """
    setting = setting if Policy.SHARED in policies else replace(setting, before=None)
    for pool in filter(None, (setting.pool, setting.before)):
        require_quotas(trace, pool)
    played = hastened(trace, load)
    dimension = "gpu" if "gpu" in merged_gpus(total(trace.nodes.values())) else "cpu"
    before = _before(played, setting, on_progress)
    courses = {policy: play(played, policy, setting, on_progress) for policy in policies}
    return PoolReplay(
        trace=_told(played, load, setting.pool),
        pool=setting.pool.digest() if setting.pool is not None else None,
        before=policy_replay(Policy.SHARED, before, dimension) if before is not None else None,
        pool_before=setting.before.digest() if setting.before is not None else None,
        seed=setting.seed,
        shown_dimension=dimension,
        policies=tuple(policy_replay(policy, course, dimension) for policy, course in courses.items()),
    )


def replay_inflated(
    trace: Trace, policies: Sequence[Policy], seeds: range, on_progress: OnProgress = ignore_progress
) -> PoolReplay:
    """Return how much of the GPUs each placement allocates as demand grows; raises as `play_inflated`."""
    parts = play_inflated(trace, policies, seeds, on_progress)
    return PoolReplay(trace=_told(trace, 1.0), seed=seeds.start, shown_dimension="gpu", runs=len(seeds), inflated=parts)


def _before(trace: Trace, setting: PolicyContext, on_progress: OnProgress) -> SimulatedRun | None:
    """Return the result of ``shared`` on a trace with the machines and rules of the pool as it is."""
    if setting.before is None:
        return None
    there = replace(trace, nodes=setting.before.capacities)
    return play(there, Policy.SHARED, replace(setting, pool=setting.before), on_progress)


def _windows_within(trace: Trace, pool: Pool | None) -> int:
    """Return how many maintenance windows of a pool fall in the period of submissions."""
    first, last = trace.jobs[0].submitted, trace.jobs[-1].submitted
    windows = on_clock(pool, trace.began).maintenance if pool is not None else ()
    return sum(one.starts.timestamp() <= last and one.ends.timestamp() > first for one in windows)


def _told(trace: Trace, load: float, pool: Pool | None = None) -> ReplayedTrace:
    return filled(
        ReplayedTrace,
        trace,
        digest=digest_json({"nodes": dict(trace.nodes), "jobs": [asdict(job) for job in trace.jobs]}),
        jobs=len(trace.jobs),
        nodes=len(trace.nodes),
        capacity=Resources.of(total(trace.nodes.values())),
        span_seconds=trace.jobs[-1].submitted - trace.jobs[0].submitted,
        load=load,
        labelled_jobs=sum(bool(job.labels) for job in trace.jobs),
        windows=_windows_within(trace, pool),
    )


def play(
    trace: Trace, policy: Policy, setting: PolicyContext, on_progress: OnProgress = ignore_progress
) -> SimulatedRun:
    """Return the course of a trace under a policy, with fragments at `MOST_LOOKS` moments at most."""
    counted, scheduler = scheduler_of(policy, trace, setting)
    looks = _Looks(counted, policy, on_progress)
    course = simulate(counted, scheduler, looks)
    return replace(course, fragments=looks.found)


def play_inflated(
    trace: Trace, policies: Sequence[Policy], seeds: range, on_progress: OnProgress
) -> tuple[InflatedPart, ...]:
    """Return how much of the GPUs each placement allocates at a given demand; mean over ``seeds``.

    Raises:
        InputError: ``replay.no_placement``: a policy is not a placement; ``replay.no_gpus``: the trace has no GPUs.
    """
    unknown = [policy for policy in policies if policy not in PLACEMENTS]
    if unknown:
        raise InputError("replay.no_placement", found=", ".join(unknown), allowed=", ".join(PLACEMENTS))
    if not Fleet.of(trace.nodes).gpu_free.any() or not any(_asks_gpus(job.demand) for job in trace.jobs):
        raise InputError("replay.no_gpus")
    found = []
    for policy in policies:
        runs = []
        for done, seed in enumerate(seeds):
            on_progress(Progress(_stage(policy), done, len(seeds)))
            generator = np.random.default_rng(seed)
            asks = inflated(trace, generator)
            runs.append(allocated(Fleet.of(trace.nodes), placement_of(policy, trace, generator), asks, MARKS))
        means = np.mean(runs, axis=0)
        found += [
            InflatedPart(policy=policy, asked=mark, allocated=float(mean))
            for mark, mean in zip(MARKS, means, strict=True)
        ]
    return tuple(found)


def inflated(trace: Trace, generator: np.random.Generator, times: float = INFLATION) -> list[NodeDemand]:
    """Return the demands of the trace's jobs, and of more drawn from them with replacement, in random order."""
    asks = [read_ask(job.demand) for job in trace.jobs]
    most = times * merged_gpus(total(trace.nodes.values())).get("gpu", 0)
    wanted, drawn = sum(_gpus(ask) for ask in asks), list(asks)
    while True:
        ask = asks[int(generator.integers(len(asks)))]
        if wanted + ask.gpu_milli > most:
            return [drawn[number] for number in generator.permutation(len(drawn))]
        wanted += _gpus(ask)
        drawn.append(ask)


def allocated(fleet: Fleet, placement: Placement, asks: Sequence[NodeDemand], marks: Sequence[float]) -> list[float]:
    """Return the allocated share of the GPUs, 0 to 1, when ``asks`` so far asked for each of ``marks`` times them.

    Nothing ends, and a job that fits nowhere is dropped.
    """
    whole, came, held = int(fleet.gpu_free.sum()), 0, 0
    found: list[float] = []
    for ask in asks:
        came += _gpus(ask)
        spot = placement.choose(fleet, ask)
        if spot is not None:
            fleet.take(spot, ask)
            held += _gpus(ask)
        while len(found) < len(marks) and came >= marks[len(found)] * whole:
            found.append(held / whole)
    return found + [held / whole] * (len(marks) - len(found))


def _gpus(ask: NodeDemand) -> int:
    return ask.gpus * ask.gpu_milli


class _Looks:
    """Samples the fleet at evenly spaced moments of the period of submissions, and reports progress."""

    def __init__(self, trace: Trace, policy: Policy, on_progress: OnProgress) -> None:
        self.found: list[tuple[float, float]] = []
        self._came = [job.submitted for job in trace.jobs]
        self._fragmentation: Fragmentation | None = None
        if any(_asks_gpus(job.demand) for job in trace.jobs):
            self._fragmentation = fragmentation_of(trace)
        self._step = (self._came[-1] - self._came[0]) / MOST_LOOKS
        self._next = self._came[0]
        self._tell, self._on_progress = _stage(policy), on_progress
        self._turns = 0

    def __call__(self, now: float, fleet: Fleet) -> None:
        if self._turns % TURNS_BETWEEN_TELLINGS == 0:
            self._on_progress(Progress(self._tell, bisect_right(self._came, now), len(self._came)))
        self._turns += 1
        if now < self._next or now > self._came[-1]:
            return
        gone = int((now - self._came[0]) / self._step) if self._step else 0
        self._next = self._came[0] + (gone + 1) * self._step
        free = int(fleet.gpu_free.sum())
        if self._fragmentation is not None and free:
            self.found.append((now, float(self._fragmentation.of_nodes(fleet).sum()) / free))


def _asks_gpus(demand: Vector) -> bool:
    return "gpu" in merged_gpus(demand)


def _stage(policy: Policy) -> Text:
    return text("replay.told.playing", policy=Text(code=f"replay.policy.{policy.value}"))
