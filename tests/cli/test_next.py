"""``pilotbase next``: where a scenario and its applications stand, and the command that brings them on."""

import shlex
import zipfile

import pytest

from tests.cli.test_command_line import run
from tests.trial.conftest import BAD, home, write_application, write_scenario  # noqa: F401 - fixtures


@pytest.fixture
def here(home, tmp_path, monkeypatch):  # noqa: F811
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def told(language="en"):
    done = run("next", language=language)
    assert done.exit_code == 0, done.stderr
    *stands, command = done.stdout.strip().splitlines()
    return " ".join(stands), shlex.split(command)[1:]


def take(command):
    return run(*command).exit_code


@pytest.mark.one_in(2)
@pytest.mark.parametrize("verdict", ["accept", "reject"])
def test_whoever_follows_it_comes_to_a_verdict(verdict, home, here, write_scenario, write_application):  # noqa: F811
    assert told()[1][:3] == ["scenario", "new", "--from"] and "没有场景" in told("zh")[0]
    (here / "cases.csv").write_text("a,b\n1,2\n")
    assert told() == (
        "There is no scenario here yet; cases.csv may hold its cases:",
        ["scenario", "new", "--from", "cases.csv", "--out", "cases-scenario"],
    )
    write_scenario(change=lambda content: content.replace("problem: {en", "problm: {en")).rename(here / "scenario")
    assert "problem" in told()[0] and told()[1] == ["scenario", "check", "scenario"]
    manifest = here / "scenario" / "scenario.yaml"
    manifest.write_text(manifest.read_text().replace("problm", "problem"))

    stands, command = told()
    assert "what its cases can prove" in stands and "pilotbase scenario check scenario" in stands
    assert command == ["application", "new", "scenario", "--out", "my-application"]
    write_application(*([BAD] if verdict == "reject" else [])).rename(here / "alarm")
    stands, command = told()
    assert "scenario check" not in stands
    assert "not been rehearsed" in stands and command == ["trial", "rehearse", "scenario", "alarm"]
    assert run(*command, *(["--out", "tried"] if verdict == "accept" else []), language="zh").exit_code == 0
    stands, command = told()
    assert "passed its rehearsal" in stands and command == [
        "trial",
        "run",
        "scenario",
        "alarm",
        "--out",
        "alarm-result",
    ]
    assert run(*command[: 4 if verdict == "reject" else 6], language="zh").exit_code == (
        0 if verdict == "accept" else 3
    )
    stands, command = told()
    kept = home / "trials" if verdict == "reject" else here / "alarm-result"
    report = next(kept.rglob("report.html"))
    assert f"is {verdict}ed" in stands and report.name in stands and command[2] in str(report)
    pages = [one.read_text("utf-8") for one in kept.rglob("report.html")]
    assert len(pages) > 1 and all('<html lang="zh-CN">' in page for page in pages)
    assert take(command) == 0
    (here / "alarm").rename(here.parent / "alarm")
    assert f"is {verdict}ed" in told()[0], "known without the application's folder"
    (here.parent / "alarm").rename(here / "alarm")
    (here / "alarm" / "app.py").write_text("def predict(batch):\n    return [None] * batch.rows\n")
    assert "not been rehearsed" in told()[0], "another version"


def test_a_supplier_with_a_kit_hands_in(here, write_scenario, write_application):  # noqa: F811
    assert run("scenario", "kit", write_scenario(), "--out", here / "alarm.kit.zip").exit_code == 0
    write_application().rename(here / "alarm")
    assert take([*told()[1], "--out", "tried"]) == 0
    stands, command = told()
    assert "hand it in to plant" in stands and command == ["application", "save", "alarm"]


def test_a_broken_kit_is_said_to_be_one(here, write_scenario):  # noqa: F811
    """Only its owner can mend it, so no command is offered."""
    assert run("scenario", "kit", write_scenario(), "--out", here / "alarm.kit.zip").exit_code == 0
    with zipfile.ZipFile(here / "alarm.kit.zip", "w") as archive:
        archive.writestr("kit.json", "{}")
    done = run("next")
    assert done.exit_code == 3 and "pilotbase scenario check" not in done.stdout + done.stderr
