"""Columns of JSON objects: names of members, dotted inside objects, and what holds all values that stand under one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from pilotbase.data.sources.flattening import DEEPEST

_INT64 = range(-(2**63), 2**63)
LIST_OF_OBJECTS, LIST_OF_LISTS, DEEP = "list of objects", "list of lists", "deep"
"""Kinds of value that no column holds."""

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]


@dataclass
class JsonColumn:
    """Which kinds of value stand under a name."""

    kinds: dict[str, int] = field(default_factory=dict)
    """Kind → the line where it stands first."""

    @property
    def dtype(self) -> pl.DataType | None:
        """What holds all of them; None for what is no column (lists of objects)."""
        kinds = set(self.kinds) - {"null"}
        if kinds <= {"int"}:
            return pl.Int64() if kinds else pl.String()
        if kinds <= {"int", "float"}:
            return pl.Float64()
        if kinds == {"bool"}:
            return pl.Boolean()
        if any(kind.startswith("list") or kind == DEEP for kind in kinds):
            return pl.List(pl.String()) if kinds <= {"list", "list of texts"} else None
        return pl.String()

    @property
    def is_table(self) -> bool:
        """Tell whether nothing but lists of objects stands there: a table inside the table."""
        return LIST_OF_OBJECTS in self.kinds and self.kinds.keys() <= {"null", "list", LIST_OF_OBJECTS}


def flat(record: dict[str, Value], above: str = "", depth: int = 0) -> Iterator[tuple[str, Value]]:
    """Yield name and value of every member, those of objects inside under dotted names."""
    for name, value in record.items():
        if isinstance(value, dict) and depth < DEEPEST:
            yield from flat(value, f"{above}{name}.", depth + 1)
        else:
            yield above + name, value


def kind_of(value: Value) -> str:
    """Return what kind of value it is, in the words that the owner is told."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if value in _INT64 else "text"
    if isinstance(value, float):
        return "float"
    if isinstance(value, list):
        kinds = {type(item) for item in value}
        if kinds == {dict}:
            return LIST_OF_OBJECTS
        return LIST_OF_LISTS if kinds & {dict, list} else "list of texts" if kinds else "list"
    return DEEP if isinstance(value, dict) else "text"


def spelled(value: Value, dtype: pl.DataType) -> object:
    """Return a value as a column of that type holds it."""
    if value is None:
        return None
    if isinstance(dtype, pl.List):
        items = value if isinstance(value, list) else [value]
        return [item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in items]
    if dtype == pl.String():
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return float(value) if dtype == pl.Float64() and isinstance(value, int) else value
