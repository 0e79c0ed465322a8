"""How much of the GPUs is allocated at a given demand when nothing ends (Weng et al., ATC 2023, §6.2).

Jobs are drawn from the trace with replacement until they ask for 1.3 times the GPUs there are, come in random order,
and one that fits nowhere is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pilotbase_estate.documents.resources import total
from pilotbase_estate.placing.fleet import Fleet, NodeDemand, read_ask
from pilotbase_estate.placing.policies import Placement
from pilotbase_estate.replay.figures import merged_gpus
from pilotbase_estate.replay.traces import Trace

INFLATION = 1.3


def inflated(trace: Trace, generator: np.random.Generator, times: float = INFLATION) -> list[NodeDemand]:
    """Return the demands of the trace's jobs and of more drawn from them, in random order."""
    asks = [read_ask(job.demand) for job in trace.jobs]
    most = times * merged_gpus(total(trace.nodes.values())).get("gpu", 0)
    wanted, drawn = sum(_gpus(ask) for ask in asks), list(asks)
    while True:
        ask = asks[int(generator.integers(len(asks)))]
        if wanted + ask.gpu_milli > most:
            return [drawn[number] for number in generator.permutation(len(drawn))]
        wanted += _gpus(ask)
        drawn.append(ask)


def allocated(fleet: Fleet, placement: Placement, asks: Sequence[NodeDemand], marks: Sequence[float]) -> list[float]:
    """Return the allocated share of the GPUs, 0 to 1, when ``asks`` so far asked for each of ``marks`` times them."""
    whole, came, held = int(fleet.gpu_free.sum()), 0, 0
    found: list[float] = []
    for ask in asks:
        came += _gpus(ask)
        spot = placement.choose(fleet, ask)
        if spot is not None:
            fleet.take(spot, ask)
            held += _gpus(ask)
        while len(found) < len(marks) and came >= marks[len(found)] * whole:
            found.append(held / whole)
    return found + [held / whole] * (len(marks) - len(found))


def _gpus(ask: NodeDemand) -> int:
    return ask.gpus * ask.gpu_milli
