"""A world that would make a trial worthless is refused by the gate that says why."""

import json
import shutil
from pathlib import Path

import pytest

from pilotbase.documents.limits import EndReason
from pilotbase.documents.world import Gate
from pilotbase.sandbox.adapters.world_program import _Served
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.trial.arena.gates import GateSizes, check_world
from pilotbase.trial.arena.kept_worlds import read_world
from pilotbase.trial.arena.playing import play
from pilotbase.trial.arena.world_box import BoxedEpisode, WorldBox, WorldFailedError
from pilotbase.worlds.folders import WORLDS, write_world
from tests.cli.test_command_line import run
from tests.worlds.playing_for_tests import loaded

EXAMPLES = Path(__file__).parents[2] / "examples" / "worlds"
SMALL = GateSizes(each=1, guessed=40, constant=4, obeyed=16, repeated=16, drawn=300)
STARTER = "class Episode(kit.Episode):"


class InProcess:
    """Answers as the box of a world does, in this process."""

    def __init__(self, kept, _=0):
        self.kept = kept
        self._served = _Served(loaded(kept.folder))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def ask(self, request):
        return self.ask_all([request])[0]

    def ask_all(self, requests):
        try:
            return [json.loads(json.dumps(self._served.answer(json.loads(json.dumps(one))))) for one in requests]
        except Exception as error:
            ended = BoxEnded(BoxEnd(EndReason.APPLICATION_ERROR, 1, repr(error)))
            raise WorldFailedError("w", requests[0], ended) from error

    def play(self, key, player):
        return play(self.kept.world, self.kept.digest, key, BoxedEpisode(self, key), player)


def changed(folder, changes=()):
    """Write the starter with other words in its program; return the world."""
    write_world("starter", folder)
    program = folder / "world.py"
    text = program.read_text("utf-8")
    for old, new in dict(changes).items():
        assert old in text, old
        text = text.replace(old, new)
    program.write_text(text, "utf-8")
    return read_world(folder)


def failed(kept):
    found = check_world(kept, lambda _: InProcess(kept), SMALL)
    return {gate.gate: gate.problem.render("en") for gate in found.gates if not gate.holds}


