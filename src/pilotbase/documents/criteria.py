"""Acceptance criteria as code: ``gap(recall(failure) by site) <= 0.05`` read into a `Rule`.

rule          = measured [ "under" perturbation ] ( ">=" | "<=" ) number [ unit ]
measured      = ( "gap" | "worst" ) "(" measure "by" column ")"  |  "lift" "(" measure ")"
              | "drop" "(" measure "under" perturbation ")"  |  measure
measure       = name [ "." statistic ] [ "(" argument { "," argument } ")" ]
argument      = label  |  name "=" ( number | word )  |  class "as" class "=" number
perturbation  = name [ "(" [ number ] { "," name "=" ( number | word { "|" word } ) } ")" ]

``drop`` is how much a measure gets worse under a perturbation, ``lift`` how much better it is than the baseline's,
each on the same cases: ``drop(recall(failure) under missing(0.2, columns=torque|speed)) <= 0.1``. A measure ``under`` a
perturbation is that of the answers given there.

``severe as none=500`` is what a mistake costs: a case of ``severe`` answered with ``none``. ``*`` is any class; the
most exact one counts: ``severe as none`` before ``severe as *`` before ``* as none`` before ``* as *``.

Beside them: when the verdict is reached, and how much an accept rests on at least, both fixed before any result.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Literal, Self

import pydantic
from pydantic import model_validator

from pilotbase.documents.base import Part
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.texts import Text, text

Comparison = Literal[">=", "<="]
Wrapper = Literal["gap", "worst", "drop", "lift"]
PAIRED: frozenset[Wrapper] = frozenset({"drop", "lift"})
"""Wrappers that compare two answers to the same case."""

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
        "tokens": ("tokens", Decimal(1)),
        "CNY": ("CNY", Decimal(1)),
        "EUR": ("EUR", Decimal(1)),
        "USD": ("USD", Decimal(1)),
        "%": ("", Decimal("0.01")),
    }
)
"""Unit as written → (base unit, factor)."""

LONGEST_RULE = 2000
"""Maximum characters; every pattern below reads a rule in one pass."""


@dataclass(frozen=True)
class NumberBounds:
    """Maximum length of a number in a rule: exact arithmetic takes more time and memory with every digit."""

    digits: int
    decimals: int
    magnitude: int
    """Largest power of ten of its first digit."""

    def admit(self, number: Decimal) -> bool:
        """Return whether ``number`` is finite and short enough; zeros at its end do not count."""
        _, digits, exponent = number.as_tuple()
        if not isinstance(exponent, int):  # NaN, infinity
            return False
        significant = "".join(map(str, digits)).rstrip("0")
        decimals = len(significant) - len(digits) - exponent if significant else 0
        return len(significant) <= self.digits and decimals <= self.decimals and number.adjusted() <= self.magnitude


THRESHOLDS = NumberBounds(digits=18, decimals=30, magnitude=30)
"""Multiplied by a unit's factor, this still fits the 28 digits in which decimals are exact."""
ARGUMENTS = NumberBounds(digits=6, decimals=6, magnitude=15)

_COMPARED = re.compile(r"(?P<number>[-+]?[0-9.]++(?:[eE][-+]?[0-9]++)?+)\s*+(?P<unit>\S.*+)?", re.DOTALL)
_WRAPPED = re.compile(r"(?P<wrapper>gap|worst|drop|lift)\s*+\((?P<inner>.*)\)", re.DOTALL)
_NESTED = re.compile(r"\s*+(gap|worst|drop|lift)\s*+\(")
_UNDER = re.compile(r"\sunder(?=\s|$)")
_PERTURBATION = re.compile(r"(?P<name>[a-z][a-z0-9_]*+)\s*+(?:\((?P<arguments>.*)\))?", re.DOTALL)
_MEASURE = re.compile(r"(?P<name>[a-z][a-z0-9_]*+(?:\.[a-z0-9_]++)?+)\s*+(?:\((?P<arguments>.*)\))?", re.DOTALL)
_NAMED = re.compile(r"(?P<name>[a-z][a-z0-9_]*+)\s*+=(?P<value>.*\S.*)", re.DOTALL)
_AS, ANY_CLASS = " as ", "*"
_NUMBER = re.compile(r"[-+]?[0-9.]++(?:[eE][-+]?[0-9]++)?+")


COLUMN_ARGUMENTS = frozenset({"columns", "by", "within"})
"""Arguments of a perturbation that name columns of the data: words, even where they look like numbers."""


