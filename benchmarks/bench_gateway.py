"""`make bench-gateway`: what the gateway adds to a call, against LiteLLM's proxy and against no gateway at all.

Upstream: a raw ASGI application with one fixed chat completion. Ours: ``pilotbase gateway`` over its own base, with a
key that has a budget of calls and tokens, every call journaled and observed. The peer: LiteLLM's proxy in its own
environment with defaults: one worker, no database, no callbacks, no retries, one key. Direct is the floor. All on this
machine, in turn, in one run; the load comes from another process, whose clock counts; CPU is that of the gateway's
process, from /proc.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.gateway import content, served
from benchmarks.gateway.load import Order, Seen, run
from benchmarks.gateway.served import Server
from benchmarks.publishing import Row, options_of, publish, row, show

FEW, MANY = 1, 16
SECONDS = 3.0
PEER = "LiteLLM proxy"
PACKAGES = ("pilotbase", "starlette", "uvicorn", "h11", "aiohttp")


@dataclass
class Figures:
    """The results of one way to the upstream in each round, by number of connections."""

    p50: dict[int, list[float]] = field(default_factory=lambda: {FEW: [], MANY: []})
    p99: dict[int, list[float]] = field(default_factory=lambda: {FEW: [], MANY: []})
    rate: dict[int, list[float]] = field(default_factory=lambda: {FEW: [], MANY: []})
    cpu: dict[int, list[float]] = field(default_factory=lambda: {FEW: [], MANY: []})

    def take(self, connections: int, seen: Seen, cpu_seconds: float) -> None:
        """Add one round."""
        self.p50[connections].append(seen.p50_ms)
        self.p99[connections].append(seen.p99_ms)
        self.rate[connections].append(seen.rate)
        self.cpu[connections].append(cpu_seconds / seen.answers * 1000)


@dataclass(frozen=True)
class Way:
    """A way to an answer."""

    name: str
    server: Server
    url: str
    key: str
    body: str
    figures: Figures = field(default_factory=Figures)

    def measure(self, connections: int, seconds: float) -> None:
        """Apply the load once."""
        before = self.server.cpu_seconds()
        seen = run(Order(self.url, self.key, self.body, connections, seconds))
        self.figures.take(connections, seen, self.server.cpu_seconds() - before)
        print(f"  {self.name}, c={connections}: {seen.rate:.0f}/s, p50 {seen.p50_ms:.2f} ms", flush=True)


def main() -> None:
    """Measure, print, write; exit 1 if a target is missed."""
    parser = options_of(__doc__)
    parser.add_argument("--runs", type=int, default=5, help="rounds, every way in turn")
    options = parser.parse_args()
    rounds, seconds = (1, 0.5) if options.quick else (options.runs, SECONDS)
    version = served.peer_version()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with served.upstream(folder) as upstream:
            print("  making a base", flush=True)
            home, keys = content.make_base(folder, upstream.url)
            with served.gateway(home) as ours, served.peer(folder, f"{upstream.url}/v1") as theirs:
                ways = _ways((upstream, ours, theirs), keys)
                for _ in range(rounds):
                    for connections in (FEW, MANY):
                        for way in ways.values():
                            way.measure(connections, seconds)
                memory = ours.memory_mib(), theirs.memory_mib()
    rows = [*_endpoint_rows(ways, memory), *_runner_rows(ways["runner"].figures)]
    if options.quick:
        show(rows)
        return
    publish("gateway", rows, rounds, PACKAGES, {"litellm": version})


def _ways(servers: tuple[Server, Server, Server], keys: content.Keys) -> dict[str, Way]:
    upstream, ours, theirs = servers
    path, body = "/v1/chat/completions", content.chat("Is all well?")
    infer = f"{ours.url}/v2/models/{content.CERTIFIED}/infer"
    return {
        "direct": Way("direct", upstream, upstream.url + path, "none", body),
        "ours": Way("ours", ours, ours.url + path, keys.endpoint, body),
        "peer": Way("LiteLLM", theirs, theirs.url + path, theirs.key, body),
        "runner": Way("ours, certified application in its box", ours, infer, keys.certified, content.inference()),
    }


def _endpoint_rows(ways: dict[str, Way], memory: tuple[float, float]) -> list[Row]:
    direct, ours, peer = (ways[name].figures for name in ("direct", "ours", "peer"))
    added = _median(direct.p50[FEW], ours.p50[FEW], lambda floor, mine: mine - floor)
    peer_added = _median(direct.p50[FEW], peer.p50[FEW], lambda floor, their: their - floor)
    times = _median(ours.rate[MANY], peer.rate[MANY], lambda mine, their: mine / their)
    cpu, peer_cpu = statistics.median(ours.cpu[MANY]), statistics.median(peer.cpu[MANY])
    rate, peer_rate = statistics.median(ours.rate[MANY]), statistics.median(peer.rate[MANY])
    few, peer_few = statistics.median(ours.cpu[FEW]), statistics.median(peer.cpu[FEW])
    tail, peer_tail = statistics.median(ours.p99[MANY]), statistics.median(peer.p99[MANY])
    return [
        row("direct, one connection: p50", statistics.median(direct.p50[FEW]), "ms", None, True),
        row(f"direct, {MANY} connections", statistics.median(direct.rate[MANY]), "1/s", None, True),
        row(
            "endpoint, one connection: added p50", added, "ms", "<= 1", added <= 1, PEER, peer_added, added / peer_added
        ),
        row(
            f"endpoint, {MANY} connections: CPU a call", cpu, "ms", "<= 0.5", cpu <= 0.5, PEER, peer_cpu, cpu / peer_cpu
        ),
        row("endpoint, one connection: CPU a call", few, "ms", None, True, PEER, peer_few, few / peer_few),
        row(f"endpoint, {MANY} connections", rate, "1/s", ">= 10 x peer", times >= 10, PEER, peer_rate, times),
        row(f"endpoint, {MANY} connections: p99", tail, "ms", None, True, PEER, peer_tail, tail / peer_tail),
        row("memory of the gateway", memory[0], "MiB", None, True, PEER, memory[1], memory[0] / memory[1]),
    ]


def _runner_rows(runner: Figures) -> list[Row]:
    rate, cpu = statistics.median(runner.rate[MANY]), statistics.median(runner.cpu[MANY])
    return [
        row(
            "certified application in its box, one connection: p50",
            statistics.median(runner.p50[FEW]),
            "ms",
            None,
            True,
        ),
        row(f"certified application in its box, {MANY} connections", rate, "1/s", None, True),
        row(f"certified application in its box, {MANY} connections: CPU of the gateway a call", cpu, "ms", None, True),
    ]


def _median(first: list[float], second: list[float], join: Callable[[float, float], float]) -> float:
    return statistics.median(join(one, other) for one, other in zip(first, second, strict=True))


if __name__ == "__main__":
    main()
