"""A load test of an application: started from nothing, warmed up, loaded, killed, and started again; and what it shows.

Requests leave when they are due, whatever the state of earlier ones. Latency counts from the moment a request was due,
so a request that waits behind a slow one includes its waiting time (Tene, "How NOT to measure latency", 2013:
coordinated omission). There is one server and one queue, as in service.

A test is void on a host that wasn't quiet (the same workload took much longer at times, or afterwards), if requests
left late through our own fault, or if the application varied from block to block: the time block is then the unit, and
no figure over all requests predicts a further run. An application that doesn't keep up doesn't make a test void: it is
slow.

To find how many requests per second are served within a target, the rate is doubled until it misses the target, then
narrowed. Each step is its own open-loop load. The result is a rate at which the 99th percentile of that step stayed
within the target; the next higher step that missed it is reported beside it.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.probes import MOST_RATE, LoadBlock, LoadFigures, LoadStep, LoadTest, LoadTested, Void
from pilotbase.documents.quantities import MOST_SECONDS
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box.ends import BoxEnded
from pilotbase.sandbox.engines import LOCAL, Worker
from pilotbase.trial.delivering import Features
from pilotbase.trial.running import BoxTerms, PreparedApplication, start_candidate

_POWER = Path("/sys/class/powercap")
_WORK = bytes(1 << 16)
_TIMES = 60
_NEAR_SECONDS = 0.001
"""So long before a moment sleeping ends and looking at the clock begins: a sleep ends late."""
Floats = NDArray[np.float64]
_MOST_NOISE = 2.0
"""95th percentile over median of the same piece of work."""
_MOST_DRIFT = 1.5
"""How many times slower or quicker that work may be afterwards."""
_MOST_LATE_SECONDS, _MOST_LATE_SHARE = 0.005, 0.5
"""By how much requests may leave late, 99 of 100 of them: in seconds, or as a share of the median latency."""
_MOST_UNSTEADY = 2.0
_FEWEST_BLOCKS = 5
_BEHIND_BLOCKS = 2.0
_NARROWED = 3
"""Steps between the last rate that was met and the first that wasn't: within a tenth of each other then."""


def _wait_until(moment: float) -> None:
    rest = moment - time.monotonic()
    if rest > _NEAR_SECONDS:
        time.sleep(rest - _NEAR_SECONDS)
    while time.monotonic() < moment:
        pass


def _calibrate() -> tuple[float, ...]:
    """Return how many seconds the same work took, each of so many times."""
    found = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        for _ in range(8):
            hashlib.sha256(_WORK).digest()
        found.append(time.perf_counter() - began)
    return tuple(found)


def _joules() -> float | None:
    """Return the RAPL energy count of all packages; None if this machine doesn't provide it.

    Source: Linux, Documentation/power/powercap/powercap.rst, ``energy_uj``.
    """
    counters = sorted(_POWER.glob("intel-rapl:[0-9]*/energy_uj"))
    try:
        return sum(int(counter.read_text()) for counter in counters) / 1e6 if counters else None
    except (OSError, ValueError):
        return None


@dataclass(frozen=True)
class Processors:
    """The processors of the box, and those of its client."""

    box: frozenset[int]
    asking: frozenset[int]


def _apart(threads: int) -> Processors | None:
    """Return processors for a box with ``threads`` threads and another for its client; None if there are too few."""
    here = sorted(os.sched_getaffinity(0))
    return Processors(frozenset(here[1:]), frozenset(here[:1])) if len(here) > threads else None


@contextlib.contextmanager
def running_on(processors: frozenset[int] | None) -> Iterator[None]:
    """Run this thread, and everything it starts meanwhile, only on these processors; None: unchanged."""
    before = os.sched_getaffinity(0)
    if processors is not None:
        os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True)
class Bench:
    """Where a load test is measured."""

    now: Callable[[], float] = time.monotonic
    wait_until: Callable[[float], None] = field(default=_wait_until)
    calibrate: Callable[[], tuple[float, ...]] = field(default=_calibrate)
    joules: Callable[[], float | None] = field(default=_joules)
    apart: Callable[[int], Processors | None] = field(default=_apart)


HERE = Bench()


@dataclass
class Driven:
    """The result of a schedule: seconds of each request (None: no answer), and our own lateness while idle."""

    latencies: list[float | None] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)
    gone: bool = False
    """The application no longer answers."""


def arrivals(rate: float, seconds: float, seed: bytes) -> Floats:
    """Return when requests are due, seconds from the beginning: a Poisson process, at least one."""
    draw = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))
    gaps = draw.exponential(1 / rate, max(1, int(np.ceil(rate * seconds * 1.5)) + 50))
    due = np.cumsum(gaps)
    found: Floats = due[due < seconds]
    return found if len(found) else np.zeros(1)


def drive(due: Floats, ask: Callable[[int], bool], bench: Bench, patience: float) -> Driven:
    """Send each request when it is due; those not sent ``patience`` seconds after the last are never sent.

    ``ask(number)`` returns False if the application no longer answers.
    """
    driven, began = Driven(), bench.now()
    end = began + float(due[-1]) + patience
    for number, offset in enumerate(due.tolist()):
        moment, before = began + offset, bench.now()
        if before >= end:
            break
        if before < moment:
            bench.wait_until(moment)
            driven.lateness.append(bench.now() - moment)
        if not ask(number):
            driven.gone = True
            break
        driven.latencies.append(bench.now() - moment)
    driven.latencies += [None] * (len(due) - len(driven.latencies))
    return driven


_DIGITS = 7
"""Of a latency in seconds."""
Starting = Callable[[], Worker]


