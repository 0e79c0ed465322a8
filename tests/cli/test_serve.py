"""``pilotbase serve``: what keeps it from listening is told before anything is made."""

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from tests.cli.test_command_line import run


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("beside", [0, 1])
def test_a_port_that_is_taken_is_told_before_accounts_and_passwords_are_made(taken, beside, tmp_path):
    """``beside``: it is the gateway's, the next after the hub's."""
    told = run("serve", "--demo", "--port", taken - beside)
    assert told.exit_code == 2 and f":{taken}: " in told.stderr
    assert "--port" in told.stderr and "make hub PORT=" in told.stderr
    assert not told.stdout and not (tmp_path / "no-home").exists()


def test_the_port_after_the_last_is_told(tmp_path):
    told = run("serve", "--port", 65_535)
    assert told.exit_code == 2 and ":65536: " in told.stderr


@pytest.mark.parametrize(
    ("language", "said"), [("en", "pilotbase serve creates one"), ("zh", "pilotbase serve 会创建")]
)
def test_the_check_of_a_machine_without_a_base_says_what_serve_will_do(tmp_path, language, said):
    told = run("serve", "--check", "--port", 18_767, language=language)
    assert told.exit_code == 0, told.output
    assert str(tmp_path / "no-home") in told.stdout and said in told.stdout
    assert not (tmp_path / "no-home").exists()


GROUND = """
from pilotbase.hub.serving import serving
serving.configure(serving.BindAddress())
serving.prepare()
from pilotbase.hub.demo import make_accounts
from pilotbase.hub.demo import require_own_ground
from pilotbase.hub.models import Person
require_own_ground()
make_accounts("pilot-base")
require_own_ground()
Person.objects.filter(email="desk@pilot.example").update(email="desk@own.example")
print(Person.objects.count())
"""


@pytest.mark.prove
def test_the_demonstration_fills_an_empty_base_and_its_own_but_nobody_elses(tmp_path):
    """The script ends with a base of people whom the demonstration did not make."""
    environment = os.environ | {"PILOTBASE_HOME": str(tmp_path / "own"), "PILOTBASE_LANGUAGE": "en"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    people = subprocess.run([sys.executable, "-c", GROUND], env=environment, capture_output=True, text=True)
    assert people.returncode == 0, people.stderr
    serve = (
        "from pilotbase.cli import main; main()",
        "serve",
        "--demo",
        "--port",
        "18765",
        "--no-gateway",
        "--no-worker",
    )
    told = subprocess.run([sys.executable, "-c", *serve], env=environment, capture_output=True, text=True, timeout=60)
    assert told.returncode == 2, "it names the base, refuses it, and says the way out"
    assert told.stderr.count(str(tmp_path / "own")) == 2 and "unset PILOTBASE_HOME" in told.stderr
    with closing(sqlite3.connect(tmp_path / "own" / "hub.db")) as accounts:
        (after,) = accounts.execute("SELECT count(*) FROM hub_person").fetchone()
    assert after == int(people.stdout), "no account was made"
