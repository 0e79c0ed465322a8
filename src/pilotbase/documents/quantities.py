"""Sizes and times as people write and read them: ``512 MiB``, ``50 ms``, ``36 h``; inside: bytes and seconds."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Annotated, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from pilotbase.documents.criteria import UNITS
from pilotbase.documents.errors import InputError, offer

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


_ALL_DIGITS = 12
"""Digits in which two figures are the same figure: later ones come from floating-point arithmetic."""


class Beside(NamedTuple):
    """The threshold that a figure is read beside, and how the figure is rounded.

    ``towards``: 0 for a score, −1 for a lower and 1 for an upper bound; bounds are rounded outward.
    """

    threshold: float | None = None
    towards: Literal[-1, 0, 1] = 0

    def in_unit(self, factor: float) -> Beside:
        return Beside(None if self.threshold is None else self.threshold / factor, self.towards)


_PLAIN = Beside()


def beside_bounds(bounds: tuple[float | None, float | None], threshold: float | None) -> tuple[Beside, Beside]:
    """Return how the lower and the upper bound are rounded; two equal bounds are an exact value, hence a score."""
    if bounds[0] == bounds[1]:
        return Beside(threshold), Beside(threshold)
    return Beside(threshold, -1), Beside(threshold, 1)


def round_beside(value: float, decimals: int, beside: Beside, most: int | None = None) -> Decimal:
    """Round a finite ``value`` to the fewest decimals, from ``decimals`` on, that keep it on its side of the threshold.

    So it never reads as equal to the threshold, or beyond it, unless it is. With at most ``most`` decimals it is
    rounded away from the threshold instead; a value that equals the threshold stays the threshold.
    """
    exact = Decimal(f"{value:.{_ALL_DIGITS}g}")
    threshold = None if beside.threshold is None else Decimal(f"{beside.threshold:.{_ALL_DIGITS}g}")
    way = {-1: ROUND_FLOOR, 0: ROUND_HALF_EVEN, 1: ROUND_CEILING}[beside.towards]
    last = max(decimals, -int(exact.as_tuple().exponent))
    for places in range(decimals, (last if most is None else most) + 1):
        rounded = exact.quantize(Decimal(1).scaleb(-places), way)
        if threshold is None or rounded.compare(threshold) == exact.compare(threshold):
            return rounded
    if threshold is None or most is None or exact == threshold:
        return exact
    return exact.quantize(Decimal(1).scaleb(-most), ROUND_FLOOR if exact < threshold else ROUND_CEILING)


def write_at_most(value: float) -> str:
    """Return a positive number of which *at most* is said, in four significant digits, rounded up."""
    return f"{float(round_beside(value, decimals_of(value, 4), Beside(None, 1))):.4g}"


def decimals_of(value: float, digits: int) -> int:
    """Return how many decimals show ``value`` in this many significant digits; below zero: tens, hundreds, …"""
    return digits - 1 - (math.floor(math.log10(abs(value))) if value else 0)


def write_beside(plain: str, value: float, decimals: int, beside: Beside) -> str:
    """Return ``plain``, the usual spelling of ``value``, unless `round_beside` yields another figure: then that."""
    if not math.isfinite(value) or beside == _PLAIN:
        return plain
    rounded = round_beside(value, decimals, beside)
    return plain if Decimal(plain.replace(",", "")) == rounded else f"{rounded:,f}"


def write_digits(value: float, digits: int, beside: Beside) -> str:
    """Write a bare number in this many significant digits, or in more where `round_beside` needs them."""
    return write_beside(f"{value:.{digits}g}", value, decimals_of(value, digits) if math.isfinite(value) else 0, beside)


def write_judged(
    score: float | None, bounds: tuple[float | None, float | None], threshold: float, factor: float = 1.0
) -> tuple[str, ...]:
    """Return score, lower and upper bound beside their threshold in four digits, all divided by ``factor``."""
    rounded = zip((score, *bounds), (Beside(threshold), *beside_bounds(bounds, threshold)), strict=True)
    return tuple(
        MISSING if value is None else write_digits(value / factor, 4, beside.in_unit(factor))
        for value, beside in rounded
    )


def write_bytes(size: int) -> int | str:
    """Format ``size`` so that `Bytes` reads it back: ``512 MiB``, or the bare number if only bytes keep it whole."""
    whole = in_whole_units(size, SIZES)
    return size if whole.unit == "B" else f"{whole.amount} {whole.unit}"


def format_bytes(size: float, beside: Beside = _PLAIN) -> str:
    """Format a size in a fitting unit, with three digits, such as ``1.79 KiB``; more where `round_beside` needs."""
    unit = next((unit for unit, factor in SIZES.items() if abs(size) >= factor), "B")
    return f"{format_digits(size / SIZES[unit], beside.in_unit(SIZES[unit]))} {unit}"


def format_mebibytes(size: int) -> str:
    """Format a size in whole MiB, so that two sizes can be compared."""
    return f"{size / SIZES['MiB']:,.0f} MiB"


NEVER_SECONDS = 1e9
"""From here on a time means "never": some thirty years."""
NEVER = "∞"


def format_seconds(seconds: float, beside: Beside = _PLAIN) -> str:
    """Format a time in a fitting unit, with three digits, such as ``12.4 ms``; ``∞`` for what never came.

    It has more digits where `round_beside` needs them.
    """
    if seconds >= NEVER_SECONDS:
        return NEVER
    if seconds == 0 or abs(seconds) >= 120:
        return f"{write_beside(f'{seconds:,.0f}', seconds, 0, beside)} s"
    unit = next((unit for unit, factor in _TIMES.items() if abs(seconds) >= factor), "µs")
    return f"{format_digits(seconds / _TIMES[unit], beside.in_unit(_TIMES[unit]))} {unit}"


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


def format_digits(value: float, beside: Beside = _PLAIN) -> str:
    """Format a bare number with three digits, with thousands separated and no decimals from a thousand on.

    It has more digits where `round_beside` needs them.
    """
    decimals = max(0, decimals_of(value, 3)) if math.isfinite(value) else 0
    return write_beside(_three_digits(value), value, decimals, beside)


def _three_digits(value: float) -> str:
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


IS_DURATION = BeforeValidator(_in_seconds)
Duration = Annotated[float, IS_DURATION, Field(ge=0, le=MOST_SECONDS)]
"""A duration in seconds; a string such as ``36 h`` or ``10 min`` is read too."""