@dataclass(frozen=True)
class Perturbed:
    """A perturbation as written in a rule: ``noise(0.1, columns=torque|speed)``."""

    name: str
    strength: Decimal | None = None
    """The unnamed number: the perturbation's first parameter."""
    arguments: Mapping[str, Decimal | str] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        parts = [] if self.strength is None else [_spell(self.strength)]
        parts += [
            f"{name}={_spell(value) if isinstance(value, Decimal) else value}" for name, value in self.arguments.items()
        ]
        return f"{self.name}({', '.join(parts)})" if parts else self.name


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
    under: Perturbed | None = None
    """The perturbation of the cases: ``drop`` compares with it, others measure under it alone."""

    @property
    def key(self) -> str:
        """Return the measured side in normalised spelling, e.g. ``gap(recall(failure) by site)``."""
        named = [f"{name}={value}" for name, value in self.arguments.items()]
        arguments = ", ".join(([self.label] if self.label is not None else []) + named)
        inner = f"{self.measure}({arguments})" if arguments else self.measure
        if self.wrapper == "drop":
            return f"drop({inner} under {self.under})"
        if self.wrapper == "lift":
            return f"lift({inner})"
        measured = f"{self.wrapper}({inner} by {self.by})" if self.wrapper else inner
        return measured if self.under is None else f"{measured} under {self.under}"

    @property
    def mistakes(self) -> Mapping[str, Decimal]:
        """Return the arguments that say what mistakes cost."""
        return {name: cost for name, cost in self.arguments.items() if _AS in name and isinstance(cost, Decimal)}

    @property
    def plain(self) -> Rule:
        """Return the measure alone, without gap, worst, drop or lift; its comparison and threshold have no meaning."""
        return replace(self, wrapper=None, by=None, under=None)

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        factor = UNITS[self.unit][1] if self.unit else Decimal(1)
        return f"{self.key} {self.comparison} {_spell(self.threshold / factor)}{unit}"


def parse_rule(source: str) -> Rule:
    """Parse ``source`` into a rule.

    Raises:
        InputError: ``criterion.*``, names the part that cannot be read and what is allowed there.
    """
    if len(source) > LONGEST_RULE:
        raise InputError("criterion.too_long", found=source[:60], allowed=LONGEST_RULE)
    place = max(source.rfind(">="), source.rfind("<="))
    measured, compared = source[: max(place, 0)].strip(), _COMPARED.fullmatch(source[place + 2 :].strip())
    if not measured or compared is None:
        raise InputError("criterion.no_comparison", found=source)
    unit: str | None = compared["unit"]
    if unit is not None and unit not in UNITS:
        raise InputError("criterion.unknown_unit", found=unit, allowed=offer(unit, UNITS))
    threshold = _number(compared["number"], source, THRESHOLDS) * (UNITS[unit][1] if unit else 1)
    measured, beyond = _split_under(measured) or (measured, None)
    wrapper, inner, second = _unwrap(measured, source)
    name, label, arguments = _parse_measure(inner, source)
    comparison: Comparison = ">=" if source[place] == ">" else "<="
    by = None if wrapper in PAIRED else second
    if beyond is not None and wrapper in PAIRED:
        raise InputError("criterion.lift_under", found=measured, rule=source)
    perturbed = second if wrapper == "drop" else beyond
    under = None if perturbed is None else _parse_perturbation(perturbed, source)
    return Rule(name, comparison, threshold, label, arguments, wrapper, by, unit, under)


def _unwrap(measured: str, rule: str) -> tuple[Wrapper | None, str, str | None]:
    """Return wrapper, measure, and what follows ``by`` or ``under``; the wrapper is empty for a measure alone."""
    matched = _WRAPPED.fullmatch(measured)
    if matched is None:
        return None, measured, None
    wrapper, inner = matched["wrapper"], matched["inner"]
    if _NESTED.match(inner):
        raise InputError("criterion.nested", found=measured, rule=rule)
    if wrapper == "lift":
        if _split_under(inner) is not None:
            raise InputError("criterion.lift_under", found=measured, rule=rule)
        return "lift", inner, None
    if wrapper == "drop":
        parts = _split_under(inner)
        if parts is None or not parts[0] or not parts[1]:
            raise InputError("criterion.drop_without_under", found=measured, rule=rule)
        return "drop", *parts
    words = inner.rsplit(None, 2)
    if len(words) < 3 or words[1] != "by" or set(words[2]) & set("()"):
        return None, measured, None
    return ("gap" if wrapper == "gap" else "worst"), words[0], words[2]


def _split_under(inner: str) -> tuple[str, str] | None:
    """Return the text before and after the first ``under`` outside brackets; None if there is none."""
    depth = seen = 0
    for found in _UNDER.finditer(inner):
        between = inner[seen : found.start()]
        depth, seen = depth + between.count("(") - between.count(")"), found.start()
        if depth == 0:
            return inner[: found.start()].strip(), inner[found.end() :].strip()
    return None


def _parse_perturbation(source: str, rule: str) -> Perturbed:
    matched = _PERTURBATION.fullmatch(source)
    if matched is None:
        raise InputError("criterion.no_perturbation", found=source, rule=rule)
    strength: Decimal | None = None
    arguments: dict[str, Decimal | str] = {}
    pieces = [piece.strip() for piece in (matched["arguments"] or "").split(",")] if matched["arguments"] else []
    for index, piece in enumerate(pieces):
        named = _NAMED.fullmatch(piece)
        if named is None:
            if index or not _NUMBER.fullmatch(piece):
                raise InputError("criterion.perturbation_argument", found=piece, rule=rule)
            strength = _number(piece, rule, ARGUMENTS)
        elif named["name"] in arguments:
            raise InputError("criterion.argument_twice", found=named["name"], rule=rule)
        else:
            arguments[named["name"]] = _argument(named["name"], named["value"].strip(), rule)
    return Perturbed(matched["name"], strength, MappingProxyType(arguments))


