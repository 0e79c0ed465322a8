"""Courses written as the document by which people compare policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from pilotbase.documents.hashes import digest_json
from pilotbase.documents.progress import OnProgress, ignore_progress
from pilotbase_estate.documents.alike import alike
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.pool_replay import Policy, PoolReplay, ReplayedTrace
from pilotbase_estate.documents.resources import Resources, total
from pilotbase_estate.replay.figures import merged_gpus, policy_replay
from pilotbase_estate.replay.playing import play, play_inflated
from pilotbase_estate.replay.policies import ALONE, PolicyContext, require_quotas
from pilotbase_estate.replay.shared import on_clock
from pilotbase_estate.replay.simulating import Course
from pilotbase_estate.replay.traces import Trace, hastened


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


def _before(trace: Trace, setting: PolicyContext, on_progress: OnProgress) -> Course | None:
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
    return alike(
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
