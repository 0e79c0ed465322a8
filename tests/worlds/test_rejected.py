"""In the worlds of the base, whoever does nothing or knows only the practised episodes by heart is rejected."""

import json

import polars as pl
import pytest

from tests.cli.test_command_line import run
from tests.trial.arena.agents import IDLE, write_agent
from tests.worlds.playing_for_tests import program

SCENARIO = """\
document: scenario/1
name: {name}
title: A job
owner: {{organisation: town}}
sector: other
action: governance
problem: Nobody has time for it.
intended_use: One job at a time.
world: {{name: {world}, practice: 6, hidden: 24}}
task: agent
criteria:
  - {{rule: "reached >= 0.5", estimand: population}}
trial: {{attempts: 2, cases_per_attempt: 12, limits: {{load_seconds: 60, memory_bytes: 256 MiB}}}}
"""
BY_HEART = """\
import json
from pathlib import Path

KNOWN = json.loads((Path(__file__).parent / "known.json").read_text())


class Agent:
    def act(self, observation):
        if "task" in observation:
            self.todo = KNOWN.get(observation["task"], [])
        return [self.todo.pop(0)] if self.todo else [{"done": True}]


def agent():
    return Agent()
"""


def solution(world, case):
    """Return the task of an episode, and the acts of its oracle."""
    episode = program(world).Episode(case["template"], bytes.fromhex(case["seed"]), case["language"], "clean")
    oracle, observation, acts = program(world).Oracle(episode), {"task": episode.task}, []
    while True:
        (act,) = oracle.act(observation)
        acts.append(act)
        if "done" in act or episode.done:
            return episode.task, acts
        if "say" in act:
            observation = {"results": [], "user": episode.say(act["say"])}
        else:
            result = {"content": episode.call(act["tool"], act["arguments"]), "error": False}
            observation = {"results": [result], "user": None}


@pytest.mark.prove
@pytest.mark.parametrize("world", ["office", "control_room"])
def test_who_does_nothing_or_has_learnt_the_practised_episodes_by_heart_is_rejected(world, tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    scenario = tmp_path / "scenario"
    scenario.mkdir()
    (scenario / "scenario.yaml").write_text(SCENARIO.format(name=world.replace("_", "-"), world=world))
    idle, knows = write_agent(tmp_path, IDLE, "idle"), write_agent(tmp_path, BY_HEART, "by-heart")
    rejected = run("trial", "run", scenario, idle, "--out", tmp_path / "out-idle")
    assert rejected.exit_code == 3, rejected.output
    practised = pl.read_csv(tmp_path / "out-idle" / "rehearsal" / "cases.csv")
    (knows / "known.json").write_text(json.dumps(dict(solution(world, case) for case in practised.to_dicts())))
    run("trial", "rehearse", scenario, knows, "--out", tmp_path / "out-knows")
    (criterion,) = json.loads((tmp_path / "out-knows" / "rehearsal" / "report.json").read_text())["criteria"]
    assert criterion["estimate"] > 0.5, "what it has learnt it wins"
    rejected = run("trial", "run", scenario, knows, "--out", tmp_path / "out-knows")
    assert rejected.exit_code == 3, rejected.output
