"""`make bench-data`: a table of 20 columns held against 20 rules and profiled, beside four peers, in turn in one run.

Every side is a process of its own with one thread, in an environment of its own, and reads the same file within the
time; imports are left out. Ours hashes the file too, holds types besides the rules, computes every measure that one
pass gives, and the figures of a profile (missing, distinct, smallest, largest, mean, deviation). Beside it:

* Great Expectations: the twenty rules, with and without a profile by its own metrics;
* pandera: the twenty rules on a Polars table;
* frictionless: the twenty rules on the CSV of a tenth of the rows (it goes row by row);
* ydata-profiling: a minimal profile with distributions, beside ours with distributions, keys, duplicates, near copies.

Whoever counts faults must count those that were planted. Then many rows are streamed, and the memory of that process,
without the pages of the file that it maps, is watched from outside.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.data.memory import Watched, watched
from benchmarks.data.picture import draw
from benchmarks.data.table import faults, write, write_many
from benchmarks.peers.environments import peer_environment, peer_python
from benchmarks.publishing import ROOT, Row, publish, published, row

PROGRAMS = ROOT / "benchmarks" / "peers" / "programs"
ROWS, FASTER, RATIO = 1_000_000, 1.5e6, 10
Said = dict[str, Any]
LIMIT, FLAT = 2048, 1.1
"""MiB of memory; how much more the last third may take than the middle one."""


@dataclass(frozen=True)
class Peer:
    """A peer: its program and what it is asked for, beside what of ours, on which file."""

    name: str
    program: str
    ours: str
    asked: tuple[str, ...] = ()
    kind: str = "parquet"
    tenth: bool = False
    ratio: float | None = None
    """How many times as fast ours has to be."""


PEERS = (
    Peer("Great Expectations, rules alone", "great_expectations", "rules", ("rules",), ratio=RATIO),
    Peer("Great Expectations, rules and profile", "great_expectations", "quick", ("profile",), ratio=RATIO),
    Peer("pandera, rules alone", "pandera", "rules"),
    Peer("frictionless, rules alone", "frictionless", "quick", kind="csv", tenth=True),
    Peer("ydata-profiling, profile alone", "ydata", "whole"),
)
EXTENTS = {
    "rules": "types and twenty rules alone",
    "quick": "types, rules, measures of one pass, profile",
    "whole": "all measures, keys, duplicates, near copies, distributions",
}


def main() -> None:
    """Measure, print, write; exit 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--many", type=int, default=100, help="millions of rows that are streamed; 0: as last measured")
    options = parser.parse_args()
    versions: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="pb-bench-") as scratch:
        rows = speed(Path(scratch), options.runs, versions)
        rows += streamed(Path(scratch), options.many) if options.many else streamed_last()
    publish("data", rows, options.runs, ("pilotbase", "polars", "numpy"), versions)


