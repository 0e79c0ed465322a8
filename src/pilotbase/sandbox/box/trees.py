"""Digests of folders: every file's path and bytes, in the order of paths."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import digest_bytes, digest_file
from pilotbase.sandbox.box.copies import copies_folder, copy_tree, staging_folder

_THREADS = 2
MAX_FOLDER_BYTES = 2 << 30
MAX_FOLDER_FILES = 20_000


@dataclass(frozen=True)
class FileEntry:
    """A file or folder beneath a root, with its ``lstat`` values."""

    root: Path
    name: str
    """Relative to the root, with ``/``."""
    status: os.stat_result

    @property
    def path(self) -> Path:
        return self.root / self.name

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.status.st_mode)


def walk_tree(root: Path, *, links: bool = False) -> Iterator[FileEntry]:
    """Yield every file and folder beneath ``root``, and every link if ``links`` is set, never following one.

    Raises:
        InputError: a link that is not permitted, a device, a socket, a pipe, or a name that is no UTF-8.
    """
    folders = [""]
    while folders:
        folder = folders.pop()
        with os.scandir(root / folder) as found:
            items = sorted(found, key=lambda item: item.name)
        for item in items:
            name = folder + item.name
            try:
                name.encode()
            except UnicodeEncodeError:
                raise InputError("box.tree.name", folder=root, name=ascii(name)) from None
            entry = FileEntry(root, name, item.stat(follow_symlinks=False))
            if entry.is_folder:
                folders.append(f"{name}/")
            elif entry.is_link and not links:
                raise InputError("box.tree.link", folder=root, name=name)
            elif not entry.is_link and not stat.S_ISREG(entry.status.st_mode):
                raise InputError("box.tree.special", folder=root, name=name)
            yield entry


def digest_tree(root: Path, wanted: Callable[[str], bool] = lambda name: True, *, links: bool = False) -> str:
    """Return ``sha256:<hex>`` over path, size and SHA-256 of every wanted file; raises as `walk_tree`.

    For a link, its target counts.
    """
    found = walk_tree(root, links=links)
    files = sorted((entry for entry in found if not entry.is_folder and wanted(entry.name)), key=lambda one: one.name)
    with ThreadPoolExecutor(_THREADS) as threads:
        digests = threads.map(_digest_entry, files)
        lines = [
            f"{entry.name}\0{entry.status.st_size}\0{digest}\n" for entry, digest in zip(files, digests, strict=True)
        ]
    return digest_bytes("".join(lines).encode())


def _digest_entry(entry: FileEntry) -> str:
    return f"link to {entry.path.readlink()}" if entry.is_link else digest_file(entry.path)


def check_folder(folder: Path) -> None:
    """Refuse an application's folder that reaches outside itself or is too large.

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
    """Yield a folder that the box's user can read: ``folder`` itself, or a copy that is removed at the end.

    It is a copy if ``copied`` is set, for one box alone, and, as root, if others may not read all of it.
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
