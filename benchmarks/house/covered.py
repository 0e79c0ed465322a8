"""Which lines of the package the quick tests run. Takes half as long again as ``make test``.

Programs inside a box are not followed: the box is sealed, so the lines that they run show as not run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

from benchmarks.house.runs import keep
from benchmarks.publishing import ROOT

FOLDER = ROOT / "build" / "coverage"
TESTS = ("-m", "pytest", "-q", "-n", str(os.cpu_count() or 2), "--dist", "worksteal", "-m", "not prove")


def measure() -> None:
    """Run the tests under coverage and keep what they run, room by room; exit 1 if a test fails."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    coverage = [sys.executable, "-m", "coverage"]
    if subprocess.run([*coverage, "run", *TESTS], cwd=ROOT, check=False).returncode:
        sys.exit("a test failed: no coverage is kept")
    subprocess.run([*coverage, "combine", "--quiet"], cwd=ROOT, check=True)
    report = FOLDER / "report.json"
    subprocess.run([*coverage, "json", "--quiet", "-o", str(report)], cwd=ROOT, check=True)
    files = json.loads(report.read_text("utf-8"))["files"]
    keep("coverage", rooms=_rooms(files))


def _rooms(files: dict[str, dict[str, dict[str, int]]]) -> dict[str, list[int]]:
    """Return room → lines that run, lines there are."""
    rooms: dict[str, list[int]] = {}
    for path, told in files.items():
        inside = path.partition("src/pilotbase/")[2].split("/")
        found = rooms.setdefault(inside[0] if len(inside) > 1 else "pilotbase", [0, 0])
        found[0] += told["summary"]["covered_lines"]
        found[1] += told["summary"]["num_statements"]
    return dict(sorted(rooms.items()))