def speed(folder: Path, runs: int, versions: dict[str, str]) -> list[Row]:
    """Return rows a processor second, ours and every peer's in turn."""
    (folder / "tenth").mkdir()
    whole, tenth = write(ROWS, folder), write(ROWS // 10, folder / "tenth")
    ours: dict[tuple[str, str], list[Said]] = defaultdict(list)
    theirs: dict[Peer, list[Said]] = defaultdict(list)
    for _ in range(runs):
        for extent in EXTENTS:
            ours[extent, "parquet"].append(asked("ours", [whole[0], extent], ROWS))
        ours["quick", "csv"].append(asked("ours", [whole[1], "quick"], ROWS))
        for peer in PEERS:
            files, rows = (tenth, ROWS // 10) if peer.tenth else (whole, ROWS)
            file = files[0 if peer.kind == "parquet" else 1]
            theirs[peer].append(asked(peer.program, [file, *peer.asked], rows, versions))
    faced = [_facing(peer, ours[peer.ours, peer.kind], theirs[peer]) for peer in PEERS]
    return [*faced, *_own(ours)]


def asked(side: str, arguments: list[object], rows: int, versions: dict[str, str] | None = None) -> Said:
    """Return what a program says of itself; exits where it does not find what was planted."""
    python = sys.executable if side == "ours" else str(peer_python(side))
    command = [python, str(PROGRAMS / f"quality_{side}.py"), *map(str, arguments)]
    environment = {**peer_environment(), "POLARS_MAX_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=1800)
    if done.returncode:
        sys.exit(f"{side} failed:\n{done.stderr[-2000:]}")
    said: Said = json.loads(done.stdout.splitlines()[-1])
    if said.get("found", faults(rows)) != faults(rows):
        sys.exit(f"{side} found {said['found']} values out of range, {faults(rows)} were planted")
    if versions is not None:
        versions.update(said["versions"])
    print(f"  {side} {' '.join(map(str, arguments[1:]))}: {said['cpu']:.2f} CPU s", flush=True)
    return said | {"speed": rows / said["cpu"]}


def _facing(peer: Peer, ours: list[Said], theirs: list[Said]) -> Row:
    mine, other = _median(ours, "speed"), _median(theirs, "speed")
    name = f"{EXTENTS[peer.ours]}, {ROWS:,} rows × 20 columns ({peer.kind}), beside {peer.name}"
    target = None if peer.ratio is None else f">= {peer.ratio:g} times the peer's"
    return row(name, mine, "rows/CPU s", target, mine >= (peer.ratio or 0) * other, peer.name, other, mine / other)


def _own(ours: dict[tuple[str, str], list[Said]]) -> list[Row]:
    found = []
    for (extent, kind), answers in ours.items():
        value = _median(answers, "speed")
        target = FASTER if (extent, kind) == ("quick", "parquet") else None
        spelled = None if target is None else f">= {target:,.0f}"
        found.append(row(f"{EXTENTS[extent]}, {kind}", value, "rows/CPU s", spelled, value >= (target or 0)))
    memory = _median(ours["quick", "parquet"], "peak") / 2**20
    return [*found, row(f"peak memory of the process, mapped file included, {ROWS:,} rows", memory, "MiB", None, True)]


def _median(answers: list[Said], figure: str) -> float:
    return statistics.median(each[figure] for each in answers)


def streamed(folder: Path, millions: int) -> list[Row]:
    """Return speed and memory over many rows, and leave the picture of the memory for the page."""
    many = write_many(folder / "bench.parquet", millions, folder)
    size = many.stat().st_size / 2**30
    print(f"  streaming {millions:,} million rows, {size:.1f} GiB of Parquet", flush=True)
    command = [sys.executable, str(PROGRAMS / "quality_ours.py"), str(many), "quick"]
    found = watched(command, {**peer_environment(), "POLARS_MAX_THREADS": "1"})
    if found.said["found"] != millions * faults(ROWS):
        sys.exit(f"found {found.said['found']} faults of {millions * faults(ROWS)}")
    draw(found.mebibytes, found.seconds, f"{millions:,}")
    rows = millions * ROWS
    name = f"{rows:,} rows × 20 columns streamed from {size:.1f} GiB of Parquet"
    most, growth = max(found.mebibytes), _growth(found)
    return [
        row(f"{name}, speed", rows / found.said["cpu"], "rows/CPU s", None, True),
        row(f"{name}, most memory", most, "MiB", f"<= {LIMIT}", most <= LIMIT),
        row(f"{name}, memory of the last third of the run over its middle third", growth, "times", f"<= {FLAT}",
            growth <= FLAT),
    ]  # fmt: skip


def streamed_last() -> list[Row]:
    """Return what was published of the last long run, with the machine it was measured on."""
    return [entry for entry in published("data") if "streamed from" in str(entry["name"])]


def _growth(found: Watched) -> float:
    """Return how much more the last third took than the middle one, at most at any time in each."""
    third = len(found.mebibytes) // 3
    return max(found.mebibytes[2 * third :]) / max(found.mebibytes[third : 2 * third])


if __name__ == "__main__":
    main()
