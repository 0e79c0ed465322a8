"""The same lines in two places.

Lines are compared without indentation, blank lines and comments; imports and docstrings do not count. A run is as long
as the lines agree, and is reported once for every two places where it occurs.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TypeGuard

from benchmarks.house.tree import Source, sources

RUN = 8


@dataclass(frozen=True)
class Line:
    """A line that counts."""

    number: int
    text: str


@dataclass(frozen=True)
class Duplicate:
    """A run of the same lines."""

    lines: int
    first: str
    second: str
    text: str
    """Of its first line."""


@cache
def duplicates(run: int = RUN) -> tuple[Duplicate, ...]:
    """Return runs of at least ``run`` lines that occur in two places, the longest first."""
    files = {str(source.path): counted(source) for source in sources()}
    windows: defaultdict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    for path, lines in files.items():
        for start in range(len(lines) - run + 1):
            windows[tuple(line.text for line in lines[start : start + run])].append((path, start))
    pairs = {
        (first, second)
        for places in windows.values()
        for first in places
        for second in places
        if first < second
        and not (first[0] == second[0] and second[1] - first[1] < run)  # of lines that are all the same
    }
    found = [
        _grown(files, first, second)
        for first, second in sorted(pairs)
        if (_before(first), _before(second)) not in pairs
    ]
    return tuple(sorted(found, key=lambda each: (-each.lines, each.first)))


def counted(source: Source) -> list[Line]:
    """Return the lines that count."""
    skipped = {
        number
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Import | ast.ImportFrom) or _is_docstring(node)
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    stripped = ((number, " ".join(line.split())) for number, line in enumerate(source.text.splitlines(), 1))
    return [Line(number, text) for number, text in stripped if text and text[0] != "#" and number not in skipped]


def _is_docstring(node: ast.AST) -> TypeGuard[ast.Expr]:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _before(place: tuple[str, int]) -> tuple[str, int]:
    return place[0], place[1] - 1


def _grown(files: dict[str, list[Line]], first: tuple[str, int], second: tuple[str, int]) -> Duplicate:
    (path, start), (other_path, other_start) = first, second
    lines, others = files[path][start:], files[other_path][other_start:]
    length = next(
        (at for at, (one, other) in enumerate(zip(lines, others, strict=False)) if one.text != other.text),
        min(len(lines), len(others)),
    )
    return Duplicate(length, f"{path}:{lines[0].number}", f"{other_path}:{others[0].number}", lines[0].text)
