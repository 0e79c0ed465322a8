"""What a machine has, and whether a node could ever hold an attempt: one that none could is refused at once."""

from __future__ import annotations

import os
from collections.abc import Set as AbstractSet

from pilotbase.documents.errors import RefusedError
from pilotbase_estate.backends.backend import BackendNode
from pilotbase_estate.documents.resources import MILLI, Vector, format_vector
from pilotbase_estate.placing.fleet import Fleet, read_ask


def require_room(
    demand: Vector, there: list[BackendNode], node: str | None = None, unseen: AbstractSet[str] = frozenset()
) -> None:
    """Require that one of the nodes, or the chosen one, could hold a demand if it were empty.

    ``unseen``: dimensions that the backend doesn't report.

    Raises:
        RefusedError: ``compute.no_such_node``, ``compute.beyond_node``.
        InputError: ``compute.two_gpu_kinds``.
    """
    possible = {one.name: one.capacity for one in there if node in (None, one.name)}
    if not possible:
        raise RefusedError("compute.no_such_node", node=node or "", known=", ".join(one.name for one in there))
    asked = {name: amount for name, amount in demand.items() if name not in unseen}
    if not Fleet.of(possible).fitting(read_ask(asked)).any():
        most = max(possible.values(), key=lambda capacity: capacity.get("cpu", 0))
        raise RefusedError("compute.beyond_node", asked=format_vector(demand), most=format_vector(most))


def measured() -> Vector:
    """Return what this machine really has: cores that this process may use, in thousandths, and memory, in bytes."""
    return {
        "cpu": len(os.sched_getaffinity(0)) * MILLI,
        "memory": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
    }
