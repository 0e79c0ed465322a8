"""The test command: style, types, import contracts, then every test in parallel; sums up at the end."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LINTS: dict[str, list[str | Path]] = {
    "format": [BIN / "ruff", "format", "--check", "--quiet", "."],
    "lint": [BIN / "ruff", "check", "--quiet", "."],
    "imports": [BIN / "lint-imports", "--no-cache"],
}
TYPES: list[str | Path] = [BIN / "mypy", "--no-error-summary", "src", "estate", "tests/run_all.py"]
COMPILING: list[str] = [sys.executable, "-m", "compileall", "-q", "src", "estate"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lint-only", action="store_true")
    parser.add_argument("--prove", action="store_true", help="the long proofs instead of the quick tests")
    parser.add_argument("--shard", default="1/1", help="2/4: the second of four parts of the tests")
    options = parser.parse_args()
    kind = "prove" if options.prove else "test"
    start = time.monotonic()
    with ThreadPoolExecutor(1) as beside:  # types take longest of all checks, on one core
        types = None if options.prove else beside.submit(run, "types", TYPES, aloud=False)
        compiling = None if options.lint_only or options.prove else start_compiling()
        results = {} if options.prove else {name: run(name, command) for name, command in LINTS.items()}
        if not options.lint_only:
            if compiling is not None:
                compiling.wait()  # what cannot be compiled fails among the tests, which say why
            results["tests"] = run("tests", tests(kind, options.shard))
        if types is not None:
            results["types"] = types.result()
    whole = not options.lint_only and options.shard == "1/1"
    if whole and not any(code for code, _ in results.values()):
        keep(kind, time.monotonic() - start)
    return report(results)


def tests(kind: str, shard: str) -> list[str | Path]:
    workers = (os.cpu_count() or 2) + 2  # a quarter of the time is spent waiting: for boxes, disks, browsers
    marker = "prove or hypothesis" if kind == "prove" else "not prove"  # of which the quick tests draw few examples
    spread = ["--forks", str(workers), "--shard", shard]
    return [sys.executable, "-m", "pytest", "-q", *spread, "-m", marker, "--durations", "20"]


def start_compiling() -> subprocess.Popen[bytes]:
    """Compile ours beside the lints, which use one core; else many a program that tests start would.

    Where the environment forbids to write what is compiled, as images of containers do, the tests still inherit that.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    silent = subprocess.DEVNULL
    return subprocess.Popen(COMPILING, cwd=ROOT, env=environment, stdout=silent, stderr=silent)


def run(name: str, command: list[str | Path], aloud: bool = True) -> tuple[int, float]:
    """Run it; what it says is printed at once, or at its end where another speaks meanwhile."""
    if aloud:
        print(f"== {name}", flush=True)
    start, words = time.monotonic(), [str(part) for part in command]
    done = subprocess.run(words, cwd=ROOT, check=False, capture_output=not aloud, text=True)
    if not aloud:
        print(f"== {name}\n{done.stdout}{done.stderr}", end="", flush=True)
    return done.returncode, time.monotonic() - start


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
