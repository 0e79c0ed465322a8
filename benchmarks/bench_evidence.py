"""`make bench-evidence`: the evidence engine against what it replaces, ours and the peer in turn, in one run.

Each side is a process with one thread, which makes the same data from the same seed, warms up on a small part, and
reports how long the work took (wall and processor seconds) and its peak memory; imports and data are left out. Targets
in seconds apply to processor seconds, which with one thread equal wall seconds on an idle machine; ratios to a peer are
of wall seconds, pair by pair.

* Confidence sequence of 1,000,000 cases, with and without numba; peer: ville's betting sequence, on 100,000 (a grid of
  its own; on a million it takes minutes).
* Ten measures with intervals on 1,000,000 rows; peer: mlflow's classifier evaluator, which gives no interval.
* AUC and F1 with intervals on 100,000 rows; peer: scipy's percentile bootstrap with 1,000 resamples.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.environments import peer_environment, peer_python, site_packages
from benchmarks.publishing import ROOT, Row, options_of, publish, row, show

PROGRAMS = ROOT / "benchmarks" / "peers" / "programs"


@dataclass(frozen=True)
class Measured:
    """A process's report: seconds of wall and processor, bytes at its peak."""

    wall: float
    cpu: float
    peak: int
    versions: dict[str, str]


def main() -> None:
    """Measure, print, write; exit 1 if a target is missed."""
    parser = options_of(__doc__)
    parser.add_argument("--runs", type=int, default=5, help="in turn with the peers")
    options = parser.parse_args()
    runs, longest = (1, 20_000) if options.quick else (options.runs, 1_000_000)
    versions: dict[str, str] = {}
    rows = [*sequences(runs, longest, versions), *ten_measures(runs, versions), *intervals(runs, versions)]
    if options.quick:
        show(rows)
        return
    publish("evidence", rows, runs, ("pilotbase", "numpy", "scipy"), versions)


def sequences(runs: int, longest: int, versions: dict[str, str]) -> list[Row]:
    """Return the confidence sequence's rows: binary, a finite set, real values; each with and without numba."""
    rows = []
    for kind in ("independent draws", "finite set", "real values"):
        plain, quick, peer = [], [], []
        for _ in range(runs):
            plain.append(ours("sequence", kind, str(longest)))
            quick.append(ours("sequence", kind, str(longest), numba=True))
            if kind == "independent draws":
                peer.append(theirs("oracles", "ville_sequence", str(longest // 10)))
        versions.update(_versions(quick), **_versions(peer))
        value = _median(plain, "cpu")
        rows.append(row(f"confidence sequence of 10^6, {kind}, without numba", value, "CPU s", "<= 3", value <= 3))
        value = _median(quick, "cpu")
        rows.append(row(f"confidence sequence of 10^6, {kind}, with numba", value, "CPU s", "<= 0.3", value <= 0.3))
        if peer:
            short = _median([ours("sequence", kind, str(longest // 10)) for _ in range(runs)])
            facing = {"peer": "ville BettingCS", "peer_value": _median(peer), "ratio": short / _median(peer)}
            rows.append(row(f"confidence sequence of 10^5, {kind}", short, "s", None, True, **facing))
    return rows


def ten_measures(runs: int, versions: dict[str, str]) -> list[Row]:
    """Return the rows of ten measures with intervals, against mlflow's evaluator."""
    whole, stopped, peer = [], [], []
    for _ in range(runs):
        whole.append(ours("ten_measures", "population"))
        stopped.append(ours("ten_measures", "hidden_set"))
        peer.append(theirs("mlflow", "mlflow_evaluator", "1000000"))
    versions.update(_versions(peer))
    cpu, early = _median(whole, "cpu"), _median(stopped, "cpu")
    what = "ten measures with intervals, 10^6 rows"
    ratio = _ratio(whole, peer)
    facing = {"peer": "mlflow evaluator, no interval", "peer_value": _median(peer), "ratio": ratio}
    return [
        row(f"{what}, population", cpu, "CPU s", "<= 1", cpu <= 1),
        row(f"{what}, hidden set, early stop", early, "CPU s", "<= 1", early <= 1),
        row(f"{what}, population, wall", _median(whole), "s", "<= 1 x peer", ratio <= 1, **facing),
    ]


def intervals(runs: int, versions: dict[str, str]) -> list[Row]:
    """Return the rows of intervals of AUC and F1 at 10^5 against scipy's bootstrap (a few runs: it is slow)."""
    rows = []
    for measure in ("auc", "f1"):
        few = min(runs, 2)
        mine, peer = [], []
        for _ in range(few):
            mine += [ours("interval", measure) for _ in range(3)]
            peer.append(theirs("oracles", "scipy_bootstrap", measure))
        versions.update(_versions(peer))
        ratio = _median(peer) / _median(mine)
        facing = {"peer": "scipy bootstrap", "peer_value": _median(peer), "ratio": _median(mine) / _median(peer)}
        name = f"interval of {measure.upper()}, 10^5 rows"
        rows.append(row(name, _median(mine), "s", "<= 0.01 x peer", ratio >= 100, **facing))
        peak = statistics.median(each.peak for each in mine) / 1e6
        theirs_peak = statistics.median(each.peak for each in peer) / 1e6
        facing = {"peer": "scipy bootstrap", "peer_value": theirs_peak, "ratio": peak / theirs_peak}
        rows.append(row(f"{name}: peak memory of the process", peak, "MB", "<= 200", peak <= 200, **facing))
    return rows


def ours(program: str, *arguments: str, numba: bool = False) -> Measured:
    """Run one of our programs, in the interpreter of this one."""
    added = {"PYTHONPATH": str(site_packages("numba"))} if numba else {}
    return _run(sys.executable, PROGRAMS / f"ours_{program}.py", arguments, added)


def theirs(environment: str, program: str, *arguments: str) -> Measured:
    """Run a peer's program in the peer's own environment."""
    return _run(str(peer_python(environment)), PROGRAMS / f"{program}.py", arguments, {})


def _run(python: str, program: Path, arguments: tuple[str, ...], added: dict[str, str]) -> Measured:
    done = subprocess.run(
        [python, str(program), *arguments],
        env=peer_environment() | added,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    if done.returncode:
        sys.exit(f"{program.name} {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    measured = Measured(**json.loads(done.stdout.splitlines()[-1]))
    print(f"  {program.stem} {' '.join(arguments)}: {measured.wall:.3f} s, {measured.peak / 1e6:.0f} MB", flush=True)
    return measured


def _median(measured: list[Measured], what: str = "wall") -> float:
    return statistics.median(getattr(each, what) for each in measured)


def _ratio(mine: list[Measured], peers: list[Measured]) -> float:
    return statistics.median(one.wall / other.wall for one, other in zip(mine, peers, strict=True))


def _versions(measured: list[Measured]) -> dict[str, str]:
    return measured[0].versions if measured else {}


if __name__ == "__main__":
    main()
