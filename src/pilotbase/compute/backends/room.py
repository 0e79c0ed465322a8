"""Whether a node could ever hold an attempt: what none could is refused at once, for it would wait for ever."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from pilotbase.compute.backends.backend import JobSpec, Node
from pilotbase.compute.placing.fleet import Fleet, read_ask
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.resources import spell_vector


def require_room(spec: JobSpec, there: list[Node], unseen: AbstractSet[str] = frozenset()) -> None:
    """Return if a node that is there, or the one that was chosen, could hold the attempt were it empty.

    ``unseen``: dimensions of which the backend tells nothing.

    Raises:
        RefusedError: ``compute.no_such_node``, ``compute.beyond_node``.
        InputError: ``compute.two_gpu_kinds``.
    """
    possible = {node.name: node.capacity for node in there if spec.node in (None, node.name)}
    if not possible:
        raise RefusedError("compute.no_such_node", node=spec.node or "", known=", ".join(node.name for node in there))
    asked = {name: amount for name, amount in spec.demand.items() if name not in unseen}
    if not Fleet.of(possible).fitting(read_ask(asked)).any():
        most = max(possible.values(), key=lambda capacity: capacity.get("cpu", 0))
        raise RefusedError("compute.beyond_node", asked=spell_vector(spec.demand), most=spell_vector(most))
