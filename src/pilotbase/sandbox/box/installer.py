"""The work of `work_program` that unpacks wheels into a plain folder. It stands alone: standard library only.

Wheels are hostile archives: every member is checked before anything is written, and bytes are counted as they are
unpacked, not as the archive declares them. Nothing of a wheel is executed: scripts and ``.pth`` files are skipped,
modules are only compiled.
"""

from __future__ import annotations

import compileall
import errno
import os
import py_compile
import re
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

CHUNK = 1 << 20
MAX_PATH = 400
MAX_DEPTH = 30
NEVER_INSTALLED = frozenset({"sitecustomize.py", "usercustomize.py"})
TESTS = re.compile(r"/tests/")
"""Half of what packages bring, and next to nothing of what applications import."""

BROKEN = (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, struct.error, RuntimeError, OSError)


def run(greeting: dict[str, Any]) -> dict[str, int]:
    """Unpack the wheels that the greeting names, compile them, and return how much that was."""
    budget = WriteBudget(greeting["free_bytes"], greeting["ratio"], greeting["files"])
    for wheel in greeting["wheels"]:
        try:
            install(wheel["path"], wheel["name"], greeting["target"], budget)
        except BROKEN as problem:
            if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise RefusedWheelError("broken", wheel["name"], f"{type(problem).__name__}: {problem}") from None
    compile_folder(greeting["target"])
    return {"files": budget.files, "bytes": budget.written}


class RefusedWheelError(Exception):
    """A wheel that is not installed; ``kind`` names the reason."""

    def __init__(self, kind: str, wheel: str, found: str) -> None:
        super().__init__(kind)
        self.kind, self.wheel, self.found = kind, wheel, found


class WriteBudget:
    """Bytes and files that may still be written: a fixed allowance, and a multiple of the size of the wheels."""

    def __init__(self, free_bytes: int, ratio: int, files: int) -> None:
        self._allowed = free_bytes
        self._ratio = ratio
        self._most_files = files
        self.written = 0
        self.files = 0

    def open_wheel(self, size: int) -> None:
        """Allow the permitted expansion of a wheel of ``size`` bytes."""
        self._allowed += size * self._ratio

    def spend(self, count: int, wheel: str) -> None:
        """Count bytes unpacked from a wheel."""
        self.written += count
        if self.written > self._allowed:
            raise RefusedWheelError("bomb", wheel, f"{self.written}")

    def add_file(self, wheel: str) -> None:
        self.files += 1
        if self.files > self._most_files:
            raise RefusedWheelError("files", wheel, f"{self.files}")


def install(path: str, wheel: str, target: str, budget: WriteBudget) -> None:
    """Unpack one wheel into ``target``; raises `RefusedWheelError`."""
    budget.open_wheel(Path(path).stat().st_size)
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        planned = plan(members, wheel, budget)
        for member, name in planned:
            place = Path(target, name)
            make_parents(place, wheel, name)
            write(archive, member, place, wheel, budget)


def plan(members: list[zipfile.ZipInfo], wheel: str, budget: WriteBudget) -> list[tuple[zipfile.ZipInfo, str]]:
    """Return where each member is written, after checking every name."""
    planned: list[tuple[zipfile.ZipInfo, str]] = []
    seen: set[str] = set()
    for member in members:
        budget.add_file(wheel)
        name = member.filename
        parts = name.rstrip("/").split("/")
        if "\\" in name or "\0" in name or name.startswith("/") or any(part in ("", ".", "..") for part in parts):
            raise RefusedWheelError("path", wheel, name)
        if len(name.encode("utf-8", "replace")) > MAX_PATH or len(parts) > MAX_DEPTH or not name.isprintable():
            raise RefusedWheelError("path", wheel, name)
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise RefusedWheelError("link", wheel, name)
        if name in seen:
            raise RefusedWheelError("twice", wheel, name)
        seen.add(name)
        inside = installed_name(name)
        if inside is not None and not member.is_dir():
            planned.append((member, inside))
    return planned


def installed_name(name: str) -> str | None:
    """Return the place of a member, None for members that are never installed."""
    data = re.fullmatch(r"[^/]+\.data/([^/]+)/(.+)", name)
    if data is not None:
        if data[1] not in ("purelib", "platlib"):
            return None
        name = data[2]
    elif name.partition("/")[0].endswith(".data"):
        return None
    if "/" not in name and (name.endswith(".pth") or name in NEVER_INSTALLED):
        return None
    return name


def make_parents(place: Path, wheel: str, name: str) -> None:
    """Make the parent folders of ``place``; a file of another wheel may be in the way."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise RefusedWheelError("overwrite", wheel, name) from None


def write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, place: Path, wheel: str, budget: WriteBudget) -> None:
    """Write one member; a file that another wheel has brought must be identical, byte for byte."""
    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    except FileExistsError:
        if place.is_dir():
            raise RefusedWheelError("overwrite", wheel, member.filename) from None
        same(archive, member, place, wheel, budget)
        return
    with archive.open(member) as source, open(descriptor, "wb") as sink:
        while chunk := source.read(CHUNK):
            budget.spend(len(chunk), wheel)
            sink.write(chunk)


def same(archive: zipfile.ZipFile, member: zipfile.ZipInfo, place: Path, wheel: str, budget: WriteBudget) -> None:
    """Raise unless the file at ``place`` equals the member."""
    with archive.open(member) as source, place.open("rb") as other:
        while True:
            chunk = source.read(CHUNK)
            budget.spend(len(chunk), wheel)
            if chunk != other.read(len(chunk) or 1):
                raise RefusedWheelError("overwrite", wheel, member.filename)
            if not chunk:
                return


def compile_folder(target: str) -> None:
    """Write bytecode that is valid without checking its source; tests, and files that do not compile, stay source."""
    compileall.compile_dir(
        target,
        rx=TESTS,
        quiet=2,
        workers=os.cpu_count() or 1,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        maxlevels=MAX_DEPTH,
    )


REFUSED = RefusedWheelError
