"""The supervisor of one box: a thread that starts it, reads its output, watches its limits, and removes every trace.

bubblewrap dies with the thread that started it (``--die-with-parent`` is bound to the thread, not to the process), so
the thread that starts a box must live as long as the box does: this is that thread.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pilotbase.documents.limits import EndReason, Limits
from pilotbase.sandbox.box.cgroups import ControlGroup, GroupUsage
from pilotbase.sandbox.box.ends import CappedLog

_TICK_SECONDS = 0.05
_EAGER_TICK_SECONDS = 0.02
"""Between two samples if only the supervisor limits memory."""
_TEARDOWN_SECONDS = 5
_FAREWELL_SECONDS = 1
"""For bubblewrap to end after the program in the box has."""
_CHUNK = 64 << 10
_FREE_LOG_BYTES = 16 << 20
"""Beyond this, output is read in this many chunks a tick: a flood slows its author down, not us."""
_FLOOD_CHUNKS = 16
_INODE_BYTES = 4 << 10
"""Scratch may hold one file for each that many bytes of its size."""
_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Launch:
    """The inputs for starting a box; ``passed`` descriptors are closed here once the box has its copies."""

    command: list[str]
    passed: tuple[int, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    leaks_descriptors: bool = False
    """For tests only."""


@dataclass(frozen=True)
class EnforcedLimits:
    """The limits that the supervisor enforces beside wall-clock time; not at level L0."""

    memory: bool
    cpu: bool
    files: bool


@dataclass(frozen=True)
class BoxUsage:
    """The box's usage so far."""

    wall_seconds: float
    cpu_seconds: float
    memory_peak_bytes: int
    """Largest sum of anonymous memory, scratch and shared memory in a sample, 20 or more a second."""
    memory_byte_seconds: float = 0.0
    """That sum over time: each sample's value until the next."""
    paid: float = 0.0
    """For calls to an endpoint, in hundredths of its currency."""


@dataclass(frozen=True)
class Evidence:
    """What the kernel and the supervisor know about why a box failed; exit codes are no evidence."""

    ended_by: EndReason | None
    oom_kills: int
    refused_forks: int
    cpu_exhausted: bool
    scratch_full: bool
    flooded: bool
    """It has printed more than is read without delay."""


