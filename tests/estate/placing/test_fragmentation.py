"""Fragmentation against its definition, written out node by node and kind by kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase_estate.placing.fgd import Fragmentation, FragmentationDescent, TypicalJob, typical_kinds
from pilotbase_estate.placing.fleet import Fleet, Spot, read_ask

_KINDS = (
    TypicalJob(read_ask({"cpu": 1000, "gpu/any": 500}), 0.4),
    TypicalJob(read_ask({"cpu": 4000, "gpu/any": 2000}), 0.3),
    TypicalJob(read_ask({"cpu": 1000, "gpu/t4": 1000}), 0.2),
    TypicalJob(read_ask({"cpu": 1000}), 0.1),
)


def _by_definition(cpu: int, gpus: list[int], kind_of_gpus: str) -> float:
    """Weng et al., ATC 2023, §3.2, equations 1 and 2."""
    found = 0.0
    for kind in _KINDS:
        ask = kind.ask
        useful = [free for free in gpus if ask.gpus and free >= ask.gpu_milli and ask.gpu_kind in (None, kind_of_gpus)]
        if ask.gpus and len(useful) >= ask.gpus and cpu >= ask.vector["cpu"]:
            found += kind.share * (sum(gpus) - sum(useful))
        else:
            found += kind.share * sum(gpus)
    return found


@given(st.integers(0, 8000), st.lists(st.integers(0, 10), min_size=2, max_size=2), st.sampled_from(["t4", "a100"]))
def test_fragments_are_what_the_paper_defines(cpu: int, tenths: list[int], model: str) -> None:
    fleet = Fleet.of({"node": {"cpu": 8000, f"gpu/{model}": 2000}})
    fleet.free["cpu"][0] = cpu
    fleet.gpu_free[0] = [100 * tenth for tenth in tenths]
    expected = _by_definition(cpu, [100 * tenth for tenth in tenths], f"gpu/{model}")
    assert Fragmentation(_KINDS).of_nodes(fleet) == pytest.approx([expected])


def test_the_most_frequent_kinds_are_typical() -> None:
    asks = [read_ask({"cpu": 1000, "gpu/any": 1000})] * 90 + [read_ask({"cpu": 2000})] * 6 + [read_ask({"cpu": 9})] * 4
    kinds = typical_kinds(asks)
    assert [(kind.ask.vector["cpu"], round(kind.share, 4)) for kind in kinds] == [(1000, 0.9375), (2000, 0.0625)]


def test_the_descent_leaves_whole_gpus_whole() -> None:
    """A share goes to the GPU that is begun already, for jobs of two whole GPUs come, too."""
    fleet = Fleet.of({"begun": {"cpu": 8000, "gpu/t4": 2000}, "whole": {"cpu": 8000, "gpu/t4": 2000}})
    half = read_ask({"cpu": 1000, "gpu/any": 500})
    fleet.take(Spot(0, (1,)), half)
    descent = FragmentationDescent(Fragmentation(_KINDS))
    assert descent.choose(fleet, half) == Spot(0, (1,))
    fleet.take(Spot(0, (1,)), half)
    assert descent.choose(fleet, half) == Spot(0, (0,)), "what was kept of a node is found anew when the node changes"
    assert descent.choose(fleet, read_ask({"gpu/any": 2000})) == Spot(1, (0, 1))
    assert np.all(fleet.gpu_free[1] == 1000)
