"""What a supplier's folder may hold, looked at without opening a file of it."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pilotbase.compute.box.copies import copies_folder, copy_tree
from pilotbase.compute.box.staging import staging_folder
from pilotbase.compute.box.trees import walk_tree
from pilotbase.documents.errors import InputError

MAX_FOLDER_BYTES = 2 << 30
MAX_FOLDER_FILES = 20_000


def check_folder(folder: Path) -> None:
    """Refuse an application's folder that reaches out of itself or is too large.

    Raises:
        InputError: it is no folder, holds a link or special file, more than 20,000 files or more than 2 GiB.
    """
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise InputError("box.tree.no_folder", folder=folder)
    size = 0
    for count, entry in enumerate(walk_tree(folder), start=1):
        size += entry.status.st_size
        if count > MAX_FOLDER_FILES or size > MAX_FOLDER_BYTES:
            raise InputError("box.tree.too_large", folder=folder, files=MAX_FOLDER_FILES, bytes=MAX_FOLDER_BYTES)


@contextlib.contextmanager
def readable_folder(folder: Path, *, copied: bool = False) -> Iterator[Path]:
    """Give a folder that the box's user can read: ``folder`` itself, or a copy that is gone at the end.

    It is a copy where it is to be ``copied``, for one box alone, and, as root, where others may not read all of it.
    """
    readable = os.getuid() != 0 or all(_open_to_others(entry.status.st_mode) for entry in walk_tree(folder))
    if readable and not copied:
        yield folder
        return
    with staging_folder(copies_folder("applications")) as staging:
        copy = staging / "application"
        copy_tree(folder, copy)
        for entry in () if readable else walk_tree(copy):
            entry.path.chmod(0o755 if entry.is_folder else 0o644)
        copy.chmod(0o755)
        yield copy


def _open_to_others(mode: int) -> bool:
    return bool(mode & stat.S_IROTH) and (not stat.S_ISDIR(mode) or bool(mode & stat.S_IXOTH))
