"""The nodes of a pool as arrays: what is free of each dimension, and of each single GPU.

A job may hold whole GPUs or a share of one, never shares of two GPUs. So GPUs are counted one by one, in thousandths,
while every other dimension is counted by node.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from pilotbase.documents.errors import InputError
from pilotbase_estate.documents.resources import ANY_GPU, MILLI, Vector

Whole = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
_NO_GPU = -1


@dataclass(frozen=True)
class NodeDemand:
    """A demand as arrays read it; ``gpu_milli`` of each of ``gpus`` GPUs of a kind; None: of any kind."""

    vector: Vector
    """Without GPUs."""
    gpus: int = 0
    gpu_milli: int = 0
    gpu_kind: str | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """Return the name of this kind of demand: demands of one kind are equivalent."""
        return tuple(sorted(self.vector.items())), self.gpus, self.gpu_milli, self.gpu_kind


@dataclass(frozen=True)
class Spot:
    """Where one member of a job runs: the node's number and the GPUs on it that it holds."""

    node: int
    gpus: tuple[int, ...] = ()


class Fleet:
    """What is free on every node; shapes: dimension → ``(nodes,)``, ``gpu_free`` and ``gpu_kinds`` ``(nodes, GPUs)``.

    The row of a node with fewer GPUs than the largest is padded with GPUs of no kind, of which nothing is free.
    """

    def __init__(self, names: Sequence[str], free: Mapping[str, Whole], gpu_free: Whole, gpu_kinds: Whole) -> None:
        self.names = tuple(names)
        self.free = dict(free)
        self.gpu_free, self.gpu_kinds = gpu_free, gpu_kinds
        self.kinds: list[str] = []
        self.largest = {name: int(amounts.max(initial=0)) for name, amounts in self.free.items()}
        """The most that any node has of a dimension."""
        self.changed: Whole = np.zeros(len(names), dtype=np.int64)
        """When each node was last changed, in steps of `step`."""
        self.step = 1

    @classmethod
    def of(cls, nodes: Mapping[str, Vector]) -> Self:
        """Return a fleet in which everything is free; node → its capacity, GPUs in whole pieces."""
        kinds = sorted({name for vector in nodes.values() for name in vector if name.startswith("gpu/")})
        scalars = sorted({name for vector in nodes.values() for name in vector if not name.startswith("gpu/")})
        rows = [
            [number for number, kind in enumerate(kinds) for _ in range(vector.get(kind, 0) // MILLI)]
            for vector in nodes.values()
        ]
        width = max((len(row) for row in rows), default=0)
        gpu_kinds = np.array([row + [_NO_GPU] * (width - len(row)) for row in rows], dtype=np.int64)
        gpu_kinds = gpu_kinds.reshape(len(rows), width)
        free = {name: np.array([vector.get(name, 0) for vector in nodes.values()], dtype=np.int64) for name in scalars}
        fleet = cls(tuple(nodes), free, np.where(gpu_kinds == _NO_GPU, 0, MILLI), gpu_kinds)
        fleet.kinds = kinds
        return fleet

    def amounts(self, dimension: str) -> Whole:
        """Return what is free of a dimension other than GPUs, shape ``(nodes,)``."""
        return self.free.get(dimension, np.zeros(len(self.names), dtype=np.int64))

    def fitting(self, ask: NodeDemand) -> Mask:
        """Return which nodes have room for one member, shape ``(nodes,)``."""
        fits = np.ones(len(self.names), dtype=np.bool_)
        for name, amount in ask.vector.items():
            if amount > 0:
                fits &= self.amounts(name) >= amount
        if ask.gpus:
            fits &= self.gpus_fitting(ask).sum(axis=1) >= ask.gpus
        return fits

    def gpus_fitting(self, ask: NodeDemand) -> Mask:
        """Return which GPUs have room for the part that a job needs of each, shape ``(nodes, GPUs)``."""
        return (self.gpu_free >= ask.gpu_milli) & self.of_kind(self.gpu_kinds, ask.gpu_kind)

    def of_kind(self, gpu_kinds: Whole, kind: str | None) -> Mask:
        """Return which of these GPUs are of a kind; None: of any."""
        if kind is None:
            there: Mask = gpu_kinds != _NO_GPU
            return there
        number = self.kinds.index(kind) if kind in self.kinds else len(self.kinds)
        alike: Mask = gpu_kinds == number
        return alike

    def take(self, spot: Spot, ask: NodeDemand) -> None:
        """Count what one member holds as taken."""
        self._move(spot, ask, -1)

    def give_back(self, spot: Spot, ask: NodeDemand) -> None:
        """Count what one member held as free again."""
        self._move(spot, ask, 1)

    def _move(self, spot: Spot, ask: NodeDemand, sign: int) -> None:
        for name, amount in ask.vector.items():
            if amount:
                self.free[name][spot.node] += sign * amount
        self.gpu_free[spot.node, list(spot.gpus)] += sign * ask.gpu_milli
        self.changed[spot.node] = self.step
        self.step += 1


def read_ask(demand: Vector) -> NodeDemand:
    """Return a demand as the arrays read it.

    Raises:
        InputError: ``compute.two_gpu_kinds``: it names more than one kind of GPU.
    """
    gpus = {name: amount for name, amount in demand.items() if name.startswith("gpu/") and amount > 0}
    rest = {name: amount for name, amount in demand.items() if not name.startswith("gpu/")}
    if len(gpus) > 1:
        raise InputError("compute.two_gpu_kinds", found=", ".join(sorted(gpus)))
    if not gpus:
        return NodeDemand(rest)
    ((name, amount),) = gpus.items()
    kind = None if name == ANY_GPU else name
    return NodeDemand(rest, max(amount // MILLI, 1), min(amount, MILLI), kind)


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
