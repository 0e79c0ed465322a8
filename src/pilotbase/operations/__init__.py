"""Everything that can be done on a base, declared once: a module for each noun, found by its place here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import Any

from pilotbase.documents.plugins import loaded
from pilotbase.operations.operation import Operation


@cache
def declared() -> Mapping[str, Operation[Any, Any]]:
    """Return every operation by its name, noun by noun, each in the order of its module.

    Raises:
        TypeError: two have the same name, or one is in the module of another noun.
    """
    found: dict[str, Operation[Any, Any]] = {}
    for module in loaded("operations"):
        noun = module.__name__.rpartition(".")[2]
        for one in _of(module):
            if one is found.get(one.name):
                continue
            if one.name in found or one.noun != noun:
                raise TypeError(f"operation {one.name} of {noun}: its name is taken, or begins with another noun")
            found[one.name] = one
    return found


@cache
def by_address() -> Mapping[str, Operation[Any, Any]]:
    """Return every operation by its method and path, such as ``GET /services/{service}``."""
    return {one.http: one for one in declared().values()}


def _of(module: ModuleType) -> Iterator[Operation[Any, Any]]:
    """Yield the operations of a module: each under a name, or many that a loop made, in a mapping."""
    for value in vars(module).values():
        for one in value.values() if isinstance(value, dict) else (value,):
            if isinstance(one, Operation):
                yield one
