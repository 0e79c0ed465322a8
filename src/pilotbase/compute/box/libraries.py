"""Which of the system's libraries a box is shown: what a wheel may count on, and what Python and its tools load.

Every box is shown the same, so what an application finds in its rehearsal is there in its trial, and a machine's other
libraries, most of them for desktops and compilers, are neither seen nor copied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pilotbase.compute.box.copies import copy_tree, kept, mark_of
from pilotbase.compute.box.settings import Interpreter

_OF_WHEELS = (
    "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1",
    "libanl.so.1", "libatomic.so.1", "libc.so.6", "libdl.so.2", "libexpat.so.1", "libgcc_s.so.1", "libGL.so.1",
    "libglib-2.0.so.0", "libgobject-2.0.so.0", "libgthread-2.0.so.0", "libICE.so.6", "libm.so.6", "libmvec.so.1",
    "libnsl.so.1", "libpthread.so.0", "libresolv.so.2", "librt.so.1", "libSM.so.6", "libstdc++.so.6", "libutil.so.1",
    "libX11.so.6", "libXext.so.6", "libXrender.so.1", "libz.so.1",
    "libgfortran.so.5", "libgomp.so.1", "libquadmath.so.0", "libnss_files.so.2",
)  # fmt: skip
"""What wheels of manylinux leave to the system (PEP 600, the policies of auditwheel), and what compilers add to it."""
_FOLDERS = ("gconv", "python3.*")
"""Of the C library: its tables of encodings. Of a system's own Python, where it stands among the libraries."""
_NAMED = re.compile(rb"(?:lib|ld-)[\w.+-]*\.so[\w.]*(?=\0)")
"""A library's name, as an ELF file holds it of each that it needs, and of most that it opens as it runs."""


def shown_libraries(folder: Path, interpreter: Interpreter, tools: Iterable[Path]) -> Path:
    """Return what boxes are shown in place of a system's folder of libraries; kept, and anew when anything changes.

    ``tools``: what loads libraries in a box, besides Python and applications.

    Raises:
        PilotbaseError: ``box.no_copies``: it cannot be written.
    """

    def mark() -> str:
        others = {str(place) for place in folder.iterdir() if place.is_dir()} - {str(place) for place in _whole(folder)}
        return mark_of([folder, *_programs(interpreter, tools)], others)

    def take(target: Path) -> None:
        target.mkdir()
        for name in sorted(_needed(folder, _programs(interpreter, tools))):
            copy_tree(folder / name, target / name)
        target.chmod(0o755)

    return kept("libraries", (folder, interpreter.executable), mark, take)


def _programs(interpreter: Interpreter, tools: Iterable[Path]) -> list[Path]:
    beneath = ("lib*/libpython*.so*", "lib*/python3*/lib-dynload/*.so")
    found = [file for pattern in beneath for file in sorted(interpreter.prefix.glob(pattern))]
    return [interpreter.executable, *tools, *found]


def _whole(folder: Path) -> list[Path]:
    return [place for pattern in _FOLDERS for place in folder.glob(pattern)]


def _needed(folder: Path, programs: Iterable[Path]) -> set[str]:
    """Return the names in ``folder`` of everything that is shown of it, links and what they lead to."""
    found = {place.name for place in _whole(folder)}
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
