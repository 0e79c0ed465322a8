"""Numbers as people read them: shares with three decimals, times and sizes in the unit that fits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from pilotbase.documents.quantities import MISSING, format_bytes, format_digits, format_seconds

_MOST_DECIMALS = 6
_LONG = 1e7
"""From here on a tick is spelled with a power of ten."""


def format_number(value: float | None, unit: str = "") -> str:
    """Return ``value`` in base unit ``unit`` (``s``, ``B``, any other, or empty for a share), or a dash for None."""
    if value is None:
        return MISSING
    if unit == "s":
        return format_seconds(value)
    if unit == "B":
        return format_bytes(value)
    if unit:
        return f"{format_digits(value)} {unit}"
    return f"{value:.3f}" if abs(value) < 10 else format_digits(value)


def format_on_axis(value: float | None, unit: str = "") -> str:
    """Return ``value`` beside an axis that names ``unit`` once: times, sizes and shares as ever, others bare."""
    return format_digits(value) if value is not None and named_once(unit) else format_number(value, unit)


def named_once(unit: str) -> bool:
    """Tell whether an axis names ``unit`` once; times and sizes change theirs from tick to tick."""
    return unit not in ("", "s", "B")


def format_ticks(ticks: Sequence[float], unit: str = "") -> list[str]:
    """Return the labels of an axis, all with the same number of decimals; bare where the axis names ``unit``."""
    if unit in ("s", "B"):
        return [format_number(tick, unit) for tick in ticks]
    step = min((high - low for low, high in pairwise(ticks)), default=max(map(abs, ticks), default=1.0))
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    if decimals > _MOST_DECIMALS or any(abs(tick) >= _LONG for tick in ticks):
        return ["0" if tick == 0 else f"{tick:.3g}" for tick in ticks]
    return [f"{tick:,.{decimals}f}" if abs(tick) > step / 2 else "0" for tick in ticks]


def format_count(value: int | None) -> str:
    """Return a count with thousands apart, or a dash for None."""
    return MISSING if value is None else f"{value:,}"
