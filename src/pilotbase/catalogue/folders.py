"""A submitted folder as a content-addressed tree: which files it holds, and the one digest that names them all."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.hashes import digest_file, digest_json
from pilotbase.documents.texts import Text, text

MAXIMUM_FILES = 5_000
MAXIMUM_BYTES = 2 << 30
IGNORED = frozenset({"__pycache__", ".git", ".mypy_cache", ".ruff_cache", ".DS_Store"})


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

    @property
    def digest(self) -> str:
        return digest_json([[file.path, file.size, file.digest] for file in self.files])


def read_tree(folder: Path) -> FolderTree:
    """Return the tree of ``folder``; caches and version control are left out.

    Raises:
        InputError: no folder, or with every entry that is no plain file (links, devices, odd names) or too many bytes.
    """
    if not folder.is_dir():
        raise InputError("catalogue.no_folder", folder=folder)
    problems: list[Issue] = []
    found: list[FolderFile] = []
    total = 0
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        status = path.lstat()
        total += status.st_size
        if len(found) >= MAXIMUM_FILES or total > MAXIMUM_BYTES:
            raise InputError("catalogue.folder_too_large", folder=folder, files=MAXIMUM_FILES, bytes=MAXIMUM_BYTES)
        problem = _problem(name, status)
        if problem is not None:
            problems.append(Issue(file=str(folder), path=name, problem=problem))
        else:
            found.append(FolderFile(name, status.st_size, digest_file(path)))
    if problems:
        raise InputError.from_issues(str(folder), problems)
    return FolderTree(folder, tuple(sorted(found, key=lambda file: file.path)))


def store_tree(tree: FolderTree, store: Path) -> Path:
    """Return a read-only copy of the tree under ``store/<hex digest>``, published by rename and checked by digest.

    Raises:
        InputError: the folder changed while it was read.
    """
    target = store / tree.digest.removeprefix("sha256:")
    if target.is_dir():
        if read_tree(target).digest == tree.digest:
            return target
        shutil.rmtree(target)
    store.mkdir(parents=True, exist_ok=True)
    draft = store / f".{target.name}.{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        _copy(tree, draft)
        if read_tree(draft).digest != tree.digest:
            raise InputError("catalogue.folder_changed", folder=tree.folder)
        draft.rename(target)
    except FileExistsError:
        pass
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def _walk(folder: Path) -> list[Path]:
    found: list[Path] = []
    for parent, folders, files in os.walk(folder):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in IGNORED and name not in links)
        found += [Path(parent, name) for name in sorted([*files, *links]) if name not in IGNORED]
    return found


def _problem(name: str, status: os.stat_result) -> Text | None:
    if stat.S_ISLNK(status.st_mode):
        return text("catalogue.link")
    if not stat.S_ISREG(status.st_mode):
        return text("catalogue.no_plain_file")
    if any(ord(letter) < 32 for letter in name) or len(name) > 200:
        return text("catalogue.odd_name")
    return None


def _copy(tree: FolderTree, draft: Path) -> None:
    draft.mkdir(mode=0o755)
    for file in tree.files:
        copy = draft / PurePosixPath(file.path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(tree.folder / file.path, copy, follow_symlinks=False)
        copy.chmod(0o444)
