"""What every program of the benchmark reports, on its last line."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path


def say(work: Callable[[], object], packages: tuple[str, ...] = ()) -> None:
    """Run ``work`` and print its seconds, its result, the process's peak memory and the versions of ``packages``."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    versions = {name: metadata.version(name) for name in packages}
    answer = {"wall": wall, "cpu": cpu, "peak": _peak(), "versions": versions}
    print(json.dumps(answer | ({} if found is None else {"found": found})))


def _peak() -> int:
    """Return the most bytes that were resident; the maximum of `resource` includes the parent's memory at the fork."""
    status = Path("/proc/self/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
