"""The instruments of a load test: a clock, a workload that never changes, an energy meter, timed requests.

Requests leave when they are due, whatever the state of earlier ones. Latency counts from the moment a request was due,
so a request that waits behind a slow one includes its waiting time (Tene, "How NOT to measure latency", 2013:
coordinated omission). There is one server and one queue, as in service.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_POWER = Path("/sys/class/powercap")
_WORK = bytes(1 << 16)
_TIMES = 60
_NEAR_SECONDS = 0.001
"""So long before a moment sleeping ends and looking at the clock begins: a sleep ends late."""
Floats = NDArray[np.float64]


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
