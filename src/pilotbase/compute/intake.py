"""What a supplier's folder may hold, looked at without opening a file of it."""

from __future__ import annotations

import stat
from pathlib import Path

from pilotbase.compute.trees import digest_tree, walk_tree
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


def folder_digest(folder: Path) -> str:
    """Return the digest that names a checked folder by its content."""
    check_folder(folder)
    return digest_tree(folder)
