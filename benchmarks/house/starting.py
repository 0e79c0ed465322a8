"""How long ``pilotbase --help`` takes, and what it loads: everyone who types a command waits for this first."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

SECONDS = 0.15
LIGHT = frozenset({"rich", "typer", "markdown-it-py"})
"""Of our requirements, those that ``--help`` may load: commands and the terminal, and what these load themselves."""
PROGRAM = """
import json, sys
from pilotbase.cli import main
sys.argv = ["pilotbase", "--help"]
try:
    main()
except SystemExit:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def is_quiet() -> bool:
    """Return whether fewer processes wait for this machine than it has cores; otherwise a time is not reliable."""
    return os.getloadavg()[0] < (os.cpu_count() or 1)


def seconds(runs: int = 9) -> list[float]:
    """Return the wall time of each of ``runs`` runs, after one that warms the disk."""
    command = [str(Path(sys.executable).with_name("pilotbase")), "--help"]
    taken = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return taken[1:]


def median(taken: list[float]) -> float:
    """Return the median of ``taken``."""
    return statistics.median(taken)


def loaded() -> list[str]:
    """Return the modules that are loaded once ``--help`` is shown."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    modules: list[str] = json.loads(done.stderr.splitlines()[-1])
    return modules


def packages_of(modules: list[str]) -> set[str]:
    """Return the installed packages that ``modules`` belong to."""
    providers = metadata.packages_distributions()
    return {name.lower() for module in modules for name in providers.get(module.partition(".")[0], [])}
