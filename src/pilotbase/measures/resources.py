"""The costs of a measured run: latency, memory, throughput, processor time. Never decided early, only at full load."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from pilotbase.documents.endpoint import Spent
from pilotbase.documents.texts import Text, text
from pilotbase.measures.cases import Floats
from pilotbase.measures.definition import MEASURED, Direction, Guarantees
from pilotbase.measures.observation import MeasurePart, Observation

Statistic = Literal[
    "quantile",
    "max",
    "peak",
    "throughput",
    "cpu",
    "cells",
    "whole",
    "faulty",
    "stop",
    "start",
    "recovery",
    "growth",
    "held",
    "tokens",
    "CNY",
    "EUR",
    "USD",
]

_NANO = 10**9
_NEVER = 1 << 60
_NOT_MEASURED = MeasurePart(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64), ((0, 1),))


@dataclass(frozen=True, eq=False)
class LoadMeasurements:
    """The measurements of a load test: seconds from when a request was due until its answer (inf: never), shape
    (requests,); None if the test is void."""

    latencies: Floats | None
    cold_start: float | None = None
    recovery: float | None = None
    memory_growth: int | None = None
    held: float | None = None
    """Cases a second served with the 99th percentile within the test's target."""


@dataclass(frozen=True)
class Exchanged:
    """What became of the messages of recorded exchanges: of whole ones, and of those with a fault or a decision of a
    person's, how many were handled as they must be, and how many there were."""

    whole: tuple[int, int]
    faulty: tuple[int, int]
    stop_seconds: float | None = None
    """The slowest end after an order to stop (inf: it went on); None: not tried."""


@dataclass(frozen=True, eq=False)
class RunMeasurements:
    """The measurements of a run: seconds per request (NaN or inf = timed out), peak bytes, totals.

    ``latencies``: shape (requests,), in the order of the run.
    """

    latencies: Floats
    cases: int
    wall_seconds: float
    cpu_seconds: float | None = None
    peak_bytes: int | None = None
    spent: Spent | None = None
    """Tokens and money of an endpoint; of a box the money alone, where the scenario states a price."""
    cells: tuple[bool, ...] | None = None
    """Of each cell of the plan's matrix that was run, whether every case was answered as in the trial."""
    exchanged: Exchanged | None = None
    """Of recorded exchanges, if the plan has any."""
    loaded: LoadMeasurements | None = None
    """Of a load test, if the plan has one."""


@dataclass(frozen=True)
class ResourceMeasure:
    """One measure of a run; ``unit`` is the base unit of its threshold (s, B, cases/s)."""

    name: str
    title: Text
    formula: str
    source: str
    better: Direction
    unit: str
    statistic: Statistic
    quantile: Fraction | None = None
    guarantees: Guarantees = MEASURED
    of_matrix: bool = False
    """It is read off the cells of the plan's matrix."""
    of_load_test: bool = False
    """It is read off a load test, which the plan must ask for."""
    of_exchanges: bool = False
    """It is measured on recorded exchanges; the plan must have some."""
    of_process: bool = False
    """It judges the application and the pipeline around it together."""

    def observe(self, run: RunMeasurements) -> Observation:
        """Return what ``run`` shows; parts without any entry where it was not measured."""
        if self.of_exchanges:
            return Observation("single", (_of_exchanges(self.statistic, run.exchanged),), census_only=True)
        if self.of_load_test and self.quantile is None:
            return Observation("single", (_of_load_test(self.statistic, run.loaded),), census_only=True)
        if self.quantile is not None:
            latencies = run.latencies
            if self.of_load_test:
                loaded = None if run.loaded is None else run.loaded.latencies
                latencies = np.zeros(0) if loaded is None else loaded
            gain = _nanoseconds(latencies)
            part = MeasurePart(
                gain, np.full(len(gain), _NANO, dtype=np.int64), ((0, _NANO), (1, _NANO), (_NEVER, _NANO))
            )
            return Observation("quantile", (part,), quantile=self.quantile)
        return Observation("single", (_single(self.statistic, run),), census_only=True)


def _single(statistic: Statistic, run: RunMeasurements) -> MeasurePart:
    """Return the one figure of a run as gain / weight, in base units."""
    if statistic == "cells" and run.cells:
        return _figure(sum(run.cells), len(run.cells))
    if statistic == "max" and len(run.latencies):
        return _figure(int(_nanoseconds(run.latencies).max()), _NANO)
    if statistic == "peak" and run.peak_bytes is not None:
        return _figure(run.peak_bytes, 1)
    if statistic == "throughput" and run.wall_seconds > 0:
        return _figure(run.cases * _NANO, round(run.wall_seconds * _NANO))
    if statistic == "cpu" and run.cpu_seconds is not None and run.cases:
        return _figure(round(run.cpu_seconds * _NANO), run.cases * _NANO)
    if run.spent is not None and run.spent.cases:
        if statistic == "tokens" and run.spent.tokens is not None:
            return _figure(run.spent.tokens, run.spent.cases)
        if statistic == run.spent.currency and run.spent.cost_per_thousand is not None:
            return _figure(round(run.spent.cost_per_thousand * _NANO), _NANO)
    return _NOT_MEASURED


def _of_load_test(statistic: Statistic, loaded: LoadMeasurements | None) -> MeasurePart:
    seconds = {"start": loaded.cold_start, "recovery": loaded.recovery}.get(statistic) if loaded is not None else None
    if seconds is not None:
        return _figure(round(seconds * _NANO), _NANO)
    if loaded is not None and statistic == "growth" and loaded.memory_growth is not None:
        return _figure(loaded.memory_growth, 1)
    if loaded is not None and statistic == "held" and loaded.held is not None:
        return _figure(round(loaded.held * _NANO), _NANO)
    if loaded is not None and statistic == "recovery":
        return _figure(_NEVER, _NANO)
    return _NOT_MEASURED


