"""Scorers are forked by a server that has loaded one: each alone, each end told, none without its server's owner."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pilotbase.trial import fork_server

SCORER = "pilotbase.trial.scorer_process"
OWNER = """
import sys
from pilotbase.trial import fork_server
scorer = fork_server.start("pilotbase.trial.scorer_process")
print(fork_server._servers["pilotbase.trial.scorer_process"]._process.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def scorer():
    started = fork_server.start(SCORER)
    yield started
    started.signal(signal.SIGKILL)
    started.close()


def number_of(scorer) -> int:
    """Return the process number of a scorer, as the kernel tells it of the descriptor."""
    told = Path(f"/proc/self/fdinfo/{scorer._descriptor}").read_text()
    return int(re.search(r"^Pid:\s+(\d+)", told, re.MULTILINE)[1])


def test_how_a_scorer_ended_is_told(scorer):
    assert scorer.wait(seconds=0) is None, "it waits for its job"
    scorer.signal(signal.SIGKILL)
    assert scorer.wait() == -signal.SIGKILL
    scorer.signal(signal.SIGTERM)


def test_a_scorer_that_is_given_no_job_ends_and_says_nothing(scorer):
    scorer.stdin.close()
    assert scorer.stdout.read() == b""
    assert scorer.wait() == 1


def test_two_scorers_share_nothing(scorer):
    """One that reads what it should not has nothing of another trial in its hands, nor of its server."""
    other = fork_server.start(SCORER)
    try:
        held = [opened_by(number_of(one)) for one in (scorer, other)]
    except PermissionError:
        pytest.skip("a hardened process shows its descriptors to root alone")
    finally:
        other.signal(signal.SIGKILL)
        other.close()
    assert all(name.startswith("pipe:") for name in held[0] | held[1])
    assert len(held[0]) == len(held[1]) == 2 and not held[0] & held[1]


def opened_by(process: int) -> set[str]:
    """Return what a scorer holds once it waits for its job, but for files and its errors, which are ours."""
    place, deadline = Path(f"/proc/{process}/fd"), time.monotonic() + 60
    found: set[str] = set()
    while len(found) != 2 and time.monotonic() < deadline:
        with suppress(FileNotFoundError):  # closed while we looked
            links = {str(one.readlink()) for one in place.iterdir() if one.name != "2"}
            found = {name for name in links if name.startswith(("pipe:", "socket:", "anon_inode:"))}
    return found


def test_a_server_that_was_killed_is_followed_by_another(scorer):
    before = fork_server._servers[SCORER]._process
    before.kill()
    before.wait()
    again = fork_server.start(SCORER)
    assert fork_server._servers[SCORER]._process.pid != before.pid
    assert again.wait(seconds=0) is None
    scorer.signal(signal.SIGKILL)
    assert scorer.wait() == -signal.SIGKILL
    again.signal(signal.SIGKILL)
    again.close()


@pytest.mark.prove
def test_a_server_that_makes_no_process_is_told_of_and_the_next_one_begins_anew(monkeypatch):
    """As when the kernel has no room for one more; here the program cannot be loaded."""
    monkeypatch.setattr(fork_server, "_servers", {})
    with pytest.raises(OSError):
        fork_server.start("tests.trial.no_such_program")
    again = fork_server.start(SCORER)
    again.signal(signal.SIGKILL)
    assert again.wait() == -signal.SIGKILL
    again.close()


@pytest.mark.prove
def test_an_owner_ends_though_a_process_of_its_own_lives_on():
    """That one holds the owner's end of the socket too, and the server ends all the same."""
    program = OWNER.replace("sys.stdin.read()", "import os, time\nif os.fork() == 0: time.sleep(60)")
    owner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert int(owner.stdout.readline())
        assert owner.wait(timeout=30) == 0
    finally:
        os.killpg(owner.pid, signal.SIGKILL)
        owner.wait()
        owner.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_ends_with_whoever_started_it(number):
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    server = os.pidfd_open(int(owner.stdout.readline()))
    owner.send_signal(number)
    owner.wait()
    assert fork_server.select.select([server], [], [], 20)[0], "it is gone"
    os.close(server)
    owner.stdin.close()
    owner.stdout.close()
