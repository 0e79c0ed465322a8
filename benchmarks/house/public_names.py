"""Public functions and classes: which have no docstring, which no test mentions.

A name is public if it starts with no underscore, at the top level of a file or in a public class there. *Mentioned*
means that the name occurs as a word somewhere in ``tests/``. Most names that no test mentions are still run by tests,
through a command, a page or a function above them; a name that is not reached that way either is unused. The coverage
shows how much of it tests run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from benchmarks.house.reached import reached, words
from benchmarks.house.tree import Function, Source, sources
from benchmarks.publishing import ROOT


@dataclass(frozen=True)
class PublicName:
    """A public function, method or class."""

    place: str
    room: str
    name: str
    kind: Literal["class", "function", "method"]
    documented: bool


@cache
def public_names() -> tuple[PublicName, ...]:
    """Return them all, in the order of the tree."""
    return tuple(found for source in sources() if not source.is_migration for found in _names(source))


def undocumented(names: Iterable[PublicName]) -> list[PublicName]:
    """Return those without a docstring."""
    return [each for each in names if not each.documented]


def unmentioned(names: Iterable[PublicName]) -> list[PublicName]:
    """Return functions and classes whose name no test mentions; methods count with their class."""
    return [each for each in names if each.kind != "method" and each.name not in words_of_tests()]


def unreached(names: Iterable[PublicName]) -> list[PublicName]:
    """Return functions and classes not reached from a test, a program of the docs, a command, a page or a setting."""
    found = reached(words_of_tests() | _words_of(ROOT / "docs"))
    return [each for each in names if each.kind != "method" and each.name not in found]


def for_tests_alone(names: Iterable[PublicName]) -> list[PublicName]:
    """Return functions and classes that only tests reach: no command, page, example or benchmark."""
    programs = frozenset[str]().union(*(_words_of(ROOT / folder) for folder in ("docs", "examples", "benchmarks")))
    found, tested = reached(programs), reached(words_of_tests())
    return [each for each in names if each.kind != "method" and each.name in tested - found]


def words_of_tests() -> frozenset[str]:
    """Return every word of the Python files in ``tests/``."""
    return _words_of(ROOT / "tests")


@cache
def _words_of(folder: Path) -> frozenset[str]:
    texts = (path.read_text("utf-8") for path in sorted(folder.rglob("*.py")))
    return frozenset(word for text in texts for word in words(text))


def _names(source: Source) -> Iterator[PublicName]:
    for node in source.tree.body:
        if isinstance(node, Function):
            yield from _named(source, node, node.name, "function")
        elif isinstance(node, ast.ClassDef):
            yield from _named(source, node, node.name, "class")
            for inner in node.body if not node.name.startswith("_") else ():
                if isinstance(inner, Function):
                    yield from _named(source, inner, f"{node.name}.{inner.name}", "method")


def _named(
    source: Source, node: Function | ast.ClassDef, name: str, kind: Literal["class", "function", "method"]
) -> Iterator[PublicName]:
    if not node.name.startswith("_"):
        yield PublicName(source.place(node), source.room, name, kind, ast.get_docstring(node) is not None)
