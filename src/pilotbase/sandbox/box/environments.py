"""Environments: the packages of an application in a plain, read-only folder, built in a box and named by content.

The key of a build is its lock and the interpreter. Wheels come from a cache by hash, so builds with the same key share
bytes that both lock files name by SHA-256; nothing that one supplier's code writes ever reaches a folder of another.

Container images are extracted once in a box and kept beside. An environment of an image has its files in ``root`` and
the start of its program in ``start.json``; the digest covers both. No daemon and no registry is involved: an image is a
file of the supplier's folder, and its root is mounted into our own box (decision 0042).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, PackageNotFoundError, PackagePath, distribution
from pathlib import Path, PurePosixPath
from typing import Any

from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError
from pilotbase.documents.hashes import digest_bytes, digest_file, digest_json, hex_of
from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase.documents.texts import text
from pilotbase.sandbox.box import image_unpacker, installer
from pilotbase.sandbox.box.box import NO_REPORT, Box, ask_box, program_of
from pilotbase.sandbox.box.channel import ChannelClosedError, DeadlinePassedError
from pilotbase.sandbox.box.command import Mount
from pilotbase.sandbox.box.copies import mark_of, one_at_a_time, remove_folder, staging_folder
from pilotbase.sandbox.box.ends import END_TEXTS
from pilotbase.sandbox.box.locks import LockedRequirement, parse_lock
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy, running_interpreter
from pilotbase.sandbox.box.trees import FileEntry, digest_tree, readable_folder, walk_tree
from pilotbase.sandbox.box.wheels import CachedWheel, provide_wheels

BUILD_LIMITS = Limits(
    memory_bytes=2 << 30,
    cpu_seconds=1200,
    wall_seconds=900,
    load_seconds=900,
    processes=64,
    scratch_bytes=1 << 30,
    file_bytes=4 << 30,
)
FREE_BYTES = 64 << 20
"""Bytes that a build may write, in addition to `RATIO` times the size of its wheels."""
RATIO = 30
MAX_FILES = 200_000
_REFUSED = frozenset({"path", "link", "twice", "overwrite", "bomb", "files"})
"""What the installer may refuse; anything else means that a wheel cannot be read."""

_FORMAT = 1
_TARGET = PurePosixPath("/target")
_WHEELS = PurePosixPath("/wheels")
ROOT = "root"
START = "start.json"
MOST_BYTES = 8 << 30
"""Maximum size of an extracted image."""

_IMAGE_FORMAT = 1
_ARCHIVE, _ROOT = PurePosixPath("/archive"), PurePosixPath("/target")
_IMAGE_REFUSED = frozenset(
    {"several", "no_image", "machine", "zstandard", "many", "path", "large", "sparse", "damaged"}
)
_PRELOADED = Path("etc", "ld.so.preload")
_INSTALLED_FORMAT = 1
"""Version of the copied contents; cached environments of another version are not found again."""
_LEFT_OUT = frozenset({"..", "tests"})
"""Scripts are outside of the packages' folder; tests are two fifths of the files of numeric libraries."""
_NOT_RUN = (".pth", ".pyi")
_OF_INSTALLERS = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"})
"""Files that installers write beside a distribution; without them, environments are the same on every machine."""
INSTALLED = ".installed"
"""The folder of such environments beside the suppliers', whose names begin with a letter."""


@dataclass(frozen=True)
class Environment:
    """An installed, read-only folder of packages.

    ``digest`` names interpreter, wheels and every installed file except bytecode; ``seal`` covers the bytecode too.
    """

    digest: str
    path: Path
    packages: tuple[str, ...]
    """``name==version``, sorted."""
    seal: str

    def verify(self) -> None:
        """Check that the folder is as it was built; quick if it was checked before (`VERIFIED`) and is untouched.

        Raises:
            InvalidProofError: a file was changed, added or removed.
        """
        mark, name = mark_of([self.path], ()), f"{self.path} {self.seal}"
        if VERIFIED.get(name) == mark:
            return
        if digest_tree(self.path, links=True) != self.seal:
            raise InvalidProofError("environment.poisoned", path=self.path)
        VERIFIED[name] = mark


