"""Folders in the making: beside their final place, owned by a process, removed when it is done or dead."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from pilotbase.compute.box.processes import start_time

_PREFIX = ".staging-"


@contextlib.contextmanager
def staging_folder(parent: Path) -> Iterator[Path]:
    """Give a new folder in ``parent``, removed at the end unless it was renamed; sweep those of dead processes."""
    for left in parent.glob(f"{_PREFIX}*"):
        owner, started, _ = left.name.removeprefix(_PREFIX).split("-")
        if start_time(int(owner)) != int(started):
            remove_folder(left)
    staging = parent / f"{_PREFIX}{os.getpid()}-{start_time(os.getpid())}-{time.monotonic_ns()}"
    staging.mkdir()
    staging.chmod(0o755)
    try:
        yield staging
    finally:
        if staging.exists():
            remove_folder(staging)


@contextlib.contextmanager
def one_at_a_time(file: Path) -> Iterator[None]:
    """Let one process at a time do what ``file`` stands for; the kernel frees the lock when its holder dies."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def remove_folder(place: Path) -> None:
    """Remove a folder whose folders may be read-only; harmless if another process removes it, too."""
    for folder, _, _ in os.walk(place):
        with contextlib.suppress(FileNotFoundError):
            Path(folder).chmod(0o700)
    shutil.rmtree(place, ignore_errors=True)
