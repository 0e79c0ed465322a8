"""Each `make bench-NAME` runs from a fresh clone: in small sizes, beside its peers; nothing is published by that."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NAMES = sorted(path.stem.removeprefix("bench_") for path in (ROOT / "benchmarks").glob("bench_*.py"))


def test_each_benchmark_has_a_target_and_each_target_a_benchmark():
    targets = re.findall(r"^bench-(\w+): .*\n\t\$\(BIN\)/python -m benchmarks\.bench_(\w+)", makefile(), re.MULTILINE)
    assert sorted(targets) == [(name, name) for name in NAMES]


@pytest.mark.prove
@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_runs_in_a_small_size(name):
    before = published(name)
    command = [sys.executable, "-m", f"benchmarks.bench_{name}", "--quick"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-4000:]
    told = [line for line in ran.stdout.splitlines() if line.startswith("  quick: ")]
    assert len(told) >= 3 and any(", peer " in line for line in told)
    assert published(name) == before


def makefile():
    return (ROOT / "Makefile").read_text()


def published(name):
    return (ROOT / "benchmarks" / "results" / f"{name}.json").read_bytes()
