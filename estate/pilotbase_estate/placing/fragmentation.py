"""Fragmentation: GPUs that are free but useless to the jobs that usually come.

Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent", USENIX ATC
2023, §3.2: for a node ``n`` and a kind of job ``m``, all that is free of the node's GPUs is a fragment where ``m`` does
not fit; where it fits, only the GPUs that are too full for it. ``F(n) = Σ_m p_m · F(n, m)`` with ``p_m`` the frequency
of the kind. A kind without GPUs can't use any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pilotbase_estate.placing.fleet import Fleet, NodeDemand, Whole

TYPICAL_SHARE = 0.95
"""What share of the jobs counts as typical, the most frequent kinds first (the paper's artifact, same figure)."""
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TypicalJob:
    """A kind of job, and which share of the typical ones it makes up."""

    ask: NodeDemand
    share: float


def typical_kinds(asks: Iterable[NodeDemand], share: float = TYPICAL_SHARE) -> tuple[TypicalJob, ...]:
    """Return the most frequent kinds that make up ``share`` of the jobs; equally frequent ones in order of size."""
    counted = Counter((ask.vector.get("cpu", 0), ask.gpus, ask.gpu_milli, ask.gpu_kind or "") for ask in asks)
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    enough = share * counted.total()
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
