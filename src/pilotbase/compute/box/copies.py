"""Copies of what a box reads, for boxes that may be fed hidden cases: no box that prints ever reads the same files.

The kernel keeps which names were looked up in a folder, present or not, which inodes were loaded and which pages were
read; by timing, any box that reads the same folder learns it. An application that is fed hidden cases could look up
one name a bit, for a rehearsal, a job or a service to print. So boxes whose words are withheld read copies: of
interpreter, libraries and environment a tree for each policy of what leaves, of the application one for each box. What
they leave in the kernel stands beneath folders that no box of another policy is ever shown, whenever they run and
however they end.

Copies are made once and kept until they have not been used for a week; they stand on the machine of the box.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

from pilotbase.compute.box.staging import one_at_a_time, remove_folder, staging_folder
from pilotbase.documents.errors import PilotbaseError

_KEPT_SECONDS = 7 * 86_400
"""No box lives so long without another being started from the same copy."""
_PIECE = 1 << 30
_MADE: dict[tuple[object, ...], Path] = {}
"""Kind and places, with inodes and times of change → what was made: a place is walked once a process."""


def copies_folder(name: str) -> Path:
    """Return the folder for copies of that kind on this machine: systemd's for caches, root's, or the user's.

    Others can pass through root's, since a box that is started as another user must, but not list it.
    """
    given = os.environ.get("CACHE_DIRECTORY", "").partition(":")[0]
    users = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    base = Path(given or f"{'/var/cache' if os.getuid() == 0 else users}/pilotbase").expanduser()
    try:
        base.parent.mkdir(parents=True, exist_ok=True)
        for folder in (base, base / name):
            if not folder.exists():
                folder.mkdir(exist_ok=True)
                folder.chmod(0o711)
    except OSError as problem:
        raise PilotbaseError("box.no_copies", folder=base / name, said=problem.strerror) from None
    return base / name


def copy_of(place: Path, kind: str, empty: Collection[Path] = ()) -> Path:
    """Return the copy of a file or folder, made if it is not there; folders in ``empty`` are empty in it.

    ``kind``: for which boxes; those of another read other copies.

    Raises:
        PilotbaseError: ``box.no_copies``: it cannot be written.
    """
    place = place.resolve()

    def mark() -> str:
        return mark_of([place], {str(one.resolve()) for one in empty})

    def fill(target: Path) -> None:
        copy_tree(place, target, {str(one.resolve()) for one in empty})

    return kept(f"copies-{kind}", (place,), mark, fill)


def kept(kind: str, of: Sequence[Path], mark: Callable[[], str], fill: Callable[[Path], None]) -> Path:
    """Return what ``fill`` makes ``of`` some places, made once for each name that ``mark`` gives them.

    Raises:
        PilotbaseError: ``box.no_copies``: it cannot be written.
    """
    folder = copies_folder(kind)
    try:
        status = [place.stat() for place in of]
        known = (folder, *((place, one.st_ino, one.st_ctime_ns) for place, one in zip(of, status, strict=True)))
        made = _MADE.get(known)
        if made is None or not made.exists():
            made = _MADE[known] = _made(folder, mark(), fill)
        os.utime(made.parents[1])
    except OSError as problem:
        raise PilotbaseError("box.no_copies", folder=folder, said=problem.strerror) from None
    return made


def _made(folder: Path, mark: str, fill: Callable[[Path], None]) -> Path:
    place = folder / mark
    place.mkdir(exist_ok=True)
    place.chmod(0o755)
    with one_at_a_time(place / ".lock"):
        os.utime(place)
        if not (place / "whole").exists():
            _sweep(folder)
            with staging_folder(place) as staging:
                fill(staging / "tree")
                staging.rename(place / "whole")
    return place / "whole" / "tree"


def copy_tree(source: Path, target: Path, empty: Collection[str] = ()) -> None:
    """Copy a file, or a folder with files, folders and links, with rights and times, so that bytecode stays valid.

    What we may not read, and what is neither, is left out: a box would not get to see it either.
    """
    folders = []
    for path, status in _entries(str(source), empty):
        to = str(target) + path[len(str(source)) :]
        if stat.S_ISDIR(status.st_mode):
            Path(to).mkdir()
            folders.append((to, status))
        elif stat.S_ISLNK(status.st_mode):
            Path(to).symlink_to(Path(path).readlink())
        else:
            _copy_file(path, to, status)
    for to, status in reversed(folders):
        _take_after(to, status)


def _copy_file(path: str, to: str, status: os.stat_result) -> None:
    try:
        source = open(path, "rb")  # noqa: SIM115 - what cannot be read is left out, what cannot be written is told
    except PermissionError:
        return
    with source, open(to, "xb") as target:
        while os.sendfile(target.fileno(), source.fileno(), None, _PIECE):
            pass
    _take_after(to, status)


def _take_after(path: str, status: os.stat_result) -> None:
    Path(path).chmod(status.st_mode & 0o777)
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))


def mark_of(places: Iterable[Path], empty: Collection[str]) -> str:
    """Return a name that changes whenever anything in ``places`` is written, replaced, added or removed."""
    mark = hashlib.sha256()
    for path, status in (entry for place in places for entry in _entries(str(place), empty)):
        facts = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        mark.update(f"{path}\0{facts}\n".encode(errors="surrogateescape"))
    return mark.hexdigest()


def _entries(place: str, empty: Collection[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Yield ``place`` and every file, link and folder beneath it, a folder before what is in it."""
    waiting = [(place, os.lstat(place))]
    while waiting:
        path, status = waiting.pop()
        if not (stat.S_ISDIR(status.st_mode) or stat.S_ISLNK(status.st_mode) or stat.S_ISREG(status.st_mode)):
            continue
        yield path, status
        if stat.S_ISDIR(status.st_mode) and path not in empty:
            with contextlib.suppress(PermissionError), os.scandir(path) as found:
                items = sorted(found, key=lambda item: item.name)
                waiting += [(item.path, item.stat(follow_symlinks=False)) for item in items]


def _sweep(folder: Path) -> None:
    """Remove copies that have not been used for long."""
    for kept in folder.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - kept.stat().st_mtime > _KEPT_SECONDS:
                remove_folder(kept)
