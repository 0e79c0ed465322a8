"""Copies of the files that boxes with hidden cases read: no box whose output leaves ever reads the same files.

The kernel keeps which names were looked up in a folder, present or not, which inodes were loaded and which pages were
read; by timing, any box that reads the same folder can learn this. An application with hidden cases could look up one
name for each bit, for a rehearsal, a job or a service to print. So boxes whose output is withheld read copies: of
interpreter, libraries and environment one tree for each log policy, of the application one for each box. Their traces
in the kernel are beneath folders that no box of another policy ever sees, whenever they run and however they end.

Copies are made once and kept until they have not been used for a week, on the machine of the box. What is being
made stands beside its final place, locked by its maker, and is removed when the maker is done or dead.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

from pilotbase.documents.errors import PilotbaseError
from pilotbase.sandbox.box.settings import Interpreter

_PREFIX = ".staging-"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextlib.contextmanager
def staging_folder(parent: Path) -> Iterator[Path]:
    """Yield a new folder in ``parent``, removed at the end unless it was renamed; sweep abandoned ones.

    The kernel releases a lock with its holder, and shows it to containers that share the folder but not its processes.
    """
    for left in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), _locked(left, fcntl.LOCK_EX | fcntl.LOCK_NB):
            remove_folder(left)
    with contextlib.ExitStack() as held:
        staging = _fresh(parent, held)
        try:
            yield staging
        finally:
            if staging.exists():
                remove_folder(staging)


def _fresh(parent: Path, held: contextlib.ExitStack) -> Path:
    """Return a new folder, locked; if a sweeper interferes between the two steps, try another."""
    while True:
        staging = parent / f"{_PREFIX}{secrets.token_hex(8)}"
        staging.mkdir()
        with contextlib.suppress(FileNotFoundError):
            held.enter_context(_locked(staging, fcntl.LOCK_EX))
            staging.chmod(0o755)
            return staging


@contextlib.contextmanager
def _locked(place: Path, how: int) -> Iterator[None]:
    descriptor = lock_folder(place, how)
    try:
        yield
    finally:
        os.close(descriptor)


def lock_folder(place: Path, how: int) -> int:
    """Return the descriptor that keeps a folder locked until it is closed.

    Raises:
        BlockingIOError: somebody else holds it, and ``how`` does not wait.
    """
    descriptor = os.open(place, _FOLDER)
    try:
        fcntl.flock(descriptor, how)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


@contextlib.contextmanager
def one_at_a_time(file: Path) -> Iterator[None]:
    """Let one process at a time do the work that ``file`` names; the kernel frees the lock when its holder dies."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def remove_folder(place: Path) -> None:
    """Remove a folder whose folders may be read-only; harmless if another process removes it, too."""
    for folder, _, _ in os.walk(place):
        with contextlib.suppress(FileNotFoundError):
            Path(folder).chmod(0o700)
    shutil.rmtree(place, ignore_errors=True)


_KEPT_SECONDS = 7 * 86_400
"""No box lives this long without another being started from the same copy."""
_SWEPT_SECONDS = 86_400
_PIECE = 1 << 30
_MADE: dict[tuple[object, ...], Path] = {}
"""Kind and places, with inodes and times of change → the copy: a place is walked once in each process."""
_OF_WHEELS = (
    "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1",
    "libanl.so.1", "libatomic.so.1", "libc.so.6", "libdl.so.2", "libexpat.so.1", "libgcc_s.so.1", "libGL.so.1",
    "libglib-2.0.so.0", "libgobject-2.0.so.0", "libgthread-2.0.so.0", "libICE.so.6", "libm.so.6", "libmvec.so.1",
    "libnsl.so.1", "libpthread.so.0", "libresolv.so.2", "librt.so.1", "libSM.so.6", "libstdc++.so.6", "libutil.so.1",
    "libX11.so.6", "libXext.so.6", "libXrender.so.1", "libz.so.1",
    "libgfortran.so.5", "libgomp.so.1", "libquadmath.so.0", "libnss_files.so.2",
)  # fmt: skip
"""Libraries that manylinux wheels leave to the system (PEP 600, the policies of auditwheel), and those of compilers."""
_FOLDERS = ("gconv", "python3.*")
"""The C library's tables of encodings, and a system's own Python if it is among the libraries."""
_NAMED = re.compile(rb"(?:lib|ld-)[\w.+-]*\.so[\w.]*(?=\0)")
"""A library's name in an ELF file: it holds the names of those it needs, and of most that it opens while running."""


