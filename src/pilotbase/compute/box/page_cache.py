"""What a box leaves in the host's page cache: which parts of shared files lie in memory.

A box reads its interpreter, the system's libraries, its application and its environment through read-only mounts, and
the kernel keeps what was read. A later box can tell by the time that a read takes, by faults or by resident sizes
what is cached; so an application that has seen hidden features could write them there, one bit a file, for a
rehearsal that may print. After a run on hidden data, and again before a run that may print, the cache of all these
files is therefore emptied.

What stays: pages that a running process of the host has mapped (of the interpreter itself, mostly) are not dropped,
and mapping one more beside them may outlive the run; pages not yet written to disk stay, but those were never read
from it. The kernel's cache of names and inodes stays, which only timing tells; and so do other boxes that run at the
same time on hidden data, which may print nothing. Where nothing of this can be accepted, a host for each supplier is
the answer (level L4).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path


def forget_files(places: Iterable[Path], hidden: Collection[Path] = ()) -> int:
    """Drop the cached contents of every regular file in ``places`` but ``hidden`` folders; return how many files.

    Links are not followed, except a place itself. What we may not read is left, as a box could not read it either.
    Takes about 10 µs a file.
    """
    left_out = {str(folder.resolve()) for folder in hidden}
    count = 0
    for place in {str(place.resolve()) for place in places}:
        for file in _files(place, left_out):
            with contextlib.suppress(OSError):
                descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
                try:
                    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                finally:
                    os.close(descriptor)
                count += 1
    return count


def _files(place: str, left_out: Collection[str]) -> Iterator[str]:
    if Path(place).is_file():
        yield place
        return
    folders = [place]
    while folders:
        folder = folders.pop()
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    yield entry.path
                elif entry.is_dir(follow_symlinks=False) and entry.path not in left_out:
                    folders.append(entry.path)