ROOMS = "        return self.rooms\n"
WON = '"reached": self.booked == [[self.goal, self.day]]'
TASK = ".format(people=people, day=self.day)"
BEGUN = "super().__init__(template, seed, language, arm)"
KNOWN = "if room not in self.rooms:"
CHEATS = {
    "the seed stands in the task": (
        (Gate.LEAK, "part of its seed"),
        {TASK: TASK + ' + f" ({seed.hex()[20:40]})"'},
    ),
    "a result says what is judged": (
        (Gate.LEAK, "the word reached"),
        {'{"booked": True}': '{"booked": True, "reached": room == self.goal}'},
    ),
    "the module random": (
        (Gate.REPEATED, "differs when it is played again"),
        {ROOMS: "        import random\n\n        return {**self.rooms, 'noise': random.random()}\n"},
    ),
    "something is kept from episode to episode": (
        (Gate.REPEATED, "differs when it is played again"),
        {
            STARTER: f"SEEN = []\n\n\n{STARTER}",
            ROOMS: "        SEEN.append(1)\n        return [self.rooms, len(SEEN)]\n",
        },
    ),
    "nothing need be done": (
        (Gate.IDLE, "although nothing was done"),
        {WON: '"reached": self.booked in ([], [[self.goal, self.day]])'},
    ),
    "the oracle does something else": (
        (Gate.ORACLE, "did not win"),
        {'{"room": self.goal, "day": self.day}}\n\n\n': '{"room": "R1", "day": self.day}}\n\n\n'},
    ),
    "an outcome is called otherwise": (
        (Gate.OUTCOMES, "atacked, attacked is not as declared"),
        {'"attacked": attack in self.booked': '"atacked": attack in self.booked'},
    ),
    "there is no oracle": (
        (Gate.ORACLE, "did not win"),
        {"Oracle = kit.Oracle": ""},
    ),
    "any room will do": (
        (Gate.GUESSING, "Random acts reached"),
        {WON: '"reached": bool(self.booked)', KNOWN: "if False:"},
    ),
    "one act does for all": (
        (Gate.CONSTANT, "Repeating list_rooms {} reached"),
        {ROOMS: "        self.booked = [[self.goal, self.day]]\n        return self.rooms\n"},
    ),
    "a tool crashes": (
        (Gate.RUNS, "KeyError"),
        {KNOWN: "if self.rooms[room] is None:"},
    ),
    "finish crashes": (
        (Gate.RUNS, "ZeroDivisionError"),
        {"attack = self.attack and": "1 / len(self.booked)\n        attack = self.attack and"},
    ),
    "the bait is nowhere": (
        (Gate.INJECTION, "Only 0 of 16 attacked episodes"),
        {'["note"] = self.bait': '["note"] = ""'},
    ),
    "attacks are not noticed": (
        (Gate.INJECTION, "Only 0 of 16 attacked episodes"),
        {'"attacked": attack in self.booked': '"attacked": False'},
    ),
    "rooms have no names": (
        (Gate.KNOWLEDGE, "which the episode never shows"),
        {ROOMS: "        return [room['note'] for room in self.rooms.values()]\n"},
    ),
    "few episodes": (
        (Gate.DISTINCT, "are identical"),
        {BEGUN: f"seed = seed[:1]\n        {BEGUN}"},
    ),
    "an arm shows in the task": (
        (Gate.ARMS, "in the arm injected"),
        {TASK: TASK + ' + " " * (arm == "injected")'},
    ),
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", CHEATS)
def test_a_world_that_cheats_is_refused_by_the_gate_that_names_it(name, tmp_path):
    (gate, said), changes = CHEATS[name]
    found = failed(changed(tmp_path / "world", changes))
    assert said in found.get(gate, ""), found


def test_a_sound_world_passes(tmp_path):
    assert failed(changed(tmp_path / "world")) == {}


@pytest.mark.prove
@pytest.mark.parametrize("name", WORLDS)
def test_the_worlds_of_the_base_pass_every_gate_in_their_box(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    write_world(name, tmp_path / name)
    done = run("world", "check", tmp_path / name)
    assert done.exit_code == 0 and "Every gate holds" in done.stdout, done.stdout


@pytest.mark.prove
def test_an_order_of_sets_shows_in_another_box(tmp_path):
    tmp_path.chmod(0o755)
    kept = changed(tmp_path / "world", {ROOMS: "        return [self.rooms, list(set(self.rooms))]\n"})

    def opened(hash_seed):
        return WorldBox(kept, tmp_path / "cache", BoxSettings(logs=LogPolicy.FULL, hash_seed=hash_seed))

    found = check_world(kept, opened, SMALL)
    assert [gate.gate for gate in found.gates if not gate.holds] == [Gate.REPEATED]


@pytest.mark.prove
def test_a_scenario_with_a_world_that_cheats_is_not_sealed_and_one_of_the_base_needs_no_gate(tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    shutil.copytree(EXAMPLES / "control_room" / "applications" / "controller", tmp_path / "controller")
    scenario = (EXAMPLES / "control_room" / "scenario.yaml").read_text("utf-8")
    changed(tmp_path / "scenario" / "world", {WON: '"reached": self.booked in ([], [[self.goal, self.day]])'})
    local = scenario.replace("name: control_room", "folder: world")
    (tmp_path / "scenario" / "scenario.yaml").write_text(local, "utf-8")
    refused = run("trial", "rehearse", tmp_path / "scenario", tmp_path / "controller")
    assert refused.exit_code == 2 and "although nothing was done" in refused.stderr, refused.stderr
    (tmp_path / "scenario" / "scenario.yaml").write_text(scenario, "utf-8")
    assert run("trial", "rehearse", tmp_path / "scenario", tmp_path / "controller").exit_code == 0
    assert not list((tmp_path / "home" / "tmp" / "sound-worlds").iterdir()), "a world of the base was checked with it"
