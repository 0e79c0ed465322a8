"""`make bench-watch`: drift of the inputs against Evidently and NannyML, on the same streams, in one run.

Each side is a process with one thread in its own environment, and draws the same rows from the same seed. None of these
seeds was used while settings were chosen. Peers run with their defaults.

* False alarms: of 200 chunks of 1,000 rows × 20 columns in which nothing changes, how many have one. Evidently against
  a reference of 10,000 rows (it then compares distances), NannyML against 30 chunks (it learns its thresholds on them).
* Delay: the first of 12 chunks with an alarm when 3 of the 20 columns have moved by 0.1 and by 0.2 standard deviations.
* Speed and memory over a million rows, imports and data left out; processor time of one check of 1,000 rows.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from benchmarks.peers.environments import peer_environment, peer_python
from benchmarks.publishing import ROOT, Row, options_of, publish, row, show

PROGRAMS = ROOT / "benchmarks" / "peers" / "programs"
FIRST_SEED, ROWS, CHECKS = 20261127, 1_000_000, 20
NEVER = 13


@dataclass(frozen=True)
class Peer:
    """A peer, and the number of reference rows for its comparison."""

    name: str
    program: str
    reference: int
    seeds: int
    """The maximum; Evidently takes most of the time."""
    checks: int = 0


PEERS = (
    Peer("Evidently", "evidently", 10_000, 3, checks=3),
    Peer("NannyML", "nannyml", 30_000, 5),
)


def main() -> None:
    """Measure, print, write; exit 1 if a target is missed."""
    parser = options_of(__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of ours; peers that are slow run less often")
    options = parser.parse_args()
    runs, rows_read = (1, 50_000) if options.quick else (options.runs, ROWS)
    versions: dict[str, str] = {}
    rows = [entry for peer in PEERS for entry in (*quality(peer, runs, versions), *work(peer, runs, rows_read))]
    if options.quick:
        show(rows)
        return
    publish("watch", rows, runs, ("pilotbase", "numpy"), versions)


def quality(peer: Peer, runs: int, versions: dict[str, str]) -> list[Row]:
    """Return false alarms and delays, ours and the peer's in turn, seed by seed."""
    mine, others = [], []
    for seed in range(FIRST_SEED, FIRST_SEED + min(runs, peer.seeds)):
        mine.append(asked("ours", "quality", seed, peer.reference))
        others.append(asked(peer.program, "quality", seed, peer.reference, versions=versions))
    about = f"1,000 rows × 20 columns, reference {peer.reference:,} rows"
    found = [_facing(f"quiet chunks of 200 with an alarm, {about}", "chunks", 1, peer, (_mean(mine), _mean(others)))]
    for shift, target in (("0.2", 1), ("0.1", 3)):
        delays = _median_delay(mine, shift), _median_delay(others, shift)
        name = f"first chunk with an alarm, {shift} SD in 3 columns, {about}"
        found.append(_facing(name, "chunks", target, peer, delays))
    return found


def work(peer: Peer, runs: int, rows_read: int) -> list[Row]:
    """Return rows per second, memory and, if the peer is asked for it, the time of one check."""
    mine = [asked("ours", "rows", FIRST_SEED + run, peer.reference, rows_read) for run in range(runs)]
    theirs = asked(peer.program, "rows", FIRST_SEED, peer.reference, rows_read)
    speed = rows_read / statistics.median(each["cpu"] for each in mine)
    peer_speed = rows_read / theirs["cpu"]
    facing = {"peer": peer.name, "peer_value": peer_speed, "ratio": speed / peer_speed}
    name = f"rows × 20 columns, {rows_read:,} rows"
    found = [row(f"{name}, beside {peer.name}", speed, "rows/CPU s", ">= 1,000,000", speed >= 1e6, **facing)]
    memory = statistics.median(each["megabytes"] for each in mine), theirs["megabytes"]
    found.append(_facing(f"peak memory added by {name}, beside {peer.name}", "MB", 50, peer, memory))
    if peer.checks:
        seconds = [asked("ours", "check", FIRST_SEED + run, peer.reference, CHECKS)["cpu"] for run in range(runs)]
        checks = (
            statistics.median(seconds),
            asked(peer.program, "check", FIRST_SEED, peer.reference, peer.checks)["cpu"],
        )
        milliseconds = checks[0] * 1000, checks[1] * 1000
        found.append(_facing("one check of 1,000 rows × 20 columns", "CPU ms", 10, peer, milliseconds))
    return found


def asked(
    side: str, question: str, seed: int, reference: int, amount: int = 0, versions: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return a program's answer; ``versions`` collects the versions of its packages."""
    python = sys.executable if side == "ours" else str(peer_python(side))
    command = [python, str(PROGRAMS / f"{side}_drift.py"), question, str(seed), str(reference), str(amount)]
    done = subprocess.run(command, env=peer_environment(), capture_output=True, text=True, check=False, timeout=900)
    if done.returncode:
        sys.exit(f"{side} {question} failed:\n{done.stderr[-2000:]}")
    said = json.loads(done.stdout.splitlines()[-1])
    if versions is not None:
        versions.update(said["versions"])
    answer: dict[str, Any] = said["answer"]
    print(f"  {side} {question}, seed {seed}, reference {reference:,}", flush=True)
    return answer


def _mean(answers: list[dict[str, Any]]) -> float:
    return statistics.mean(len(answer["0"]) for answer in answers)


def _median_delay(answers: list[dict[str, Any]], shift: str) -> float:
    return statistics.median(answer[shift][0] if answer[shift] else NEVER for answer in answers)


def _facing(name: str, unit: str, target: float, peer: Peer, values: tuple[float, float]) -> Row:
    """Return a row whose target is an upper bound; ``values``: ours and the peer's."""
    ours, theirs = values
    ratio = ours / theirs if theirs else None
    return row(name, ours, unit, f"<= {target:g}", ours <= target, peer.name, theirs, ratio)


if __name__ == "__main__":
    main()
