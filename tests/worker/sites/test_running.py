"""The site's run itself: on a machine without a network, killed on the way, on a home that was set back."""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.vocabularies import Verdict
from pilotbase.sandbox.box.settings import running_interpreter
from pilotbase.vault.attempts import AttemptState, attempts_of
from pilotbase.vault.sealing import HiddenSet
from pilotbase.worker.base import open_base
from tests.hostile.test_wheels import metadata, wheel_bytes
from tests.trial.conftest import BAD, GOOD
from tests.worker.sites.homes_for_tests import environment

SLOW = """
import time
from threshold import LIMIT
def predict(batch):
    time.sleep(0.1)
    return ['broken' if p > LIMIT else 'fine' for p in batch['pressure']]
"""
PROGRAMS = ((GOOD, "first"), (BAD, "second"))
ASK = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=60).close()"


@pytest.fixture
def offline():
    """The words before a command that give it a network of its own, in which there is nobody."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a network namespace needs root and unshare(1): the run without a network was not tried here")
    return ["unshare", "--net", "--"]


def with_package(homes):
    """Return an application that needs a package, whose wheel the base has fetched."""
    folder = homes.application(SLOW, "slow")
    wheel = wheel_bytes({"threshold/__init__.py": "LIMIT = 6\n", **metadata("threshold")})
    sha256 = hashlib.sha256(wheel).hexdigest()
    (folder / "requirements.lock").write_text(f"threshold==1.0 --hash=sha256:{sha256}\n")
    kept = homes.base.lab.folder("environments", "acme", "wheels", running_interpreter().tag, sha256)
    kept.chmod(0o755)
    (kept / "threshold-1.0-py3-none-any.whl").write_bytes(wheel)
    return folder


@pytest.mark.prove
def test_a_site_without_a_network_is_killed_while_it_runs_and_ends_what_it_began(homes, offline):
    pack = homes.pack(with_package(homes))
    out = homes.table / "out.json"
    command = [*offline, sys.executable, "-c", "from pilotbase.cli import main; main()", "site", "run", str(pack.file)]
    command += [str(homes.scenario), "--trust", str(homes.roots), "--watched-by", "Li Wei", "--organisation", "plant"]
    command += ["--out", str(out)]
    alone = environment(homes.place / "site")
    with socket.create_server(("127.0.0.1", 0)) as server:
        ask = [sys.executable, "-c", ASK, str(server.getsockname()[1])]
        assert subprocess.run(ask, check=False).returncode == 0
        assert subprocess.run([*offline, *ask], check=False, stderr=subprocess.DEVNULL).returncode == 1
    process = subprocess.Popen(command, env=alone, start_new_session=True, stderr=subprocess.PIPE, text=True)
    told = []
    assert any("answers hidden cases" in (told.append(line) or line) for line in process.stderr), told
    answers = next((homes.place / "site" / "runs").rglob("answers"))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not out.exists() and answers.exists()
    ended = subprocess.run(command, env=alone, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "Li Wei" in ended.stdout and "contains no case" in ended.stdout
    hidden = homes.site.lab.view.load(pack.pack.scenario.hidden_set, HiddenSet)
    (attempt,) = attempts_of(homes.site.lab.vault, hidden)
    assert attempt.state is AttemptState.CLOSED
    taken = homes.take_back(out)
    assert (taken.report.verdict, taken.report.attempt.number) == (Verdict.ACCEPT, 1)


@pytest.mark.prove
def test_a_home_that_was_set_back_buys_no_second_first_attempt(homes, monkeypatch):
    first, second = (homes.pack(homes.application(program, name), f"{name}.pack") for program, name in PROGRAMS)
    before = homes.place / "site before"
    shutil.copytree(homes.place / "site", before)
    taken = homes.take_back(homes.run(first.file).file)
    homes.site.lab.close()
    monkeypatch.setenv("PILOTBASE_HOME", str(before))
    homes.site = open_base()
    again = homes.run(second.file, name="again.json")
    assert taken.report.attempt.number == again.report.attempt.number == 1
    with pytest.raises(RefusedError) as told:
        homes.take_back(again.file, "again")
    assert told.value.code == "site.attempt_taken"
    third = homes.pack(homes.application(GOOD + "# 3\n", "third"), "third.pack")
    assert third.pack.seen != second.pack.seen
    with pytest.raises(RefusedError) as told:
        homes.run(third.file)
    assert "log: the log does not continue" in told.value.render("en")
