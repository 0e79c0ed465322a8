"""Sizes and times as people write and read them: ``512 MiB``, ``50 ms``, ``36 h``; inside: bytes and seconds."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, Field

from pilotbase.documents.criteria import UNITS
from pilotbase.documents.errors import InputError
from pilotbase.documents.nearest import offer

_QUANTITY = re.compile(r"^\s*+([0-9.]{1,30})\s*+([A-Za-z]{1,10})\s*+$")
_SPANS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def read_quantity(value: object, unit: str) -> object:
    """Return ``value`` in the base unit ``unit`` (B or s) if it is a string with a unit; anything else unchanged."""
    matched = _QUANTITY.match(value) if isinstance(value, str) else None
    if matched is None:
        return value
    base, factor = UNITS.get(matched[2], ("", None))
    if base != unit or factor is None:
        units = [name for name, (of, _) in UNITS.items() if of == unit]
        raise InputError("input.no_unit", found=matched[2], allowed=offer(matched[2], units))
    number = float(matched[1]) * float(factor)
    return int(number) if unit == "B" else number


MOST_BYTES = 1 << 50
MOST_SECONDS = 864_000
"""Ten days."""

Bytes = Annotated[int, BeforeValidator(lambda value: read_quantity(value, "B")), Field(ge=0, le=MOST_BYTES)]
"""A size in bytes; a string such as ``512 MiB`` is read too."""
Seconds = Annotated[float, BeforeValidator(lambda value: read_quantity(value, "s")), Field(ge=0, le=MOST_SECONDS)]
"""A time in seconds; a string such as ``50 ms`` is read too."""

MISSING = "–"
"""Shown in place of a missing number."""
SIZES = {name: int(UNITS[name][1]) for name in ("GiB", "MiB", "KiB", "B")}
LENGTHS = {"d": 86_400, "h": 3600, "min": 60, "s": 1}
"""Unit → its size in the smallest unit, the largest first."""
_TIMES = {"s": 1.0, "ms": 1e-3, "µs": 1e-6}
_LENGTH = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([a-z]{0,3}|[天日时分秒]|小时|分钟)")
_NAMES = {"天": "d", "日": "d", "小时": "h", "时": "h", "分钟": "min", "分": "min", "m": "min", "秒": "s", "": "s"}


class WholeUnits(NamedTuple):
    """A number of a unit."""

    amount: int
    unit: str


def in_whole_units(number: int, units: Mapping[str, int]) -> WholeUnits:
    """Return ``number`` in the largest of ``units`` that keeps it whole; zero is in the smallest."""
    fitting = (name for name, length in units.items() if number and number % length == 0)
    unit = next(fitting, min(units, key=units.__getitem__))
    return WholeUnits(number // units[unit], unit)


def write_bytes(size: int) -> int | str:
    """Format ``size`` so that `Bytes` reads it back: ``512 MiB``, or the bare number if only bytes keep it whole."""
    whole = in_whole_units(size, SIZES)
    return size if whole.unit == "B" else f"{whole.amount} {whole.unit}"


def format_bytes(size: float) -> str:
    """Format a size in a fitting unit, with three digits, such as ``1.79 KiB``."""
    unit = next((unit for unit, factor in SIZES.items() if abs(size) >= factor), "B")
    return f"{format_digits(size / SIZES[unit])} {unit}"


def format_mebibytes(size: int) -> str:
    """Format a size in whole MiB, so that two sizes can be compared."""
    return f"{size / SIZES['MiB']:,.0f} MiB"


NEVER_SECONDS = 1e9
"""From here on a time means "never": some thirty years."""
NEVER = "∞"


def format_seconds(seconds: float) -> str:
    """Format a time in a fitting unit, with three digits, such as ``12.4 ms``; ``∞`` for what never came."""
    if seconds >= NEVER_SECONDS:
        return NEVER
    if seconds == 0 or abs(seconds) >= 120:
        return f"{seconds:,.0f} s"
    unit = next((unit for unit, factor in _TIMES.items() if abs(seconds) >= factor), "µs")
    return f"{format_digits(seconds / _TIMES[unit])} {unit}"


def format_span(seconds: float | None) -> str:
    """Format a duration in s, min, h or d, such as ``3.2 h``; a dash for None."""
    if seconds is None:
        return MISSING
    unit, factor = next(pair for pair in _SPANS if seconds >= pair[1] or pair[0] == "s")
    amount = seconds / factor
    return f"{amount:,.0f} {unit}" if amount >= 10 or amount == round(amount) else f"{amount:.1f} {unit}"


def format_days(days: float | None) -> str:
    """Format days for people: whole from ten on, never zero for a few hours, a dash for None."""
    if days is None:
        return MISSING
    if 0 < days < 0.05:
        return "< 0.1"
    return f"{days:,.0f}" if days >= 10 or days == round(days) else f"{days:.1f}"


def format_digits(value: float) -> str:
    """Format a bare number with three digits, with thousands separated and no decimals from a thousand on."""
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) < 1e-4:
        return f"{value:.2e}"
    digits = f"{value:.3g}"
    return digits if "e" not in digits else f"{float(digits):,.0f}"


def format_duration(seconds: int) -> str:
    """Format a duration so that `read_duration` reads it back, in the largest unit that keeps it whole: ``36 h``."""
    whole = in_whole_units(seconds, LENGTHS)
    return f"{whole.amount} {whole.unit}"


def read_duration(written: str) -> int | None:
    """Return the seconds in ``written``, in either language, rounded; None if it isn't a duration."""
    found = _LENGTH.fullmatch(written.strip().lower())
    if found is None:
        return None
    unit = _NAMES.get(found[2], found[2])
    return math.floor(float(found[1]) * LENGTHS[unit] + 0.5) if unit in LENGTHS else None


def _in_seconds(written: object) -> object:
    length = read_duration(written) if isinstance(written, str) else None
    return written if length is None else length


Duration = Annotated[float, BeforeValidator(_in_seconds), Field(ge=0, le=MOST_SECONDS)]
"""A duration in seconds; a string such as ``36 h`` or ``10 min`` is read too."""
