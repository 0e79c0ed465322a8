"""An agent that speaks MCP plays an episode: its calls are acts, its words reach the user, what it returns ends it."""

import json
import re
import subprocess
import threading

import pytest

from benchmarks.peers.environments import HERE, peer_environment, peer_python
from pilotbase.documents.transcript import end_of
from pilotbase.protocols.mcp_wire import VERSION, answer
from pilotbase.sandbox.adapters.agent_door import MOST_BYTES, SAY, AgentEpisode
from tests.sandbox.door_client_for_tests import CLIENT
from tests.trial.arena.in_process import played

namespace: dict = {}
exec(CLIENT, namespace)
Door = namespace["Door"]


class Playing:
    def __init__(self, run):
        self.episode = AgentEpisode(run, answer)

    def answer(self, observation):
        return self.episode.act(observation)


def carry(task, door):
    """Do what the task says."""
    fee, goal = re.search(r"fee of (\d+).* the (\w+) room", task).groups()
    client = Door(door)
    assert [one["name"] for one in client.ask("tools/list")["tools"]][-1] == SAY["name"]
    assert client.call(SAY["name"], text="I begin.")["content"] == [{"type": "text", "text": "Yes?"}]
    assert client.call("move", room=goal)["isError"], "the fee is not paid"
    assert client.call("pay", amount=int(fee))["structuredContent"] == {"paid": int(fee)}
    client.call("move", room=goal)
    return "The parcel is there."


def test_calls_are_acts_and_what_it_returns_ends_the_episode():
    end = end_of(played(Playing(carry)))
    assert end["outcomes"]["reached"] and end["end"] == "done"
    assert end["tried"] == {"move": 2, "free": 2, "pay": 1, "consent": 1} and end["turns"] == 6


def test_the_fence_stands_before_the_door():
    def burn(task, door):
        said = Door(door).call("burn")
        assert said["isError"] and said["structuredContent"] == {"problem": "forbidden"}
        assert Door(door).call("no_such_tool")["isError"]

    end = end_of(played(Playing(burn)))
    assert end["tried"] == {"burn": 1, "forbidden": 1} and end["done"] == {} and end["invalid_calls"] == 1


def test_calls_at_once_are_one_after_the_other():
    def look(task, door):
        threads = [threading.Thread(target=lambda: Door(door).call("look")) for _ in range(3)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

    end = end_of(played(Playing(look)))
    assert (end["calls"], end["turns"], end["end"]) == (3, 4, "done")


def test_a_program_that_fails_ends_the_run_with_its_own_error():
    def broken(task, door):
        raise KeyError("fee")

    with pytest.raises(KeyError, match="fee"):
        played(Playing(broken))


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/mcp", {}, 405),
        ("POST", "/other", {}, 404),
        ("POST", "/mcp", {"Origin": "https://example.org"}, 403),
        ("POST", "/mcp", {"Content-Length": str(MOST_BYTES + 1)}, 413),
        ("POST", "/mcp", {"Content-Length": "many"}, 411),
    ],
)
def test_what_is_no_message_is_refused_by_its_status(method, path, headers, status):
    found = []

    def stray(task, door):
        client = Door(door)
        client.putrequest(method, path)
        for name, value in headers.items():
            client.putheader(name, value)
        if method == "POST" and "Content-Length" not in headers:
            client.putheader("Content-Length", "0")
        client.endheaders()
        found.append(client.getresponse().status)

    assert end_of(played(Playing(stray)))["end"] == "done"
    assert found == [status]


@pytest.mark.prove
def test_an_agent_of_the_official_sdk_plays_unmodified():
    told = []

    def run(task, door):
        program = [peer_python("mcp"), HERE / "programs" / "mcp_agent.py", task, door]
        done = subprocess.run(program, check=True, capture_output=True, text=True, env=peer_environment())
        told.append(json.loads(done.stdout))

    end = end_of(played(Playing(run)))
    (said,) = told
    assert end["outcomes"]["reached"] and end["end"] == "done", end
    assert (said["early"], said["moved"], said["version"]) == (True, False, VERSION)
    assert said["names"][-1] == SAY["name"] and said["paid"]["paid"] > 0
