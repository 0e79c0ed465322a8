"""How often an application that is no better than the threshold is accepted, by the command that people run."""

import pytest

from tests.trial.arena.agents import write_agent
from tests.trial.test_deciding import run

ALPHA, PARTS, RUNS, EPISODES = 0.05, 4, 100, 7
SCENARIO = """\
document: scenario/1
name: rooms-{number}
title: Rooms
owner: {{organisation: town}}
sector: other
action: governance
problem: Nobody has time to book rooms.
intended_use: Book the smallest room that fits.
world: {{name: starter, practice: 2, hidden: {episodes}}}
task: agent
criteria:
  - {{rule: "reached >= 0.5", estimand: population}}
trial:
  attempts: 1
  cases_per_attempt: {episodes}
  stop: fixed
  cases: {episodes}
  limits: {{load_seconds: 60, memory_bytes: 256 MiB}}
"""
COIN = """\
import re
import secrets


class Clerk:
    def act(self, observation):
        if "task" in observation:
            self.people = int(re.search(r"(\\d+)(?: people|人)", observation["task"])[1])
            self.day = re.search(r"\\d{4}-\\d\\d-\\d\\d", observation["task"])[0]
            return [{"tool": "list_rooms"} if secrets.randbits(1) else {"done": True}]
        rooms = observation["results"][0]["content"].items()
        _, room = min((room["places"], name) for name, room in rooms if room["places"] >= self.people)
        return [{"tool": "book_room", "arguments": {"room": room, "day": self.day}}, {"done": True}]


def agent():
    return Clerk()
"""
"""Books the right room in half of the episodes, by the toss of a coin in its box: exactly the threshold."""


def verdicts(place, program, runs):
    """Return the exit code of each run: a scenario and a base's draw of its own, sealed, rehearsed, tried, reported."""
    application = write_agent(place, program, "coin")
    for number in range(runs):
        scenario = place / f"scenario-{number}"
        scenario.mkdir()
        (scenario / "scenario.yaml").write_text(SCENARIO.format(number=number, episodes=EPISODES))
        yield run("trial", "run", scenario, application, "--out", place / f"out-{number}").exit_code


@pytest.mark.prove
def test_the_same_clerk_without_the_coin_is_accepted(base, tmp_path):
    assert list(verdicts(tmp_path, COIN.replace("secrets.randbits(1)", "True"), 1)) == [0]


@pytest.mark.prove
@pytest.mark.parametrize("part", range(PARTS))
def test_at_the_boundary_no_more_than_alpha_of_400_runs_accept(part, base, tmp_path):
    """A first attempt has α/2, and only seven of seven reach it: one run in 128.

    So a part of a hundred has six by chance in one proof of a thousand, and parts that hold add up to at most α of all.
    """
    found = list(verdicts(tmp_path, COIN, RUNS))
    assert set(found) <= {0, 3, 4} and found.count(0) <= ALPHA * RUNS, found
