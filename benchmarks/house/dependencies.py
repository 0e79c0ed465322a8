"""What the base install pulls in: how many packages, how large, and through which of our requirements.

The packages are those of the base lock that belong on this machine; their sizes are those of the files installed here,
without compiled Python files, which are only written on import.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.publishing import ROOT


@dataclass(frozen=True)
class Dependency:
    """A package that ``pyproject.toml`` names, and what comes with it."""

    name: str
    packages: int
    """With itself."""
    megabytes: float
    alone: float
    """Megabytes that nothing else we name needs: what removing it would save."""


def locked() -> list[str]:
    """Return the packages of the base lock that are installed here; markers leave out those of other machines."""
    lines = (ROOT / "requirements" / "base.txt").read_text("utf-8").splitlines()
    written = [Requirement(line.rstrip("\\ ")) for line in lines if re.match(r"[a-z0-9]", line)]
    build: set[str] = {canonicalize_name(Requirement(each).name) for each in _project()["dependency-groups"]["build"]}
    wanted = [each for each in written if each.marker is None or each.marker.evaluate()]
    return sorted({canonicalize_name(each.name) for each in wanted} - (_closure(build) - _closure(declared())))


def declared() -> set[str]:
    """Return the packages that the project itself requires."""
    return {canonicalize_name(Requirement(each).name) for each in _project()["project"]["dependencies"]}


def megabytes(packages: set[str] | list[str]) -> float:
    """Return the installed size of ``packages``."""
    return sum(_bytes(package) for package in packages) / 1e6


def dependencies() -> list[Dependency]:
    """Return each package that the project requires, the heaviest first."""
    found = []
    for name in declared():
        closure = _closure({name})
        others = _closure(declared() - {name})
        found.append(Dependency(name, len(closure), megabytes(closure), megabytes(closure - others)))
    return sorted(found, key=lambda each: (-each.megabytes, each.name))


def _project() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def _closure(names: set[str]) -> set[str]:
    asked = _requirements_by_name()
    seen: set[str] = set()
    waiting = [(name, extras) for name, extras in asked.items() if name in names]
    while waiting:
        name, extras = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        waiting += _needs(name, extras)
    return seen


def _requirements_by_name() -> dict[str, frozenset[str]]:
    """Return our requirements, by name, with the requested extras."""
    project = _project()
    written = map(Requirement, [*project["project"]["dependencies"], *project["dependency-groups"]["build"]])
    return {canonicalize_name(each.name): frozenset(each.extras) for each in written}


@cache
def _needs(name: str, extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    needed = [Requirement(each) for each in metadata.requires(name) or []]
    environments = [{"extra": extra} for extra in extras or {""}]
    return [
        (canonicalize_name(each.name), frozenset(each.extras))
        for each in needed
        if each.marker is None or any(each.marker.evaluate(environment) for environment in environments)
    ]


@cache
def _bytes(name: str) -> int:
    files = metadata.files(name) or []
    paths = [Path(str(file.locate())) for file in files if file.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.is_file())
