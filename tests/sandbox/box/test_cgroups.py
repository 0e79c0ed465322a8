"""Control groups of both versions; where the host has none to give, a folder of plain files stands in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pilotbase.sandbox.box.cgroups import Hierarchy, find_hierarchy, sweep
from pilotbase.sandbox.box.settings import MemoryWatch
from pilotbase.sandbox.box.supervisor import tree_usage


def test_version_2_is_read_and_written_as_the_kernel_documents_it(tmp_path):
    hierarchy = Hierarchy(MemoryWatch.CGROUP_V2, tmp_path, tmp_path, tmp_path)
    group = hierarchy.make(256 << 20, 20)
    [folder] = tmp_path.iterdir()
    assert (folder / "memory.max").read_text() == str(256 << 20)
    assert (folder / "pids.max").read_text() == "22", "two of ours beside the application's"
    (folder / "memory.stat").write_text("anon 1000\nfile 5000\nkernel 7\nshmem 200\n")
    (folder / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\nsystem_usec 2\n")
    (folder / "memory.events").write_text("low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\n")
    (folder / "pids.events").write_text("max 4\n")
    usage = group.usage()
    assert (usage.memory_bytes, usage.cpu_seconds, usage.oom_kills, usage.refused_forks) == (1200, 2.5, 2, 4)
    assert group.join_files() == (folder / "cgroup.procs",)


def test_version_1_on_this_host():
    hierarchy = find_hierarchy()
    if hierarchy is None or hierarchy.watch is not MemoryWatch.CGROUP_V1:
        pytest.skip("this host gives no writable control groups of version 1")
    group = hierarchy.make(64 << 20, 10)
    try:
        folder = group.join_files()[0].parent
        assert (folder / "memory.limit_in_bytes").read_text().strip() == str(64 << 20)
        assert group.usage().oom_kills == 0
    finally:
        group.remove()
    assert not folder.exists()


OWNER = """
import sys
from pathlib import Path
from pilotbase.sandbox.box.cgroups import Hierarchy
from pilotbase.sandbox.box.settings import MemoryWatch
folder = Path(sys.argv[1])
group = Hierarchy(MemoryWatch.CGROUP_V2, folder, folder, folder).make(None, None)
print(group.join_files()[0].parent, flush=True)
sys.stdin.read()
"""


def test_groups_of_the_dead_are_swept_and_those_of_the_living_stay(tmp_path):
    hierarchy = Hierarchy(MemoryWatch.CGROUP_V2, tmp_path, tmp_path, tmp_path)
    command = [sys.executable, "-c", OWNER, str(tmp_path)]
    ours = hierarchy.make(None, None).join_files()[0].parent
    without_lock = tmp_path / f"pilotbase-box-{os.getpid()}-1-0"
    elsewhere = tmp_path / "pilotbase-locked-0-0123456789abcdef"
    for folder in (without_lock, elsewhere):
        folder.mkdir()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        theirs = Path(owner.stdout.readline().strip())
        sweep(hierarchy)
        assert ours.is_dir() and theirs.is_dir()
        owner.kill()
    sweep(hierarchy)
    assert ours.is_dir() and not theirs.exists()
    assert without_lock.is_dir() and elsewhere.is_dir(), "who holds them cannot be told"


def test_who_shares_one_controller_and_not_another_sweeps_no_living_group(tmp_path):
    """In version 1 each controller has groups of its own: two sessions may share that of processes, and no memory."""
    parents = [tmp_path / name for name in ("memory", "memory of others", "pids", "cpu")]
    for parent in parents:
        parent.mkdir()
    memory, memory_of_others, pids, cpu = parents
    group = Hierarchy(MemoryWatch.CGROUP_V1, memory, pids, cpu).make(None, None)
    sweep(Hierarchy(MemoryWatch.CGROUP_V1, memory_of_others, pids, cpu))
    assert all(file.parent.is_dir() for file in group.join_files())


def test_a_tree_of_processes_is_summed():
    usage = tree_usage(os.getpid())
    assert usage.memory_bytes > 10 << 20 and usage.cpu_seconds > 0 and usage.tasks >= 1
    assert tree_usage(999_999_999).tasks == 0
    assert Path("/proc/self/task").exists()
