"""A submitted folder as a content-addressed tree: the files in it, and the one digest that names them all."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.hashes import digest_json, digest_of, hex_of
from pilotbase.documents.texts import Text, make_visible, text
from pilotbase.workspace.plain_files import NotPlainError, opened_file, opened_folder

MAXIMUM_FILES = 5_000
"""Entries of any kind: files, folders and others."""
MAXIMUM_BYTES = 2 << 30
MAXIMUM_DEPTH = 32
MAXIMUM_NAME = 200
IGNORED = frozenset({"__pycache__", ".git", ".mypy_cache", ".ruff_cache", ".DS_Store"})
_SHOWN = 100
"""Problems that an error lists; it counts the rest."""
_CHUNK = 1 << 20


@dataclass(frozen=True)
class FolderFile:
    """One regular file of a submitted folder."""

    path: str
    size: int
    digest: str


@dataclass(frozen=True)
class FolderTree:
    """The files of a submitted folder, sorted by path; ``digest`` names all their names and bytes."""

    folder: Path
    files: tuple[FolderFile, ...]
    uncovered: tuple[str, ...] = ()
    """Entries that the digest does not cover and a copy leaves out: caches, version control, empty folders."""

    @property
    def digest(self) -> str:
        return digest_json([[file.path, file.size, file.digest] for file in self.files])

    def file(self, path: str) -> FolderFile | None:
        """Return the file of that path, if the folder has it."""
        return next((file for file in self.files if file.path == path), None)


def read_tree(folder: Path) -> FolderTree:
    """Return the tree of ``folder``; caches and version control are left out, and listed in ``uncovered``.

    Raises:
        InputError: it is no folder, has entries that are no plain file (links, devices, odd names; all are named), or
            has too many entries or bytes, or it changed meanwhile.
    """
    if not folder.is_dir():
        raise InputError("catalogue.no_folder", folder=folder)
    try:
        return _read(folder)
    except NotPlainError:
        raise InputError("catalogue.folder_changed", folder=folder) from None


def kept_folder(store: Path, digest: str) -> Path:
    """Return where ``store`` keeps the tree of that digest, or None."""
    return store / hex_of(digest)


def store_tree(tree: FolderTree, store: Path) -> Path:
    """Return a read-only copy of the tree under ``store/<hex digest>``, published by rename and checked by digest.

    Raises:
        InputError: the folder changed while it was read.
    """
    target = kept_folder(store, tree.digest)
    if target.is_dir():
        if _holds(target, tree):
            return target
        shutil.rmtree(target)
    store.mkdir(parents=True, exist_ok=True)
    draft = store / f".{target.name}.{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        _copy(tree, draft)
        if not _holds(draft, tree):
            raise InputError("catalogue.folder_changed", folder=tree.folder)
        _publish(draft, target)
    except NotPlainError:
        raise InputError("catalogue.folder_changed", folder=tree.folder) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def _read(folder: Path) -> FolderTree:
    problems: list[Issue] = []
    found: list[FolderFile] = []
    uncovered: list[str] = []
    folders: set[str] = set()
    total = 0
    for count, (name, status) in enumerate(_walk(folder), 1):
        total += status.st_size if stat.S_ISREG(status.st_mode) else 0
        if count > MAXIMUM_FILES or total > MAXIMUM_BYTES:
            raise InputError("catalogue.folder_too_large", folder=folder, files=MAXIMUM_FILES, bytes=MAXIMUM_BYTES)
        problem = None if _is_ignored(name) else _problem(name, status)
        if _is_ignored(name):
            uncovered.append(name)
        elif problem is not None:
            problems.append(Issue(file=str(folder), path=make_visible(name), problem=problem))
        elif stat.S_ISDIR(status.st_mode):
            folders.add(name)
        else:
            found.append(FolderFile(name, status.st_size, _digest(folder, name)))
    if problems:
        raise InputError.from_issues(str(folder), _shown(str(folder), problems))
    filled = {parent for file in found for parent in _parents(file.path)}
    files = tuple(sorted(found, key=lambda file: file.path))
    return FolderTree(folder, files, tuple(sorted([*uncovered, *(folders - filled)])))


def _walk(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield every entry as it is found, so that a counting caller can stop; skips refused or ignored folders."""
    waiting = [""]
    while waiting:
        parent = waiting.pop()
        with opened_folder(folder, parent) as descriptor, os.scandir(descriptor) as entries:
            for entry in entries:
                name = f"{parent}/{entry.name}" if parent else entry.name
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode) and not _is_ignored(name) and _problem(name, status) is None:
                    waiting.append(name)
                yield name, status


def _is_ignored(name: str) -> bool:
    return name.rpartition("/")[2] in IGNORED


def _problem(name: str, status: os.stat_result) -> Text | None:
    if not name.isprintable() or len(os.fsencode(name)) > MAXIMUM_NAME:
        return text("catalogue.odd_name")
    if stat.S_ISLNK(status.st_mode):
        return text("catalogue.link")
    if stat.S_ISDIR(status.st_mode):
        return text("catalogue.too_deep", depth=MAXIMUM_DEPTH) if name.count("/") >= MAXIMUM_DEPTH else None
    if not stat.S_ISREG(status.st_mode):
        return text("catalogue.no_plain_file")
    return text("catalogue.hard_link") if status.st_nlink > 1 else None


def _shown(folder: str, problems: list[Issue]) -> list[Issue]:
    left = len(problems) - _SHOWN
    if left <= 0:
        return problems
    return [*problems[:_SHOWN], Issue(file=folder, path="", problem=text("catalogue.more_problems", count=left))]


def _parents(path: str) -> Iterator[str]:
    parent = path.rpartition("/")[0]
    while parent:
        yield parent
        parent = parent.rpartition("/")[0]


def _digest(folder: Path, name: str) -> str:
    with opened_file(folder, name) as stream:
        return digest_of(hashlib.file_digest(stream, "sha256").hexdigest())


def _holds(folder: Path, tree: FolderTree) -> bool:
    """Return whether a copy holds the tree and nothing else: files without a digest could still be run."""
    found = read_tree(folder)
    return found.digest == tree.digest and not found.uncovered


def _copy(tree: FolderTree, draft: Path) -> None:
    draft.mkdir(mode=0o755)
    for file in tree.files:
        copy = draft / file.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        with opened_file(tree.folder, file.path) as source, copy.open("xb") as target:
            left = file.size + 1  # one extra byte shows that it grew
            while left > 0 and (chunk := source.read(min(left, _CHUNK))):
                target.write(chunk)
                left -= len(chunk)
            os.fchmod(target.fileno(), 0o444)


def _publish(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:  # another process was first; the content is the same
        if not target.is_dir():
            raise
