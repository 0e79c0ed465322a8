"""Values made up from the contract alone, where nothing was measured: keys, names, times. They tell nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import Any

from pilotbase.documents.dataset import DataField, FieldType
from pilotbase.documents.errors import InputError

Value = str | int | float | bool | date | datetime
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
_LONGEST_REPEAT, _LONGEST_TEXT = 8, 200


def made_up(field: DataField, number: int) -> Value:
    """Return the ``number``-th value (from 0) of a field: another one for every number, within what is declared.

    Raises:
        InputError: the contract does not allow so many values, or has a pattern that cannot be spelled.
    """
    if field.values:
        return _listed(field, number)
    if field.data_type in (FieldType.INTEGER, FieldType.FLOAT):
        return _counted(field, number)
    if field.data_type is FieldType.BOOLEAN:
        return bool(number % 2)
    if field.data_type is FieldType.DATE:
        return (_FIRST + timedelta(days=number)).date()
    if field.data_type is FieldType.DATETIME:
        return _FIRST + timedelta(minutes=number)
    if field.data_type is FieldType.TIME:
        return f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
    if field.pattern is not None:
        return spell(field.pattern, number, field.name)
    return f"https://example.org/synthetic/{number}" if field.data_type is FieldType.URL else f"synthetic-{number:06}"


def spell(pattern: str, number: int, name: str = "") -> str:
    """Return a text that fits a regular expression, in which ``number`` stands in its places for letters and digits.

    Raises:
        InputError: the pattern looks back or around, or has too few places for this number.
    """
    try:
        spelled, left = _Speller(number).spell(_parsed(pattern))
    except (re.error, ValueError, OverflowError, RecursionError):
        raise InputError("private.unspellable", name=name, pattern=pattern) from None
    if left or re.fullmatch(pattern, spelled) is None:
        raise InputError("private.unspellable", name=name, pattern=pattern)
    return spelled


def _listed(field: DataField, number: int) -> str:
    if field.unique and number >= len(field.values):
        raise InputError("private.too_few_values", name=field.name, limit=len(field.values))
    return field.values[number % len(field.values)]


def _counted(field: DataField, number: int) -> int | float:
    low, high = field.minimum, field.maximum
    first = low if low is not None else 0 if high is None or high >= 0 else high
    if field.data_type is FieldType.FLOAT:
        if low is not None and high is not None:
            return low + (high - low) * ((number * 0.6180339887498949) % 1.0)  # never the same place twice
        return first + number if high is None else high - number
    start = -(-first // 1)
    if high is not None and low is None:
        return int(high // 1) - number
    if high is not None and start + number > high:
        raise InputError("private.too_few_values", name=field.name, limit=int(high - start) + 1)
    return int(start) + number


def _parsed(pattern: str) -> Any:
    """Return what Python's own reader of patterns makes of it: a list of (operation, argument)."""
    parser: Any = import_module("re._parser")
    return parser.parse(pattern)


class _Speller:
    """Writes a pattern's text from its end, so that the last places carry the lowest digits of the number."""

    def __init__(self, number: int) -> None:
        self.left = number

    def spell(self, parsed: Any) -> tuple[str, int]:
        text = "".join(reversed(list(self._pieces(list(parsed)))))
        return text, self.left

    def _pieces(self, parsed: list[Any]) -> Iterator[str]:
        for operation, argument in reversed(parsed):
            yield self._piece(str(operation), argument)

    def _piece(self, operation: str, argument: Any) -> str:
        if operation == "LITERAL":
            return chr(argument)
        if operation == "IN":
            return self._one_of(_letters(argument))
        if operation == "ANY":
            return self._one_of("0123456789")
        if operation == "SUBPATTERN":
            return self.spell(argument[-1])[0]
        if operation == "BRANCH":
            return self.spell(argument[1][0])[0]
        if operation in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, inner = argument
            if int(least) > _LONGEST_TEXT:
                raise ValueError(operation)
            times = max(int(least), min(int(most), _LONGEST_REPEAT))
            return "".join(reversed([self.spell(inner)[0] for _ in range(times)]))
        if operation == "AT":
            return ""
        raise ValueError(operation)

    def _one_of(self, letters: str) -> str:
        self.left, place = divmod(self.left, len(letters))
        return letters[place]


def _letters(choices: list[Any]) -> str:
    found = ""
    for operation, argument in choices:
        if str(operation) == "LITERAL":
            found += chr(argument)
        elif str(operation) == "RANGE":
            found += "".join(map(chr, range(argument[0], min(argument[1], argument[0] + 100) + 1)))
        elif str(argument) == "CATEGORY_DIGIT":
            found += "0123456789"
        elif str(argument) == "CATEGORY_WORD":
            found += "abcdefghijklmnopqrstuvwxyz0123456789"
        else:
            raise ValueError(operation)
    return found
