"""Reads untrusted JSON: plain data with the line of every value; bounded in size, depth and number, no double keys."""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.files import decoded, read_bounded
from pilotbase.documents.texts import text
from pilotbase.documents.yaml_reader import Plain

MAXIMUM_BYTES = 8 << 20
MAXIMUM_DEPTH = 40
MAXIMUM_VALUES = 500_000

_STRING = r'"(?:[^"\\]|\\.)*+"'
_TOKEN = re.compile(rf'{_STRING}|[\[\]{{}},:]|[^\s\[\]{{}},:"]+', re.DOTALL)
_STRING_OR_MARK = re.compile(rf"{_STRING}?|[\[\]{{}},]", re.DOTALL)
_HALF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True)
class JsonSource:
    """A JSON file read as plain data."""

    file: str
    value: dict[str, Plain]
    content: str

    def line(self, pointer: str) -> int | None:
        """Return the first line of the value at ``pointer`` (RFC 6901), or of its nearest existing parent."""
        while pointer not in self._places:
            pointer = pointer.rpartition("/")[0]
        return bisect_right(self._ends, self._places[pointer]) + 1

    @cached_property
    def _places(self) -> dict[str, int]:
        return {place.pointer: place.start for place in _places(self.content)}

    @cached_property
    def _ends(self) -> list[int]:
        return [found.start() for found in re.finditer("\n", self.content)]


def join_pointer(pointer: str, step: str | int) -> str:
    """Return the JSON pointer (RFC 6901) of a member or an element of the value at ``pointer``."""
    return f"{pointer}/{str(step).replace('~', '~0').replace('/', '~1')}"


def read_json(path: Path, shown_as: str | None = None) -> JsonSource:
    """Return the object in the file.

    Raises:
        InputError: the file is missing, too large, not UTF-8, not JSON, too deep, or has a key twice.
    """
    file = shown_as or str(path)
    return parse_json(read_bounded(path, MAXIMUM_BYTES, file), file)


def parse_json(data: bytes, file: str) -> JsonSource:
    """Parse the object in ``data``; ``file`` is the name shown in problems. Raises as `read_json`."""
    content = decoded(data, file, MAXIMUM_BYTES)
    _check_bounds(content, file)
    value = _parsed(content, file)
    if not isinstance(value, dict):
        raise InputError("input.not_a_mapping", file=file)
    return JsonSource(file, value, content)


def _check_bounds(content: str, file: str) -> None:
    depth = values = 0
    for found in _STRING_OR_MARK.finditer(content):
        first = found[0][0]
        depth += (first in "[{") - (first in "]}")
        values += first in "[{,"
        if depth > MAXIMUM_DEPTH or values > MAXIMUM_VALUES:
            problem = text("input.yaml_too_deep", depth=MAXIMUM_DEPTH, nodes=MAXIMUM_VALUES)
            raise InputError.at(file, "", problem, content.count("\n", 0, found.start()) + 1)


def load_strict(content: str, finite: bool = True) -> Plain:
    """Parse JSON text into a value; ``finite``: refuse numbers with too many digits for a float.

    Raises:
        DoubleKeyError: a key occurs twice in an object.
        ValueError: no JSON, NaN, infinite numbers.
    """
    value: Plain = json.loads(
        content,
        object_pairs_hook=_unique_keys,
        parse_constant=_refuse_constant,
        parse_float=_finite if finite else None,
    )
    return value


class DoubleKeyError(ValueError):
    """A key that occurs twice in an object."""

    def __init__(self, key: str) -> None:
        super().__init__(f"a key stands twice in one object: {key[:80]!r}")
        self.key = key


def _parsed(content: str, file: str) -> Plain:
    try:
        value = load_strict(content)
        if _HALF_A_PAIR.search(content):
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise InputError.at(file, "", text("input.json_syntax", reason=error.msg), error.lineno) from None
    except DoubleKeyError:
        raise _double_key(content, file) from None
    except ValueError as error:
        raise InputError.at(file, "", text("input.json_syntax", reason=str(error)[:200])) from None
    return value


def _unique_keys(pairs: list[tuple[str, Plain]]) -> dict[str, Plain]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise DoubleKeyError(next(name for name in names if names.count(name) > 1))
    return found


def _refuse_constant(name: str) -> Plain:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _double_key(content: str, file: str) -> InputError:
    """Return the error that names every key that occurs twice in one object."""
    seen: set[str] = set()
    issues = []
    for place in _places(content):
        if place.pointer in seen:
            line = content.count("\n", 0, place.start) + 1
            key = place.pointer.rpartition("/")[2]
            issues.append(Issue(file=file, path=place.pointer, problem=text("input.double_key", key=key), line=line))
        seen.add(place.pointer)
    return InputError.from_issues(file, issues[:100])


class _Place(NamedTuple):
    pointer: str
    start: int


@dataclass
class _Open:
    """A list or an object being traversed, and the current element or key."""

    pointer: str
    step: int | str | None

    @property
    def here(self) -> str:
        return join_pointer(self.pointer, "" if self.step is None else self.step)


def _places(content: str) -> Iterator[_Place]:
    """Yield where each value begins; ``content`` must be valid JSON."""
    above: list[_Open] = []
    for token in _TOKEN.finditer(content):
        first = token[0][0]
        if first in "]}":
            above.pop()
        elif first == ",":
            step = above[-1].step
            above[-1].step = step + 1 if isinstance(step, int) else None
        elif above and above[-1].step is None:
            above[-1].step = json.loads(token[0])
        elif first != ":":
            pointer = above[-1].here if above else ""
            yield _Place(pointer, token.start())
            if first in "[{":
                above.append(_Open(pointer, 0 if first == "[" else None))
