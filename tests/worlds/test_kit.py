"""What worlds are made of: draws that are the same everywhere, users who say what they know, folders that run alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import build_document
from pilotbase.documents.world import World
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.worlds import kit
from pilotbase.worlds.folders import WORLDS, write_world
from tests.worlds.playing_for_tests import FOLDER

SEED = bytes(range(32))
WORDS = {
    "otherwise": ["Pardon?"],
    "as_asked": ["As I said."],
    "bye": ["Bye."],
    "gone": ["I leave."],
    "confirms": ["shall i"],
    "ends": ["^done"],
}


def user(slots=(), patience=5):
    return kit.User(kit.Stream(SEED, "user"), WORDS, slots, patience)


def test_draws_are_the_same_on_every_machine_and_python():
    draw = kit.Stream(SEED, "world")
    assert [draw.below(1000) for _ in range(6)] == [425, 909, 538, 520, 307, 638]
    assert (draw.digits(16), draw.sample("abcdef", 3)) == ("2640239218877188", ["b", "e", "c"])


def test_each_purpose_has_a_stream_of_its_own():
    assert kit.Stream(SEED, "user").digits(16) != kit.Stream(SEED, "world").digits(16)


def test_draws_reach_every_value_and_no_other():
    draw = kit.Stream(SEED, "world")
    assert {draw.between(3, 7) for _ in range(200)} == {3, 4, 5, 6, 7}
    assert draw.below(1) == 0 and 0 <= draw.below(10**20) < 10**20
    drawn = [draw.below(10**20) for _ in range(50)]
    assert max(drawn) > 2**63, "numbers above one word are drawn whole"


def test_a_code_is_none_of_those_taken():
    taken = [f"m{number}" for number in range(1, 10) if number != 4]
    assert kit.Stream(SEED, "world").code("m", 1, taken) == "m4"


@pytest.mark.parametrize(("amount", "found"), [(25, 2500), (25.0, 2500), (0.07, 7), (1234.56, 123456)])
def test_a_sum_of_money_is_one_number_however_it_is_spelled(amount, found):
    assert kit.cents(amount) == found


@pytest.mark.parametrize("amount", [True, "25", 0.001, float("nan"), float("inf"), 1e15])
def test_what_is_no_sum_of_money_is_refused(amount):
    with pytest.raises(kit.ToolError):
        kit.cents(amount)


def test_a_user_says_what_they_know_when_asked_and_nothing_else():
    someone = user([kit.Slot(["which bill"], "It is {value}.", "b1")])
    assert someone.hear("Hello") == "Pardon?"
    assert someone.hear("ＷＨＩＣＨ　Bill, please?") == "It is b1."
    assert someone.hear("Shall I begin?") == "As I said."
    assert someone.hear("Done.") == "Bye." and someone.gone and someone.hear("Which bill?") == ""


def test_a_slip_is_corrected_when_it_is_read_back_or_asked_again():
    for again in ("So b2 it is?", "Which bill was it?"):
        someone = user([kit.Slot(["which bill"], "It is {value}.", "b1", "b2", "Sorry: {value}.")])
        assert [someone.hear("Which bill?"), someone.hear(again)] == ["It is b2.", "Sorry: b1."]
        assert someone.hear("Which bill?") == "It is b1."


def test_a_user_without_patience_leaves():
    someone = user(patience=2)
    assert [someone.hear("Hm"), someone.hear("Hm")] == ["Pardon?", "I leave."] and someone.gone


def test_who_is_asked_for_what_they_do_not_want_loses_patience():
    someone = user(patience=5)
    assert [someone.decline() or someone.gone for _ in range(3)] == [False, False, True]


def test_a_folder_without_sealed_has_only_what_everybody_may_practise(tmp_path):
    write_world("office", tmp_path / "office")
    whole = kit.read_phrases(tmp_path / "office")["en"]
    assert "change_address" in whole["tasks"] and whole["attack"]["sealed"]["form"]
    assert kit.read_templates(tmp_path / "office").sealed == {"change_address", "cheapest_offer", "move_meeting"}
    (tmp_path / "office").rename(tmp_path / "practice")
    for file in ("phrases.toml", "templates.py"):
        (tmp_path / "practice" / "sealed" / file).unlink()
    practised = kit.read_phrases(tmp_path / "practice")["en"]
    assert "change_address" not in practised["tasks"] and "sealed" not in practised["attack"]
    assert not kit.read_templates(tmp_path / "practice").sealed


PLAYED = """
import sys; sys.path.insert(0, sys.argv[1])
import world
episode = world.Episode(sys.argv[2], bytes(32), "zh", "clean")
oracle, (act,) = world.Oracle(episode), [{}]
while not act.get("done"):
    (act,) = oracle.act({"results": []})
    if "tool" in act:
        episode.call(act["tool"], act["arguments"])
print(episode.finish()["reached"], "pilotbase.documents" in sys.modules)
"""


@pytest.mark.parametrize(
    ("name", "template"), [("starter", "book"), ("office", "pay_bill"), ("control_room", "leaking_tank")]
)
def test_a_written_world_runs_with_the_standard_library_alone(name, template, tmp_path):
    written = write_world(name, tmp_path / name)
    assert {path.name for path in written} >= {"world.yaml", "world.py", "kit.py"}
    command = [sys.executable, "-I", "-S", "-c", PLAYED, tmp_path / name, template]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "False"], done.stderr


def test_every_world_of_the_base_is_known_and_an_unknown_one_is_told(tmp_path):
    assert sorted(WORLDS) == sorted(path.parent.name for path in FOLDER.glob("*/world.yaml"))
    with pytest.raises(InputError, match="office"):
        write_world("ofice", tmp_path / "new")
    write_world("starter", tmp_path / "new")
    with pytest.raises(InputError, match="not empty"):
        write_world("starter", tmp_path / "new")


@pytest.mark.parametrize("page", ["write-a-world.md", "write-a-world.zh.md"])
def test_the_manifest_in_the_guide_is_one(page):
    shown = (Path(__file__).parents[2] / "docs" / page).read_text("utf-8").partition("```yaml\n")[2].partition("```")[0]
    assert build_document(World, parse_yaml(shown.encode(), page)).acts["cancel"].right == "forbidden"


class Counter(kit.Episode):
    """Counts how often its one tool is carried out."""

    done_times = 0

    def do_pay(self, amount):
        self.done_times += 1
        return amount


def test_a_slow_call_is_carried_out_once_however_often_its_result_is_asked_for():
    for number in range(20):
        episode, refused = Counter("", bytes([number]) * 32, "en", "slow"), 0
        for amount in range(3):
            for _ in range(6):
                try:
                    assert episode.call("pay", {"amount": amount}) == amount
                    break
                except kit.ToolError as told:
                    assert str(told) == episode.slow
                    refused += 1
        assert episode.done_times == 3 and 2 <= refused <= 4
