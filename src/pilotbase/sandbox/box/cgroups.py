"""Control groups, version 1 or 2: the kernel counts and bounds memory, processes and CPU time of the whole box.

A group is created beneath the group that Pilotbase itself runs in, so that a box never escapes a limit set on
Pilotbase. Its owner keeps each of its folders locked while it lives: the kernel releases the lock with its last
descriptor, and shows it across process namespaces, where a process number means nothing. Each folder is judged by its
own lock alone: boxes that share the group of one controller need not share that of another. The next Pilotbase sweeps
folders that a killed one left behind, and never those of a living one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pilotbase.sandbox.box.copies import lock_folder
from pilotbase.sandbox.box.settings import MemoryWatch

OWN_PROCESSES = 2
"""Processes of ours in the group beside the application's: bubblewrap outside and inside."""

_ROOT = Path("/sys/fs/cgroup")
_PREFIX = "pilotbase-locked-"
"""Groups of versions without locks have other names: nothing shows whether their owner lives."""
_LOST_RACES = 3


@dataclass(frozen=True)
class GroupUsage:
    """The kernel's counters so far."""

    memory_bytes: int
    """Anonymous and shared memory now, without files in the page cache."""
    cpu_seconds: float
    oom_kills: int
    refused_forks: int


class ControlGroup(ABC):
    """The control groups of one box: a folder for each controller, or one for all."""

    def __init__(self, parents: Sequence[Path], memory_bytes: int | None, processes: int | None) -> None:
        mark = secrets.token_hex(8)
        self._folders = [_folder_in(one, mark) for one in parents]
        self._memory, self._pids, self._cpu = (self._folders * 3)[:3]
        self._locks: list[int] = []
        with _removing_on_failure(self):
            for folder in self._folders:
                self._locks.append(_make_locked(folder))
            if memory_bytes is not None:
                limit, with_swap = self.limit_memory(memory_bytes)
                _write(self._memory / limit[0], limit[1])
                with contextlib.suppress(OSError):
                    _write(self._memory / with_swap[0], with_swap[1])
            if processes is not None:
                _write(self._pids / "pids.max", processes + OWN_PROCESSES)

    @abstractmethod
    def limit_memory(self, memory_bytes: int) -> tuple[tuple[str, int], tuple[str, int]]:
        """Return the file of the limit of memory, and that of swap, each with its content."""

    @abstractmethod
    def usage(self) -> GroupUsage:
        """Return the counters; raises `OSError` once the group is gone."""

    def join_files(self) -> tuple[Path, ...]:
        """Return the files into which a process writes its id to join."""
        return tuple(folder / "cgroup.procs" for folder in self._folders)

    def remove(self) -> None:
        """Remove the groups after the last process has exited."""
        for folder in self._folders:
            _remove(folder)
        while self._locks:
            os.close(self._locks.pop())


@dataclass(frozen=True)
class Hierarchy:
    """Where groups can be made: version 1 has one parent for each controller, version 2 one for all."""

    watch: MemoryWatch
    memory: Path
    pids: Path
    cpu: Path

    def make(self, memory_bytes: int | None, processes: int | None) -> ControlGroup:
        """Return a new group with these limits; raises `OSError` if it cannot be made."""
        first = self.watch is MemoryWatch.CGROUP_V1
        kind, parents = (_GroupV1 if first else _GroupV2), (self.memory, self.pids, self.cpu)[: 3 if first else 1]
        for _ in range(_LOST_RACES):  # a sweeper may come between making a folder and locking it
            with contextlib.suppress(FileNotFoundError, BlockingIOError):
                return kind(parents, memory_bytes, processes)
        return kind(parents, memory_bytes, processes)


class _GroupV1(ControlGroup):
    def limit_memory(self, memory_bytes: int) -> tuple[tuple[str, int], tuple[str, int]]:
        return ("memory.limit_in_bytes", memory_bytes), ("memory.memsw.limit_in_bytes", memory_bytes)

    def usage(self) -> GroupUsage:
        memory = _read_table(self._memory / "memory.stat")
        cpu = int((self._cpu / "cpuacct.usage").read_text()) / 1e9
        return GroupUsage(
            memory.get("total_rss", memory.get("rss", 0)) + memory.get("total_shmem", memory.get("shmem", 0)),
            cpu,
            _read_table(self._memory / "memory.oom_control").get("oom_kill", 0),
            _read_table(self._pids / "pids.events").get("max", 0),
        )


