"""Lock files of applications: ``name==version --hash=sha256:…`` lines and nothing else.

Everything in a lock file that could make an installer fetch or run something else is refused: options, indexes, links,
paths, nested files, variables, direct references, unpinned or unhashed names. Comments, continued lines and environment
markers are allowed; the markers are evaluated here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.markers import Marker
from packaging.utils import canonicalize_name
from packaging.version import Version

from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.texts import Text, text

MAX_LOCK_BYTES = 4 << 20
MAX_REQUIREMENTS = 2000
_COMMENT = re.compile(r"(^|\s)#.*$")
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_PINNED = re.compile(rf"(?P<name>{_NAME})\s*==\s*(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*)\s*(?:;(?P<marker>.*))?")
_HASH = re.compile(r"\s--hash[=\s](?P<algorithm>[A-Za-z0-9]+):(?P<digest>\S*)")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OPTION = re.compile(r"(^|\s)-")
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_LONGEST_MARKER = 1000
_EXTRAS = re.compile(r"\b(extras?|dependency_groups)\b")
_VERSIONED = r"(?:python|python_full|implementation)_version"
_VERSION = re.compile(rf"{_VERSIONED}\s*[<>=!~]+\s*(['\"])(.*?)\1|(['\"])([^'\"]*)\3\s*[<>=!~]+\s*{_VERSIONED}")


@dataclass(frozen=True)
class LockedRequirement:
    """One package: exactly this version, with one of these SHA-256 (hex)."""

    name: str
    """Normalised (PEP 503)."""
    version: str
    hashes: tuple[str, ...]
    line: int

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def parse_lock(data: bytes, file: str) -> tuple[LockedRequirement, ...]:
    """Return the requirements whose markers apply to the running Python, sorted by name.

    Raises:
        InputError: lists every problem of the file with its line.
    """
    if len(data) > MAX_LOCK_BYTES:
        raise InputError.from_issues(file, [_issue(file, 0, text("environment.lock.size", allowed=MAX_LOCK_BYTES))])
    try:
        content = data.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError.from_issues(file, [_issue(file, 0, text("environment.lock.encoding"))]) from None
    issues: list[Issue] = []
    found: dict[str, LockedRequirement] = {}
    for line, words in _logical_lines(content):
        parsed = _parse_line(words, line)
        if isinstance(parsed, Text):
            issues.append(_issue(file, line, parsed))
        elif parsed is not None and parsed.name in found:
            issues.append(_issue(file, line, text("environment.lock.duplicate", name=parsed.name)))
        elif parsed is not None:
            found[parsed.name] = parsed
    if len(found) > MAX_REQUIREMENTS:
        issues.append(_issue(file, 0, text("environment.lock.count", allowed=MAX_REQUIREMENTS)))
    if issues:
        raise InputError.from_issues(file, issues)
    return tuple(sorted(found.values(), key=lambda requirement: requirement.name))


def _logical_lines(content: str) -> Iterator[tuple[int, str]]:
    """Yield (number of the first line, words) of each line with content, continued lines joined."""
    pending, first = "", 0
    for number, line in enumerate(content.split("\n"), start=1):
        stripped = _COMMENT.sub("", line.rstrip("\r")).strip()
        first = first or number
        if stripped.endswith("\\"):
            pending += stripped[:-1] + " "
            continue
        words = (pending + stripped).strip()
        if words:
            yield first, words
        pending, first = "", 0
    if pending.strip():
        yield first, pending.strip()


def _parse_line(words: str, line: int) -> LockedRequirement | Text | None:
    """Return the requirement, its problem, or None if its marker does not apply."""
    forbidden = _forbidden(words)
    if forbidden is not None:
        return forbidden
    hashes = [(match["algorithm"], match["digest"]) for match in _HASH.finditer(words)]
    rest = _HASH.sub("", words).strip()
    if _OPTION.search(rest):
        return text("environment.lock.option", found=rest[:200])
    pinned = _PINNED.fullmatch(rest)
    if pinned is None:
        return text("environment.lock.unpinned", found=rest[:200])
    if not hashes:
        return text("environment.lock.unhashed", found=rest[:200])
    for algorithm, digest in hashes:
        if algorithm != "sha256" or not _SHA256.fullmatch(digest):
            return text("environment.lock.hash", found=f"{algorithm}:{digest}"[:200])
    try:
        if pinned["marker"] is not None and not applies(pinned["marker"]):
            return None
    except MarkerError:
        return text("environment.lock.marker", found=pinned["marker"].strip()[:200])
    digests = tuple(sorted({digest for _, digest in hashes}))
    return LockedRequirement(canonicalize_name(pinned["name"]), pinned["version"], digests, line)


def _forbidden(words: str) -> Text | None:
    if "${" in words or "$(" in words:
        return text("environment.lock.variable", found=words[:200])
    if words.startswith("-"):
        return text("environment.lock.option", found=words[:200])
    if (
        "://" in words
        or re.search(r"\s@\s|\bfile:", words)
        or words.startswith((".", "/"))
        or words.endswith(_ARCHIVES)
    ):
        return text("environment.lock.reference", found=words[:200])
    return None


def _issue(file: str, line: int, problem: Text) -> Issue:
    return Issue(file=file, path="", problem=problem, line=line or None)


class MarkerError(ValueError):
    """The marker cannot be understood."""


def applies(marker: str) -> bool:
    """Return whether ``marker`` (PEP 508) holds here; raises `MarkerError`, also for extras: a lock has none."""
    try:
        if len(marker) > _LONGEST_MARKER or _EXTRAS.search(marker):
            raise MarkerError(marker)
        for found in _VERSION.finditer(marker):  # what is no version would be compared as a word
            Version(found[2] or found[4] or "")
        return Marker(marker).evaluate()
    except (ValueError, LookupError, RecursionError):
        raise MarkerError(marker) from None
