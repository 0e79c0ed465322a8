"""The layout of a box that has a container image as its root, and how Python starts in it.

The image's own entries are in place of a system's folders; the files that run Python are mounted aside, with a loader
and libraries of the host. Nothing of the image is loaded before every privilege has been given up (`entering`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from pilotbase.documents.errors import RefusedError
from pilotbase.sandbox.box.settings import Interpreter

HOST = PurePosixPath("/pilotbase/host")
"""The place of the host's interpreter and libraries, each at its own path beneath it."""
ENTERING = PurePosixPath("/pilotbase/entering.py")

_OURS = frozenset({"proc", "sys", "dev", "tmp", "pilotbase", "application", "environment"})
"""Entries of an image that are not shown: the box has its own there, or none."""
_HEAD = struct.Struct("<4sBB10xHHIQQQIHHH")
"""ELF header of 64 bits, little-endian, up to the number of program headers (System V ABI, chapter 4)."""
_SEGMENT = struct.Struct("<IIQQQQQQ")
_INTERPRETER = 3


def root_arguments(root: Path) -> list[str]:
    """Return bubblewrap's arguments that show the image's files, read-only; links stay links."""
    arguments: list[str] = []
    for entry in sorted(root.iterdir()):
        if entry.name in _OURS:
            continue
        if entry.is_symlink():
            arguments += ["--symlink", str(entry.readlink()), f"/{entry.name}"]
        else:
            arguments += ["--ro-bind", str(entry), f"/{entry.name}"]
    return arguments


def aside(place: PurePosixPath | Path) -> PurePosixPath:
    """Return the place of a host file in the box."""
    return HOST / PurePosixPath(place).relative_to("/")


def python_words(interpreter: Interpreter, libraries: Iterable[Path]) -> list[str]:
    """Return the words that start Python: by the host's loader, with the host's ``libraries``, and no others.

    Raises:
        RefusedError: the interpreter is not started by a loader of glibc, the only one with this option.
    """
    loader = loader_of(interpreter.executable)
    if not loader.name.startswith("ld-linux"):
        raise RefusedError("box.image_no_loader", loader=loader)
    beneath = interpreter.prefix / "lib"
    places = ":".join(str(aside(place)) for place in (*libraries, beneath))
    without = ":".join(["", *(str(aside(one)) for one in sorted(beneath.glob("libpython*")))])
    options = ["--inhibit-cache", "--inhibit-rpath", without, "--library-path", places]
    return [str(aside(loader)), *options, str(aside(interpreter.executable))]


def entering_words(uid: int | None, limits: Sequence[str], script: Sequence[str]) -> list[str]:
    """Return the arguments of `entering`: the user (None: the present one), the limits, and the program to run."""
    return [str(ENTERING), "-" if uid is None else str(uid), *limits, "--", *script]


def loader_of(executable: Path) -> Path:
    """Return the loader that an ELF program names, links followed; an empty path if it names none."""
    content = executable.read_bytes()
    if content[:5] != b"\x7fELF\x02" or content[5] != 1:
        return Path()
    start, size, count = (_HEAD.unpack_from(content)[at] for at in (7, 11, 12))
    for number in range(count):
        kind, _, offset, _, _, length, _, _ = _SEGMENT.unpack_from(content, start + number * size)
        if kind == _INTERPRETER:
            return Path(content[offset : offset + length].rstrip(b"\0").decode()).resolve()
    return Path()
