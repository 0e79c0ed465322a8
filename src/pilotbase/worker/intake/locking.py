"""A folder's ``requirements.lock``, written: what its program needs, at the versions installed here, with hashes.

What it needs is named by its supplier, or in ``requirements.in``, or follows from the imports of its Python files. A
module that is not installed here is reported, never looked up: its name on an index may belong to anyone.
"""

from __future__ import annotations

import ast
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

from packaging.utils import canonicalize_name

from pilotbase.catalogue.applications import MANIFEST
from pilotbase.catalogue.folders import read_tree
from pilotbase.documents.application import DEFAULT_REQUIREMENTS, WITH_CODE, Application
from pilotbase.documents.errors import InputError, Issue, RefusedError
from pilotbase.documents.files import write_whole
from pilotbase.documents.loading import build_document
from pilotbase.documents.texts import Text, text
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.sandbox.box.locks import LockedRequirement, parse_lock
from pilotbase.sandbox.box.wheels import lock_line, resolve_wheels

SOURCE = "requirements.in"
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_BOUND = r"(?:===?|[<>!~]=|<|>)\s*[A-Za-z0-9][A-Za-z0-9.*+!_-]*"
_REQUIREMENT = re.compile(
    rf"(?P<name>{_NAME})\s*(?:\[[\w ,.-]*\])?\s*(?P<bounds>{_BOUND}(?:\s*,\s*{_BOUND})*)?\s*(?:;.*)?"
)
"""A requirement as PEP 508 writes it, without an address."""


@dataclass(frozen=True)
class Wanted:
    """A package to lock, and why."""

    requirement: str
    """As PEP 508 writes it: at the version installed here, unless it has bounds of its own or is not installed."""
    why: Text

    def line(self) -> Text:
        """Return what a reader is told of it."""
        return text("worker.lock_wants", package=self.requirement, why=self.why)


@dataclass(frozen=True)
class WrittenLock:
    """A lock on disk."""

    file: Path
    wanted: tuple[Wanted, ...]
    packages: tuple[str, ...]
    """``name==version``, sorted, dependencies included."""
    is_new: bool

    def lines(self) -> Iterator[Text]:
        """Yield what was locked and why, and where it stands."""
        yield from (one.line() for one in self.wanted)
        values = {"file": self.file, "count": len(self.packages)}
        if not self.is_new:
            yield text("worker.lock_stays", **values)
        elif self.packages:
            yield text("worker.lock_written", **values, python=platform.python_version(), machine=platform.machine())
        else:
            yield text("worker.lock_empty", **values)


def lock_folder(folder: Path, packages: Sequence[str] = (), overwrite: bool = False) -> WrittenLock:
    """Write the lock of an application's folder; one that already locks the same versions stays.

    Raises:
        InputError: the folder, a name or an import cannot be locked (every problem at once), or as `resolve_wheels`.
        RefusedError: there is a lock with other versions, and ``overwrite`` was not given.
        PilotbaseError: as `resolve_wheels`.
    """
    wanted = _given(packages) if packages else _listed(folder) or _imported(folder)
    file = folder / _lock_name(folder)
    locked = locked_for(wanted)
    earlier = file.read_bytes() if file.is_file() else b""
    is_new = not (file.is_file() and _locks_already(earlier, file.name, locked))
    written = WrittenLock(file, tuple(wanted), tuple(map(str, locked)), is_new)
    if is_new and earlier.strip() and not overwrite:
        raise RefusedError("worker.lock_differs", file=file, changes=_changes(earlier, file.name, locked))
    if is_new:
        write_whole(file, "".join(map(lock_line, locked)))
    return written


def locked_for(wanted: Iterable[Wanted]) -> tuple[LockedRequirement, ...]:
    """Return the wheels of these packages, dependencies included, sorted by name; raises as `resolve_wheels`."""
    requirements = [one.requirement for one in wanted]
    return resolve_wheels(requirements) if requirements else ()


def want(requirement: str, why: Text) -> Wanted:
    """Return a package to lock: one without bounds at the version installed here, if it is.

    Raises:
        InputError: it is an option, an address or no name.
    """
    found = _REQUIREMENT.fullmatch(requirement.strip())
    if found is None:
        raise InputError("worker.lock_no_name", found=requirement)
    installed = None if found["bounds"] else installed_version(found["name"])
    here = requirement.strip().partition(";")
    pinned = here[0].strip() + (f"=={installed}" if installed else "") + "".join(here[1:])
    return Wanted(pinned, why)


