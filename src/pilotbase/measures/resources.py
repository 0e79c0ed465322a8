"""The costs of a measured run: latency, memory, throughput, processor time. Never decided early, only at full load.

By blocks, as in ``latency.p95(requests=20)`` and ``throughput(requests=20)``, they have a stated error: a block is one
entry, however its requests depend on each other. Without, a figure holds for the run that was measured and no other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from pilotbase.documents.endpoint import Spent
from pilotbase.documents.texts import Text, text
from pilotbase.measures.cases import Floats
from pilotbase.measures.definition import MEASURED, Direction, Guarantees, Parameter, plain_code
from pilotbase.measures.observation import MeasurePart, Observation

_NANO = 10**9
_NEVER = 1 << 60
MOST_TIMES = 10
"""A mean of unbounded seconds can never be shown to be small: a block counts up to this many times what is allowed. So
that no stall hides behind it, the run's uncapped figure is the score, and must meet the threshold too."""
Figure = tuple[int, int] | None
"""One figure of a run as gain and weight, in base units; None: not measured."""


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
    """One measure of a run: a ``figure``, or a ``quantile`` of its latencies.

    ``unit``: the base unit of its threshold (s, B, cases/s).
    """

    name: str
    formula: str
    source: str
    better: Direction
    unit: str
    figure: Callable[[RunMeasurements], Figure] = lambda _: None
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
    parameters: tuple[Parameter, ...] = ()
    """How many requests a block has, where it can be judged by blocks; never required."""

    @property
    def title(self) -> Text:
        """Return its name in words."""
        return text(f"measure.{self.name}")

    @property
    def plain(self) -> str:
        """Return the code of its plain sentence, as of `Measure`."""
        return plain_code(self.name)

    def observe(self, run: RunMeasurements, block: int | None = None, threshold: Fraction = Fraction(1)) -> Observation:
        """Return what ``run`` shows; parts without any entry where it was not measured.

        With ``block`` (requests) only whole blocks count, and throughput has one entry a block.
        """
        if self.quantile is None and block is not None:
            return Observation("single", (_served(run, block, threshold),), uncapped=(_uncapped(run), MOST_TIMES))
        if self.quantile is None:
            return Observation("single", (_part(self.figure(run)),), census_only=True)
        latencies = run.latencies
        if self.of_load_test:
            found = None if run.loaded is None else run.loaded.latencies
            latencies = np.zeros(0) if found is None else found
        latencies = latencies[: len(latencies) // (block or 1) * (block or 1)]
        gain, never = _nanoseconds(latencies), (_NEVER, _NANO)
        part = MeasurePart(gain, np.full(len(gain), _NANO, dtype=np.int64), ((0, _NANO), (1, _NANO), never))
        return Observation("quantile", (part,), quantile=self.quantile)


def _part(figure: Figure) -> MeasurePart:
    gain, weight = (0, 0) if figure is None else (figure[0], max(figure[1], 1))
    gains, weights = np.array([gain], dtype=np.int64), np.array([weight], dtype=np.int64)
    return MeasurePart(gains, weights, ((gain, max(weight, 1)),))


def _nanoseconds(latencies: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    finite = np.isfinite(latencies)
    return np.where(finite, np.rint(np.where(finite, latencies, 0.0) * _NANO), _NEVER).astype(np.int64)


def _seconds(seconds: float | None) -> Figure:
    """Return a time; one that never came (inf, NaN) is longer than any."""
    if seconds is None:
        return None
    return round(seconds * _NANO) if np.isfinite(seconds) else _NEVER, _NANO


def _share(counts: tuple[int, int]) -> Figure:
    return counts if counts[1] else None


def _of_load_test(read: Callable[[LoadMeasurements], Figure]) -> Callable[[RunMeasurements], Figure]:
    return lambda run: None if run.loaded is None else read(run.loaded)


def _of_exchanges(read: Callable[[Exchanged], Figure]) -> Callable[[RunMeasurements], Figure]:
    return lambda run: None if run.exchanged is None else read(run.exchanged)


def _throughput(run: RunMeasurements) -> Figure:
    return (run.cases * _NANO, round(run.wall_seconds * _NANO)) if run.wall_seconds > 0 else None


def _served(run: RunMeasurements, requests: int, threshold: Fraction) -> MeasurePart:
    """Return cases and seconds of each whole block; seconds count up to `MOST_TIMES` of those that are allowed.

    Requests have equal shares of the cases.
    """
    blocks = len(run.latencies) // requests
    gain = requests * run.cases * _NANO // max(len(run.latencies), 1)
    most = max(int(MOST_TIMES * gain / threshold), 3)
    seconds = np.nan_to_num(run.latencies[: blocks * requests], nan=np.inf).reshape(blocks, requests).sum(axis=1)
    weight = np.maximum(np.rint(np.minimum(seconds * _NANO, float(most))), 1).astype(np.int64)
    return MeasurePart(np.full(blocks, gain, dtype=np.int64), weight, ((gain, 1), (gain, 2), (gain, most)))


def _uncapped(run: RunMeasurements) -> Fraction:
    """Return cases over seconds of all requests; 0 where one never came."""
    seconds = float(np.nan_to_num(run.latencies, nan=np.inf).sum())
    return Fraction(run.cases * _NANO, max(round(seconds * _NANO), 1)) if np.isfinite(seconds) else Fraction(0)


def _processor_time(run: RunMeasurements) -> Figure:
    seconds = run.cpu_seconds
    return None if seconds is None or not run.cases else (round(seconds * _NANO), run.cases * _NANO)


def _tokens(run: RunMeasurements) -> Figure:
    spent = run.spent
    return None if spent is None or spent.tokens is None or not spent.cases else (spent.tokens, spent.cases)


def _cost(currency: str) -> ResourceMeasure:
    def figure(run: RunMeasurements) -> Figure:
        spent = run.spent
        if spent is None or not spent.cases or spent.currency != currency or spent.cost_per_thousand is None:
            return None
        return round(spent.cost_per_thousand * _NANO), _NANO

    name = f"cost.{currency.lower()}"
    return ResourceMeasure(name, f"1000 × cost / cases, in {currency}", _COST, "lower", currency, figure)


_LOAD = "measured under full load"
_TEST = "load test: requests at a pace of their own, counted from when they were due"
_REPLAY = "replay of recorded messages with faults"
_CALLS = "counted over all calls to an endpoint, at the prices of its manifest"
_COST = "calls to an endpoint at the prices of its manifest, or a box's processor time at the scenario's price"

_THROUGHPUT = (
    f"cases / wall seconds; by blocks of requests, bounds count seconds of a block up to {MOST_TIMES} times those that "
    "the threshold allows, and cases / seconds of the whole run, without that cap, must meet the threshold too"
)
_REQUESTS = Parameter("requests", None, Decimal(0), Decimal(10**6), whole=True)
_QUANTILES = (
    ("p50", "median", Fraction(1, 2)),
    ("p95", "95th percentile", Fraction(95, 100)),
    ("p99", "99th percentile", Fraction(99, 100)),
)
RESOURCES = (
    *(
        ResourceMeasure(
            f"latency.{name}", f"{said} of seconds per request", _LOAD, "lower", "s", quantile=share,
            parameters=(_REQUESTS,),
        )
        for name, said, share in _QUANTILES
    ),
    ResourceMeasure(
        "latency.max", "largest seconds per request", _LOAD, "lower", "s",
        lambda run: _seconds(float(run.latencies.max())) if len(run.latencies) else None,
    ),
    ResourceMeasure(
        "memory.peak", "largest resident bytes of the whole box", _LOAD, "lower", "B",
        lambda run: None if run.peak_bytes is None else (run.peak_bytes, 1),
    ),
    ResourceMeasure("throughput", _THROUGHPUT, _LOAD, "higher", "cases/s", _throughput, parameters=(_REQUESTS,)),
    ResourceMeasure("cpu.per_case", "processor seconds / cases", _LOAD, "lower", "s", _processor_time),
    ResourceMeasure("tokens.per_case", "tokens of prompts and answers / cases", _CALLS, "lower", "tokens", _tokens),
    *(
        ResourceMeasure(
            f"load.{name}", f"{said} of seconds from due to answered", _TEST, "lower", "s", quantile=share,
            of_load_test=True, parameters=(_REQUESTS,),
        )
        for name, said, share in _QUANTILES
    ),
    ResourceMeasure(
        "load.held", "cases a second with the 99th percentile within the test's target", _TEST, "higher", "cases/s",
        _of_load_test(lambda load: None if load.held is None else (round(load.held * _NANO), _NANO)), of_load_test=True,
    ),
    ResourceMeasure(
        "start.cold", "slowest start, from nothing to the first answer", _TEST, "lower", "s",
        _of_load_test(lambda load: _seconds(load.cold_start)), of_load_test=True,
    ),
    ResourceMeasure(
        "recovery", "seconds from a crash under load to the first answer", _TEST, "lower", "s",
        _of_load_test(lambda load: _seconds(np.inf if load.recovery is None else load.recovery)), of_load_test=True,
    ),
    ResourceMeasure(
        "memory.growth", "bytes that the peak grew by after the warm-up", _TEST, "lower", "B",
        _of_load_test(lambda load: None if load.memory_growth is None else (load.memory_growth, 1)), of_load_test=True,
    ),
    ResourceMeasure(
        "cells.agreeing", "cells that answer as in the trial / cells that were run",
        "MIIT, five verifications: adaptation", "higher", "",
        lambda run: (sum(run.cells), len(run.cells)) if run.cells else None, of_matrix=True,
    ),
    ResourceMeasure(
        "exchanges.kept", "whole messages answered as their case / whole messages", _REPLAY, "higher", "",
        _of_exchanges(lambda found: _share(found.whole)), of_exchanges=True,
    ),
    ResourceMeasure(
        "pipeline.kept", "faulty and overridden messages handled as they must be / faulty and overridden messages",
        _REPLAY, "higher", "", _of_exchanges(lambda found: _share(found.faulty)), of_exchanges=True, of_process=True,
    ),
    ResourceMeasure(
        "stop.seconds", "slowest end after an order to stop", _REPLAY, "lower", "s",
        _of_exchanges(lambda found: _seconds(found.stop_seconds)), of_exchanges=True, of_process=True,
    ),
    *(_cost(currency) for currency in ("CNY", "EUR", "USD")),
)  # fmt: skip
