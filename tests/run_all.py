"""The test command: style, types, import contracts, then every test in parallel; sums up at the end."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LINTS: dict[str, list[str | Path]] = {
    "format": [BIN / "ruff", "format", "--check", "--quiet", "."],
    "lint": [BIN / "ruff", "check", "--quiet", "."],
    "types": [BIN / "mypy", "--no-error-summary", "src", "tests/run_all.py"],
    "imports": [BIN / "lint-imports", "--no-cache"],
}
COMPILING: list[list[str]] = [
    [sys.executable, "-m", "compileall", "-q", "src"],
    [sys.executable, "-m", "pytest", "--collect-only", "-qq"],  # its assertions are rewritten, which takes longest
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lint-only", action="store_true")
    parser.add_argument("--prove", action="store_true", help="the long proofs instead of the quick tests")
    options = parser.parse_args()
    marker = "prove" if options.prove else "not prove"
    workers = (os.cpu_count() or 2) + 1  # a quarter of the time is spent waiting: for boxes, disks, browsers
    tests = [sys.executable, "-m", "pytest", "-q", "-n", str(workers), "--dist", "worksteal", "-m", marker]
    checks = {} if options.prove else dict(LINTS)
    compiling = [] if options.lint_only or options.prove else start_compiling()
    results = {name: run(name, command) for name, command in checks.items()}
    if not options.lint_only:
        results["compiled"] = wait_for(compiling)
        results["tests"] = run("tests", [*tests, "--durations", "20"])
    if not options.lint_only and not any(code for code, _ in results.values()):
        keep("prove" if options.prove else "test", sum(seconds for _, seconds in results.values()))
    return report(results)


def start_compiling() -> list[subprocess.Popen[bytes]]:
    """Compile ours and the tests beside the lints, which use one core; else each worker would, and many a program.

    Where the environment forbids to write what is compiled, as images of containers do, the tests still inherit that.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    silent = subprocess.DEVNULL
    return [subprocess.Popen(command, cwd=ROOT, env=environment, stdout=silent, stderr=silent) for command in COMPILING]


def wait_for(compiling: list[subprocess.Popen[bytes]]) -> tuple[int, float]:
    """Wait for what only saves time: what cannot be loaded fails among the tests, which say why."""
    start = time.monotonic()
    for process in compiling:
        process.wait()
    return 0, time.monotonic() - start


def run(name: str, command: list[str | Path]) -> tuple[int, float]:
    print(f"== {name}", flush=True)
    start = time.monotonic()
    code = subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode
    return code, time.monotonic() - start


def keep(name: str, seconds: float) -> None:
    """Leave the time of a run that passed for `make measured`."""
    command = [sys.executable, "-m", "benchmarks.house.runs", name, f"seconds={seconds:.1f}"]
    subprocess.run(command, cwd=ROOT, check=True)


def report(results: dict[str, tuple[int, float]]) -> int:
    print()
    for name, (code, seconds) in results.items():
        print(f"{'ok    ' if code == 0 else 'FAILED'} {name:<8} {seconds:6.1f} s")
    return 1 if any(code for code, _ in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
