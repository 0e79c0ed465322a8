"""Environment markers (PEP 508), evaluated for the running Python; ``extra`` means nothing in a lock."""

from __future__ import annotations

import operator
import os
import platform
import re
import sys
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

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


class MarkerError(ValueError):
    """The marker cannot be understood."""


def applies(marker: str) -> bool:
    """Tell whether ``marker`` holds here; raises `MarkerError` on anything that is not a plain marker."""
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
