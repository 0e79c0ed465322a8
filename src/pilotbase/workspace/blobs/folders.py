"""A folder of files into a packed tree, and a packed tree back into a folder."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.texts import Text, text
from pilotbase.documents.visible_text import make_visible
from pilotbase.workspace.blobs.store import BlobStore
from pilotbase.workspace.blobs.trees import PackedTree, TreeReader, is_packable, pack
from pilotbase.workspace.engine import machine_failure
from pilotbase.workspace.plain_files import NotPlainError, opened_file, opened_folder

_SHOWN = 100
"""Problems that an error lists."""
_STEP = 1000
"""Files between two reports of progress."""


def pack_folder(blobs: BlobStore, folder: Path, on_progress: OnProgress = ignore_progress) -> PackedTree:
    """Keep the files of a folder, packed, and return the tree; empty folders, modes and times are left out.

    Raises:
        InputError: no folder; with every entry that is neither file nor folder or whose name cannot be packed; or a
            file that was there has gone or become something else.
        PilotbaseError: as `BlobStore.keep`.
    """
    if not folder.is_dir():
        raise InputError("blobs.no_folder", folder=folder)
    try:
        return pack(blobs, _opened_one_by_one(folder, files_in(folder), on_progress))
    except NotPlainError as error:
        raise InputError("blobs.folder_changed", folder=folder) from error
    except OSError as error:
        raise machine_failure(error, folder) from error


def unpack(blobs: BlobStore, packed: PackedTree, folder: Path, on_progress: OnProgress = ignore_progress) -> None:
    """Write the members of a tree to ``folder``, which is made: all of them, or nothing stands there.

    Raises:
        InputError: something is at ``folder`` already.
        NotFoundError: a blob of the tree is not here.
        InvalidProofError: bytes or paths were altered.
        PilotbaseError: disk full, or not writable.
    """
    if os.path.lexists(folder):
        raise InputError("blobs.folder_exists", folder=folder)
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}")
    try:
        draft.mkdir(mode=0o700)
        for count, (member, pieces) in enumerate(TreeReader(blobs, packed).contents()):
            if count % _STEP == 0:
                on_progress(Progress(text("blobs.progress.unpack"), count, packed.files))
            place = draft / member.path
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as stream:
                stream.writelines(pieces)
        draft.rename(folder)
    except OSError as error:
        raise machine_failure(error, folder) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def files_in(folder: Path) -> list[str]:
    """Return the paths of the files below ``folder``, sorted; raises `InputError` with everything that is none."""
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
    if not is_packable(name):
        return text("blobs.odd_name")
    plain = entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)
    return None if plain else text("blobs.no_plain_file")


def _opened_one_by_one(folder: Path, names: list[str], on_progress: OnProgress) -> Iterator[tuple[str, BufferedReader]]:
    for count, name in enumerate(names):
        if count % _STEP == 0:
            on_progress(Progress(text("blobs.progress.pack"), count, len(names)))
        with opened_file(folder, name) as stream:
            yield name, stream
