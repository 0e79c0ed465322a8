"""`make bench-arena`: what it costs that an application acts in a world, without the application's own thinking.

A turn in the box: an observation goes in, acts come out. A message with its world: the same in an episode of the office
that comes with the base, with the fence, the world in a box of its own, and the transcript. The door: a tool call by
MCP over HTTP inside the box, with all of that behind it. HTTP: an agent behind OpenAI's API with tools, a stub on this
machine that answers at once. Episodes: the office and drives played by their oracle, boxes included. Stopping: from
`service stop` until the call of an agent that would go on for long has ended and none of its boxes runs, the longest.

The peer, in the same run: an agent of Inspect AI with the same tool and its own mock of a model, which calls the tool
turn by turn; its time a turn, without start and imports.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.environments import HERE, peer_environment, peer_python
from benchmarks.publishing import ROOT, Row, options_of, publish, row, show
from pilotbase.documents.application import ACTING_ENTRY_POINTS, Form
from pilotbase.documents.endpoint import Endpoint
from pilotbase.documents.limits import Limits
from pilotbase.documents.texts import text
from pilotbase.documents.transcript import end_of
from pilotbase.documents.world import CLEAN, WorldUse, episode_name
from pilotbase.gateway.configuration import GatewayConfiguration
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.protocols.guarded_http import GuardedHttp, GuardedRequest
from pilotbase.sandbox.box.environments import build_environment
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.sandbox.box.warm_worker import WarmWorker, start_worker
from pilotbase.sandbox.endpoints.calls import CallLog
from pilotbase.sandbox.endpoints.worker import EndpointAccess, EndpointWorker
from pilotbase.sandbox.engines import Worker
from pilotbase.service.standing import restore, take_offline
from pilotbase.trial.arena.playing import EpisodeKey, Json
from pilotbase.trial.arena.shelf import WorldShelf
from pilotbase.trial.arena.stage import OBSERVATIONS
from pilotbase.trial.arena.world_box import BoxedOracle, WorldBox
from tests.gateway.agents_for_tests import proven_agent, task
from tests.gateway.gateways_for_tests import listening
from tests.sandbox.door_client_for_tests import CLIENT
from tests.sandbox.endpoints.stubs_for_tests import Stub, serving, until
from tests.sandbox.endpoints.test_acting import calling

PEER = "inspect_ai"
TURNS = 28
"""Of an episode: the office allows thirty."""
DRIVES = ("slow_traffic", "dense_traffic", "standing_car", "sudden_braking")
SETTINGS = BoxSettings(limits=Limits(memory_bytes=256 << 20), uid=210_000 + os.getpid() % 50_000, logs=LogPolicy.FULL)
LOOKS = """\
def agent():
    return lambda observation: [{"tool": "list_payments", "arguments": {}}]
"""
BY_DOOR = f"""{CLIENT}

def run(task, door):
    client = Door(door)
    while True:
        client.call("list_payments")
"""


def main() -> None:
    """Measure, print, write; exit 1 if a target is missed."""
    parser = options_of(__doc__)
    parser.add_argument("--episodes", type=int, default=60, help="of each kind")
    options = parser.parse_args()
    episodes = 2 if options.quick else options.episodes
    with tempfile.TemporaryDirectory(prefix="pb-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        rows = [
            in_the_box(folder, 50 * episodes),
            *in_the_world(folder, episodes),
            over_http(folder, episodes),
            by_itself(folder, episodes),
            driving(folder, episodes),
            stopping(max(2, episodes // 3)),
        ]
    if options.quick:
        show(rows)
        return
    publish("arena", rows, options.episodes, ("pilotbase", "numpy"), {"inspect_ai": "0.3.285"})


def in_the_box(folder: Path, turns: int) -> Row:
    """Return what a turn costs in the box: an observation in, acts out."""
    seen = json.dumps({"results": [{"id": None, "tool": "list_payments", "content": ["x" * 200], "error": False}]})
    batch, found = FeatureBatch({"observation": np.array([seen], dtype=object)}, 1), []
    with started(folder, LOOKS, "act") as worker:
        for _ in range(turns):
            began = time.perf_counter()
            worker.predict(batch)
            found.append(1000 * (time.perf_counter() - began))
    turn = statistics.median(found)
    return row("a turn in the box", turn, "ms", "<= 0.1 ms", turn <= 0.1)


def in_the_world(folder: Path, episodes: int) -> list[Row]:
    """Return what a message costs with its world, and through the door, beside a turn of the peer."""
    peer = turn_of_the_peer(TURNS, episodes)
    message = message_in(folder, LOOKS, "act", episodes)
    door = message_in(folder, BY_DOOR, "mcp", episodes)
    return [
        row("a message with its world, fence and transcript", message, "ms", "<= 0.5 ms, peer >= 10 x",
            message <= 0.5 and peer >= 10 * message, "Inspect AI, a tool call with its mock of a model", peer,
            peer / message),
        row("a tool call by MCP inside the box, with its world", door, "ms", "<= 1 ms", door <= 1.0),
    ]  # fmt: skip


def over_http(folder: Path, episodes: int) -> Row:
    """Return what a message costs of an agent that is asked over HTTP, with its world and the stub's own time."""
    found = []
    with serving(Stub(lambda body: calling(("list_payments", "{}")))) as stub, opened(folder) as world:
        endpoint = Endpoint.model_validate(stub.endpoint("openai_tools", prompt={"template": "{task}"}))
        access = EndpointAccess(GuardedHttp(("127.0.0.1",)))
        for key in keys(episodes):
            worker = EndpointWorker(endpoint, OBSERVATIONS, SETTINGS, access, CallLog(None, b""))
            found.append(played_in(world, key, worker))
            worker.close()
    message = statistics.median(found)
    return row("a message over HTTP, chat with tools, with its world", message, "ms", "<= 2 ms", message <= 2.0)


