"""Distributions installed beside Pilotbase: which need which, and an environment made of some of them.

For boxes without code of a supplier: its model is read by libraries that the operator has installed and locked. They
are copied once, for everybody: no file of a supplier ever reaches them.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, PackagePath, distribution
from pathlib import Path

from pilotbase.documents.errors import InvalidProofError, PilotbaseError
from pilotbase.documents.hashes import digest_bytes, digest_json, hex_of
from pilotbase.sandbox.box.environments import Contents, Environment, keep_environment
from pilotbase.sandbox.box.settings import running_interpreter

_FORMAT = 1
"""Version of the copied contents; cached environments of another version are not found again."""
_LEFT_OUT = frozenset({"..", "tests"})
"""Scripts are outside of the packages' folder; tests are two fifths of the files of numeric libraries."""
_NOT_RUN = (".pth", ".pyi")
_OF_INSTALLERS = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"})
"""Files that installers write beside a distribution; without them, environments are the same on every machine."""
INSTALLED = ".installed"
"""The folder of such environments beside the suppliers', whose names begin with a letter."""


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
        {"format": _FORMAT, "interpreter": tag, "installed": [[name, lists[name]] for name in sorted(lists)]}
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
