"""Answers that are JSON: read strictly, compared field by field."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from typing import Any, NoReturn

_DEEPEST = 100
"""Levels; what is nested deeper is read as no JSON."""

Path = tuple[str, ...]


def read_json(text: str) -> Any:
    """Return the value that ``text`` spells, RFC 8259: no NaN, no words around it.

    Raises:
        ValueError: it is none, or nested too deeply.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
        level = [inner for outer in level for inner in _inside(outer)]
    return value


def fields_of(value: Mapping[str, Any]) -> dict[Path, Any]:
    """Return the fields of an object by their path, objects inside it spread out; lists are one value."""
    found: dict[Path, Any] = {}
    for name, inner in value.items():
        if isinstance(inner, dict) and inner:
            found |= {(name, *path): leaf for path, leaf in fields_of(inner).items()}
        else:
            found[(name,)] = inner
    return found


def equal(one: Any, two: Any) -> bool:
    """Tell whether two values are the same: 1 is 1.0, true is not 1, texts in one width and without outer blanks."""
    if isinstance(one, bool) or isinstance(two, bool) or one is None or two is None:
        return one is two
    if isinstance(one, str) and isinstance(two, str):
        return _plain(one) == _plain(two)
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(equal, one, two))
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(equal(value, two[name]) for name, value in one.items())
    return isinstance(one, int | float) and isinstance(two, int | float) and one == two


def _inside(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
