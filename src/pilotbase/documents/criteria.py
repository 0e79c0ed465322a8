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

_RULE = re.compile(
    r"^\s*(?P<measured>.+?)\s*(?P<comparison>>=|<=)\s*(?P<number>[-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(?P<unit>\S.*)?$"
)
_WRAPPED = re.compile(r"^(?P<wrapper>gap|worst)\s*\(\s*(?P<measure>.+?)\s+by\s+(?P<by>[^\s()]+)\s*\)$")
_MEASURE = re.compile(r"^(?P<name>[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)?)(?:\s*\((?P<arguments>.*)\))?$")
_NAMED = re.compile(r"^(?P<name>[a-z][a-z0-9_]*)\s*=\s*(?P<value>.+)$")


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
    matched = _RULE.match(source)
    if matched is None:
        raise InputError("criterion.no_comparison", found=source)
    measured, unit = matched["measured"], (matched["unit"] or "").strip() or None
    if unit is not None and unit not in UNITS:
        raise InputError("criterion.unknown_unit", found=unit, allowed=", ".join(UNITS))
    threshold = _number(matched["number"], source) * (UNITS[unit][1] if unit else 1)
    wrapped = _WRAPPED.match(measured)
    name, label, arguments = _parse_measure(wrapped["measure"] if wrapped else measured, source)
    comparison: Comparison = ">=" if matched["comparison"] == ">=" else "<="
    wrapper: Wrapper | None = None if wrapped is None else ("gap" if wrapped["wrapper"] == "gap" else "worst")
    return Rule(name, comparison, threshold, label, arguments, wrapper, wrapped["by"] if wrapped else None, unit)


def _parse_measure(source: str, rule: str) -> tuple[str, str | None, Mapping[str, Decimal | str]]:
    matched = _MEASURE.match(source.strip())
    if matched is None:
        raise InputError("criterion.no_measure", found=source, rule=rule)
    label: str | None = None
    arguments: dict[str, Decimal | str] = {}
    for part in filter(None, (piece.strip() for piece in (matched["arguments"] or "").split(","))):
        named = _NAMED.match(part)
        if named:
            arguments[named["name"]] = _value(named["value"].strip())
        elif label is None:
            label = part
        else:
            raise InputError("criterion.two_labels", found=source, rule=rule)
    return matched["name"], label, MappingProxyType(arguments)


def _value(source: str) -> Decimal | str:
    try:
        return Decimal(source)
    except InvalidOperation:
        return source


def _number(source: str, rule: str) -> Decimal:
    try:
        return Decimal(source)
    except InvalidOperation:
        raise InputError("criterion.no_number", found=source, rule=rule) from None


def _spell(number: Decimal) -> str:
    return f"{number.normalize():f}"
