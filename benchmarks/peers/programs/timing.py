"""What every program of the benchmark says of itself, on its last line."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from importlib import metadata


def say(work: Callable[[], object], packages: tuple[str, ...] = ()) -> None:
    """Run ``work`` and print its seconds, what it found, the process's peak memory and the versions of ``packages``."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    versions = {name: metadata.version(name) for name in packages}
    answer = {"wall": wall, "cpu": cpu, "peak": peak, "versions": versions}
    print(json.dumps(answer | ({} if found is None else {"found": found})))
