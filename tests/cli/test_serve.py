"""``pilotbase serve``: what keeps it from listening is told before anything is made."""

import socket

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