def load_candidate(
    candidate: PreparedApplication,
    terms: BoxTerms,
    test: LoadTest,
    features: Features,
    seed: bytes,
    bench: Bench = HERE,
) -> LoadTested:
    """Return the measurements of a load test of ``candidate``; raises `BoxStartError` if this host can't provide a box.

    ``features``: columns of cases that may be sent any number of times.
    """
    threads = candidate.submission.application.resources.threads
    terms = lasting(terms, test, threads)
    places = bench.apart(threads) if candidate.engine is LOCAL else None

    def start() -> Worker:
        with running_on(None if places is None else places.box):
            return start_candidate(candidate, terms)

    with running_on(None if places is None else places.asking):
        tested = run_load_test(start, test, features, seed, bench)
    return tested.model_copy(update={"pinned": places is not None})


def lasting(terms: BoxTerms, test: LoadTest, threads: int) -> BoxTerms:
    """Return terms under which a box lives as long as the test does, which may be longer than a run may last.

    Twice the planned time, because requests wait and are waited for.
    """
    seconds = 2 * (test.warm_up + test.seconds + (most_steps(test.rate) * test.step_seconds if test.target else 0))
    limits = terms.limits
    lengthened = {
        "wall_seconds": min(limits.wall_seconds + seconds, MOST_SECONDS),
        "cpu_seconds": min(limits.cpu_seconds + math.ceil(seconds * threads), 100 * MOST_SECONDS),
    }
    return replace(terms, limits=limits.model_copy(update=lengthened))


def run_load_test(start: Starting, test: LoadTest, features: Features, seed: bytes, bench: Bench) -> LoadTested:
    """Return the measurements of a load test of the application that ``start`` starts."""
    request = _requests(features, test.rows)
    before = bench.calibrate()
    starts = [_timed_start(start, request, bench, keep=False)[0] for _ in range(test.starts - 1)]
    seconds, worker = _timed_start(start, request, bench, keep=True)
    starts.append(seconds)
    if worker is None:
        due = arrivals(test.rate, test.seconds, _seed(seed, "load"))
        return LoadTested(test=test, latencies=(None,) * len(due), due=tuple(due.tolist()), calibration=(before, ()))
    with worker:
        _drive(worker, test, test.warm_up, request, _seed(seed, "warm-up"), bench)
        used, joules = worker.usage(), bench.joules()
        due, driven = _drive(worker, test, test.seconds, request, _seed(seed, "load"), bench)
        spent, after = worker.usage(), bench.joules()
        steps = _climbed(worker, test, request, seed, bench)
        crashed = bench.now()
        worker.cancel()
    recovery = None if _timed_start(start, request, bench, keep=False)[0] is None else bench.now() - crashed
    return LoadTested(
        test=test,
        latencies=tuple(None if one is None else round(one, _DIGITS) for one in driven.latencies),
        due=tuple(round(one, _DIGITS) for one in due.tolist()),
        lateness=tuple(round(one, _DIGITS) for one in driven.lateness),
        calibration=(before, bench.calibrate()),
        starts=tuple(one for one in starts if one is not None),
        recovery=recovery,
        memory=(used.memory_peak_bytes, spent.memory_peak_bytes),
        cpu_seconds=spent.cpu_seconds - used.cpu_seconds,
        joules=None if joules is None or after is None or after < joules else after - joules,
        steps=steps,
    )


def _climbed(
    worker: Worker, test: LoadTest, request: Callable[[int], FeatureBatch], seed: bytes, bench: Bench
) -> tuple[LoadStep, ...] | None:
    """Return the rates tried beyond the test's own; None if it has no target."""
    target = test.target
    if target is None:
        return None

    def step(rate: float) -> LoadStep | None:
        at = test.model_copy(update={"rate": rate})
        _, driven = _drive(worker, at, test.step_seconds, request, _seed(seed, f"rate {rate:.6g}"), bench)
        if driven.gone:
            return None
        p99 = order_statistic(driven.latencies, 0.99)
        held = p99 is not None and p99 <= target and None not in driven.latencies
        return LoadStep(
            rate=rate, requests=len(driven.latencies), p99=None if p99 is None else round(p99, _DIGITS), held=held
        )

    return climb(test.rate, step)


def _requests(features: Features, rows: int) -> Callable[[int], FeatureBatch]:
    """Return what makes request number so and so: the cases in turn, over and over."""
    cases = len(next(iter(features.values())))

    def request(number: int) -> FeatureBatch:
        places = (np.arange(rows) + number * rows) % cases
        return FeatureBatch({name: column[places] for name, column in features.items()}, rows)

    return request


def _timed_start(
    start: Starting, request: Callable[[int], FeatureBatch], bench: Bench, keep: bool
) -> tuple[float | None, Worker | None]:
    """Return seconds from nothing to the first answer, and the worker if it is kept; None if there is no answer."""
    began = bench.now()
    try:
        worker = start()
    except BoxEnded:
        return None, None
    try:
        worker.predict(request(0))
    except BoxEnded:
        worker.close()
        return None, None
    seconds = bench.now() - began
    if keep:
        return seconds, worker
    worker.close()
    return seconds, None


def _drive(
    worker: Worker, test: LoadTest, seconds: float, request: Callable[[int], FeatureBatch], seed: bytes, bench: Bench
) -> tuple[NDArray[np.float64], Driven]:
    due = arrivals(test.rate, seconds, seed)
    batches = [request(number) for number in range(len(due))]

    def ask(number: int) -> bool:
        try:
            worker.predict(batches[number])
        except BoxEnded:
            return False
        return True

    return due, drive(due, ask, bench, patience=max(seconds, 1.0))


def _seed(seed: bytes, name: str) -> bytes:
    return hashlib.sha256(seed + name.encode()).digest()


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
