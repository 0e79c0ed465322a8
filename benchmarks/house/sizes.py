"""How long files and functions are, and how many parameters functions take.

A function's lines are those from ``def`` to its end, with its docstring and without its decorators.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from benchmarks.house.tree import Function, Source, functions, sources

FUNCTION_LINES, FILE_LINES, PARAMETERS = 60, 500, 6


@dataclass(frozen=True)
class Sized:
    """Something that has a size."""

    place: str
    name: str
    size: int


@dataclass(frozen=True)
class Spread:
    """How sizes are distributed."""

    median: float
    ninetieth: float
    largest: Sized


def spread(sized: list[Sized]) -> Spread:
    """Return median, 90th percentile and the largest."""
    sizes = [each.size for each in sized]
    ninetieth = statistics.quantiles(sizes, n=10, method="inclusive")[-1]
    return Spread(statistics.median(sizes), ninetieth, max(sized, key=lambda each: each.size))


def file_lines() -> list[Sized]:
    """Return the lines of every file."""
    return [Sized(f"{each.path}:1", each.module, each.text.count("\n")) for each in _measured()]


def function_lines() -> list[Sized]:
    """Return the lines of every function."""
    return [
        Sized(source.place(node), name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for source in _measured()
        for name, node in functions(source)
    ]


def parameters() -> list[Sized]:
    """Return how many parameters every function takes, ``self`` and ``cls`` not counted."""
    return [
        Sized(source.place(node), name, _parameters(node)) for source in _measured() for name, node in functions(source)
    ]


def _parameters(node: Function) -> int:
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    bound = bool(named) and named[0].arg in {"self", "cls"}
    return len(named) - bound + bool(node.args.vararg) + bool(node.args.kwarg)


def _measured() -> list[Source]:
    return [source for source in sources() if not source.is_migration]
