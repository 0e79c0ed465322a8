"""Lock files of applications: ``name==version --hash=sha256:…`` lines and nothing else.

Everything in a lock file that could make an installer fetch or run something else is refused: options, indexes, links,
paths, nested files, variables, direct references, unpinned or unhashed names. Comments, continued lines and environment
markers are allowed; the markers are evaluated here.
"""

from __future__ import annotations

import operator
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

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
_TOKEN = re.compile(
    r"\s*(?:(?P<string>'[^']*'|\"[^\"]*\")|(?P<operator><=|>=|==|!=|~=|<|>|\(|\))|(?P<word>[A-Za-z_]+))"
)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_VERSIONS = frozenset({"python_version", "python_full_version", "implementation_version"})
_MOST_TOKENS = 100


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


def normalise_name(name: str) -> str:
    """Return the normalised name of a package (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


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
    return LockedRequirement(normalise_name(pinned["name"]), pinned["version"], digests, line)


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
    """Return whether ``marker`` holds here; raises `MarkerError` on anything that is not a plain marker."""
    tokens = _tokens(marker)
    parser = _Parser(tokens)
    result = parser.disjunction()
    if parser.position != len(tokens):
        raise MarkerError(marker)
    return result


@cache
def marker_values() -> Mapping[str, str]:
    """Return the variables of PEP 508 for the running Python."""
    version = sys.implementation.version
    return {
        "os_name": os.name,
        "sys_platform": sys.platform,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "python_full_version": ".".join(map(str, sys.version_info[:3])),
        "implementation_name": sys.implementation.name,
        "implementation_version": f"{version.major}.{version.minor}.{version.micro}",
    }


class _Parser:
    """Recursive descent over at most `_MOST_TOKENS` tokens."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self.position = 0

    def disjunction(self) -> bool:
        result = self._conjunction()
        while self._take("or"):
            result = self._conjunction() or result
        return result

    def _conjunction(self) -> bool:
        result = self._atom()
        while self._take("and"):
            result = self._atom() and result
        return result

    def _atom(self) -> bool:
        if self._take("("):
            result = self.disjunction()
            if not self._take(")"):
                raise MarkerError(")")
            return result
        left, sign, right = self._next(), self._sign(), self._next()
        return _compare(left, sign, right)

    def _sign(self) -> str:
        sign = self._next()
        if sign == "not":
            sign = f"not {self._next()}"
        return sign

    def _take(self, token: str) -> bool:
        if self.position < len(self._tokens) and self._tokens[self.position] == token:
            self.position += 1
            return True
        return False

    def _next(self) -> str:
        if self.position >= len(self._tokens):
            raise MarkerError("end")
        self.position += 1
        return self._tokens[self.position - 1]


def _tokens(marker: str) -> list[str]:
    tokens: list[str] = []
    position = 0
    while position < len(marker.rstrip()):
        match = _TOKEN.match(marker, position)
        if match is None or len(tokens) >= _MOST_TOKENS:
            raise MarkerError(marker)
        tokens.append(match.group().strip())
        position = match.end()
    return tokens


def _compare(left: str, sign: str, right: str) -> bool:
    names = [side for side in (left, right) if side in marker_values()]
    if len(names) != 1:
        raise MarkerError(f"{left} {sign} {right}")
    values = [_value(left), _value(right)]
    if sign in ("in", "not in"):
        return (values[0] in values[1]) is (sign == "in")
    if sign not in _COMPARE:
        raise MarkerError(sign)
    if names[0] in _VERSIONS:
        return _COMPARE[sign](*_versions(*values))
    return _COMPARE[sign](*values)


def _value(side: str) -> str:
    if side[0] in "'\"":
        return side[1:-1]
    if side not in marker_values():
        raise MarkerError(side)
    return marker_values()[side]


def _versions(left: str, right: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if not all(re.fullmatch(r"\d{1,6}(\.\d{1,6}){0,5}", version) for version in (left, right)):
        raise MarkerError(f"{left} {right}")
    parts = [[int(part) for part in version.split(".")] for version in (left, right)]
    width = max(map(len, parts))
    padded = [tuple(part + [0] * (width - len(part))) for part in parts]
    return padded[0], padded[1]