def copies_folder(name: str) -> Path:
    """Return the folder for copies of that kind on this machine: systemd's for caches, root's, or the user's.

    Others can pass through root's, since a box started as another user must, but cannot list it.
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
    """Return the copy of a file or folder, made if it is missing; folders in ``empty`` are empty in it.

    ``kind``: for which boxes; those of another kind read other copies.

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
    """Return what ``fill`` makes ``of`` some places, made once for each name that ``mark`` returns for them.

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

    Unreadable and special files are skipped: a box could not read them either.
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
        source = open(path, "rb")  # noqa: SIM115 - unreadable files are skipped, failures to write are reported
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
    """Yield ``place`` and every file, link and folder beneath it, a folder before its contents."""
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
    """Remove copies that have not been used for long, once a day: a base has tens of thousands of them."""
    swept = folder / ".swept"
    if swept.exists() and time.time() - swept.stat().st_mtime < _SWEPT_SECONDS:
        return
    swept.touch()
    for kept in folder.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - kept.stat().st_mtime > _KEPT_SECONDS:
                remove_folder(kept)


def shown_libraries(folder: Path, interpreter: Interpreter, tools: Iterable[Path]) -> Path:
    """Return the folder that boxes see in place of a system's folder of libraries; kept, and remade on any change.

    Every box sees the same: the libraries that a wheel may expect, and those that Python and its tools load. So the
    libraries of an application's rehearsal are there in its trial, and a machine's other libraries are neither visible
    nor copied. ``tools``: programs that load libraries in a box, other than Python and applications.

    Raises:
        PilotbaseError: ``box.no_copies``: it cannot be written.
    """

    def mark() -> str:
        others = {str(place) for place in folder.iterdir() if place.is_dir()} - {
            str(place) for place in _whole_folders(folder)
        }
        return mark_of([folder, *_programs(interpreter, tools)], others)

    def take(target: Path) -> None:
        target.mkdir()
        for name in sorted(_needed_libraries(folder, _programs(interpreter, tools))):
            copy_tree(folder / name, target / name)
        target.chmod(0o755)

    return kept("libraries", (folder, interpreter.executable), mark, take)


def _programs(interpreter: Interpreter, tools: Iterable[Path]) -> list[Path]:
    beneath = ("lib*/libpython*.so*", "lib*/python3*/lib-dynload/*.so")
    found = [file for pattern in beneath for file in sorted(interpreter.prefix.glob(pattern))]
    return [interpreter.executable, *tools, *found]


def _whole_folders(folder: Path) -> list[Path]:
    return [place for pattern in _FOLDERS for place in folder.glob(pattern)]


def _needed_libraries(folder: Path, programs: Iterable[Path]) -> set[str]:
    """Return the names of everything in ``folder`` that is shown, including links and their targets."""
    found = {place.name for place in _whole_folders(folder)}
    waiting = set(_OF_WHEELS).union(*(_named_in(program) for program in programs))
    while waiting:
        name = waiting.pop()
        if name in found or not (folder / name).is_file():
            continue
        found.add(name)
        waiting |= _named_in(folder / name)
        waiting |= {(folder / name).readlink().name} if (folder / name).is_symlink() else set()
    return found


def _named_in(file: Path) -> set[str]:
    return {name.decode() for name in _NAMED.findall(file.read_bytes())}
