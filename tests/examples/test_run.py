"""The examples of how a hub is run: units that systemd takes, settings and commands that exist, files at hand."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from pilotbase.cli import app
from pilotbase.hub.configuration import HubConfiguration

ROOT = Path(__file__).parents[2]
RUN = ROOT / "examples" / "run"
UNITS = sorted([*RUN.glob("*.service"), *RUN.glob("*.timer")])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_takes_the_units(tmp_path):
    for unit in UNITS:
        content = unit.read_text().replace("/opt/pilotbase/bin/pilotbase", "/bin/true")
        (tmp_path / unit.name).write_text(content)
    command = ["systemd-analyze", "verify", *(str(tmp_path / unit.name) for unit in UNITS)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    ours = [line for line in ended.stderr.splitlines() if "pilotbase" in line]
    assert (ended.returncode, ours) == (0, []), ended.stderr


def commands() -> list[list[str]]:
    units = [line for unit in UNITS for line in unit.read_text().splitlines() if line.startswith("ExecStart=")]
    container = re.findall(r"CMD (\[\"pilotbase.*\])", (RUN / "Containerfile").read_text())
    found = [re.sub(r".*bin/pilotbase ", "", line) for line in units] + [
        line.replace('["pilotbase", ', "").replace('"', "").replace(",", "").rstrip("]") for line in container
    ]
    return [shlex.split(line.replace("'", "").replace('"', "")) for line in found if "=" not in line.split()[0]]


def test_the_commands_of_units_and_container_exist():
    known = typer.main.get_command(app).commands
    assert {words[0] for words in commands()} == {"serve", "worker", "backup"}
    for name, *words in commands():
        options = {option for one in known[name].params for option in (*one.opts, *one.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= options, (name, words)


def test_the_settings_are_settings():
    lines = [line for line in (RUN / "hub.env").read_text().splitlines() if line and not line.startswith("#")]
    given = dict(line.split("=", 1) for line in lines)
    configuration = HubConfiguration.from_environment({"PILOTBASE_HOME": "/nowhere", **given})
    assert configuration.secure and configuration.language == "zh"


def test_the_container_copies_what_is_there_and_says_that_it_is_untested():
    content = (RUN / "Containerfile").read_text()
    sources = [word for line in re.findall(r"^COPY (.+)$", content, re.M) for word in line.split()[:-1]]
    assert sources and all((ROOT / name).exists() for name in sources)
    assert "UNTESTED" in content