def by_itself(folder: Path, episodes: int) -> Row:
    """Return how many episodes of the office a minute plays, by one process and one box in turn, with the oracle."""
    with opened(folder) as world:
        began = time.perf_counter()
        for key in keys(10 * episodes):
            assert end_of(world.play(key, BoxedOracle(world))) is not None
        minute = 60 * 10 * episodes / (time.perf_counter() - began)
    return row("office episodes a minute, no model", minute, "episodes", ">= 200", minute >= 200)


def driving(folder: Path, episodes: int) -> Row:
    """Return the CPU seconds of 200 drives, by the oracle in one process and one box; none is drawn beforehand."""
    drives = 200 if episodes > 2 else episodes
    with opened(folder, "driving") as world:
        began = time.process_time() + world._worker.usage().cpu_seconds
        for key in keys(drives, DRIVES):
            assert end_of(world.play(key, BoxedOracle(world))) is not None
        spent = time.process_time() + world._worker.usage().cpu_seconds - began
    return row(f"{drives} driving episodes, no model", spent, "CPU s", "<= 60 CPU s", spent <= 60)


def stopping(times: int) -> Row:
    """Return the longest that an agent in service was at work after its service had been stopped."""
    found, service, reason = [], "clerk", text("service.reason.by_hand", reason="a benchmark")
    question = {"model": service, "messages": [{"role": "user", "content": task("stall")}]}
    with proven_agent() as place, listening(place.base, GatewayConfiguration()) as live:
        place.serve(service, timeout_seconds=600)
        key, view = place.key(service), place.base.lab.view
        for _ in range(times):
            with ThreadPoolExecutor(1) as caller:
                answer = caller.submit(ask, live.url, key, question)
                until(lambda: live.counts(service) == live.counts(service, "boxes") == 1)
                take_offline(view, service, reason)
                began = time.perf_counter()
                assert answer.result() == HTTPStatus.FORBIDDEN
                until(lambda: live.counts(service, "boxes") == 0)
                found.append(time.perf_counter() - began)
            restore(view, service, reason)
    return row(f"a stopped agent, the longest of {times}", max(found), "s", "<= 1 s", max(found) <= 1)


def ask(url: str, key: str, question: Json) -> int:
    """Return the status of a chat completion."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    asked = GuardedRequest("POST", f"{url}/v1/chat/completions", json.dumps(question).encode(), headers, 1 << 20)
    return GuardedHttp(("127.0.0.1",), seconds=600).send(asked).status


def message_in(folder: Path, program: str, interface: str, episodes: int) -> float:
    """Return the milliseconds of a message, the median over episodes; boxes are started before."""
    found = []
    with opened(folder) as world:
        for key in keys(episodes):
            with started(folder, program, interface) as worker:
                found.append(played_in(world, key, worker))
    return statistics.median(found)


def played_in(world: WorldBox, key: EpisodeKey, worker: Worker) -> float:
    """Return the milliseconds of a message in one episode."""
    began = time.perf_counter()
    end = end_of(world.play(key, Boxed(worker)))
    assert end is not None
    return 1000 * (time.perf_counter() - began) / float(end["turns"])


class Boxed:
    """An application in its box, as an episode's player."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def answer(self, observation: Json) -> str:
        spelled = np.array([json.dumps(observation, ensure_ascii=False)], dtype=object)
        return str(self._worker.predict(FeatureBatch({"observation": spelled}, 1)).values[0])


@contextmanager
def started(folder: Path, program: str, interface: Any) -> Iterator[WarmWorker]:
    """Start an application of one file in a box."""
    (place := folder / interface).mkdir(exist_ok=True)
    (place / "app.py").write_text(program)
    environment = build_environment(b"", "requirements.lock", folder / "cache")
    form = Form(interface=interface, entry_point=ACTING_ENTRY_POINTS[interface])
    with start_worker(place, form, OBSERVATIONS, environment, SETTINGS) as worker:
        yield worker


@contextmanager
def opened(folder: Path, name: str = "office") -> Iterator[WorldBox]:
    """Open a world in a box of its own."""
    shelf = WorldShelf(folder / "worlds", folder / "cache")
    with shelf.open(shelf.take(WorldUse(name=name, hidden=1), folder).digest, SETTINGS) as world:
        yield world


def keys(count: int, templates: Sequence[str] = ("pay_bill",)) -> Iterator[EpisodeKey]:
    """Yield episodes of the templates in turn, by their number."""
    for number, template in zip(range(count), cycle(templates)):
        seed = f"{number:064x}"
        yield EpisodeKey(episode_name(template, "en", seed), template, "en", CLEAN, seed)


def turn_of_the_peer(turns: int, rounds: int) -> float:
    """Return the milliseconds of a turn of the peer's agent."""
    program = [str(peer_python(PEER)), str(HERE / "programs" / "inspect_turns.py"), str(turns), str(min(rounds, 20))]
    with tempfile.TemporaryDirectory(prefix="pb-bench-") as folder:
        done = subprocess.run(
            [*program, folder], env=peer_environment(), cwd=ROOT, capture_output=True, text=True, check=False
        )
    if done.returncode:
        sys.exit(f"{program[1]} failed:\n{done.stderr[-2000:]}")
    return float(json.loads(done.stdout.splitlines()[-1])["milliseconds"])


if __name__ == "__main__":
    main()