VERIFIED: dict[str, str] = {}
"""Folder and seal → the mark that it had when this process checked it, or the one that started this process."""


def build_environment(lock: bytes, file: str, cache: Path, settings: BoxSettings | None = None) -> Environment:
    """Return the environment for ``lock`` (the bytes of ``file``), built if ``cache`` lacks it.

    A cached environment whose files were changed is thrown away and built again.

    Raises:
        InputError: the lock has problems (lists all of them), a wheel is missing, hostile or broken.
        PilotbaseError: the index cannot be reached, or the build failed on our side.
    """
    settings = settings or BoxSettings()
    interpreter = settings.interpreter or running_interpreter()
    requirements = parse_lock(lock, file)

    def install(tree: Path) -> Contents:
        wheels = provide_wheels(requirements, cache.resolve(), interpreter.tag) if requirements else ()
        if wheels:
            _install(wheels, tree, settings)
        origin = {"interpreter": interpreter.tag, "wheels": sorted(wheel.sha256 for wheel in wheels)}
        return Contents(tuple(sorted(str(wheel.requirement) for wheel in wheels)), origin)

    return keep_environment(cache, _key(requirements, interpreter.tag), install)


@dataclass(frozen=True)
class Contents:
    """What was put into a folder, and what the digest names of its origin in addition to the files."""

    packages: tuple[str, ...]
    origin: Mapping[str, Any]
    links: bool = False
    """It may contain links, which stay links: nothing of ours ever follows one."""


def keep_environment(cache: Path, key: str, fill: Callable[[Path], Contents]) -> Environment:
    """Return the environment of that key, filled by ``fill`` and sealed if ``cache`` lacks it or has it changed."""
    folder = cache.resolve() / "environments"
    folder.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(folder / f".{key}.lock"):
        environment = _open(folder / key)
        if environment is not None:
            return environment
        with staging_folder(folder) as staging:
            (staging / "tree").mkdir()
            _seal(staging, fill(staging / "tree"))
            staging.rename(folder / key)
    built = _open(folder / key)
    if built is None:
        raise InvalidProofError("environment.poisoned", path=folder / key)
    return built


def find_environment(cache: Path, digest: str) -> Environment | None:
    """Return the environment of that digest in ``cache``, if it is there and intact; builds nothing."""
    for record in sorted((cache.resolve() / "environments").glob("*/record.json")):
        found = _read(record.parent)
        if found is not None and found.digest == digest:
            return found
    return None


def _key(requirements: tuple[LockedRequirement, ...], tag: str) -> str:
    lines = [[requirement.name, requirement.version, *requirement.hashes] for requirement in requirements]
    return hex_of(digest_json({"format": _FORMAT, "interpreter": tag, "lock": lines}))


def _open(place: Path) -> Environment | None:
    """Return the environment at ``place`` if it is there and intact; otherwise clear the place."""
    if not place.exists():
        return None
    environment = _read(place)
    if environment is None:
        remove_folder(place)
    return environment


