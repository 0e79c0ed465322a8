"""Whatever happens to us or to a box, nothing of it stays behind."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pilotbase.sandbox.box.cgroups import find_hierarchy, sweep
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.sandbox.box.supervisor import descendants

STUBBORN = """
import os, signal, time
for number in (1, 2, 15):
    signal.signal(number, signal.SIG_IGN)
def predict(batch):
    born, tell = os.pipe()
    for _ in range(3):
        if os.fork() == 0:
            os.setpgid(0, 0)
            os.fork()
            os.write(tell, b".")
            time.sleep(300)
    for _ in range(6):
        os.read(born, 1)
    return [1.0] * batch.rows
"""
HOST = """
import sys, time
from dataclasses import replace
from pathlib import Path
import numpy as np
from pilotbase.sandbox.box.environments import build_environment
from pilotbase.sandbox.box.settings import BoxSettings, MemoryWatch
from pilotbase.sandbox.box.warm_worker import start_worker
from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract, Field, Prediction
from pilotbase.protocols.frames import FeatureBatch

contract = Contract(features=(Field(name="x", dataType="sc:Float"),), prediction=Prediction(kind="value"))
environment = build_environment(b"", "requirements.lock", Path(sys.argv[2]))
settings = BoxSettings(memory_watch=MemoryWatch(sys.argv[3]) if sys.argv[3] else None)
worker = start_worker(Path(sys.argv[1]), Form(), contract, environment, settings)
worker.predict(FeatureBatch({"x": np.zeros(1)}, 1))
print("answered", flush=True)
time.sleep(300)
"""


def gone(pids: list[int], patience: float = 10) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if all(not Path(f"/proc/{pid}").exists() or is_zombie(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.one_in(2)
@pytest.mark.parametrize("watch", ["", "supervisor"])
def test_killing_us_leaves_no_process_and_no_group(write_application, folder, watch):
    application = write_application(STUBBORN)
    command = [sys.executable, "-c", HOST, str(application), str(folder / "cache"), watch]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as host:
        try:
            assert host.stdout.readline() == b"answered\n"
            pids = [pid for pid in descendants(host.pid) if pid != host.pid]
            lines = Path(f"/proc/{pids[-1]}/cgroup").read_text().splitlines()
            groups = [line.rpartition("/")[2] for line in lines if "/pilotbase-locked-" in line]
            assert bool(groups) != (watch == "supervisor" or find_hierarchy() is None)
            assert len(pids) >= 9, "bubblewrap twice, the runner, and six children of the application"
        finally:
            host.kill()
        assert gone(pids)
    hierarchy = find_hierarchy()
    if hierarchy is not None:
        sweep(hierarchy)
        for parent in (hierarchy.memory, hierarchy.pids):
            assert not any((parent / name).exists() for name in groups)


def descriptors():
    """Return what this process has open, number and target: one that another test's thread closes may be missing."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add((descriptor.name, str(descriptor.readlink())))
    return found


def left_open(before, patience=2):
    """Return what is open and was not before; a thread of another test that reads a file closes it in that time."""
    deadline = time.monotonic() + patience
    left = descriptors() - before
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left &= descriptors()
    return left


def test_closing_leaves_no_process_and_no_descriptor(start, batch_of, settings):
    before = descriptors()
    with start(STUBBORN, settings) as worker:
        worker.predict(batch_of(1))
        pids = descendants(worker._box.supervisor._root)
        assert len(pids) >= 8
    assert gone(pids, patience=0.5)
    assert not left_open(before)


def test_killing_bubblewrap_leaves_no_process(start, batch_of, settings):
    with start(STUBBORN, settings) as worker:
        worker.predict(batch_of(1))
        pids = descendants(worker._box.supervisor._root)
        worker._box.supervisor._process.kill()
    assert gone(pids, patience=0.5)


def test_a_box_outlives_the_thread_that_asked_for_it(start, batch_of):
    """``--die-with-parent`` is bound to the thread that started bubblewrap, so that must not be the caller's."""
    import threading

    kept = []
    thread = threading.Thread(target=lambda: kept.append(start(STUBBORN, BoxSettings())))
    thread.start()
    thread.join()
    with kept[0] as worker:
        assert worker.predict(batch_of(2)).values.tolist() == [1.0, 1.0]
