"""``make measured``: measure what is quick, take the results of the long runs, write the results and the page.

python -m benchmarks.house                 seconds
python -m benchmarks.house --coverage      runs every quick test under coverage before
python -m benchmarks.house --demo          times `pilotbase demo` on a base of its own before
python -m benchmarks.house --redraw        the page alone, from the results that are there

``make test`` leaves its own time, and ``make prove`` the fates of the mutants.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.house import covered
from benchmarks.house.figures import figures, unmeasured
from benchmarks.house.page import page
from benchmarks.house.runs import keep
from benchmarks.publishing import RESULTS, ROOT, publish, published

PAGE = ROOT / "docs" / "measured.md"


def main() -> None:
    """Measure, print, write; exit 1 if a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("coverage", "demo", "redraw"):
        parser.add_argument(f"--{option}", action="store_true")
    options = parser.parse_args()
    if options.coverage:
        covered.measure()
    if options.demo:
        time_demo()
    try:
        if not options.redraw:
            earlier = published("house") if (RESULTS / "house.json").is_file() else []
            publish("house", figures(earlier), 1, ("pilotbase",), {})
    finally:
        rows = published("house")
        PAGE.write_text(page(rows, unmeasured(rows)), "utf-8")


def time_demo() -> None:
    """Keep how long the demo takes on a base that it makes."""
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        environment = {**os.environ, "PILOTBASE_HOME": str(Path(folder) / "base")}
        start = time.monotonic()
        command = [str(Path(sys.executable).with_name("pilotbase")), "demo"]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        keep("demo", seconds=round(time.monotonic() - start, 1))


if __name__ == "__main__":
    main()