def _read(place: Path) -> Environment | None:
    """Return the environment at ``place`` if it is intact."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, InputError, InvalidProofError):
        record = json.loads((place / "record.json").read_bytes())
        environment = Environment(record["digest"], place / "tree", tuple(record["packages"]), record["seal"])
        environment.verify()
        return environment
    return None


def _install(wheels: tuple[CachedWheel, ...], tree: Path, settings: BoxSettings) -> None:
    """Unpack ``wheels`` into ``tree`` in a box of its own."""
    owned = os.getuid() == 0
    if owned:
        os.chown(tree, settings.uid, settings.uid)
    mounts = [Mount(tree, _TARGET, writable=True)]
    mounts += [Mount(wheel.path.parent, _WHEELS / wheel.sha256) for wheel in wheels]
    greeting = {
        "target": str(_TARGET),
        "wheels": [
            {"name": wheel.path.name, "path": str(_WHEELS / wheel.sha256 / wheel.path.name)} for wheel in wheels
        ],
        "free_bytes": FREE_BYTES,
        "ratio": RATIO,
        "files": MAX_FILES,
    }
    build = replace(settings, limits=BUILD_LIMITS, level=IsolationLevel.L2, logs=LogPolicy.FULL, removed=frozenset())
    with Box(program_of(installer, mounts), build) as box:
        built, refusal = ask_build(box, greeting)
    if not built:
        kind = refusal.pop("kind")
        said = text(f"environment.wheel.{kind if kind in _REFUSED else 'broken'}", **refusal)
        raise InputError("environment.wheel_refused", reason=said)


def ask_build(box: Box, greeting: dict[str, Any]) -> tuple[bool, Any]:
    """Return whether the program in ``box`` built what the greeting requests, and its report: for a refusal, texts.

    Raises:
        PilotbaseError: ``environment.build_ended``, or ``environment.disk_full``.
    """
    try:
        built, report = ask_box(box, greeting, BUILD_LIMITS.wall_seconds)
        if built:
            return True, report
        refusal = {name: str(report[name]) for name in ("kind", "found")} | {"wheel": str(report.get("wheel"))}
    except (ChannelClosedError, DeadlinePassedError) as problem:
        symptom = EndReason.LOAD_TIMEOUT if isinstance(problem, DeadlinePassedError) else EndReason.APPLICATION_EXIT
        ended = box.explain(symptom)
        raise PilotbaseError("environment.build_ended", reason=END_TEXTS[ended], said=box.logs().text[-500:]) from None
    except (*NO_REPORT, AttributeError):
        raise PilotbaseError("environment.build_ended", reason=END_TEXTS[EndReason.BROKEN_PROTOCOL], said="") from None
    if refusal["kind"] == "disk":
        raise PilotbaseError("environment.disk_full")
    return False, refusal


def _seal(staging: Path, contents: Contents) -> None:
    """Make the tree ours and read-only, and record its description."""
    tree, links = staging / "tree", contents.links
    for entry in walk_tree(tree, links=links):
        _own(entry)
    _own(FileEntry(tree, "", tree.lstat()))
    content = digest_tree(tree, wanted=lambda name: not name.endswith(".pyc"), links=links)
    digest = digest_json({**contents.origin, "files": content})
    record = {"digest": digest, "packages": contents.packages, "seal": digest_tree(tree, links=links)}
    (staging / "record.json").write_text(json.dumps(record))


def _own(entry: FileEntry) -> None:
    """Make it ours, readable for everybody and writable for nobody; executable for all if it was for its owner."""
    if os.getuid() == 0:
        os.chown(entry.path, 0, 0, follow_symlinks=False)
    if not entry.is_link:
        entry.path.chmod(0o555 if entry.is_folder or entry.status.st_mode & stat.S_IXUSR else 0o444)


def image_environment(archive: Path, cache: Path, settings: BoxSettings | None = None) -> Environment:
    """Return the image in ``archive`` as an environment, extracted in a box if ``cache`` lacks it.

    ``archive``: the output of ``docker save`` or ``podman save``, a file of the supplier's folder.

    Raises:
        InputError: ``environment.image_refused``, with the problem.
        PilotbaseError: disk full, or the build failed on our side.
    """
    digest = digest_file(archive)

    def fill(tree: Path) -> Contents:
        (tree / ROOT).mkdir()
        start = _lay_out(archive, tree / ROOT, settings or BoxSettings())
        _require_plain(tree / ROOT)
        (tree / START).write_text(json.dumps(start))
        return Contents((), {"image": digest, "format": _IMAGE_FORMAT}, links=True)

    return keep_environment(cache, hex_of(digest_json({"format": _IMAGE_FORMAT, "image": digest})), fill)


def _lay_out(archive: Path, root: Path, settings: BoxSettings) -> Any:
    """Extract the image in a box of its own and return how its program is started."""
    if os.getuid() == 0:
        os.chown(root, settings.uid, settings.uid)
    limits = BUILD_LIMITS.model_copy(update={"file_bytes": MOST_BYTES})
    build = replace(settings, limits=limits, level=IsolationLevel.L2, logs=LogPolicy.FULL, removed=frozenset())
    greeting = {
        "archive": str(_ARCHIVE / archive.name),
        "target": str(_ROOT),
        "bytes": MOST_BYTES,
        "files": MAX_FILES,
    }
    with readable_folder(archive.parent) as folder:
        mounts = (Mount(folder, _ARCHIVE), Mount(root, _ROOT, writable=True))
        with Box(program_of(image_unpacker, mounts), build) as box:
            built, report = ask_build(box, greeting)
    if not built:
        kind = report["kind"]
        raise _refused(kind if kind in _IMAGE_REFUSED else "damaged", report["found"])
    return report


def _require_plain(root: Path) -> None:
    """Check from outside that no loader would read a library of the image before privileges are given up."""
    if (root / "etc").is_symlink() or os.path.lexists(root / _PRELOADED):
        raise _refused("path", str(_PRELOADED))


def _refused(kind: str, found: str) -> InputError:
    return InputError("environment.image_refused", reason=text(f"environment.image.{kind}", found=found))


def installed_environment(names: Iterable[str], cache: Path) -> Environment:
    """Return an environment of these distributions and everything that they need, as installed here.

    Its key follows from their lists of files; its digest covers the files.

    Raises:
        PackageNotFoundError: one of ``names`` is not installed.
        PilotbaseError: one has no list of its files.
        InvalidProofError: a file does not match the list.
    """
    found = [distribution(name) for name in (*names, *with_needed(names))]
    records = {f"{one.name.lower()}=={one.version}": one for one in found}
    tag, lists = running_interpreter().tag, {name: _list_of(one) for name, one in records.items()}

    def copy(tree: Path) -> Contents:
        for one in records.values():
            for file in one.files or ():
                _copy(one, file, tree)
        return Contents(tuple(sorted(records)), {"interpreter": tag, "installed": sorted(records)})

    key = digest_json(
        {"format": _INSTALLED_FORMAT, "interpreter": tag, "installed": [[name, lists[name]] for name in sorted(lists)]}
    )
    return keep_environment(cache, hex_of(key), copy)


def with_needed(names: Iterable[str]) -> list[str]:
    """Return the distributions and everything that they need, as far as installed."""
    found: list[str] = []
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name.lower() in found:
            continue
        try:
            required = distribution(name).requires or []
        except PackageNotFoundError:  # needed only on other machines or versions of Python
            continue
        found.append(name.lower())
        waiting += [_name(line) for line in required if "extra ==" not in line]
    return found


def missing_packages(names: Iterable[str]) -> list[str]:
    """Return which of these distributions are not installed."""
    return [name for name in names if name.lower() not in with_needed([name])]


def _name(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None
    return found.group()


def _list_of(package: Distribution) -> str:
    """Return the digest of a distribution's list of files."""
    record = package.read_text("RECORD")
    if record is None or package.files is None:
        raise PilotbaseError("environment.no_record", package=package.name)
    return digest_bytes(record.encode())


def _copy(package: Distribution, file: PackagePath, tree: Path) -> None:
    """Copy a file of a distribution with its times, so that its bytecode stays valid; only what a box may import."""
    source = Path(str(package.locate_file(file)))
    not_run = file.suffix in _NOT_RUN or file.name in _OF_INSTALLERS
    if not_run or not _LEFT_OUT.isdisjoint(file.parts) or not source.exists():
        return
    target = tree / file
    target.parent.mkdir(parents=True, exist_ok=True)
    content = source.read_bytes()
    if file.hash is not None and _hash(content, file.hash.mode) != file.hash.value:
        raise InvalidProofError("environment.not_as_installed", file=file, package=package.name)
    target.write_bytes(content)
    shutil.copystat(source, target)


def _hash(content: bytes, mode: str) -> str:
    """Return a hash as lists of files spell it (PEP 376: URL-safe base 64 without padding)."""
    return base64.urlsafe_b64encode(hashlib.new(mode, content).digest()).decode().rstrip("=")
