"""Amounts of computing power and money in readable form, each on one line."""

from __future__ import annotations

from collections.abc import Mapping

from django import template

from pilotbase.documents.estimate import format_money
from pilotbase.documents.quantities import format_duration
from pilotbase.documents.texts import percent
from pilotbase.hub.acting import language
from pilotbase_estate.documents.resources import format_amount

register = template.Library()


@register.filter
def amounts(vector: Mapping[str, int]) -> str:
    """Return amounts by dimension: ``cpu 1.5 · memory 32 GiB``; a dash if there are none."""
    found = (f"{name} {format_amount(name, many)}" for name, many in sorted(vector.items()) if many)
    return " · ".join(map(_unbroken, found)) or "–"


@register.filter
def all_amounts(vector: Mapping[str, int]) -> str:
    """Return amounts by dimension, zeros included: ``cpu 0 · memory 1 GiB``."""
    return " · ".join(_unbroken(f"{name} {format_amount(name, many)}") for name, many in sorted(vector.items()))


@register.filter
def hundredths(money: int, currency: str) -> str:
    """Return an amount in hundredths of a currency: ``1,234.50 CNY``."""
    return _unbroken(format_money(money, currency))


@register.filter
def basis_points(rate: int) -> str:
    """Return hundredths of a percent as a percentage."""
    return _unbroken(percent(rate / 10_000, "g").render(language()))


@register.filter
def thousandths(many: int) -> str:
    """Return thousandths as a number with one decimal, such as milliseconds in seconds."""
    return f"{many / 1000:,.1f}"


@register.filter
def lasting(seconds: float) -> str:
    """Return a length of time with its unit."""
    return format_duration(round(seconds)) if seconds >= 1 else f"{seconds:.2g} s"


def _unbroken(words: str) -> str:
    return words.replace(" ", "\u00a0")
