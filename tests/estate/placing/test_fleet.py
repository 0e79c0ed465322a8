"""Placing: what fits where, gangs that are placed whole, and what is given back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.documents.errors import InputError
from pilotbase_estate.documents.resources import Vector
from pilotbase_estate.placing.fgd import Fragmentation, FragmentationDescent, typical_kinds
from pilotbase_estate.placing.fleet import BestFit, FirstFitPolicy, Fleet, Placement, Random, Spot, read_ask
from pilotbase_estate.replay.policies import place_gang, release_gang

NODES = {
    "small": {"cpu": 4000, "memory": 8},
    "shared": {"cpu": 16000, "memory": 64, "gpu/t4": 2000},
    "large": {"cpu": 64000, "memory": 256, "gpu/a100": 8000, "licence/halcon": 1},
}


def _placements() -> list[Placement]:
    kinds = typical_kinds([read_ask({"cpu": 1000, "gpu/any": 1000}), read_ask({"cpu": 1000})])
    return [FirstFitPolicy(), BestFit(), Random(np.random.default_rng(1)), FragmentationDescent(Fragmentation(kinds))]


@pytest.mark.parametrize(
    ("demand", "fits"),
    [
        ({"cpu": 4000}, ["small", "shared", "large"]),
        ({"cpu": 4001}, ["shared", "large"]),
        ({"memory": 100}, ["large"]),
        ({"gpu/t4": 1000}, ["shared"]),
        ({"gpu/any": 2000}, ["shared", "large"]),
        ({"gpu/any": 3000}, ["large"]),
        ({"licence/halcon": 1}, ["large"]),
        ({"disk": 1}, []),
        ({"gpu/h100": 250}, []),
        ({"disk": 0}, ["small", "shared", "large"]),
    ],
)
def test_what_fits_where(demand: Vector, fits: list[str]) -> None:
    fleet = Fleet.of(NODES)
    assert [fleet.names[number] for number in np.flatnonzero(fleet.fitting(read_ask(demand)))] == fits


def test_shares_that_lie_apart_make_no_whole_gpu() -> None:
    fleet, half = Fleet.of(NODES), read_ask({"gpu/t4": 500})
    fleet.take(Spot(1, (0,)), half)
    fleet.take(Spot(1, (1,)), half)
    assert not fleet.fitting(read_ask({"gpu/t4": 1000})).any()
    assert fleet.fitting(half).any()
    assert fleet.gpu_free.sum() == 9000


def test_two_kinds_of_gpu_at_once_are_refused() -> None:
    with pytest.raises(InputError, match="more than one kind of GPU"):
        read_ask({"gpu/t4": 1000, "gpu/a100": 1000})


@pytest.mark.parametrize("placement", _placements(), ids=lambda one: type(one).__name__)
def test_a_gang_is_placed_whole_or_not_at_all(placement: Placement) -> None:
    fleet, ask = Fleet.of(NODES), read_ask({"cpu": 16000})
    assert place_gang(fleet, placement, ask, 6) is None
    assert fleet.amounts("cpu").sum() == 84000, "what did not find a place holds nothing"
    spots = place_gang(fleet, placement, ask, 5)
    assert spots is not None
    assert fleet.amounts("cpu").sum() == 4000
    release_gang(fleet, ask, spots)
    assert fleet.amounts("cpu").sum() == 84000


_DEMANDS = st.sampled_from(
    [{"cpu": 1000}, {"cpu": 500, "gpu/any": 250}, {"cpu": 2000, "gpu/t4": 1000}, {"gpu/a100": 3000}, {"gpu/any": 700}]
)


@given(st.lists(st.tuples(_DEMANDS, st.booleans()), max_size=40), st.integers(0, 3))
def test_no_placement_ever_takes_what_is_not_there(steps: list[tuple[Vector, bool]], which: int) -> None:
    fleet, placement, running = Fleet.of(NODES), _placements()[which], []
    for demand, ends in steps:
        ask = read_ask(demand)
        spot = placement.choose(fleet, ask)
        assert (spot is not None) == bool(fleet.fitting(ask).any())
        if spot is not None:
            assert len(set(spot.gpus)) == ask.gpus
            fleet.take(spot, ask)
            running.append((spot, ask))
        if ends and running:
            fleet.give_back(*running.pop(0))
        assert fleet.gpu_free.min() >= 0
        assert all(amounts.min() >= 0 for amounts in fleet.free.values())
    for spot, ask in running:
        fleet.give_back(spot, ask)
    assert {name: int(amounts.sum()) for name, amounts in fleet.free.items()} == {
        "cpu": 84000,
        "memory": 328,
        "licence/halcon": 1,
    }


def test_best_fit_takes_the_fullest_node_and_the_fullest_gpu_that_have_room() -> None:
    fleet = Fleet.of({"one": {"cpu": 8000, "gpu/t4": 2000}, "two": {"cpu": 8000, "gpu/t4": 2000}})
    part = read_ask({"cpu": 1000, "gpu/t4": 300})
    fleet.take(Spot(1, (1,)), part)
    assert BestFit().choose(fleet, part) == Spot(1, (1,))
    assert BestFit().choose(fleet, read_ask({"gpu/t4": 2000})) == Spot(0, (0, 1))
