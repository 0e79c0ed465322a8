"""Archives of strangers unpacked in a box: nothing outside the folder, no links, no bombs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.limits import Limits
from pilotbase.sandbox.box import unpacker
from pilotbase.sandbox.box.box import run_work
from pilotbase.sandbox.box.command import Mount
from pilotbase.sandbox.box.trees import walk_tree

_SECONDS = 120
_ARCHIVE, _TARGET = PurePosixPath("/archive"), PurePosixPath("/target")


@dataclass(frozen=True)
class UnpackLimits:
    """Limits of an unpacked archive."""

    most_bytes: int
    most_files: int
    depth: int


def unpack_zip(archive: Path, folder: Path, bounds: UnpackLimits) -> Path:
    """Unpack ``archive`` into the new folder ``folder``; return the one folder in it, or ``folder`` itself.

    ``archive`` must be alone in its folder, which the box sees.

    Raises:
        InputError: no zip, damaged, encrypted, a path that leads outside, a link, too many files or too many bytes.
        RefusedError: this host gives no box.
        PilotbaseError: disk full, or the box failed on our side.
    """
    folder.mkdir(mode=0o700)
    _show_to_box(archive)
    mounts = (Mount(archive.parent, _ARCHIVE), Mount(folder, _TARGET, writable=True))
    greeting = {
        "archive": str(_ARCHIVE / archive.name),
        "target": str(_TARGET),
        "bytes": bounds.most_bytes,
        "files": bounds.most_files,
        "depth": bounds.depth,
    }
    report, refused = run_work(unpacker, mounts, greeting, _limits(bounds))
    if refused:
        raise _error(refused, report["found"], bounds)
    _own(folder)
    inner = list(folder.iterdir())
    return inner[0] if len(inner) == 1 and inner[0].is_dir() else folder


def _show_to_box(archive: Path) -> None:
    """Let the box's user read it; the parent folders keep everybody else out."""
    archive.parent.chmod(0o755)
    archive.chmod(0o644)


def _limits(bounds: UnpackLimits) -> Limits:
    return Limits(
        memory_bytes=256 << 20,
        cpu_seconds=_SECONDS,
        wall_seconds=_SECONDS,
        processes=8,
        file_bytes=max(bounds.most_bytes, 1 << 20),
    )


def _error(kind: str, found: str, bounds: UnpackLimits) -> PilotbaseError:
    known = {
        "path": InputError("box.archive.path", found=found),
        "link": InputError("box.archive.link", found=found),
        "encrypted": InputError("box.archive.encrypted", found=found),
        "many": InputError("box.archive.many", found=found, allowed=bounds.most_files),
        "large": InputError("box.archive.large", allowed=bounds.most_bytes),
        "twice": InputError("box.archive.twice", found=found),
        "disk": PilotbaseError("environment.disk_full"),
    }
    return known.get(kind, InputError("box.archive.damaged", reason=found))


def _own(folder: Path) -> None:
    """Make the box's output ours and private; raises `InputError` for anything but plain files and folders."""
    entries = list(walk_tree(folder))
    if os.getuid() == 0:
        for place in (folder, *(entry.path for entry in entries)):
            os.chown(place, 0, 0, follow_symlinks=False)
    for entry in entries:
        entry.path.chmod(0o700 if entry.is_folder else 0o600)
