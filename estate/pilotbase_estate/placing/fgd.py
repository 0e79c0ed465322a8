"""Fragmentation gradient descent: the node, and the GPU on it, where free GPUs lose the least use to typical jobs.

Weng et al., USENIX ATC 2023, §4.2, Algorithm 1, with the score of its artifact: a whole percent of a sigmoid. So losses
that differ by less than about a 25th of a GPU count as equal, and of equal nodes the first is taken, which keeps the
last ones whole. This matters: with the exact loss, the trace in which every GPU is shared is placed worse than by best
fit (83.8 % of the GPUs against 84.6 %; with the score 86.7 %).

Fragmentation: GPUs that are free but useless to the jobs that usually come.

Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent", USENIX ATC
2023, §3.2: for a node ``n`` and a kind of job ``m``, all that is free of the node's GPUs is a fragment where ``m`` does
not fit; where it fits, only the GPUs that are too full for it. ``F(n) = Σ_m p_m · F(n, m)`` with ``p_m`` the frequency
of the kind. A kind without GPUs can't use any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pilotbase_estate.documents.resources import MILLI
from pilotbase_estate.placing.fleet import Fleet, Mask, NodeDemand, Spot, Whole

TYPICAL_SHARE = 0.95
"""What share of the jobs counts as typical, the most frequent kinds first (the paper's artifact, same figure)."""
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TypicalJob:
    """A kind of job, and which share of the typical ones it makes up."""

    ask: NodeDemand
    share: float


def typical_kinds(asks: Iterable[NodeDemand]) -> tuple[TypicalJob, ...]:
    """Return the most frequent kinds that make up `TYPICAL_SHARE` of jobs; equally frequent ones in order of size."""
    counted = Counter((ask.vector.get("cpu", 0), ask.gpus, ask.gpu_milli, ask.gpu_kind or "") for ask in asks)
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    enough = TYPICAL_SHARE * counted.total()
    kept: list[tuple[tuple[int, int, int, str], int]] = []
    for kind, count in ranked:
        if sum(number for _, number in kept) >= enough:
            break
        kept.append((kind, count))
    whole = sum(count for _, count in kept)
    return tuple(
        TypicalJob(NodeDemand({"cpu": cpu}, gpus, milli, name or None), count / whole)
        for (cpu, gpus, milli, name), count in kept
    )


class Fragmentation:
    """How much of the free GPUs typical jobs can't use, in thousandths of a GPU."""

    def __init__(self, kinds: Iterable[TypicalJob]) -> None:
        kinds = tuple(kinds)
        self._idle = sum((kind.share for kind in kinds if not kind.ask.gpus), 0.0)
        parts: dict[tuple[int, str | None], list[TypicalJob]] = {}
        for kind in kinds:
            if kind.ask.gpus:
                parts.setdefault((kind.ask.gpu_milli, kind.ask.gpu_kind), []).append(kind)
        self._alike = {part: _Alike(members) for part, members in parts.items()}

    def of_nodes(self, fleet: Fleet) -> _Floats:
        """Return the fragments of every node, shape ``(nodes,)``."""
        return self.of_states(fleet, fleet.amounts("cpu"), fleet.gpu_free, fleet.gpu_kinds)

    def of_states(self, fleet: Fleet, cpu: Whole, gpus: Whole, kinds: Whole) -> _Floats:
        """Return the fragments of nodes in these states; shapes ``(states,)`` and ``(states, GPUs)``."""
        whole = gpus.sum(axis=1)
        found: _Floats = self._idle * whole.astype(np.float64)
        for (milli, kind), alike in self._alike.items():
            useful = (gpus >= milli) & fleet.of_kind(kinds, kind)
            too_full = np.where(useful, 0, gpus).sum(axis=1)
            fitted = alike.fitted(cpu, useful.sum(axis=1))
            found += fitted * too_full + (alike.share - fitted) * whole
        return found


class _Alike:
    """The kinds that request the same part of a GPU: how many GPUs and cores each also requests."""

    def __init__(self, kinds: list[TypicalJob]) -> None:
        self.share = sum(kind.share for kind in kinds)
        self._cpu = np.array([kind.ask.vector.get("cpu", 0) for kind in kinds])
        self._gpus = np.array([kind.ask.gpus for kind in kinds])
        self._shares = np.array([kind.share for kind in kinds])

    def fitted(self, cpu: Whole, count: Whole) -> _Floats:
        """Return the share of the jobs that fit, shape ``(states,)``."""
        fits = (cpu[:, None] >= self._cpu) & (count[:, None] >= self._gpus)
        fitted: _Floats = fits @ self._shares
        return fitted


_WORST = 1000
"""More than any score."""


class FragmentationDescent:
    """Keeps, for every kind of job it has placed, its cost on each node, until the node changes."""

    def __init__(self, fragmentation: Fragmentation) -> None:
        self._fragmentation = fragmentation
        self._kept: dict[tuple[object, ...], _Costs] = {}

    def choose(self, fleet: Fleet, ask: NodeDemand) -> Spot | None:
        fits = np.flatnonzero(fleet.fitting(ask))
        if not fits.size:
            return None
        costs = self._kept.setdefault(ask.key, _Costs.unknown(len(fleet.names)))
        stale = fits[fleet.changed[fits] >= costs.seen[fits]]
        if stale.size:
            costs.cost[stale], costs.gpu[stale] = self._costs(fleet, ask, stale)
            costs.seen[stale] = fleet.step
        node = int(fits[int(np.argmin(costs.cost[fits]))])
        if ask.gpus == 1:
            return Spot(node, (int(costs.gpu[node]),))
        room = np.flatnonzero(fleet.gpus_fitting(ask)[node])[: ask.gpus]
        return Spot(node, tuple(int(gpu) for gpu in room))

    def _costs(self, fleet: Fleet, ask: NodeDemand, nodes: Whole) -> tuple[Whole, Whole]:
        """Return each node's loss, as a score, and the GPU on which the loss is smallest."""
        cpu, gpus, kinds = fleet.amounts("cpu")[nodes], fleet.gpu_free[nodes], fleet.gpu_kinds[nodes]
        room = fleet.gpus_fitting(ask)[nodes]
        before = self._fragmentation.of_states(fleet, cpu, gpus, kinds)
        cpu = cpu - ask.vector.get("cpu", 0)
        least, best = np.full(len(nodes), _WORST), np.zeros(len(nodes), dtype=np.int64)
        for gpu, rows, after in _ways(ask, gpus, room):
            cost = _score(self._fragmentation.of_states(fleet, cpu[rows], after, kinds[rows]) - before[rows])
            better = cost < least[rows]
            least[rows[better]], best[rows[better]] = cost[better], gpu
        return least, best


@dataclass(frozen=True)
class _Costs:
    """For one kind of job, by node: its cost, on which GPU, and at which step of the fleet it was computed."""

    cost: Whole
    gpu: Whole
    seen: Whole

    @classmethod
    def unknown(cls, nodes: int) -> _Costs:
        return cls(*(np.zeros(nodes, dtype=np.int64) for _ in range(3)))


def _score(lost: _Floats) -> Whole:
    """Return a score from 0 to 100 for a loss in thousandths of a GPU: the smaller, the lower."""
    score: Whole = 100 - np.floor(100 / (1 + np.exp(lost / MILLI))).astype(np.int64)
    return score


def _ways(ask: NodeDemand, gpus: Whole, room: Mask) -> Iterator[tuple[int, Whole, Whole]]:
    """Yield the GPU that is taken, the rows in which it can be, and what is free of their GPUs afterwards.

    A job of several GPUs takes whole ones, and all free GPUs are equivalent, so there is only one way.
    """
    if ask.gpus != 1:
        first = room & (room.cumsum(axis=1) <= ask.gpus)
        yield 0, np.arange(len(gpus)), gpus - ask.gpu_milli * first
        return
    for gpu in range(gpus.shape[1]):
        alike = (gpus[:, :gpu] == gpus[:, gpu : gpu + 1]) & room[:, :gpu]
        rows = np.flatnonzero(room[:, gpu] & ~alike.any(axis=1))
        if rows.size:
            after = gpus[rows].copy()
            after[:, gpu] -= ask.gpu_milli
            yield gpu, rows, after