class Supervisor(threading.Thread):
    """Starts one box and stays with it until its end."""

    def __init__(
        self, launch: Launch, limits: Limits, group: ControlGroup | None, log: CappedLog, watch: EnforcedLimits
    ) -> None:
        super().__init__(name="pilotbase-box", daemon=True)
        self._launch, self._limits, self._group, self.log = launch, limits, group, log
        self._watch = watch
        self._process: subprocess.Popen[bytes] | None = None
        self._launched = threading.Event()
        self._failure: OSError | None = None
        self._lock = threading.Lock()
        self._ended_by: EndReason | None = None
        self._root: int | None = None
        self._exit = self._first = -1
        self._outputs: list[int] = []
        self._scratch: tuple[int, ...] = ()
        self._scratch_bytes = self._inodes = 0
        self._scratch_full = self._crowded = False
        self._began = time.monotonic()
        self._ended: float | None = None
        self._cpu_seconds = 0.0
        self._memory = self._memory_peak = 0
        self._memory_seconds, self._measured = 0.0, self._began
        self._group_usage = GroupUsage(0, 0.0, 0, 0)

    def launch(self) -> None:
        """Start the thread and, in it, the box; raises `OSError` if the command cannot be run."""
        self.start()
        self._launched.wait()
        if self._failure is not None:
            self.join()
            raise self._failure

    def follow(self, root: int, scratch: Sequence[Path]) -> None:
        """From now on, count the processes beneath ``root``, the box's first, and the contents of ``scratch``."""
        self._scratch = tuple(os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC) for path in scratch)
        self._first = os.pidfd_open(root)
        self._root = root

    def stop(self, reason: EndReason) -> None:
        """End the box with everything in it; only the first reason given counts."""
        with self._lock:
            if self._ended_by is None:
                self._ended_by = reason
            self._kill()

    def evidence(self) -> Evidence:
        """Return what is known now; call it before `stop` to learn why the box failed by itself."""
        self._look_at_scratch()
        self._measure()
        with self._lock:
            return Evidence(
                self._ended_by,
                self._group_usage.oom_kills,
                self._group_usage.refused_forks or int(self._crowded),
                self._watch.cpu and self._cpu_seconds >= self._limits.cpu_seconds,
                self._scratch_full,
                self._flooded(),
            )

    def was_killed(self) -> bool:
        """Return whether someone else killed a box that has ended by itself; waits a moment for its end.

        Nothing in the box can signal bubblewrap outside of it, which ends with a code when the box ends, so a signal
        that ended it came from elsewhere. If someone kills only the program, this looks the same as a program that
        kills itself.
        """
        self.join(_FAREWELL_SECONDS)
        code = self._process.returncode if self._process is not None else None
        return self._ended_by is None and code is not None and code < 0

    def usage(self) -> BoxUsage:
        self._measure()
        wall = (self._ended or time.monotonic()) - self._began
        return BoxUsage(wall, self._cpu_seconds, self._memory_peak, self._memory_seconds)

    def run(self) -> None:
        try:
            self._start_process()
        except OSError as failure:
            self._failure = failure
            self._clean()
            self._launched.set()
            return
        self._launched.set()
        try:
            self._follow()
        finally:
            self._clean()

    def _start_process(self) -> None:
        out, err = os.pipe(), os.pipe()
        leaks = self._launch.leaks_descriptors
        for descriptor in self._launch.passed if leaks else ():
            os.set_inheritable(descriptor, True)
        try:
            with self._lock:
                self._process = subprocess.Popen(
                    self._launch.command,
                    stdin=subprocess.DEVNULL,
                    stdout=out[1],
                    stderr=err[1],
                    pass_fds=() if leaks else self._launch.passed,
                    close_fds=not leaks,
                    env=self._launch.variables,
                    cwd="/",
                    start_new_session=True,
                )
            self._exit = os.pidfd_open(self._process.pid)
        finally:
            for descriptor in (*self._launch.passed, out[1], err[1]):
                os.close(descriptor)
            self._outputs = [out[0], err[0]]
        for descriptor in self._outputs:
            os.set_blocking(descriptor, False)

    def _follow(self) -> None:
        assert self._process is not None
        eager = self._group is None
        poll = select.poll()
        for descriptor in (self._exit, *self._outputs):
            poll.register(descriptor, select.POLLIN)
        tick = _EAGER_TICK_SECONDS if eager else _TICK_SECONDS
        next_look = time.monotonic()
        while True:
            ready = dict(poll.poll(max(1.0, (next_look - time.monotonic()) * 1000)))
            self._read_outputs(poll, list(ready))
            if self._exit in ready:
                break
            if time.monotonic() >= next_look:
                self._read_outputs(poll, self._outputs * _FLOOD_CHUNKS if self._flooded() else ())
                self._enforce()
                next_look = time.monotonic() + tick
        self._measure()
        self._process.wait()
        self._await_first()
        self._ended = time.monotonic()
        while self._outputs and self._read_outputs(poll, list(self._outputs)):
            pass

    def _await_first(self) -> None:
        """Wait for the first process of the box, which the kernel releases only after all others in it."""
        if self._first >= 0:
            poll = select.poll()
            poll.register(self._first, select.POLLIN)
            poll.poll(_TEARDOWN_SECONDS * 1000)

    def _flooded(self) -> bool:
        return self.log.total_bytes > _FREE_LOG_BYTES

    def _read_outputs(self, poll: select.poll, ready: Sequence[int]) -> bool:
        """Read one chunk of each ready output; return whether there was any."""
        found = False
        for descriptor in ready:
            if descriptor not in self._outputs:
                continue
            try:
                chunk = os.read(descriptor, _CHUNK)
            except BlockingIOError:
                continue
            self.log.add(chunk)
            found = found or bool(chunk)
            if not chunk or self._flooded():
                with contextlib.suppress(KeyError):
                    poll.unregister(descriptor)
            if not chunk:
                self._outputs.remove(descriptor)
                os.close(descriptor)
        return found

    def _enforce(self) -> None:
        self._look_at_scratch()
        self._measure()
        limits = self._limits
        if time.monotonic() - self._began > limits.wall_seconds:
            self.stop(EndReason.WALL_LIMIT)
        if self._watch.memory and (self._group_usage.oom_kills or self._memory > limits.memory_bytes):
            self.stop(EndReason.MEMORY_LIMIT)
        if self._watch.cpu and self._cpu_seconds > limits.cpu_seconds:
            self.stop(EndReason.CPU_LIMIT)
        if self._watch.files and self._inodes > limits.scratch_bytes // _INODE_BYTES:
            self.stop(EndReason.SCRATCH_LIMIT)

    def _measure(self) -> None:
        with self._lock:
            now = self._ended or time.monotonic()
            self._memory_seconds += self._memory * (now - self._measured)
            self._measured = now
            if self._group is not None:
                with contextlib.suppress(OSError):
                    self._group_usage = self._group.usage()
                self._memory, self._cpu_seconds = self._group_usage.memory_bytes, self._group_usage.cpu_seconds
            elif self._root is not None and (tree := tree_usage(self._root)).tasks:
                self._memory = tree.memory_bytes + self._scratch_bytes
                self._cpu_seconds = max(self._cpu_seconds, tree.cpu_seconds)
                self._crowded = self._crowded or tree.tasks >= self._limits.processes
            self._memory_peak = max(self._memory_peak, self._memory)

    def _look_at_scratch(self) -> None:
        with self._lock:
            found = [os.fstatvfs(descriptor) for descriptor in self._scratch]
            self._scratch_bytes = sum((item.f_blocks - item.f_bfree) * item.f_frsize for item in found)
            self._inodes = sum(item.f_files - item.f_ffree for item in found)
            self._scratch_full = self._scratch_full or any(item.f_bfree == 0 for item in found)

    def _kill(self) -> None:
        """End everything, through the first process inside, so that bubblewrap outside can still reap it.

        Killing bubblewrap first would leave the inner one to the host's own first process, which in a container often
        reaps nobody.
        """
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            if self._first >= 0:
                signal.pidfd_send_signal(self._first, signal.SIGKILL)
            else:
                os.killpg(self._process.pid, signal.SIGKILL)

    def _clean(self) -> None:
        with self._lock:
            for descriptor in (*self._outputs, *self._scratch, self._exit, self._first):
                if descriptor >= 0:
                    os.close(descriptor)
            self._outputs, self._scratch, self._exit, self._first = [], (), -1, -1
        if self._group is not None:
            self._group.remove()


