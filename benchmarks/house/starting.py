"""How long ``pilotbase --help`` takes, and what it loads: everyone who types a command waits for this first.

And what a command costs that asks the base. Both run from bytecode, as they do once installed.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

SECONDS, CPU_SECONDS = 0.15, 0.5
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
    taken = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        _run("--help")
        taken.append(time.perf_counter() - start)
    return taken[1:]


def cpu_seconds(runs: int = 9) -> list[float]:
    """Return the CPU time of each of ``runs`` runs of ``pilotbase work`` on a new base, after one that warms up."""
    with tempfile.TemporaryDirectory(prefix="asked-") as folder:
        _run("init", home=folder)
        taken = []
        for _ in range(runs + 1):
            before = _cpu_of_children()
            _run("work", home=folder)
            taken.append(_cpu_of_children() - before)
    return taken[1:]


def _run(command: str, home: str = "") -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    program = [str(Path(sys.executable).with_name("pilotbase")), command]
    subprocess.run(program, check=True, capture_output=True, env={**environment, "PILOTBASE_HOME": home})


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


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
