"""A question to a model that answers at once: ours, and Inspect AI's, in turn, each in its own process."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.gateway import served
from benchmarks.peers.environments import peer_environment, peer_python
from benchmarks.publishing import ROOT

PEER = "inspect_ai"
CONNECTIONS = 16
OURS = [sys.executable, "-m", "benchmarks.kinds.endpoint_samples"]
PROGRAMS = ROOT / "benchmarks" / "peers" / "programs"


@dataclass
class Figures:
    """The cost of a question in each round: milliseconds of processor and wall time; bytes kept of it."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    size: list[float] = field(default_factory=list)

    def take(self, said: dict[str, Any], samples: int) -> None:
        self.cpu.append(1000 * said["cpu"] / samples)
        self.wall.append(1000 * said["wall"] / samples)
        self.size.append(said["found"]["bytes"] / samples)

    def median(self, of: str) -> float:
        return statistics.median(getattr(self, of))


@dataclass(frozen=True)
class Sides:
    """Ours and the peer's over one server, and the peer's over its own mock, which sends nothing."""

    ours: Figures
    peer: Figures
    mock: Figures
    versions: dict[str, str]

    def ratio(self, of: str, peer: Figures) -> float:
        """Return ours divided by the peer's: the median over the rounds."""
        pairs = zip(getattr(self.ours, of), getattr(peer, of), strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)


def measure(samples: int, rounds: int) -> Sides:
    """Return the cost of so many questions, round by round."""
    sides, versions = {"ours": Figures(), "peer": Figures(), "mock": Figures()}, {}
    theirs = [str(peer_python(PEER)), str(PROGRAMS / "inspect_samples.py")]
    with tempfile.TemporaryDirectory(prefix="pb-bench-") as name, served.upstream(Path(name)) as upstream:
        for number in range(rounds):
            for side, figures in sides.items():
                (folder := Path(name, f"{side}-{number}")).mkdir()
                said = ask(OURS if side == "ours" else theirs, samples, folder, "" if side == "mock" else upstream.url)
                figures.take(said, samples)
                versions |= said["versions"]
    return Sides(**sides, versions=versions)


def ask(program: list[str], samples: int, folder: Path, url: str) -> dict[str, Any]:
    """Return a side's own report: seconds, CPU seconds, and its result."""
    command = [*program, str(samples), str(CONNECTIONS), str(folder), *filter(None, [url])]
    done = subprocess.run(command, env=peer_environment(), cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(program)} failed:\n{done.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert said["found"]["right"] == 1.0, said
    return said