class _GroupV2(ControlGroup):
    def limit_memory(self, memory_bytes: int) -> tuple[tuple[str, int], tuple[str, int]]:
        return ("memory.max", memory_bytes), ("memory.swap.max", 0)

    def usage(self) -> GroupUsage:
        memory = _read_table(self._memory / "memory.stat")
        return GroupUsage(
            memory.get("anon", 0) + memory.get("shmem", 0),
            _read_table(self._cpu / "cpu.stat").get("usage_usec", 0) / 1e6,
            _read_table(self._memory / "memory.events").get("oom_kill", 0),
            _read_table(self._pids / "pids.events").get("max", 0),
        )


@cache
def find_hierarchy() -> Hierarchy | None:
    """Return where this process may make groups that limit memory and processes, or None; sweeps abandoned ones."""
    for hierarchy in (_hierarchy_v2(_ROOT), _hierarchy_v1(_ROOT)):
        if hierarchy is not None and _works(hierarchy):
            sweep(hierarchy)
            return hierarchy
    return None


def sweep(hierarchy: Hierarchy) -> None:
    """Remove groups whose Pilotbase process is dead, with all processes still in them."""
    for parent in dict.fromkeys((hierarchy.cpu, hierarchy.pids, hierarchy.memory)):
        for folder in parent.glob(_folder_in(parent, "*").name):
            with _left_behind(folder) as ownerless:
                if ownerless:
                    _remove(folder)


def _folder_in(parent: Path, mark: str) -> Path:
    """Return the folder of a group beneath ``parent``, which names the mount on which its lock is visible.

    The same folder on another mount of the kernel's (with its own device number) has other inodes, and other locks.
    """
    return parent / f"{_PREFIX}{parent.stat().st_dev}-{mark}"


def _make_locked(folder: Path) -> int:
    """Make a folder and return the descriptor that keeps it locked; raises `OSError` if a sweeper interfered."""
    folder.mkdir()
    lock = lock_folder(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        folder.stat()  # a lock on a folder that is gone by now protects nothing
    except OSError:
        os.close(lock)
        raise
    return lock


@contextlib.contextmanager
def _left_behind(folder: Path) -> Iterator[bool]:
    """Yield whether nobody holds this folder of a group, and keep it so until the end of the block."""
    try:
        lock = lock_folder(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (FileNotFoundError, BlockingIOError):
        yield False
        return
    try:
        yield True
    finally:
        os.close(lock)


def _hierarchy_v1(root: Path) -> Hierarchy | None:
    own: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        own.update(dict.fromkeys(controllers.split(","), path))
    parents = []
    for controller in ("memory", "pids", "cpuacct"):
        mounted = root / controller
        beneath = mounted / own.get(controller, "").lstrip("/")
        parent = beneath if beneath.is_dir() else mounted  # in a container the mount's root is our own group
        if controller not in own or not os.access(parent, os.W_OK):
            return None
        parents.append(parent)
    return Hierarchy(MemoryWatch.CGROUP_V1, *parents)


def _hierarchy_v2(root: Path) -> Hierarchy | None:
    own = next(
        (line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")), None
    )
    if own is None or not (root / "cgroup.controllers").exists():
        return None
    folder = root / own.lstrip("/")
    for parent in (folder, folder.parent):
        control = parent / "cgroup.subtree_control"
        if not os.access(parent, os.W_OK) or not control.exists():
            continue
        with contextlib.suppress(OSError):
            _write(control, "+memory +pids +cpu")
        with contextlib.suppress(OSError):
            if {"memory", "pids"} <= set(control.read_text().split()):
                return Hierarchy(MemoryWatch.CGROUP_V2, parent, parent, parent)
    return None


def _works(hierarchy: Hierarchy) -> bool:
    try:
        group = hierarchy.make(64 << 20, 16)
    except OSError:
        return False
    try:
        group.usage()
    except OSError:
        return False
    finally:
        group.remove()
    return True


@contextlib.contextmanager
def _removing_on_failure(group: ControlGroup) -> Iterator[None]:
    try:
        yield
    except OSError:
        group.remove()
        raise


def _kill_members(folder: Path) -> None:
    with contextlib.suppress(OSError):
        for pid in map(int, (folder / "cgroup.procs").read_text().split()):
            if pid > 0:  # 0 is a process of another namespace; for kill it would be our own group
                os.kill(pid, signal.SIGKILL)


def _write(file: Path, value: int | str) -> None:
    file.write_text(str(value))


def _read_table(file: Path) -> dict[str, int]:
    pairs = (line.split() for line in file.read_text().splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _remove(folder: Path, patience_seconds: float = 2.0) -> None:
    """Remove a group, after killing all processes in it."""
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > deadline:
                return
            _kill_members(folder)
            time.sleep(0.002)
        else:
            return
