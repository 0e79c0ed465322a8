"""Wheels by hash: fetched once with the operator's own pip, kept under their SHA-256, checked at every use.

pip sees only lines that we wrote ourselves and only wheels; it resolves for a supplier who writes a lock, never for a
lock. Its configuration (index, proxy, certificates) is the operator's; only names, versions and hashes reach it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.hashes import digest_file, digest_of, hex_of
from pilotbase.sandbox.box.copies import staging_folder
from pilotbase.sandbox.box.locks import LockedRequirement

MAX_WHEEL_BYTES = 4 << 30
_FETCH_SECONDS = 1800
_FETCH_MEMORY_BYTES = 4 << 30
_WHEEL_NAME = re.compile(r"(?P<name>[A-Za-z0-9_.]+)-(?P<version>[A-Za-z0-9_.!+]+)(-\d[^-]*)?-[^-]+-[^-]+-[^-]+\.whl")


@dataclass(frozen=True)
class CachedWheel:
    """A wheel in the cache."""

    requirement: LockedRequirement
    path: Path
    sha256: str


def provide_wheels(requirements: Sequence[LockedRequirement], cache: Path, tag: str) -> tuple[CachedWheel, ...]:
    """Return one verified wheel for each requirement, fetching those that ``cache`` lacks.

    ``tag`` names the interpreter: pip chooses which of a lock's hashes fits, once for each interpreter.

    Raises:
        InputError: there is no wheel for a requirement, or none with a hash of the lock.
        PilotbaseError: the index cannot be reached.
    """
    folder = cache / "wheels" / tag
    folder.mkdir(parents=True, exist_ok=True)
    found = {requirement: _find(requirement, folder) for requirement in requirements}
    missing = [requirement for requirement, wheel in found.items() if wheel is None]
    if missing:
        for wheel in _fetch(missing, folder):
            found[wheel.requirement] = wheel
    absent = [str(requirement) for requirement, wheel in found.items() if wheel is None]
    if absent:
        raise InputError("environment.no_wheel", packages=absent)
    return tuple(wheel for wheel in found.values() if wheel is not None)


def resolve_wheels(wanted: Iterable[str]) -> tuple[LockedRequirement, ...]:
    """Return the wheels that ``wanted`` needs on this Python and machine, sorted by name; nothing is installed.

    ``wanted``: names as PEP 508 writes them, such as ``numpy==2.4.6``; never options or addresses.

    Raises:
        InputError: the index has no wheel for one of them, or together they cannot be installed.
        PilotbaseError: the index cannot be reached, or names no hashes.
    """
    options = ["install", "--dry-run", "--ignore-installed", "--report", "report.json"]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "requirements.txt").write_text("".join(f"{one}\n" for one in wanted))
        _run_pip(options, folder)
        found = json.loads((folder / "report.json").read_bytes())["install"]
    locked = []
    for line, one in enumerate(found, start=1):
        name, version = canonicalize_name(one["metadata"]["name"]), one["metadata"]["version"]
        sha256 = one["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
        if sha256 is None:
            raise PilotbaseError("environment.no_hash", package=f"{name}=={version}")
        locked.append(LockedRequirement(name, version, (sha256,), line))
    return tuple(sorted(locked, key=lambda one: one.name))


def keep_wheel(path: Path, sha256: str, cache: Path, tag: str) -> None:
    """Move a wheel from another source than the index into ``cache``; its hash is checked when it is used."""
    folder = cache / "wheels" / tag
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / sha256).exists():
        _keep(path, folder / sha256)


def _find(requirement: LockedRequirement, folder: Path) -> CachedWheel | None:
    """Return the cached wheel of a requirement; a wheel that no longer matches its hash is thrown away."""
    for sha256 in requirement.hashes:
        for path in (folder / sha256).glob("*.whl"):
            if not _is_wheel_of(path.name, requirement):
                continue
            if digest_file(path) == digest_of(sha256):
                return CachedWheel(requirement, path, sha256)
            shutil.rmtree(folder / sha256, ignore_errors=True)
    return None


def _fetch(requirements: Sequence[LockedRequirement], folder: Path) -> Iterable[CachedWheel]:
    by_hash = {sha256: requirement for requirement in requirements for sha256 in requirement.hashes}
    with staging_folder(folder) as temporary:
        (temporary / "requirements.txt").write_text("".join(map(lock_line, requirements)))
        _run_pip(["download", "--no-deps", "--require-hashes", "--dest", "."], temporary)
        for path in sorted(temporary.glob("*.whl")):
            sha256 = hex_of(digest_file(path))
            requirement = by_hash.get(sha256)
            if requirement is None or not _is_wheel_of(path.name, requirement):
                raise InputError("environment.wrong_wheel", wheel=path.name)
            yield CachedWheel(requirement, _keep(path, folder / sha256), sha256)


def _keep(path: Path, place: Path) -> Path:
    """Move a wheel to its place in one step; another process may have been quicker."""
    staged = path.parent / place.name
    staged.mkdir()
    path.chmod(0o644)
    path.rename(staged / path.name)
    staged.chmod(0o755)
    with contextlib.suppress(OSError):
        staged.rename(place)
    return place / path.name


def _run_pip(options: Sequence[str], folder: Path) -> None:
    """Run pip in ``folder`` on the ``requirements.txt`` that we wrote there."""
    wheels_only = ["--only-binary", ":all:", "--no-input", "--quiet", "--requirement", "requirements.txt"]
    pip = [sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", *options, *wheels_only]
    bounds = ["prlimit", f"--as={_FETCH_MEMORY_BYTES}", f"--fsize={MAX_WHEEL_BYTES}", "--"]
    try:
        done = subprocess.run(
            [*bounds, *pip],
            capture_output=True,
            text=True,
            timeout=_FETCH_SECONDS,
            check=False,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PIP_NO_CACHE_DIR": "1"},
        )
    except subprocess.TimeoutExpired:
        raise PilotbaseError("environment.fetch_timeout", seconds=_FETCH_SECONDS) from None
    if done.returncode == 0:
        return
    said = " ".join(line for line in done.stderr.splitlines() if line.startswith(("ERROR", "    ")))[:1500]
    if "DO NOT MATCH THE HASHES" in said:
        raise InputError("environment.hash_mismatch", said=said)
    if "ResolutionImpossible" in said:
        lines = (folder / "requirements.txt").read_text().splitlines()
        named = re.sub(r"-r requirements\.txt \(line (\d+)\)", lambda found: lines[int(found[1]) - 1], said)
        raise InputError("environment.conflict", said=named.partition("ERROR: ResolutionImpossible")[0].strip())
    if "No matching distribution" in said and "WARNING: Retrying" not in done.stderr:
        packages = re.findall(r"No matching distribution found for (\S+)", said)
        if "download" in options:
            raise InputError("environment.no_wheel", packages=packages)
        raise InputError("environment.not_found", packages=packages)
    raise PilotbaseError("environment.fetch_failed", said=said or done.stderr[-500:])


def lock_line(requirement: LockedRequirement) -> str:
    """Return the line of a lock file that names ``requirement``."""
    hashes = "".join(f" --hash=sha256:{sha256}" for sha256 in requirement.hashes)
    return f"{requirement}{hashes}\n"


def _is_wheel_of(filename: str, requirement: LockedRequirement) -> bool:
    match = _WHEEL_NAME.fullmatch(filename)
    return match is not None and canonicalize_name(match["name"]) == requirement.name
