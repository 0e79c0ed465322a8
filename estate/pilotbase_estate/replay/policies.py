"""The policies that a replay can compare, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from pilotbase.documents.errors import InputError
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.pool_replay import Policy
from pilotbase_estate.documents.resources import ANY_GPU
from pilotbase_estate.placing.fgd import FragmentationDescent
from pilotbase_estate.placing.fleet import read_ask
from pilotbase_estate.placing.fragmentation import Fragmentation, typical_kinds
from pilotbase_estate.placing.policies import BestFit, Placement, Random
from pilotbase_estate.replay.schedulers import Drf, Fifo, SeatMap
from pilotbase_estate.replay.shared import Shared, any_gpus, on_clock, pool_of_trace
from pilotbase_estate.replay.simulating import Scheduler
from pilotbase_estate.replay.traces import Trace


@dataclass(frozen=True)
class PolicyContext:
    """What policies need besides a trace."""

    pool: Pool | None = None
    """Whose rules ``shared`` follows; None: equal guarantees of all there is."""
    seed: int = 0
    before: Pool | None = None
    """The pool as it is, if ``pool`` is a proposed one: ``shared`` is replayed on it, too."""


ALONE = PolicyContext()
"""A trace and nothing else."""


def require_quotas(trace: Trace, pool: Pool) -> None:
    """Require a pool whose rules can be replayed on a trace.

    Raises:
        InputError: ``replay.no_quota`` or ``replay.made_up_no_quota``: the trace has organisations that the pool does
            not name; ``replay.any_gpu``: it asks for GPUs of any kind, and the pool promises them by kind.
    """
    organisations = {job.organisation for job in trace.jobs}
    if trace.made_up_organisations and unnamed(organisations, pool):
        raise InputError("replay.made_up_no_quota", pool=pool.name, found=unnamed(organisations, pool))
    require_named(organisations, pool)
    kinds = [name for name in pool.capacity if name.startswith("gpu/") and name != ANY_GPU]
    if kinds and any(ANY_GPU in job.demand for job in trace.jobs):
        raise InputError("replay.any_gpu", pool=pool.name, found=", ".join(sorted(kinds)))


def require_named(organisations: Iterable[str], pool: Pool) -> None:
    """Require a pool that has a quota for each organisation; raises `InputError` ``replay.no_quota``."""
    if found := unnamed(organisations, pool):
        raise InputError("replay.no_quota", pool=pool.name, found=found)


def unnamed(organisations: Iterable[str], pool: Pool) -> str:
    """Return the first organisations for which a pool has no quota; empty if it names all."""
    return ", ".join(sorted(set(organisations) - {quota.organisation for quota in pool.quotas})[:10])


def scheduler_of(policy: Policy, trace: Trace, setting: PolicyContext) -> tuple[Trace, Scheduler]:
    """Return the trace as a policy counts it, and the policy over its empty nodes."""
    return _SCHEDULERS[policy](trace, setting)


def placement_of(policy: Policy, trace: Trace, generator: np.random.Generator) -> Placement:
    """Return a policy's placement; raises `KeyError` for a policy that is not one."""
    return PLACEMENTS[policy](trace, generator)


def fragmentation_of(trace: Trace) -> Fragmentation:
    """Return what counts as a fragment for the jobs of a trace."""
    return Fragmentation(typical_kinds(read_ask(job.demand) for job in trace.jobs))


_Made = tuple[Trace, Scheduler]


def _fifo(placed: Policy) -> Callable[[Trace, PolicyContext], _Made]:
    def make(trace: Trace, setting: PolicyContext) -> _Made:
        placement = placement_of(placed, trace, np.random.default_rng(setting.seed))
        return trace, Fifo(SeatMap(trace.nodes, placement))

    return make


def _drf(trace: Trace, setting: PolicyContext) -> _Made:
    weights = {quota.organisation: float(quota.weight) for quota in setting.pool.quotas} if setting.pool else None
    return trace, Drf(SeatMap(trace.nodes, BestFit()), trace.nodes, weights)


def _shared(trace: Trace, setting: PolicyContext) -> _Made:
    counted = any_gpus(trace)
    return counted, Shared(on_clock(setting.pool, trace.began) if setting.pool else pool_of_trace(counted))


PLACEMENTS: Mapping[Policy, Callable[[Trace, np.random.Generator], Placement]] = {
    Policy.RANDOM: lambda _, generator: Random(generator),
    Policy.BEST_FIT: lambda *_: BestFit(),
    Policy.FGD: lambda trace, _: FragmentationDescent(fragmentation_of(trace)),
}
"""Policies that differ by their placement."""
_SCHEDULERS: Mapping[Policy, Callable[[Trace, PolicyContext], _Made]] = {
    Policy.FIFO: _fifo(Policy.BEST_FIT),
    Policy.DRF: _drf,
    Policy.SHARED: _shared,
    Policy.BEST_FIT: _fifo(Policy.BEST_FIT),
    Policy.FGD: _fifo(Policy.FGD),
    Policy.RANDOM: _fifo(Policy.RANDOM),
}
