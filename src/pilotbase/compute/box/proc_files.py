"""What a box sees of /proc beside its own processes: constants where a library asks, nothing elsewhere.

Load, free memory, interrupts, locks and open files of the whole host stand there, and whatever one box does shows in
them to another. Every entry is masked that is not known to tell nothing of the kind; a kernel's new ones are, too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath

from pilotbase.documents.limits import Limits

_PROC = PurePosixPath("/proc")
_KEPT = frozenset({"self", "thread-self", "mounts", "net", "version", "filesystems", "cmdline", "sysvipc"})
"""Of the box itself, or the same at all times."""


def constant_files(limits: Limits) -> Mapping[PurePosixPath, bytes]:
    """Return the files of /proc that are replaced, and what they say in a box of these limits; most are empty."""
    memory = f"{limits.memory_bytes >> 10:>11} kB"
    figures = {"MemTotal": memory, "MemFree": memory, "MemAvailable": memory}
    figures |= dict.fromkeys(("Buffers", "Cached", "SwapCached", "SwapTotal", "SwapFree"), f"{0:>11} kB")
    zeros = " 0" * 10
    processors = [f"cpu {zeros}", *(f"cpu{number}{zeros}" for number in range(os.cpu_count() or 1))]
    counters = ["intr 0", "ctxt 0", "btime 0", "processes 1", "procs_running 1", "procs_blocked 0"]
    texts = {
        "meminfo": "".join(f"{name}:{value}\n" for name, value in figures.items()),
        "stat": "".join(f"{line}\n" for line in processors + counters),
        "uptime": "0.00 0.00\n",
        "loadavg": "0.00 0.00 0.00 1/1 1\n",
    }
    contents = {name: content.encode() for name, content in texts.items()} | {"cpuinfo": _processors()}
    return {_PROC / name: contents.get(name, b"") for name, is_folder in _entries().items() if not is_folder}


def emptied_folders() -> list[PurePosixPath]:
    """Return the folders of /proc that are empty in a box."""
    return [_PROC / name for name, is_folder in _entries().items() if is_folder]


@cache
def _entries() -> Mapping[str, bool]:
    """Return every entry that is neither a process nor kept, and whether it is a folder."""
    names = sorted(path.name for path in Path(_PROC).iterdir())
    return {name: (Path(_PROC) / name).is_dir() for name in names if not name.isdigit() and name not in _KEPT}


@cache
def _processors() -> bytes:
    """Return the host's processors as they were at the first box: their clock rates change with the load."""
    return (Path(_PROC) / "cpuinfo").read_bytes()
