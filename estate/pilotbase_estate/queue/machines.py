"""The machines of a pool that are present, compared with what the pool's document says of them.

If nodes are named after machines, each is compared with its own. If there is only one machine, it stands in for all the
machines of a pool, as far as its capacity goes. Missing capacity is given to nobody, and no job is refused for it: jobs
wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pilotbase_estate.backends.backend import BackendNode
from pilotbase_estate.backends.ray_settings import OWN_NODE
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import Vector, minus

_UNSEEN = ("disk",)
"""What no node reports."""


@dataclass(frozen=True)
class There:
    """What is missing of a pool's machines."""

    away: bool = False
    """Nothing answers: the state of running jobs is unknown, and nothing starts."""
    missing: tuple[str, ...] = ()
    """Machines without a node."""
    smaller: Mapping[str, Vector] = field(default_factory=dict)
    """Machine → what its node has of each dimension in which it has less than the document says."""

    def capacities(self, pool: Pool) -> Mapping[str, Vector]:
        """Return machine → what is present of it, in every dimension that the document names."""
        return {name: self._of(name, declared) for name, declared in pool.capacities.items()}

    def _of(self, name: str, declared: Vector) -> Vector:
        if name in self.missing:
            return dict.fromkeys(declared, 0)
        return {**declared, **self.smaller.get(name, {})}


ALL_THERE = There()


def held_against(pool: Pool, nodes: Iterable[BackendNode]) -> There:
    """Return what of a pool's machines is missing, given the nodes that are present."""
    known = {node.name: node.capacity for node in nodes}
    if known.keys() == {OWN_NODE}:
        known = _dealt(pool, known[OWN_NODE])
    missing = tuple(name for name in pool.capacities if name not in known)
    found = {name: _lacking(declared, known.get(name, declared)) for name, declared in pool.capacities.items()}
    return There(missing=missing, smaller={name: has for name, has in found.items() if has})


def _dealt(pool: Pool, left: Vector) -> dict[str, Vector]:
    """Return what one machine contributes to each machine of a pool, in the order of the document."""
    found: dict[str, Vector] = {}
    for name, declared in pool.capacities.items():
        found[name] = {one: min(amount, left.get(one, 0)) for one, amount in declared.items() if one not in _UNSEEN}
        left = minus(left, found[name])
    return found


def _lacking(declared: Vector, has: Vector) -> Vector:
    """Return what a node has of each dimension in which it has less than declared."""
    seen = (name for name in declared if name not in _UNSEEN)
    return {name: has.get(name, 0) for name in seen if has.get(name, 0) < declared[name]}