def _argument(name: str, value: str, rule: str) -> Decimal | str:
    if name not in COLUMN_ARGUMENTS:
        return _number(value, rule, ARGUMENTS) if _NUMBER.fullmatch(value) else value
    columns = [column.strip() for column in value.split("|")]
    if not all(columns):
        raise InputError("criterion.empty_column", found=f"{name}={value}", rule=rule)
    return "|".join(columns)


def _parse_measure(source: str, rule: str) -> tuple[str, str | None, Mapping[str, Decimal | str]]:
    matched = _MEASURE.fullmatch(source.strip())
    if matched is None:
        raise InputError("criterion.no_measure", found=source, rule=rule)
    label: str | None = None
    arguments: dict[str, Decimal | str] = {}
    for part in filter(None, (piece.strip() for piece in (matched["arguments"] or "").split(","))):
        named = _named(part)
        if named is not None and named[0] in arguments:
            raise InputError("criterion.argument_twice", found=named[0], rule=rule)
        if named is not None:
            arguments[named[0]] = _number(named[1], rule, ARGUMENTS) if _NUMBER.fullmatch(named[1]) else named[1]
        elif label is None:
            label = part
        else:
            raise InputError("criterion.two_labels", found=source, rule=rule)
    return matched["name"], label, MappingProxyType(arguments)


def _named(part: str) -> tuple[str, str] | None:
    """Return name and value of an argument that has a name, a mistake's in one spelling; None if it has none."""
    named = _NAMED.fullmatch(part)
    if named:
        return named["name"], named["value"].strip()
    name, equals, value = part.partition("=")
    classes = mistake_of(" ".join(name.split()))
    return (f"{classes[0]}{_AS}{classes[1]}", value.strip()) if equals and classes is not None else None


def mistake_of(name: str) -> tuple[str, str] | None:
    """Return the true and the answered class of ``severe as none``; None if it is no mistake."""
    true, separator, answered = name.partition(_AS)
    return (true.strip(), answered.strip()) if separator and true.strip() and answered.strip() else None


def cost_of(mistakes: Mapping[str, Decimal], true: str, answered: str) -> Decimal | None:
    """Return what it costs to answer a case of ``true`` with ``answered``; None if nothing says it."""
    if true == answered:
        return Decimal(0)
    pairs = ((one, other) for one in (true, ANY_CLASS) for other in (answered, ANY_CLASS))
    return next((mistakes[key] for key in map(_AS.join, pairs) if key in mistakes), None)


def spell_mistakes(costs: Mapping[tuple[str, str], str]) -> str:
    """Return what each mistake (true class, answered class) costs as a rule says it; empty where nothing does.

    The usual cost stands once, as that of any other mistake, unless a mistake is left without one.
    """
    usual = Counter(costs.values()).most_common(1)[0][0] if costs and all(costs.values()) else ""
    said = {f"{true}{_AS}{answered}": cost for (true, answered), cost in costs.items() if cost not in ("", usual)}
    said |= {_AS.join((ANY_CLASS, ANY_CLASS)): usual} if usual else {}
    return ", ".join(f"{name}={cost}" for name, cost in said.items())


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


class AcceptFloor(Part):
    """How much an accept rests on at least, so that no handful of cases suffices; a reject needs no more than evidence.

    Units are counted where the criteria count units.
    """

    cases: int = pydantic.Field(ge=1, le=10**9)
    positives: int | None = pydantic.Field(default=None, ge=1, le=10**9)
    """Of these, cases of the positive class, and of each class that a criterion names; none when not set."""

    @property
    def in_words(self) -> Text:
        """Return it as what follows on *an accept needs at least*."""
        if self.positives is None:
            return text("trial.floor.cases", cases=self.cases)
        return text("trial.floor.positives", cases=self.cases, positives=self.positives)


class TrialDesign(Part):
    """When scoring stops: ``early`` as soon as the verdict stands, ``fixed`` after ``cases``, ``full`` after all.

    The number of a fixed design is chosen before any result is seen; the exact test at a fixed number then needs fewer
    cases than one that may stop at any time (threshold 0.90, every answer right, α 0.05: 29 against 55).
    """

    stop: Literal["early", "full", "fixed"] = "early"
    cases: int | None = pydantic.Field(default=None, ge=1, le=10**9)
    """Number of cases to score; required with ``stop: fixed``, and only allowed there."""
    accept_from: AcceptFloor | None = None
    """How many cases an accept needs at least; as few as the evidence takes when not set."""

    @model_validator(mode="after")
    def _cases_when_fixed(self) -> Self:
        if (self.stop == "fixed") != (self.cases is not None):
            raise InputError("scenario.fixed_cases", found=self.stop)
        return self
