"""How a box looks that has an image of a container for its root, and how Python starts in it.

The image's own entries stand where a system's folders would; what runs Python stands aside, with a loader and libraries
of the host's. Nothing of the image is loaded before every right has been given up (`entering`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from pilotbase.compute.box.settings import Interpreter
from pilotbase.documents.errors import RefusedError

HOST = PurePosixPath("/pilotbase/host")
"""Where the host's interpreter and libraries stand, each at its own path beneath."""
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
    """Return where a file of the host stands in the box."""
    return HOST / PurePosixPath(place).relative_to("/")


def python_words(interpreter: Interpreter, libraries: Iterable[Path]) -> list[str]:
    """Return the words that start Python: by the host's loader, with the host's ``libraries``, and no others.

    Raises:
        RefusedError: the interpreter is started by no loader of glibc, the only one that can be told so.
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
    """Return what `entering` is told: who to become (None: whoever it is), the limits, and what to run."""
    return [str(ENTERING), "-" if uid is None else str(uid), *limits, "--", *script]


def loader_of(executable: Path) -> Path:
    """Return the loader that an ELF program names, links followed; an empty path where it names none."""
    content = executable.read_bytes()
    if content[:5] != b"\x7fELF\x02" or content[5] != 1:
        return Path()
    start, size, count = (_HEAD.unpack_from(content)[at] for at in (7, 11, 12))
    for number in range(count):
        kind, _, offset, _, _, length, _, _ = _SEGMENT.unpack_from(content, start + number * size)
        if kind == _INTERPRETER:
            return Path(content[offset : offset + length].rstrip(b"\0").decode()).resolve()
    return Path()
