"""Folders in the making: beside their final place, locked by their maker, removed when done or when the maker dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

_PREFIX = ".staging-"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextlib.contextmanager
def staging_folder(parent: Path) -> Iterator[Path]:
    """Yield a new folder in ``parent``, removed at the end unless it was renamed; sweep abandoned ones.

    The kernel releases a lock with its holder, and shows it to containers that share the folder but not its processes.
    """
    for left in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), _locked(left, fcntl.LOCK_EX | fcntl.LOCK_NB):
            remove_folder(left)
    with contextlib.ExitStack() as held:
        staging = _made(parent, held)
        try:
            yield staging
        finally:
            if staging.exists():
                remove_folder(staging)


def _made(parent: Path, held: contextlib.ExitStack) -> Path:
    """Return a new folder, locked; if a sweeper interferes between the two steps, try another."""
    while True:
        staging = parent / f"{_PREFIX}{secrets.token_hex(8)}"
        staging.mkdir()
        with contextlib.suppress(FileNotFoundError):
            held.enter_context(_locked(staging, fcntl.LOCK_EX))
            staging.chmod(0o755)
            return staging


@contextlib.contextmanager
def _locked(place: Path, how: int) -> Iterator[None]:
    descriptor = lock_folder(place, how)
    try:
        yield
    finally:
        os.close(descriptor)


def lock_folder(place: Path, how: int) -> int:
    """Return the descriptor that keeps a folder locked until it is closed.

    Raises:
        BlockingIOError: somebody else holds it, and ``how`` does not wait.
    """
    descriptor = os.open(place, _FOLDER)
    try:
        fcntl.flock(descriptor, how)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


@contextlib.contextmanager
def one_at_a_time(file: Path) -> Iterator[None]:
    """Let one process at a time do the work that ``file`` names; the kernel frees the lock when its holder dies."""
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