def _of_exchanges(statistic: Statistic, exchanged: Exchanged | None) -> MeasurePart:
    if exchanged is None:
        return _NOT_MEASURED
    if statistic == "stop":
        seconds = exchanged.stop_seconds
        if seconds is None:
            return _NOT_MEASURED
        return _figure(round(seconds * _NANO) if np.isfinite(seconds) else _NEVER, _NANO)
    kept, sent = exchanged.whole if statistic == "whole" else exchanged.faulty
    return _figure(kept, sent) if sent else _NOT_MEASURED


def _figure(gain: int, weight: int) -> MeasurePart:
    weight = max(weight, 1)
    return MeasurePart(np.array([gain], dtype=np.int64), np.array([weight], dtype=np.int64), ((gain, weight),))


def _nanoseconds(latencies: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    finite = np.isfinite(latencies)
    return np.where(finite, np.rint(np.where(finite, latencies, 0.0) * _NANO), _NEVER).astype(np.int64)


_LOAD = "measured under full load"
_TEST = "load test: requests at a pace of their own, counted from when they were due"
_REPLAY = "replay of recorded messages with faults"
_CALLS = "counted over all calls to an endpoint, at the prices of its manifest"
_COST = "calls to an endpoint at the prices of its manifest, or a box's processor time at the scenario's price"

RESOURCES = (
    ResourceMeasure(
        "latency.p50", text("measure.latency.p50"), "median of seconds per request", _LOAD, "lower", "s", "quantile",
        Fraction(1, 2),
    ),
    ResourceMeasure(
        "latency.p95", text("measure.latency.p95"), "95th percentile of seconds per request", _LOAD, "lower", "s",
        "quantile", Fraction(95, 100),
    ),
    ResourceMeasure(
        "latency.p99", text("measure.latency.p99"), "99th percentile of seconds per request", _LOAD, "lower", "s",
        "quantile", Fraction(99, 100),
    ),
    ResourceMeasure(
        "latency.max", text("measure.latency.max"), "largest seconds per request", _LOAD, "lower", "s", "max"
    ),
    ResourceMeasure(
        "memory.peak", text("measure.memory.peak"), "largest resident bytes of the whole box", _LOAD, "lower", "B",
        "peak",
    ),
    ResourceMeasure(
        "throughput", text("measure.throughput"), "cases / wall seconds", _LOAD, "higher", "cases/s", "throughput"
    ),
    ResourceMeasure(
        "cpu.per_case", text("measure.cpu.per_case"), "processor seconds / cases", _LOAD, "lower", "s", "cpu"
    ),
    ResourceMeasure(
        "tokens.per_case", text("measure.tokens.per_case"), "tokens of prompts and answers / cases", _CALLS, "lower",
        "tokens", "tokens",
    ),
    ResourceMeasure(
        "load.p50", text("measure.load.p50"), "median of seconds from due to answered", _TEST, "lower", "s", "quantile",
        Fraction(1, 2), of_load_test=True,
    ),
    ResourceMeasure(
        "load.p95", text("measure.load.p95"), "95th percentile of seconds from due to answered", _TEST, "lower", "s",
        "quantile", Fraction(95, 100), of_load_test=True,
    ),
    ResourceMeasure(
        "load.p99", text("measure.load.p99"), "99th percentile of seconds from due to answered", _TEST, "lower", "s",
        "quantile", Fraction(99, 100), of_load_test=True,
    ),
    ResourceMeasure(
        "load.held", text("measure.load.held"), "cases a second with the 99th percentile within the test's target",
        _TEST, "higher", "cases/s", "held", of_load_test=True,
    ),
    ResourceMeasure(
        "start.cold", text("measure.start.cold"), "slowest start, from nothing to the first answer", _TEST, "lower",
        "s", "start", of_load_test=True,
    ),
    ResourceMeasure(
        "recovery", text("measure.recovery"), "seconds from a crash under load to the first answer", _TEST, "lower",
        "s", "recovery", of_load_test=True,
    ),
    ResourceMeasure(
        "memory.growth", text("measure.memory.growth"), "bytes that the peak grew by after the warm-up", _TEST,
        "lower", "B", "growth", of_load_test=True,
    ),
    ResourceMeasure(
        "cells.agreeing", text("measure.cells.agreeing"), "cells that answer as in the trial / cells that were run",
        "MIIT, five verifications: adaptation", "higher", "", "cells", of_matrix=True,
    ),
    ResourceMeasure(
        "exchanges.kept", text("measure.exchanges.kept"), "whole messages answered as their case / whole messages",
        _REPLAY, "higher", "", "whole", of_exchanges=True,
    ),
    ResourceMeasure(
        "pipeline.kept", text("measure.pipeline.kept"),
        "faulty and overridden messages handled as they must be / faulty and overridden messages", _REPLAY, "higher",
        "", "faulty", of_exchanges=True, of_process=True,
    ),
    ResourceMeasure(
        "stop.seconds", text("measure.stop.seconds"), "slowest end after an order to stop", _REPLAY, "lower", "s",
        "stop", of_exchanges=True, of_process=True,
    ),
    ResourceMeasure("cost.cny", text("measure.cost.cny"), "1000 × cost / cases, in CNY", _COST, "lower", "CNY", "CNY"),
    ResourceMeasure("cost.eur", text("measure.cost.eur"), "1000 × cost / cases, in EUR", _COST, "lower", "EUR", "EUR"),
    ResourceMeasure("cost.usd", text("measure.cost.usd"), "1000 × cost / cases, in USD", _COST, "lower", "USD", "USD"),
)  # fmt: skip
