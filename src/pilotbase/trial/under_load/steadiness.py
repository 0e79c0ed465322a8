"""The results of a load test, and when it has none.

A test is void on a host that wasn't quiet (the same workload took much longer at times, or afterwards), if requests
left late through our own fault, or if the application varied from block to block: the time block is then the unit, and
no figure over all requests predicts a further run. An application that doesn't keep up doesn't make a test void: it is
slow.

To find how many requests per second are served within a target, the rate is doubled until it misses the target, then
narrowed. Each step is its own open-loop load. The result is a rate at which the 99th percentile of that step stayed
within the target; the next higher step that missed it is reported beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.probes import MOST_RATE, LoadBlock, LoadFigures, LoadStep, LoadTested, Void

_MOST_NOISE = 2.0
"""95th percentile over median of the same piece of work."""
_MOST_DRIFT = 1.5
"""How many times slower or quicker that work may be afterwards."""
_MOST_LATE_SECONDS, _MOST_LATE_SHARE = 0.005, 0.5
"""By how much requests may leave late, 99 of 100 of them: in seconds, or as a share of the median latency."""
_MOST_UNSTEADY = 2.0
_FEWEST_BLOCKS = 5
_BEHIND_BLOCKS = 2.0
Floats = NDArray[np.float64]
_NARROWED = 3
"""Steps between the last rate that was met and the first that wasn't: within a tenth of each other then."""


def load_figures(tested: LoadTested) -> LoadFigures:
    """Return the figures of a load test, and whether it is void."""
    test = tested.test
    latencies = latencies_of(tested)
    answered = int(np.isfinite(latencies).sum())
    blocks = _blocks(np.array(tested.due), latencies, test.block_seconds)
    unsteady = _unsteadiness(blocks)
    return LoadFigures(
        void=_void(tested, latencies, unsteady),
        requests=len(latencies),
        unanswered=len(latencies) - answered,
        p50=_quantile(latencies, 0.50),
        p95=_quantile(latencies, 0.95),
        p99=_quantile(latencies, 0.99),
        throughput=answered / test.seconds,
        unsteadiness=unsteady,
        blocks=blocks,
        cold_start=max(tested.starts, default=None),
        recovery=tested.recovery,
        memory_growth=None if tested.memory is None else tested.memory[1] - tested.memory[0],
        cpu_per_thousand=_per_thousand(tested.cpu_seconds, answered * test.rows),
        joules=tested.joules,
        held=None if tested.steps is None else _held_rate(tested.steps) * test.rows,
        target=test.target,
        steps=tested.steps,
        pinned=tested.pinned,
    )


def order_statistic(latencies: Sequence[float | None], share: float) -> float | None:
    """Return the smallest of ``latencies`` that a share of all don't exceed; None if that request had no answer."""
    return _quantile(np.array([math.inf if one is None else one for one in latencies]), share)


def latencies_of(tested: LoadTested) -> Floats:
    """Return the seconds of each request, inf where there was no answer."""
    return np.array([math.inf if one is None else one for one in tested.latencies])


def climb(rate: float, step: Callable[[float], LoadStep | None]) -> tuple[LoadStep, ...]:
    """Return every step taken; ``step(rate)`` returns None if the application no longer answers."""
    steps: list[LoadStep] = []
    while True:
        taken = step(rate)
        if taken is None:
            return tuple(steps)
        steps.append(taken)
        if not taken.held or rate >= MOST_RATE:
            break
        rate = min(2 * rate, MOST_RATE)
    held, missed = _held_rate(steps), rate
    for _ in range(_NARROWED if held and not taken.held else 0):
        between = step(math.sqrt(held * missed))
        if between is None:
            break
        steps.append(between)
        held, missed = (between.rate, missed) if between.held else (held, between.rate)
    return tuple(steps)


def most_steps(rate: float) -> int:
    """Return how many steps `climb` takes from ``rate`` at most."""
    return 1 + max(0, math.ceil(math.log2(MOST_RATE / rate))) + _NARROWED


def _held_rate(steps: Sequence[LoadStep]) -> float:
    """Return the largest rate that was met; 0 if none was."""
    return max((one.rate for one in steps if one.held), default=0.0)


def _void(tested: LoadTested, latencies: Floats, unsteady: float | None) -> Void | None:
    if _is_noisy(*tested.calibration):
        return Void.NOISY_HOST
    finite = latencies[np.isfinite(latencies)]
    if len(tested.lateness) and len(finite):
        late = float(np.quantile(np.array(tested.lateness), 0.99, method="higher"))
        if late > max(_MOST_LATE_SECONDS, _MOST_LATE_SHARE * float(np.median(finite))):
            return Void.LATE_CLOCK
    kept_up = len(finite) == len(latencies) and float(latencies[-1]) <= _BEHIND_BLOCKS * tested.test.block_seconds
    return Void.UNSTEADY if kept_up and unsteady is not None and unsteady > _MOST_UNSTEADY else None


def _is_noisy(before: Sequence[float], after: Sequence[float]) -> bool:
    spreads = [float(np.quantile(one, 0.95) / np.median(one)) for one in (before, after) if len(one)]
    if max(spreads, default=1.0) > _MOST_NOISE:
        return True
    if not len(before) or not len(after):
        return False
    drift = float(np.median(after) / np.median(before))
    return max(drift, 1 / drift) > _MOST_DRIFT


def _blocks(due: Floats, latencies: Floats, seconds: float) -> tuple[LoadBlock, ...]:
    codes = (due // seconds).astype(np.int64)
    found = []
    for code in range(int(codes.max(initial=0)) + 1):
        inside = latencies[codes == code]
        found.append(LoadBlock(requests=len(inside), p50=_quantile(inside, 0.5), p99=_quantile(inside, 0.99)))
    return tuple(found)


def _unsteadiness(blocks: Sequence[LoadBlock]) -> float | None:
    """Return the 90th over the 10th percentile of the blocks' medians; None if there are too few blocks."""
    medians = [block.p50 for block in blocks if block.p50 is not None]
    if len(medians) < _FEWEST_BLOCKS:
        return None
    low, high = np.quantile(np.array(medians), [0.1, 0.9])
    return float(high / low) if low > 0 else None


def _quantile(latencies: Floats, share: float) -> float | None:
    """Return an order statistic, never interpolated; None if that request had no answer, or there are no requests."""
    if not len(latencies):
        return None
    found = float(np.sort(latencies)[max(0, math.ceil(share * len(latencies)) - 1)])
    return found if math.isfinite(found) else None


def _per_thousand(seconds: float | None, cases: int) -> float | None:
    return None if seconds is None or not cases else 1000 * seconds / cases
