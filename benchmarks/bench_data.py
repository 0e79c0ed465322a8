"""`make bench-data`: a table of 20 columns checked against 20 rules and profiled, in turn with four peers, in one run.

Each side is a process with one thread in its own environment, and reads the same file within the measured time; imports
are left out. Ours also checks types; its profile is missing, distinct, smallest, largest, mean, deviation. As ``data
quality --quick``, it also hashes the file and computes every measure of a single pass, including personal patterns. The
peers:

* Great Expectations: the twenty rules, with and without a profile by its own metrics (missing, distinct, statistics);
  and, with that profile, beside all that ours does in one pass;
* pandera: the twenty rules on a Polars table;
* frictionless: the twenty rules on the CSV of a tenth of the rows (it goes row by row);
* ydata-profiling: a minimal profile with distributions, beside ours with distributions, keys, duplicates, near copies.

The work is not identical, which favours either side in places: ours checks types, which Great Expectations does not;
its counts of distinct values are exact and its statistics include quartiles, ours are estimates without quartiles. Both
read the file within the measured time; neither imports within it.

Every side that counts faults must count the planted ones. Then many rows are streamed with every measure (keys,
duplicates and references spill to disk), from Parquet and from a CSV; the memory of that process, without the pages of
the file that it maps, is watched from outside, and so is what it writes. The disk space needed is printed beforehand,
and the run is refused if there is less.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from benchmarks.data.memory import Watched, watched
from benchmarks.data.picture import draw
from benchmarks.data.table import faults, long_faults, long_table, write, write_numbers
from benchmarks.peers.environments import peer_environment, peer_python
from benchmarks.publishing import ROOT, Row, options_of, publish, published, row, show

PROGRAMS = ROOT / "benchmarks" / "peers" / "programs"
ROWS, FASTER, RATIO = 1_000_000, 1.5e6, 10
Said = dict[str, Any]
PARTS = ("speed", "one-pass", "parquet", "csv")
LIMIT, FLAT = 2048, 1.1
"""MiB of memory; how much more the last third may take than the middle one."""


@dataclass(frozen=True)
class Peer:
    """A peer: its program and its task, which of ours it is compared with, and on which file."""

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
    Peer("Great Expectations, rules and profile", "great_expectations", "profile", ("profile",), ratio=RATIO),
    Peer("Great Expectations, rules and profile alone", "great_expectations", "quick", ("profile",)),
    Peer("pandera, rules alone", "pandera", "rules"),
    Peer("frictionless, rules alone", "frictionless", "quick", kind="csv", tenth=True),
    Peer("ydata-profiling, profile alone", "ydata", "whole"),
)
EXTENTS = {
    "rules": "types and twenty rules alone",
    "profile": "types, twenty rules, profile",
    "quick": "types, rules, measures of one pass, profile",
    "whole": "all measures, keys, duplicates, near copies, distributions",
}


def main() -> None:
    """Measure, print, write; exit 1 if a target is missed."""
    parser = options_of(__doc__)
    parser.add_argument("--runs", type=int, default=3, help="in turn with the peers")
    parser.add_argument("--many", type=int, default=100, help="millions of rows of Parquet that are streamed")
    parser.add_argument("--gigabytes", type=float, default=10, help="of the CSV that is streamed")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="the others: as last measured")
    options = parser.parse_args()
    runs, many, gigabytes = (1, 3, 0.2) if options.quick else (options.runs, options.many, options.gigabytes)
    versions: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="pb-bench-") as scratch:
        whole = write(ROWS, Path(scratch))
        measured = {
            "speed": lambda: speed(whole, runs, versions),
            "one-pass": lambda: one_pass(whole[0], many, drawn=not options.quick),
            "parquet": lambda: streamed_parquet(whole[0], many),
            "csv": lambda: streamed_csv(whole, gigabytes),
        }
        found = {part: measured[part]() for part in PARTS if part in options.parts}
    if options.quick:
        show([one for part in found.values() for one in part])
        return
    rows = [one for part, last in last_published().items() for one in found.get(part, last)]
    publish("data", rows, runs, ("pilotbase", "polars", "numpy"), versions)


def speed(whole: tuple[Path, Path], runs: int, versions: dict[str, str]) -> list[Row]:
    """Return rows per processor second, ours and every peer's in turn; ``whole``: Parquet and CSV."""
    (folder := whole[0].parent / "tenth").mkdir()
    tenth = write(ROWS // 10, folder)
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
    """Return a program's report; exits if it does not find what was planted."""
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
        target = FASTER if kind == "parquet" and extent in ("profile", "quick") else None
        spelled = None if target is None else f">= {target:,.0f}"
        found.append(row(f"{EXTENTS[extent]}, {kind}", value, "rows/CPU s", spelled, value >= (target or 0)))
    memory = _median(ours["quick", "parquet"], "peak") / 2**20
    return [*found, row(f"peak memory of the process, mapped file included, {ROWS:,} rows", memory, "MiB", None, True)]


def _median(answers: list[Said], figure: str) -> float:
    return statistics.median(each[figure] for each in answers)


def one_pass(parquet: Path, millions: int, drawn: bool) -> list[Row]:
    """Return speed and memory of one pass over many rows; ``drawn`` leaves the picture of the memory for the page."""
    many = _written(parquet, millions)
    found = _watched_run(many, "quick")
    _hold(found, millions * faults(ROWS))
    if drawn:
        draw(found.mebibytes, found.seconds, f"{millions:,}")
    growth, name = _growth(found), _name(many, millions)
    flat = f"{name}, memory of the last third of the run over its middle third"
    return [*_figures(found, name, millions), row(flat, growth, "times", f"<= {FLAT}", growth <= FLAT)]


def streamed_parquet(parquet: Path, millions: int) -> list[Row]:
    """Return speed and memory of all measures over as many rows, and their disk usage."""
    return _all_measures(_written(parquet, millions), parquet, millions)


def _written(parquet: Path, millions: int) -> Path:
    """Return the long table as Parquet, which is written once."""
    many = parquet.parent / "many.parquet"
    if not many.exists():
        _refuse_if_full(many.parent, millions * 2 * parquet.stat().st_size, millions)
        long_table(parquet, millions).sink_parquet(many, row_group_size=250_000, compression="uncompressed")
    return many


def streamed_csv(whole: tuple[Path, Path], gigabytes: float) -> list[Row]:
    """Return speed and memory over as many rows of CSV."""
    many = whole[0].parent / "many.csv"
    bytes_a_million = whole[1].stat().st_size + 9 * ROWS  # an id takes eight characters and a comma
    millions = max(1, ceil(gigabytes * 1e9 / bytes_a_million))
    _refuse_if_full(many.parent, millions * bytes_a_million, millions)
    long_table(whole[0], millions).sink_csv(many)
    return _all_measures(many, whole[0], millions)


def _refuse_if_full(folder: Path, size: int, millions: int) -> None:
    """Print the disk usage of a file of ``size`` bytes, and of three words a row for each of three rules."""
    needed = (size + 3 * 24 * ROWS * millions) / 1e9
    free = shutil.disk_usage(folder).free / 1e9
    print(f"  streaming takes up to {needed:.0f} GB in {folder}, of which {free:.0f} GB are free", flush=True)
    if free < 1.1 * needed:
        sys.exit(f"{needed:.0f} GB are needed in {folder}: name another folder in TMPDIR, or fewer rows with --many")


def _all_measures(many: Path, parquet: Path, millions: int) -> list[Row]:
    found = _watched_run(many, "long", write_numbers(many.parent))
    _hold(found, long_faults(parquet, millions))
    name = f"{_name(many, millions)}, all measures with key and reference"
    many.unlink()
    return [
        *_figures(found, name, millions),
        row(f"{name}, most on disk for keys, duplicates, references", found.most_on_disk, "MiB", None, True),
    ]


def _watched_run(many: Path, *arguments: object) -> Watched:
    print(f"  streaming {many.name}, {many.stat().st_size / 1e9:.1f} GB", flush=True)
    (spilled := many.parent / "spilled").mkdir(exist_ok=True)
    command = [sys.executable, str(PROGRAMS / "quality_ours.py"), str(many), *map(str, arguments)]
    return watched(command, {**peer_environment(), "POLARS_MAX_THREADS": "1"}, spilled)


def _hold(found: Watched, planted: object) -> None:
    if found.said["found"] != planted:
        sys.exit(f"found {found.said['found']}, planted were {planted}")


def _name(many: Path, millions: int) -> str:
    kind = {".csv": "CSV", ".parquet": "Parquet"}[many.suffix]
    return f"{millions * ROWS:,} rows × 20 columns streamed from {many.stat().st_size / 1e9:.1f} GB of {kind}"


def _figures(found: Watched, name: str, millions: int) -> list[Row]:
    most = max(found.mebibytes)
    return [
        row(f"{name}, speed", millions * ROWS / found.said["cpu"], "rows/CPU s", None, True),
        row(f"{name}, most memory", most, "MiB", f"<= {LIMIT}", most <= LIMIT),
    ]


def last_published() -> dict[str, list[Row]]:
    """Return the last published rows of each part, with the machine on which they were measured."""
    found: dict[str, list[Row]] = {part: [] for part in PARTS}
    for entry in published("data"):
        found[_part_of(str(entry["name"]))].append(entry)
    return found


def _part_of(name: str) -> str:
    if "streamed from" not in name:
        return "speed"
    if "all measures" not in name:
        return "one-pass"
    return "csv" if "of CSV" in name else "parquet"


def _growth(found: Watched) -> float:
    """Return how much more the last third took than the middle one, at most at any time in each."""
    third = len(found.mebibytes) // 3
    return max(found.mebibytes[2 * third :]) / max(found.mebibytes[third : 2 * third])


if __name__ == "__main__":
    main()
