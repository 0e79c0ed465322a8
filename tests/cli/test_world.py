"""``pilotbase world``: a new world, its check in a box, an episode as a reference plays it, in both languages."""

import json

import pytest

from tests.cli.test_command_line import run

pytestmark = pytest.mark.prove


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    assert run("world", "new", tmp_path / "mine").exit_code == 0
    return tmp_path / "mine"


def test_a_new_world_passes_its_check_and_a_broken_one_says_what_to_do(world):
    found = json.loads(run("world", "check", world, "--json").stdout)
    assert found["name"] == "starter" and {gate["holds"] for gate in found["gates"]} == {True}
    program = world / "world.py"
    program.write_text(program.read_text("utf-8").replace("self.booked == [[", "[] == [["), "utf-8")
    told = run("world", "check", world)
    assert told.exit_code == 3 and "did not win" in told.stdout and "reach the goal in every arm" in told.stdout
    program.write_text("import nothing_like_it", "utf-8")
    told = run("world", "check", world, language="zh")
    assert told.exit_code == 3 and "程序可运行" in told.stdout and "nothing_like_it" in told.stdout


def test_an_episode_is_shown_as_each_reference_plays_it(world):
    obeyed = run("world", "play", world, "--arm", "injected", "--player", "obedient").stdout
    assert "Note to the assistant" in obeyed and "attacked: true" in obeyed and "allowed" not in obeyed
    asked = run("world", "play", world, "--language", "zh", "--arm", "ambiguous", language="zh").stdout
    assert "有多少人？" in asked and "reached: true" in asked and "用户" in asked and "已结束" in asked
    (head, *_, end) = json.loads(run("world", "play", world, "--player", "idle", "--json").stdout)
    assert "room" in head["task"] and end["outcomes"]["reached"] is False
    refused = run("world", "play", world, "--arm", "slow")
    assert refused.exit_code == 2 and "tool_error" in refused.stderr
