"""Files of a stranger's folder: names that stay within it, opened so that no link on the way, put there now or later,
leads out of it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.texts import Text, make_visible, text

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""A pipe put in place of a file would block without ``O_NONBLOCK``."""
_LONGEST_PATH, _LONGEST_NAME = 4000, 255
_SHOWN = 100
"""Problems that an error lists."""


class NotPlainError(OSError):
    """There is no plain file, or no folder, under this name any more."""


def is_plain(name: str) -> bool:
    """Return whether ``name`` is a path that stays within its folder, and is valid on every system."""
    parts = name.split("/")
    return name.isprintable() and not {"", ".", ".."} & set(parts)


@contextmanager
def opened_folder(folder: Path, name: str) -> Iterator[int]:
    """Yield the descriptor of the folder ``name`` inside ``folder``; only ``folder`` itself may be a link.

    Raises:
        NotPlainError: some part of the name is no folder.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in filter(None, name.split("/")):
            inner = _open(part, _FOLDER, descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def opened_file(folder: Path, name: str) -> Iterator[BufferedReader]:
    """Yield the plain file ``name`` inside ``folder``, open for reading.

    Raises:
        NotPlainError: it is no plain file, or some part of the path is no folder.
    """
    parent, _, last = name.rpartition("/")
    with opened_folder(folder, parent) as descriptor:
        file = _open(last, _FILE, descriptor)
    with os.fdopen(file, "rb") as stream:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise NotPlainError(f"{name} is no plain file")
        yield stream


def read_at_most(folder: Path, name: str, limit: int) -> bytes:
    """Return the first ``limit`` bytes of the plain file ``name``; raises as `opened_file`."""
    with opened_file(folder, name) as stream:
        return stream.read(limit)


def files_in(folder: Path) -> list[str]:
    """Return the paths of the files below ``folder``, sorted; raises `InputError` listing all other entries."""
    names: list[str] = []
    problems: list[Issue] = []
    waiting = [""]
    while waiting:
        parent = waiting.pop()
        with opened_folder(folder, parent) as descriptor, os.scandir(descriptor) as entries:
            for entry in entries:
                name = f"{parent}/{entry.name}" if parent else entry.name
                problem = _problem(entry, name)
                if problem is not None:
                    problems.append(Issue(file=str(folder), path=make_visible(name), problem=problem))
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append(name)
                else:
                    names.append(name)
    if problems:
        raise InputError.from_issues(str(folder), sorted(problems, key=lambda issue: issue.path)[:_SHOWN])
    return sorted(names)


def _problem(entry: os.DirEntry[str], name: str) -> Text | None:
    if not is_plain(name) or len(name.encode()) > _LONGEST_PATH or len(entry.name.encode()) > _LONGEST_NAME:
        return text("blobs.odd_name")
    plain = entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)
    return None if plain else text("blobs.no_plain_file")


def _open(name: str, flags: int, parent: int) -> int:
    if name in ("", ".", ".."):
        raise NotPlainError(f"{name!r} names no entry of a folder")
    try:
        return os.open(name, flags, dir_fd=parent)
    except OSError as error:
        raise NotPlainError(f"{name!r}: {error.strerror}") from None