def installed_version(package: str) -> str | None:
    """Return the version of a package that is installed here, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


_provided = cache(packages_distributions)
"""Reads the metadata of everything that is installed, once."""


def providers(modules: Iterable[str]) -> dict[str, list[str]]:
    """Return top-level module → the installed packages that provide it, sorted; none if it is not installed."""
    provided = _provided()
    return {module: sorted({canonicalize_name(one) for one in provided.get(module, ())}) for module in modules}


def _given(packages: Sequence[str]) -> list[Wanted]:
    return [want(one, text("worker.lock_why_given")) for one in packages]


def _listed(folder: Path) -> list[Wanted]:
    """Return the packages of ``requirements.in``: names and bounds; its other lines are refused, all at once."""
    file = folder / SOURCE
    if not file.is_file():
        return []
    wanted, issues = [], []
    for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), start=1):
        words = re.sub(r"(^|\s)#.*", "", line).strip()
        try:
            wanted += [want(words, text("worker.lock_why_listed", file=SOURCE, line=number))] if words else []
        except InputError as error:
            issues.append(Issue(file=SOURCE, path="", line=number, problem=error.text, hint=error.hint))
    if issues:
        raise InputError.from_issues(SOURCE, issues)
    return wanted


def _imported(folder: Path) -> list[Wanted]:
    """Return what provides the modules that the folder's Python files import."""
    issues: list[Issue] = []
    places = _imports(folder, issues)
    provided = providers(places)
    for module, (file, line) in places.items():
        if not provided[module]:
            problem = text("worker.lock_not_here", module=module)
            issues.append(Issue(file=file, path="", line=line, problem=problem, hint=problem.hint))
    if issues:
        raise InputError.from_issues(str(folder), issues)
    found: dict[str, Wanted] = {}
    for module, (file, line) in places.items():
        why = text("worker.lock_why_imported", module=module, file=file, line=line)
        for package in provided[module]:
            found.setdefault(package, want(package, why))
    return [found[package] for package in sorted(found)]


def _imports(folder: Path, issues: list[Issue]) -> dict[str, tuple[str, int]]:
    """Return each top-level module of others → where it is first imported; files that do not parse become issues."""
    sources = [Path(file.path) for file in read_tree(folder).files if file.path.endswith(".py")]
    own = {source.parts[0].removesuffix(".py") for source in sources} | {source.stem for source in sources}
    found: dict[str, tuple[str, int]] = {}
    for source in sources:
        try:
            tree = ast.parse((folder / source).read_bytes())
        except (SyntaxError, ValueError) as error:
            line, reason = getattr(error, "lineno", None), getattr(error, "msg", str(error))
            issues.append(
                Issue(file=str(source), path="", line=line, problem=text("worker.lock_no_python", reason=reason))
            )
            continue
        for node in ast.walk(tree):
            for module in _top_modules(node):
                if module not in sys.stdlib_module_names and module not in own:
                    found.setdefault(module, (str(source), getattr(node, "lineno", 0)))
    return found


def _top_modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [one.name.partition(".")[0] for one in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        return [node.module.partition(".")[0]]
    return []


def _lock_name(folder: Path) -> str:
    """Return the name of the lock, as the folder's manifest says it; raises `InputError` where none is read."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return DEFAULT_REQUIREMENTS
    application = build_document(Application, parse_yaml(manifest.read_bytes(), MANIFEST))
    if application.runtime not in WITH_CODE:
        raise InputError("worker.lock_not_read", folder=folder, runtime=application.runtime)
    return application.requirements


def _locks_already(earlier: bytes, name: str, locked: Iterable[LockedRequirement]) -> bool:
    """Return whether the earlier lock has the same versions, each with at least the same hashes."""
    try:
        before = {str(one): set(one.hashes) for one in parse_lock(earlier, name)}
    except InputError:
        return False
    now = {str(one): set(one.hashes) for one in locked}
    return before.keys() == now.keys() and all(now[one] <= before[one] for one in now)


def _changes(earlier: bytes, name: str, locked: Iterable[LockedRequirement]) -> str:
    try:
        before = {str(one) for one in parse_lock(earlier, name)}
    except InputError:
        before = set()
    now = {str(one) for one in locked}
    return ", ".join([*(f"- {one}" for one in sorted(before - now)), *(f"+ {one}" for one in sorted(now - before))])
