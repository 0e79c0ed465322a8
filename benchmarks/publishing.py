"""What every benchmark does with its figures: rows with targets, a table, a results file, the exit code."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"

Row = dict[str, object]


def row(  # noqa: PLR0913
    name: str, value: float, unit: str, target: str | None, holds: bool,
    peer: str | None = None, peer_value: float | None = None, ratio: float | None = None,
) -> Row:  # fmt: skip
    """Return one figure; ``holds`` is true if there is no ``target``."""
    return {
        "name": name, "value": round(value, 4), "unit": unit, "target": target, "holds": holds, "peer": peer,
        "peer_value": peer_value and round(peer_value, 4), "ratio": ratio and round(ratio, 4),
    }  # fmt: skip


def published(name: str) -> list[Row]:
    """Return the rows that were written last."""
    found: list[Row] = json.loads((RESULTS / f"{name}.json").read_text())
    return found


def options_of(doc: str | None) -> argparse.ArgumentParser:
    """Return the parser of a benchmark's options: ``--quick`` checks with small sizes that everything runs."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes; nothing is written, no target is held")
    return parser


def show(rows: list[Row]) -> None:
    """Print the rows of a quick run: small sizes prove nothing, so they have no target and are not written."""
    for entry in rows:
        peer = f", peer {entry['peer']}: {entry['peer_value']}" if entry["peer"] else ""
        print(f"  quick: {entry['name']}: {entry['value']} {entry['unit']}{peer}")


def publish(name: str, rows: list[Row], runs: int, packages: tuple[str, ...], peers: dict[str, str]) -> None:
    """Print ``rows`` and write ``results/NAME.json``; exit 1 if a target is missed.

    ``packages``: our packages, whose versions are read here; ``peers``: versions of what ran elsewhere.
    """
    load = os.getloadavg()[1]  # five-minute load: the bench itself adds about one
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}, load average {load:.1f}"
    versions = {package: metadata.version(package) for package in packages} | peers
    versions["python"] = platform.python_version()
    for entry in rows:
        if "machine" not in entry:  # otherwise an earlier run measured it
            entry.update(machine=machine, versions=versions, runs=runs)
        peer = f"   peer {entry['peer_value']} {entry['unit']}, ratio {entry['ratio']}" if entry["peer"] else ""
        mark = "ok    " if entry["holds"] else "MISSED"
        print(f"{mark} {entry['name']}: {entry['value']} {entry['unit']} (target {entry['target'] or '-'}){peer}")
    (RESULTS / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n")
    if not all(entry["holds"] for entry in rows):
        sys.exit(1)
