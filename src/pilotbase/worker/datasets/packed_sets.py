"""A set of many small files as one: what a description includes, one after the other in a ZIP, not compressed.

What is kept is sealed piece by piece, so thousands of images are a few blobs and one file to be fetched. The pack is
the same for the same files: in the order of their paths, without times. A member lies in it as it is, so that a part of
the pack is a member.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from pilotbase.documents.dataset import Dataset, FileSet
from pilotbase.documents.errors import InputError
from pilotbase.workspace.blobs.trees import files_in
from pilotbase.workspace.plain_files import NotPlainError, opened_file

_EPOCH = (1980, 1, 1, 0, 0, 0)
_PIECE = 1 << 20


def packed_name(files: FileSet) -> str:
    """Return the name under which a set of files is kept."""
    return f"{files.id.replace('/', '-')}.zip"


def sets_of(dataset: Dataset) -> tuple[FileSet, ...]:
    """Return the sets of files of a description that lie in no archive."""
    return tuple(one for one in dataset.distribution if isinstance(one, FileSet) and not one.contained_in)


def set_in(dataset: Dataset, folder: Path) -> FileSet | None:
    """Return the set of files that ``folder`` holds: the one called so, or the only one; None where it is unclear."""
    sets, name = sets_of(dataset), folder.resolve().name
    named = [one for one in sets if one.id in (name, f"{name}-images")]
    return named[0] if named else sets[0] if len(sets) == 1 else None


def holds_images(files: FileSet) -> bool:
    """Tell whether nothing but images is in a set, so that its table is known."""
    return bool(files.encoding_format) and all(one.startswith("image/") for one in files.encoding_format)


def pack_set(folder: Path, files: FileSet, out: Path) -> Path:
    """Write the files of ``folder`` that a set includes to one file in ``out``, and return it.

    Raises:
        InputError: there is none; links and odd names, all at once; a file that changes meanwhile.
    """
    packed = out / packed_name(files)
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
    """Write the files of a pack that was made here to ``folder``, as they were, and return it."""
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
    return folder


def _included(folder: Path, files: FileSet) -> Iterator[str]:
    """Yield the paths below ``folder`` that a set includes; its globs may begin with the way to the folder."""
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