@dataclass(frozen=True)
class TreeUsage:
    """Sums over a process and all its descendants."""

    memory_bytes: int
    """Proportional set size if readable, resident size otherwise."""
    cpu_seconds: float
    """Of living processes and of those that a living parent has waited for."""
    tasks: int


def tree_usage(root: int) -> TreeUsage:
    """Return the usage of ``root`` and its descendants; the first process of a pid namespace inherits every orphan."""
    memory, ticks, tasks = 0, 0, 0
    for pid in descendants(root):
        fields = _stat(pid)
        if fields is None:
            continue
        memory += _memory(pid)
        ticks += sum(int(value) for value in fields[11:15])
        tasks += int(fields[17])
    return TreeUsage(memory, ticks / _TICKS, tasks)


def descendants(root: int) -> list[int]:
    """Return ``root`` and every process beneath it."""
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue.extend(children(pid))
    return found


def children(pid: int) -> list[int]:
    """Return the children of ``pid``; empty if it is gone."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in (_PROC / str(pid) / "task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (task / "children").read_text().split())
    return found


def status(pid: int) -> dict[str, str]:
    """Return the fields of /proc/<pid>/status."""
    lines = (_PROC / str(pid) / "status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _stat(pid: int) -> list[str] | None:
    try:
        line = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    return line.rpartition(")")[2].split()


def _memory(pid: int) -> int:
    try:
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0
