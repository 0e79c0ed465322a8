"""Who kills a box: another base that sweeps, somebody on the machine, or the application itself."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pilotbase.documents.limits import EndReason
from pilotbase.sandbox.box.cgroups import find_hierarchy, sweep
from pilotbase.sandbox.box.ends import BoxEnded, WorkerLostError
from pilotbase.sandbox.box.supervisor import descendants
from tests.hostile.test_leftovers import HOST

ANSWERS = "def predict(batch):\n    return [1.0] * batch.rows\n"
SWEEP = """
import os
from pilotbase.sandbox.box.cgroups import find_hierarchy, sweep
hierarchy = find_hierarchy()  # sweeps
sweep(hierarchy)
print(os.getpid(), flush=True)
"""
TRY = """
import contextlib, ctypes, os, signal
def kill(number):
    with contextlib.suppress(OSError):
        os.kill(number, signal.SIGKILL)
def predict(batch):
    {how}
"""
ENDS = {
    "itself": "kill(os.getpid())",
    "everything it can": "kill(-1); kill(os.getpid())",
    "its first process": "kill(1); kill(os.getppid()); kill(0)",
    "as if its first process were": "os._exit(137)",
    "by a fault": "ctypes.string_at(0)",
}


def groups_beneath(pid: int) -> list[Path]:
    """Return the folders of the control groups in which what is beneath a process lives."""
    hierarchy, names = find_hierarchy(), set()
    for one in descendants(pid):
        lines = Path(f"/proc/{one}/cgroup").read_text().splitlines()
        names |= {line.rpartition("/")[2] for line in lines if "/pilotbase-locked-" in line}
    parents = (hierarchy.memory, hierarchy.pids, hierarchy.cpu)
    return [parent / name for parent in parents for name in names if (parent / name).is_dir()]


OWNER = HOST.replace(
    "time.sleep(300)",
    """sys.stdin.readline()
print(*worker.predict(FeatureBatch({"x": np.zeros(1)}, 1)).values)""",
)
ELSEWHERE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, "-c"]


namespaces = pytest.mark.skipif(
    find_hierarchy() is None or os.getuid() != 0 or not shutil.which("unshare"),
    reason="needs control groups, and root for a namespace of processes, in which a number means somebody else",
)


@namespaces
def test_from_inside_another_namespace_of_processes_no_living_box_is_swept(start, batch_of, default):
    with start(ANSWERS, default) as worker:
        assert worker.facts.memory_watch.value.startswith("cgroup")
        swept = subprocess.run([*ELSEWHERE, SWEEP], capture_output=True, text=True, timeout=60, check=True)
        assert swept.stdout == "1\n"
        assert all(file.parent.is_dir() for file in worker._box._group.join_files())
        assert worker.predict(batch_of(2)).values.tolist() == [1.0, 1.0]


@namespaces
def test_from_outside_no_living_box_is_swept_and_one_left_behind_is(write_application, folder):
    command = [*ELSEWHERE, OWNER, str(write_application(ANSWERS)), str(folder / "cache"), ""]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        try:
            assert owner.stdout.readline() == "answered\n"
            groups = groups_beneath(owner.pid)
            assert groups
            sweep(find_hierarchy())
            assert all(group.is_dir() for group in groups)
            assert owner.communicate("again\n", timeout=30)[0] == "1.0\n"
        finally:
            owner.kill()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout.readline() == "answered\n"
        left = groups_beneath(owner.pid)
        owner.kill()
    deadline = time.monotonic() + 60
    while any(group.is_dir() for group in left) and time.monotonic() < deadline:
        sweep(find_hierarchy())
    assert not any(group.is_dir() for group in left)


def test_a_box_that_somebody_else_kills_is_lost_and_not_failed(start, batch_of, settings):
    with start(ANSWERS, settings) as worker:
        worker.predict(batch_of(1))
        os.kill(worker._box.supervisor._process.pid, signal.SIGKILL)
        while worker.running:
            time.sleep(0.01)
        with pytest.raises(WorkerLostError) as lost:
            worker.predict(batch_of(1))
        assert lost.value.code == "box.killed" and worker.end is None and not worker.running


@pytest.mark.parametrize("how", ENDS)
def test_an_application_that_kills_itself_has_ended_by_itself(start, batch_of, settings, how):
    with start(TRY.format(how=ENDS[how]), settings) as worker, pytest.raises(BoxEnded) as ended:
        worker.predict(batch_of(1))
    assert ended.value.reason is EndReason.APPLICATION_EXIT


def test_what_the_kernel_kills_for_memory_is_a_limit_however_much_dies(start, batch_of, default):
    limits = default.limits.model_copy(update={"memory_bytes": 48 << 20})
    source = "def predict(batch):\n    kept = [bytearray(1 << 20) for _ in range(400)]\n    return [1.0] * batch.rows\n"
    with start(source, replace(default, limits=limits)) as worker, pytest.raises(BoxEnded) as ended:
        worker.predict(batch_of(1))
    assert ended.value.reason is EndReason.MEMORY_LIMIT
