"""Acceptance criteria as code: ``gap(recall(failure) by site) <= 0.05`` read into a `Rule`.

rule       = measured ( ">=" | "<=" ) number [ unit ]
measured   = ( "gap" | "worst" ) "(" measure "by" column ")"  |  measure
measure    = name [ "." statistic ] [ "(" argument { "," argument } ")" ]
argument   = label  |  name "=" ( number | word )
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Literal

from pilotbase.documents.errors import InputError

Comparison = Literal[">=", "<="]
Wrapper = Literal["gap", "worst"]

UNITS: Mapping[str, tuple[str, Decimal]] = MappingProxyType(
    {
        "us": ("s", Decimal("0.000001")),
        "ms": ("s", Decimal("0.001")),
        "s": ("s", Decimal(1)),
        "B": ("B", Decimal(1)),
        "KiB": ("B", Decimal(1024)),
        "MiB": ("B", Decimal(1024**2)),
        "GiB": ("B", Decimal(1024**3)),
        "cases/s": ("cases/s", Decimal(1)),
        "%": ("", Decimal("0.01")),
    }
)
"""Unit as written → (base unit, factor)."""

LONGEST_RULE = 500
"""Letters; every pattern below reads a rule in one pass."""


@dataclass(frozen=True)
class NumberBounds:
    """How long a number of a rule may be: exact arithmetic takes time and memory with every digit."""

    digits: int
    decimals: int
    magnitude: int
    """Largest power of ten of its first digit."""

    def admit(self, number: Decimal) -> bool:
        """Tell whether ``number`` is finite and short enough; zeros at its end do not count."""
        _, digits, exponent = number.as_tuple()
        if not isinstance(exponent, int):  # NaN, infinity
            return False
        significant = "".join(map(str, digits)).rstrip("0")
        decimals = len(significant) - len(digits) - exponent if significant else 0
        return len(significant) <= self.digits and decimals <= self.decimals and number.adjusted() <= self.magnitude


THRESHOLDS = NumberBounds(digits=18, decimals=30, magnitude=30)
"""Times a unit's factor this still fits the 28 digits in which decimals are exact."""
ARGUMENTS = NumberBounds(digits=6, decimals=6, magnitude=15)

_COMPARED = re.compile(r"(?P<number>[-+]?[0-9.]++(?:[eE][-+]?[0-9]++)?+)\s*+(?P<unit>\S.*+)?", re.DOTALL)
_WRAPPED = re.compile(r"(?P<wrapper>gap|worst)\s*+\((?P<inner>.*)\)", re.DOTALL)
_MEASURE = re.compile(r"(?P<name>[a-z][a-z0-9_]*+(?:\.[a-z0-9_]++)?+)\s*+(?:\((?P<arguments>.*)\))?", re.DOTALL)
_NAMED = re.compile(r"(?P<name>[a-z][a-z0-9_]*+)\s*+=(?P<value>.*\S.*)", re.DOTALL)
_NUMBER = re.compile(r"[-+]?[0-9.]++(?:[eE][-+]?[0-9]++)?+")


@dataclass(frozen=True)
class Rule:
    """One criterion, parsed. ``threshold`` is exact, in the base unit (s, B) where ``unit`` names one."""

    measure: str
    comparison: Comparison
    threshold: Decimal
    label: str | None = None
    arguments: Mapping[str, Decimal | str] = field(default_factory=lambda: MappingProxyType({}))
    wrapper: Wrapper | None = None
    by: str | None = None
    unit: str | None = None

    @property
    def key(self) -> str:
        """Return the measured side in one spelling, e.g. ``gap(recall(failure) by site)``."""
        named = [f"{name}={value}" for name, value in self.arguments.items()]
        arguments = ", ".join(([self.label] if self.label is not None else []) + named)
        inner = f"{self.measure}({arguments})" if arguments else self.measure
        return f"{self.wrapper}({inner} by {self.by})" if self.wrapper else inner

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        factor = UNITS[self.unit][1] if self.unit else Decimal(1)
        return f"{self.key} {self.comparison} {_spell(self.threshold / factor)}{unit}"


def parse_rule(source: str) -> Rule:
    """Return the rule that ``source`` spells.

    Raises:
        InputError: ``criterion.*``, naming the part that cannot be read and what is allowed there.
    """
    if len(source) > LONGEST_RULE:
        raise InputError("criterion.too_long", found=source[:60], allowed=LONGEST_RULE)
    place = max(source.rfind(">="), source.rfind("<="))
    measured, compared = source[: max(place, 0)].strip(), _COMPARED.fullmatch(source[place + 2 :].strip())
    if not measured or compared is None:
        raise InputError("criterion.no_comparison", found=source)
    unit: str | None = compared["unit"]
    if unit is not None and unit not in UNITS:
        raise InputError("criterion.unknown_unit", found=unit, allowed=", ".join(UNITS))
    threshold = _number(compared["number"], source, THRESHOLDS) * (UNITS[unit][1] if unit else 1)
    wrapper, inner, by = _unwrap(measured)
    name, label, arguments = _parse_measure(inner, source)
    comparison: Comparison = ">=" if source[place] == ">" else "<="
    return Rule(name, comparison, threshold, label, arguments, wrapper, by, unit)


def _unwrap(measured: str) -> tuple[Wrapper | None, str, str | None]:
    """Return wrapper, measure and column of ``gap(measure by column)``; no wrapper for anything else."""
    matched = _WRAPPED.fullmatch(measured)
    words = matched["inner"].rsplit(None, 2) if matched else []
    if matched is None or len(words) < 3 or words[1] != "by" or set(words[2]) & set("()"):
        return None, measured, None
    return ("gap" if matched["wrapper"] == "gap" else "worst"), words[0], words[2]


def _parse_measure(source: str, rule: str) -> tuple[str, str | None, Mapping[str, Decimal | str]]:
    matched = _MEASURE.fullmatch(source.strip())
    if matched is None:
        raise InputError("criterion.no_measure", found=source, rule=rule)
    label: str | None = None
    arguments: dict[str, Decimal | str] = {}
    for part in filter(None, (piece.strip() for piece in (matched["arguments"] or "").split(","))):
        named = _NAMED.fullmatch(part)
        if named:
            value = named["value"].strip()
            arguments[named["name"]] = _number(value, rule, ARGUMENTS) if _NUMBER.fullmatch(value) else value
        elif label is None:
            label = part
        else:
            raise InputError("criterion.two_labels", found=source, rule=rule)
    return matched["name"], label, MappingProxyType(arguments)


def _number(source: str, rule: str, bounds: NumberBounds) -> Decimal:
    try:
        number = Decimal(source)
    except InvalidOperation:
        raise InputError("criterion.no_number", found=source, rule=rule) from None
    if not bounds.admit(number):
        digits, decimals, magnitude = bounds.digits, bounds.decimals, bounds.magnitude
        raise InputError(
            "criterion.number_bounds", found=source, rule=rule, digits=digits, decimals=decimals, magnitude=magnitude
        )
    return number


def _spell(number: Decimal) -> str:
    return f"{number.normalize():f}"
