"""A set of many small files as one: one after the other in an uncompressed ZIP, by path and without times.

The same files give the same pack, and each part of it is a member.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from pilotbase.documents.dataset import Dataset, FileObject, FileSet
from pilotbase.documents.errors import InputError
from pilotbase.documents.nearest import offer
from pilotbase.workspace.listings import Listing
from pilotbase.workspace.plain_files import NotPlainError, files_in, opened_file
from pilotbase.workspace.store import View

_EPOCH = (1980, 1, 1, 0, 0, 0)
_PIECE = 1 << 20


def files_of(dataset: Dataset) -> list[str]:
    """Return the names under which a description's files may be kept."""
    files = [one for one in dataset.distribution if isinstance(one, FileObject)]
    return sorted(
        {*(one.file_name for one in files), *(one.id for one in files), *map(_packed_name, _sets_of(dataset))}
    )


def set_in(view: View, listing: Listing, folder: Path) -> FileSet:
    """Return the file set of the description that a folder holds: the one with its name, or the only one.

    Raises:
        InputError: there is none, or it is ambiguous.
    """
    dataset = view.load(listing.digest, Dataset)
    sets, name = _sets_of(dataset), folder.resolve().name
    named = [one for one in sets if one.id in (name, f"{name}-images")]
    if not named and len(sets) != 1:
        allowed = offer(folder.name, [one.id for one in sets])
        raise InputError("dataset.no_such_file", dataset=listing.subject, found=folder.name, allowed=allowed)
    return (named or sets)[0]


def holds_images(files: FileSet) -> bool:
    """Return whether a set contains only images, so that its table is known."""
    return bool(files.encoding_format) and all(one.startswith("image/") for one in files.encoding_format)


def pack_set(folder: Path, files: FileSet, out: Path) -> Path:
    """Write the files of ``folder`` that a set includes to one file in ``out``, and return it.

    Raises:
        InputError: there is none; links and odd names, all at once; a file that changes meanwhile.
    """
    packed = out / _packed_name(files)
    names = list(_included(folder, files))
    if not names:
        raise InputError("dataset.empty_set", folder=folder, found=", ".join(files.includes))
    try:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
            for name in names:
                with opened_file(folder, name) as stream, archive.open(zipfile.ZipInfo(name, _EPOCH), "w") as member:
                    shutil.copyfileobj(stream, member, _PIECE)
    except NotPlainError as error:
        raise InputError("blobs.folder_changed", folder=folder) from error
    return packed


def unpack_set(packed: Path, folder: Path) -> Path:
    """Write the files of a pack made here to ``folder``, unchanged, and return it."""
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
    return folder


def _sets_of(dataset: Dataset) -> tuple[FileSet, ...]:
    """Return the file sets of a description that are in no archive."""
    return tuple(one for one in dataset.distribution if isinstance(one, FileSet) and not one.contained_in)


def _packed_name(files: FileSet) -> str:
    """Return the name under which a set of files is kept."""
    return f"{files.id.replace('/', '-')}.zip"


def _included(folder: Path, files: FileSet) -> Iterator[str]:
    """Yield the paths below ``folder`` that a set includes; its globs may begin with the path to the folder."""
    way = f"{folder.resolve().name}/"
    includes, excludes = (
        [_glob(one.rpartition(way)[2]) for one in globs] for globs in (files.includes, files.excludes)
    )
    for name in files_in(folder):
        if any(one.fullmatch(name) for one in includes) and not any(one.fullmatch(name) for one in excludes):
            yield name


def _glob(pattern: str) -> re.Pattern[str]:
    """Return a glob as a pattern of paths: ``**/`` is any way, ``*`` and ``?`` stay within a name."""
    spelled = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.compile("".join(spelled.get(part, re.escape(part)) for part in parts))
