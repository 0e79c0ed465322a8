"""One load test of one application: started from nothing, warmed up, loaded, killed, and started again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.compute.box.ends import BoxEnded
from pilotbase.compute.engines import Worker
from pilotbase.documents.load_test import LoadTest, LoadTested
from pilotbase.protocols.frames import Batch
from pilotbase.trial.running import Candidate, Terms, start_candidate
from pilotbase.trial.under_load.bench import HERE, Bench
from pilotbase.trial.under_load.open_loop import Driven, arrivals, drive

_DIGITS = 7
"""Of a latency in seconds."""
Features = Mapping[str, NDArray[Any]]
Starting = Callable[[], Worker]


def load_candidate(
    candidate: Candidate, terms: Terms, test: LoadTest, features: Features, seed: bytes, bench: Bench = HERE
) -> LoadTested:
    """Return what a load test of ``candidate`` measures; raises `BoxStartError` where this host gives no box.

    ``features``: columns of cases that may be asked any number of times.
    """
    return run_load_test(lambda: start_candidate(candidate, terms), test, features, seed, bench)


def run_load_test(start: Starting, test: LoadTest, features: Features, seed: bytes, bench: Bench = HERE) -> LoadTested:
    """Return what a load test measures of whatever ``start`` starts."""
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
    )


def _requests(features: Features, rows: int) -> Callable[[int], Batch]:
    """Return what makes request number so and so: the cases in turn, over and over."""
    cases = len(next(iter(features.values())))

    def request(number: int) -> Batch:
        places = (np.arange(rows) + number * rows) % cases
        return Batch({name: column[places] for name, column in features.items()}, rows)

    return request


def _timed_start(
    start: Starting, request: Callable[[int], Batch], bench: Bench, keep: bool
) -> tuple[float | None, Worker | None]:
    """Return seconds from nothing to the first answer, and the worker if it is kept; None where there is no answer."""
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
    worker: Worker, test: LoadTest, seconds: float, request: Callable[[int], Batch], seed: bytes, bench: Bench
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
