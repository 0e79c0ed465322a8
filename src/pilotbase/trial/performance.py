"""Resources of a run: latency a batch, throughput, memory, CPU; over the full load, never on a stopped prefix."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.base import Part
from pilotbase.documents.endpoint import Spent
from pilotbase.documents.exchanges import ExchangeRun
from pilotbase.documents.probes import CellRun, LoadTested
from pilotbase.documents.report import Performance
from pilotbase.measures import RunMeasurements as Measured

HISTOGRAM_BINS = 24
QUANTILES = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99, "max": 1.0}


class Load(Part):
    """Measurements while a box answered: seconds per batch (resumed ones included), and the box's own use.

    Stored with a trial's records: a replay judges what was measured then.
    """

    batch_seconds: tuple[float, ...]
    cases: int
    batch_rows: int
    load_seconds: float
    cpu_seconds: float | None = None
    memory_peak_bytes: int | None = None
    spent: Spent | None = None
    """Tokens and money of an endpoint; of a box the money alone, where the scenario states a price."""
    tested: LoadTested | None = None
    """The results of a load test, if the plan requires one."""
    cells: tuple[CellRun, ...] | None = None
    """What became of the cells of the plan's matrix, where it has one."""
    exchanges: tuple[ExchangeRun, ...] | None = None
    """The result of every message of recorded exchanges, if the plan has any."""
    probes: dict[str, dict[str, Any]] | None = None
    """What any other probe has found, as plain JSON by its name."""


def measured_run(load: Load) -> Measured:
    """Return the figures that measures of the run use."""
    latencies = np.array(load.batch_seconds)
    return Measured(
        latencies=latencies,
        cases=load.cases,
        wall_seconds=float(latencies.sum()),
        cpu_seconds=load.cpu_seconds,
        peak_bytes=load.memory_peak_bytes if load.cases else None,
        spent=load.spent,
    )


def summarise(load: Load) -> Performance:
    """Return the resources of a run; quantiles are order statistics (never interpolated)."""
    ordered = np.sort(load.batch_seconds)
    wall = float(ordered.sum())
    return Performance(
        batches=len(ordered),
        batch_rows=load.batch_rows,
        load_seconds=load.load_seconds,
        wall_seconds=wall,
        cpu_seconds=load.cpu_seconds,
        memory_peak_bytes=load.memory_peak_bytes,
        cases_per_second=load.cases / wall if wall > 0 else 0.0,
        latency_quantiles={name: upper_quantile(ordered, share) for name, share in QUANTILES.items()},
        latency_histogram=_histogram(ordered),
    )


def upper_quantile(ordered: NDArray[np.float64], share: float) -> float:
    """Return the smallest observation that at least ``share`` of all do not exceed; 0.0 without observations."""
    if not len(ordered):
        return 0.0
    return float(ordered[max(0, int(np.ceil(share * len(ordered))) - 1)])


def _histogram(ordered: NDArray[np.float64]) -> tuple[tuple[float, float, int], ...]:
    if not len(ordered):
        return ()
    if ordered[0] == ordered[-1]:
        return ((float(ordered[0]), float(ordered[0]), len(ordered)),)
    counts, edges = np.histogram(ordered, bins=min(HISTOGRAM_BINS, max(1, len(ordered))))
    pairs = zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
    return tuple((float(low), float(high), int(count)) for low, high, count in pairs)
