"""Numbers that the kernel counts for the whole machine: before a box prints, what hidden runs moved is rounded up.

The kernel numbers the inodes of pipes, sockets and memory files one after another, and no filter can keep a box from
reading the number of its own. It takes the numbers in batches of 1,024, one batch at a time for each processor
(``get_next_ino`` in fs/inode.c, ``shmem_reserve_inode`` in mm/shmem.c). An application with hidden cases could take as
many batches as a message says, for a box that prints to read.

So a base notes how far each count moves while hidden runs live, and before the next box prints it moves the count on
to the next of a few levels (`_padded`), by making and dropping inodes, and begins a new batch on each processor: the
place within one then says nothing either. Two of 16 levels are at most 8 bits, whatever code the application uses;
random amounts would not do, since messages that lie far enough apart could still be told from one another.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from pilotbase.documents.errors import PilotbaseError
from pilotbase.sandbox.box.copies import copies_folder, one_at_a_time

_BATCH = 1024
_SPAN = (1 << 32) // _BATCH
"""Batches until the numbers, of 32 bits, begin again."""
_LEVELS = tuple(1 << power for power in range(1, 14))
"""Batches; beyond the last, its multiples. A batch takes some 6 ms, so settling takes some 30 ms; at worst 90 s.

The first 16 levels hold until a run has made 33 million inodes, three minutes of a processor on nothing else.
"""


class CountedRun:
    """A box with hidden cases that lives until it is closed, or its process dies."""

    def __init__(self, mark: Path, descriptor: int) -> None:
        self._mark, self.descriptor = mark, descriptor

    def close(self) -> None:
        """Note how far the counts have moved; if that cannot be written, what others move later counts as well."""
        with contextlib.suppress(PilotbaseError), _kept(self._mark.parent) as state:
            _catch_up(state)
            self._mark.unlink(missing_ok=True)
        os.close(self.descriptor)


def note_hidden_run() -> CountedRun:
    """Note where the counts of this machine stand before a box with hidden cases.

    Raises:
        PilotbaseError: ``box.no_copies``: nothing can be noted.
    """
    folder = copies_folder("counts")
    with _kept(folder) as state:
        _catch_up(state)
        mark = folder / f"run-{secrets.token_hex(8)}"
        descriptor = os.open(mark, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return CountedRun(mark, descriptor)


def settle() -> int | None:
    """Move the counts on to the next level if there was a hidden run since the last time; return by how many batches.

    Raises:
        PilotbaseError: ``box.no_copies``: nothing can be noted.
    """
    folder = copies_folder("counts")
    with _kept(folder) as state:
        if not state.exists():
            return None
        at, moved = _catch_up(state)
        processors = len(os.sched_getaffinity(0))
        by = [_padded(batches + processors) - batches for batches in moved]
        _move_on([(start + batches) % _SPAN for start, batches in zip(at, by, strict=True)])
        if _marks(folder):
            _write(state, _counts(), [0] * len(_MAKERS))
        else:
            state.unlink()
        return sum(by)


def _padded(moved: int) -> int:
    """Return the level, in batches, that so many are rounded up to."""
    return next((level for level in _LEVELS if moved <= level), -(-moved // _LEVELS[-1]) * _LEVELS[-1])


@contextlib.contextmanager
def _kept(folder: Path) -> Iterator[Path]:
    """Yield the file that says where the counts stood and how far hidden runs moved them, to one process at a time."""
    try:
        with one_at_a_time(folder / ".lock"):
            yield folder / "state"
    except OSError as problem:
        raise PilotbaseError("box.no_copies", folder=folder, said=problem.strerror) from None


def _catch_up(state: Path) -> tuple[list[int], list[int]]:
    """Write down where the counts stand and how far they moved while a hidden run lived, and return both."""
    at, moved = _counts(), [0] * len(_MAKERS)
    kept = _read(state)
    if kept is not None:
        before, moved = kept
        if _marks(state.parent):
            moved = [past + max(0, _ahead(now, of=then)) for past, now, then in zip(moved, at, before, strict=True)]
    _sweep(state.parent)
    _write(state, at, moved)
    return at, moved


def _read(state: Path) -> tuple[list[int], list[int]] | None:
    """Return what was written since the machine was started."""
    with contextlib.suppress(FileNotFoundError, ValueError, KeyError):
        kept = json.loads(state.read_bytes())
        if kept["boot"] == _boot():
            return kept["at"], kept["moved"]
    return None


def _write(state: Path, at: Sequence[int], moved: Sequence[int]) -> None:
    staging = state.with_name(".state")
    staging.write_text(json.dumps({"boot": _boot(), "at": at, "moved": moved}), "ascii")
    staging.replace(state)


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii")


def _marks(folder: Path) -> list[Path]:
    return list(folder.glob("run-*"))


def _sweep(folder: Path) -> None:
    """Remove the marks of runs whose process died; the kernel released their locks."""
    for mark in _marks(folder):
        descriptor = os.open(mark, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mark.unlink()
        except BlockingIOError:
            pass
        finally:
            os.close(descriptor)


def _memory_file() -> tuple[int]:
    return (os.memfd_create("pilotbase", os.MFD_CLOEXEC),)


_MAKERS: tuple[tuple[Callable[[], tuple[int, ...]], int], ...] = ((os.pipe, 1), (_memory_file, 0))
"""What makes an inode, and the first number of a batch."""


def _counts() -> list[int]:
    """Return the latest batch of each count: of those that the processors hold, as each takes the next of all."""
    held = [[_number(*maker) // _BATCH for maker in _MAKERS] for _ in _processors()]
    return [max(batches, key=partial(_ahead, of=batches[0])) for batches in zip(*held, strict=True)]


def _move_on(targets: Sequence[int]) -> None:
    """Make and drop inodes until each processor holds a new batch, and the last of them those in ``targets``."""
    for left, _ in _processors():
        for (make, first), target in zip(_MAKERS, targets, strict=True):
            number = _number(make, first)
            while _ahead(target - left, of=number // _BATCH) > 0:
                for _ in range(_BATCH - number % _BATCH - 1):
                    for descriptor in make():
                        os.close(descriptor)
                number = _number(make, first)


def _processors() -> Iterator[tuple[int, int]]:
    """Yield how many are still to come, and the processor that this thread runs on meanwhile."""
    allowed = os.sched_getaffinity(0)
    try:
        for left, processor in reversed(list(enumerate(sorted(allowed)))):
            os.sched_setaffinity(0, {processor})
            yield left, processor
    finally:
        os.sched_setaffinity(0, allowed)


def _number(make: Callable[[], tuple[int, ...]], first: int) -> int:
    """Return the number of a new inode, counted from the beginning of the first batch."""
    made = make()
    try:
        return os.fstat(made[0]).st_ino - first
    finally:
        for descriptor in made:
            os.close(descriptor)


def _ahead(batch: int, of: int) -> int:
    """Return by how many batches one is ahead of another, though the numbers may have begun again between them."""
    return (batch - of + _SPAN // 2) % _SPAN - _SPAN // 2
