"""What a load test is measured with: a clock, a piece of work that never changes, and a meter of energy."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_POWER = Path("/sys/class/powercap")
_WORK = bytes(1 << 16)
_TIMES = 60
_NEAR_SECONDS = 0.001
"""So long before a moment sleeping ends and looking at the clock begins: a sleep ends late."""


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
    """Return what RAPL has counted for all packages; None where this machine does not tell it.

    Source: Linux, Documentation/power/powercap/powercap.rst, ``energy_uj``.
    """
    counters = sorted(_POWER.glob("intel-rapl:[0-9]*/energy_uj"))
    try:
        return sum(int(counter.read_text()) for counter in counters) / 1e6 if counters else None
    except (OSError, ValueError):
        return None


@dataclass(frozen=True)
class Bench:
    """Where a load test is measured."""

    now: Callable[[], float] = time.monotonic
    wait_until: Callable[[float], None] = field(default=_wait_until)
    calibrate: Callable[[], tuple[float, ...]] = field(default=_calibrate)
    joules: Callable[[], float | None] = field(default=_joules)


HERE = Bench()
