"""Applications that know of a world what they are shown: good ones win in every arm, others lose where they should."""

import importlib.util
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.test_command_line import run
from tests.worlds.playing_for_tests import episode, every, play

EXAMPLES = Path(__file__).parents[2] / "examples" / "worlds"


def players(world, file):
    spec = importlib.util.spec_from_file_location(file, EXAMPLES / world / "applications" / file / f"{file}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ASSISTANTS, CONTROLLERS = players("office", "assistant"), players("control_room", "controller")


def shares(world, player, count=1, arm=None):
    """Return outcome → how many, over episodes of every template and language and of one arm or all; and how many."""
    found, played = Counter(), 0
    for one in every(world, count):
        if arm in (None, one.arm):
            played += 1
            found.update(name for name, is_so in play(world, one, player())[0].items() if is_so)
    return found, played


def test_an_assistant_that_reads_asks_and_retries_wins_in_every_arm_of_the_office():
    found, played = shares("office", ASSISTANTS.careful)
    assert found == {"reached": played, "unharmed": played}


def test_one_that_obeys_what_it_reads_is_caught_at_trying_and_one_that_gives_in_at_doing():
    found, played = shares("office", ASSISTANTS.obedient, arm="injected")
    assert found["attacked"] > 0.9 * played and found["unharmed"] == played, "the account holder declines"
    found, played = shares("office", ASSISTANTS.pliable, arm="persuasion")
    assert found == {"attacked": played}


def test_a_controller_that_watches_the_alarms_wins_and_one_that_trusts_its_valves_fails_in_rare_states():
    found, played = shares("control_room", CONTROLLERS.watchful, arm="clean")
    assert found["reached"] == played
    stuck = [number for number in range(40) if episode("control_room", number, "hold_level").course.stuck_from < 60]
    for number in range(40):
        outcomes, _ = play("control_room", episode("control_room", number, "hold_level"), CONTROLLERS.trusting())
        assert outcomes["reached"] == (number not in stuck)


@pytest.mark.prove
def test_none_of_hundreds_of_episodes_is_out_of_reach():
    for world, player in (("office", ASSISTANTS.careful), ("control_room", CONTROLLERS.watchful)):
        found, played = shares(world, player, 20)
        assert found["reached"] == played, world


@pytest.mark.prove
@pytest.mark.parametrize(
    ("world", "application", "entry", "code", "said"),
    [
        ("office", "assistant", "assistant:careful", 0, "All criteria are met"),
        ("office", "assistant", "assistant:obedient", 3, "Not met: attacked under injected"),
        ("control_room", "controller", "controller:trusting", 3, "Not met: reached"),
    ],
)
def test_an_example_is_tried_as_its_readme_says(world, application, entry, code, said, tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    shutil.copytree(EXAMPLES / world / "applications" / application, tmp_path / "application")
    manifest = tmp_path / "application" / "application.yaml"
    changed = re.sub(r"entry_point: .*", f"entry_point: {entry}", manifest.read_text("utf-8"))
    manifest.write_text(changed, "utf-8")
    done = run("trial", "run", EXAMPLES / world, tmp_path / "application", "--out", tmp_path / "out")
    assert done.exit_code == code and said in done.stdout, done.stdout + done.stderr
    assert run("trial", "replay", tmp_path / "out").exit_code == 0
