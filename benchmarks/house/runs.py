"""Results of long runs, kept in ``build/measured`` until ``make measured`` reads them: never typed by hand.

``python -m benchmarks.house.runs test seconds=412.5`` keeps one; ``tests/run_all.py`` does so at its end.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from typing import Any

from benchmarks.publishing import ROOT

FOLDER = ROOT / "build" / "measured"


def keep(name: str, **found: object) -> None:
    """Keep the result of the run ``name``, with its time and commit."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps({**stamp(), **found}, indent=1, ensure_ascii=False) + "\n", "utf-8")


def kept(name: str) -> dict[str, Any] | None:
    """Return the result of the last run ``name`` on this machine, if there was one."""
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


@cache
def stamp() -> dict[str, str]:
    """Return the date and the commit; ``-dirty``: with uncommitted changes."""
    described = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    commit = subprocess.run(described, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    return {"date": datetime.now(UTC).date().isoformat(), "commit": commit}


if __name__ == "__main__":
    _, name, *figures = sys.argv
    keep(name, **{key: float(value) for key, _, value in (each.partition("=") for each in figures)})
