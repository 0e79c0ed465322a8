"""What /proc tells about the processes of a box: who they are, what memory and CPU time they hold."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class TreeUsage:
    """Sums over a process and all its descendants."""

    memory_bytes: int
    """Proportional set size where it can be read, resident size otherwise."""
    cpu_seconds: float
    """Of the living and of those that a living parent has waited for."""
    tasks: int


def start_time(pid: int) -> int | None:
    """Return when ``pid`` was started, in ticks since boot; None if there is no such process."""
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def tree_usage(root: int) -> TreeUsage:
    """Return what ``root`` and its descendants use; the first process of a pid namespace inherits every orphan."""
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
    """Return the children of ``pid``, none if it has gone."""
    found: list[int] = []
    for task in _tasks(pid):
        with contextlib.suppress(OSError):
            found += map(int, (task / "children").read_text().split())
    return found


def status(pid: int) -> dict[str, str]:
    """Return the fields of /proc/<pid>/status."""
    lines = (_PROC / str(pid) / "status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


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
