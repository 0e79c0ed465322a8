"""Which of the nodes that fit: a random one, the fullest, the one whose free GPUs lose the least use, the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pilotbase_estate.documents.resources import MILLI
from pilotbase_estate.placing.fleet import Fleet, NodeDemand, Spot


class Placement(Protocol):
    """Chooses where one member of a job runs; deterministic, or by a generator of its own."""

    def choose(self, fleet: Fleet, ask: NodeDemand) -> Spot | None:
        """Return where it runs; None: it fits nowhere. Nothing is taken."""
        ...


@dataclass(frozen=True)
class FirstFitPolicy:
    """The first node, and on it the fullest GPUs, that have room."""

    def choose(self, fleet: Fleet, ask: NodeDemand) -> Spot | None:
        fits = np.flatnonzero(fleet.fitting(ask))
        return spot_on(fleet, ask, int(fits[0])) if fits.size else None


@dataclass(frozen=True)
class Random:
    """Any node that has room, and any of its GPUs, each equally likely."""

    generator: np.random.Generator

    def choose(self, fleet: Fleet, ask: NodeDemand) -> Spot | None:
        fits = np.flatnonzero(fleet.fitting(ask))
        if not fits.size:
            return None
        node = int(self.generator.choice(fits))
        gpus = self.generator.permutation(np.flatnonzero(fleet.gpus_fitting(ask)[node]))
        return Spot(node, tuple(int(gpu) for gpu in gpus[: ask.gpus]))


@dataclass(frozen=True)
class BestFit:
    """The node where the least stays free: half by cores, half by GPUs, relative to the largest node's.

    As scored by the ATC 2023 artifact; among equals, the first node.
    """

    def choose(self, fleet: Fleet, ask: NodeDemand) -> Spot | None:
        fits = np.flatnonzero(fleet.fitting(ask))
        if not fits.size:
            return None
        cores = fleet.amounts("cpu")[fits] / max(fleet.largest.get("cpu", 0), 1)
        gpus = fleet.gpu_free[fits].sum(axis=1) / (max(fleet.gpu_free.shape[1], 1) * MILLI)
        return spot_on(fleet, ask, int(fits[int(np.argmin(cores + gpus))]))


def spot_on(fleet: Fleet, ask: NodeDemand, node: int) -> Spot:
    """Return the spot on a node that takes the fullest of its GPUs that have room, fewer if not enough have."""
    room = np.flatnonzero(fleet.gpus_fitting(ask)[node])
    order = np.argsort(fleet.gpu_free[node][room], kind="stable")
    return Spot(node, tuple(int(gpu) for gpu in room[order][: ask.gpus]))
