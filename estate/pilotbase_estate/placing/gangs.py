"""Gangs: all members of a job find a place together, or none does."""

from __future__ import annotations

from pilotbase_estate.placing.fleet import Fleet, NodeDemand, Spot
from pilotbase_estate.placing.policies import Placement


def place_gang(fleet: Fleet, placement: Placement, ask: NodeDemand, members: int) -> tuple[Spot, ...] | None:
    """Return where each member runs, all taken from the fleet; None, with nothing taken, if they do not all fit."""
    spots: list[Spot] = []
    for _ in range(members):
        spot = placement.choose(fleet, ask)
        if spot is None:
            release_gang(fleet, ask, tuple(spots))
            return None
        fleet.take(spot, ask)
        spots.append(spot)
    return tuple(spots)


def release_gang(fleet: Fleet, ask: NodeDemand, spots: tuple[Spot, ...]) -> None:
    """Give back what the members held."""
    for spot in spots:
        fleet.give_back(spot, ask)
