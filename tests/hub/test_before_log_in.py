"""What anybody may do to a hub before it is known who they are: little memory, and no connection for ever."""

import http.client
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from pilotbase.protocols import bounded_connection as connections
from tests.hub.walk_for_tests import Hub

IMPATIENT = (
    "from pilotbase.protocols import bounded_connection as connections\n"
    "connections.PATIENCE_SECONDS, connections._LOOK_SECONDS = 2.0, 0.2\n"
    "from pilotbase.cli import main; main()"
)

pytestmark = pytest.mark.prove
"""A hub as people start it takes twenty seconds of the suite."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    running = Hub(tmp_path_factory.mktemp("strangers") / "home", IMPATIENT, "--no-worker")
    yield running
    running.stop()


def dialled(hub) -> socket.socket:
    host, _, port = hub.address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=30)


def resident(hub) -> int:
    lines = Path(f"/proc/{hub.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS"))


def test_heads_are_bounded_whoever_sends_them(hub):
    """30 callers send 4 MB of headers each: answered with 400 and closed, and the hub has not grown by it."""
    before, line = resident(hub), b"X-Padding: " + b"x" * 60_000 + b"\r\n"
    for _ in range(30):
        with dialled(hub) as caller:
            caller.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            try:
                for _ in range(70):
                    caller.sendall(line)
                said = caller.recv(100)
            except OSError:
                said = b""
            assert said == b"" or said.startswith(b"HTTP/1.1 400")
    assert resident(hub) - before < 40 << 20
    assert connections.HEAD_BYTES == 64 << 10


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nX-",
        b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nhalf",
    ],
    ids=["nothing", "half a head", "half a body"],
)
def test_who_does_not_go_on_is_let_go(hub, begun):
    callers = [dialled(hub) for _ in range(50)]
    for caller in callers:
        caller.sendall(begun)
    began = time.monotonic()
    for caller in callers:
        while caller.recv(1 << 16):
            pass
        caller.close()
    assert time.monotonic() - began < 20
    with urlopen(f"{hub.address}/health/live", timeout=60) as answer:
        assert answer.status == 200


def test_a_slow_body_that_keeps_coming_is_taken(hub):
    caller = http.client.HTTPConnection(hub.address.removeprefix("http://"), timeout=30)
    caller.putrequest("POST", "/no-such-page/")
    caller.putheader("Content-Type", "application/octet-stream")
    caller.putheader("Content-Length", str(6 * 40_000))
    caller.endheaders()
    for _ in range(6):
        caller.send(b"x" * 40_000)
        time.sleep(0.6)
    answer = caller.getresponse()
    assert answer.status == 404, "it was read whole, and there is no such page"


def test_accounts_are_nobody_elses_to_read(hub):
    assert stat.S_IMODE(hub.home.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in hub.home.glob("hub.db*")} == {0o600}


def test_an_init_that_fails_leaves_no_home(tmp_path):
    environment = {**os.environ, "PILOTBASE_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", "from pilotbase.cli import main; main()", "init", "--name"]
    failed = subprocess.run([*command, "No Name!"], env=environment, capture_output=True, text=True)
    assert failed.returncode == 2 and not (tmp_path / "home").exists()
    assert subprocess.run([*command, "north-base"], env=environment, capture_output=True).returncode == 0
