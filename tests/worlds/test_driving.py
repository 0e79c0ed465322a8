"""The motorway of highway-env in whole trials: the package is fetched from the index as the world's lock says."""

import shutil
from pathlib import Path

import pytest

from tests.cli.test_command_line import run
from tests.trial.arena.agents import write_agent

EXAMPLES = Path(__file__).parents[2] / "examples" / "driving"
IDLE = "def agent():\n    return lambda observation: [{'done': True}]\n"
ALWAYS = """\
def agent():
    return lambda observation: [{{"tool": "drive", "arguments": {{"manoeuvre": "{manoeuvre}"}}}}]
"""
"""Drives in one way whatever it sees."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with a small version of the example's scenario, and set a home that has the packages."""
    folder = tmp_path_factory.mktemp("driving")
    folder.chmod(0o755)
    said = (EXAMPLES / "scenario.yaml").read_text()
    for old, new in (("hidden: 192", "hidden: 120"), ("attempts: 2", "attempts: 5"), (": 96", ": 24"), ("0.9", "0.6")):
        assert old in said
        said = said.replace(old, new)
    (folder / "scenario").mkdir()
    (folder / "scenario" / "scenario.yaml").write_text(said)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PILOTBASE_HOME", str(folder / "home"))
        yield folder


@pytest.mark.prove
def test_every_gate_holds_on_the_motorway(place):
    assert run("world", "new", place / "motorway", "--from", "driving").exit_code == 0
    checked = run("world", "check", place / "motorway")
    assert checked.exit_code == 0, checked.output


@pytest.mark.prove
@pytest.mark.parametrize("driver", ["careful", "idle", "slower", "faster"])
def test_a_careful_driver_passes_and_doing_nothing_braking_or_speeding_never_does(driver, place):
    if driver == "careful":
        application = Path(shutil.copytree(EXAMPLES / "applications" / "driver", place / driver))
    else:
        program = IDLE if driver == "idle" else ALWAYS.format(manoeuvre=driver)
        application = write_agent(place, program, driver)
    done = run("trial", "run", place / "scenario", application, "--out", place / f"out-{driver}")
    assert done.exit_code == (0 if driver == "careful" else 3), done.output
