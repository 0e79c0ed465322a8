"""Sizes and times as people write them: ``512 MiB``, ``50 ms``."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from pilotbase.documents.criteria import UNITS
from pilotbase.documents.errors import InputError

_QUANTITY = re.compile(r"^\s*+([0-9.]{1,30})\s*+([A-Za-z]{1,10})\s*+$")


def read_quantity(value: object, unit: str) -> object:
    """Return ``value`` in the base unit ``unit`` (B or s) when it is a string with a unit; anything else as it is."""
    matched = _QUANTITY.match(value) if isinstance(value, str) else None
    if matched is None:
        return value
    base, factor = UNITS.get(matched[2], ("", None))
    if base != unit or factor is None:
        allowed = ", ".join(name for name, (of, _) in UNITS.items() if of == unit)
        raise InputError("input.no_unit", found=matched[2], allowed=allowed)
    number = float(matched[1]) * float(factor)
    return int(number) if unit == "B" else number


MOST_BYTES = 1 << 50
MOST_SECONDS = 864_000
"""Ten days."""

Bytes = Annotated[int, BeforeValidator(lambda value: read_quantity(value, "B")), Field(ge=0, le=MOST_BYTES)]
"""A size in bytes; a string such as ``512 MiB`` is read too."""
Seconds = Annotated[float, BeforeValidator(lambda value: read_quantity(value, "s")), Field(ge=0, le=MOST_SECONDS)]
"""A time in seconds; a string such as ``50 ms`` is read too."""
