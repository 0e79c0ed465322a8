"""kill -9 of real workers at any moment of a reaction, two at once: nothing is done twice, nothing is lost."""

import random
import signal
import subprocess
import sys
import time

import pytest

from pilotbase.documents.vocabularies import Colour
from pilotbase.worker.base import open_base
from pilotbase.workspace.checks.reconciliation import verify_store
from tests.catalogue.records_for_tests import DESK, OWNER
from tests.worker.reactions_for_tests import Watched

REACT = """
from pilotbase.worker.base import open_base
from pilotbase.worker.reactions.feed import Reactions
ours = Reactions(open_base())
print("ready", flush=True)
input()
while ours.round():
    pass
print("done", flush=True)
"""


@pytest.fixture
def base(tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    opened = open_base(create=True, name="base")
    yield opened
    opened.lab.close()


class Process:
    """A worker that reacts when it is told to, in a process of its own."""

    def __init__(self) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen([sys.executable, "-c", REACT], text=True, **pipes)
        assert self.process.stdout.readline() == "ready\n"

    def go(self) -> None:
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def end(self) -> None:
        said, _ = self.process.communicate(timeout=60)
        assert said == "done\n" and self.process.returncode == 0


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(8))
def test_workers_killed_in_a_reaction_leave_one_of_everything(base, seed):
    watched, draw = Watched.over(base), random.Random(seed)
    watched.two_versions()
    watched.react()
    watched.warn()
    watched.warn(Colour.RED, "risk:precision")
    for _ in range(3):
        pair = [Process(), Process()]
        for process in pair:
            process.go()
        time.sleep(draw.uniform(0, 0.25))
        for process in pair:
            process.kill()
    last = Process()
    last.go()
    last.end()
    assert watched.moves == [("serving", 0), ("fallen_back", 1)]
    lines = watched.lines()
    done = lines.count("measure_done") + lines.count("measure_late")
    assert (lines.count("warned"), done, lines.count("failed")) == (2, 1, 0)
    assert watched.suspended() == 1
    assert all(len(watched.told(who)) == 2 for who in (OWNER, DESK))
    verify_store(base.lab.store)
