"""Requests that leave when they are due, whatever became of those before.

Latency counts from the moment at which a request was due, so that one that waits behind a slow one counts its waiting
(Tene, "How NOT to measure latency", 2013: coordinated omission). There is one server and one queue, as in service.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pilotbase.trial.under_load.bench import Bench

Floats = NDArray[np.float64]


@dataclass
class Driven:
    """What came of a schedule: seconds of each request (None: no answer), and of our own lateness while idle."""

    latencies: list[float | None] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)
    gone: bool = False
    """Nobody answers any more."""


def arrivals(rate: float, seconds: float, seed: bytes) -> Floats:
    """Return when requests are due, seconds from the beginning: a Poisson process, at least one."""
    draw = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))
    gaps = draw.exponential(1 / rate, max(1, int(np.ceil(rate * seconds * 1.5)) + 50))
    due = np.cumsum(gaps)
    found: Floats = due[due < seconds]
    return found if len(found) else np.zeros(1)


def drive(due: Floats, ask: Callable[[int], bool], bench: Bench, patience: float) -> Driven:
    """Ask request after request when it is due; what has not left ``patience`` seconds after the last never leaves.

    ``ask(number)`` returns False where nobody answers any more.
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
