"""Where jobs run is left to a placer; sharing only decides which jobs start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pilotbase_estate.documents.resources import Vector


class Placer(Protocol):
    """Finds a node for every member of a job."""

    def place(self, nodes_free: Mapping[str, Vector], demand: Vector, gang: int) -> tuple[str, ...] | None:
        """Return a node for each of ``gang`` members that request ``demand`` each; None if not all fit.

        A job that fits must also fit when more is free; otherwise promises based on it could not be kept.
        """
        ...


class FirstFit:
    """The first nodes, in their order, that have room."""

    def place(self, nodes_free: Mapping[str, Vector], demand: Vector, gang: int) -> tuple[str, ...] | None:
        asked = [(name, amount) for name, amount in demand.items() if amount]
        found: list[str] = []
        for node, free in nodes_free.items():
            room = gang - len(found)
            for name, amount in asked:
                held = free.get(name, 0) // amount
                if held < room:
                    room = held
                    if room <= 0:
                        break
            else:
                found.extend([node] * room)
                if len(found) == gang:
                    return tuple(found)
        return None
