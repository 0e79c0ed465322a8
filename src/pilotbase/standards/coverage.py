"""Which measures a plan lacks that its standards ask for, clause by clause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from pilotbase.documents.criteria import Rule
from pilotbase.documents.standard_profile import Requirement
from pilotbase.documents.texts import Text, text
from pilotbase.standards.composing import HeldRequirement

_SHOWN = 4
"""Measures that are named of many."""


def missing_measures(held: Sequence[HeldRequirement], rules: Sequence[Rule]) -> Iterator[Text]:
    """Yield a sentence for each mandatory measure that no criterion asks for, or asks for less strictly."""
    for one in held:
        requirement = one.requirement
        if requirement.way != "measure" or not requirement.mandatory:
            continue
        measured = [rule for rule in rules if measures_it(requirement, rule)]
        values = {"place": one.place, "wanted": wanted(requirement)}
        if not measured:
            yield text("standard.measure_missing", **values)
        elif not any(strict_enough(requirement, rule) for rule in measured):
            yield text("standard.criterion_too_lax", **values, found=str(measured[0]))


def measures_it(requirement: Requirement, rule: Rule) -> bool:
    """Tell whether a criterion measures what the requirement speaks of, whatever its threshold."""
    return rule.measure in (*requirement.measure, *requirement.complement) and rule.wrapper == requirement.wrapper


def strict_enough(requirement: Requirement, rule: Rule) -> bool:
    """Tell whether a criterion that is met shows that the requirement is; of a sample's own figure any shows it."""
    if requirement.compared == "sample":
        return True
    low, high = bounds_on(requirement, rule)
    if low is not None and (rule.comparison != ">=" or rule.threshold < low):
        return False
    return high is None or (rule.comparison == "<=" and rule.threshold <= high)


def bounds_on(requirement: Requirement, rule: Rule) -> tuple[Decimal | None, Decimal | None]:
    """Return the least and the most that is asked of what the rule measures; of a complement, one minus them."""
    low, high = (
        None if bound is None else Decimal(str(bound)) for bound in (requirement.at_least, requirement.at_most)
    )
    if rule.measure in requirement.measure:
        return low, high
    return None if high is None else 1 - high, None if low is None else 1 - low


def is_within(requirement: Requirement, rule: Rule, figure: float) -> bool:
    """Tell whether the sample's own figure is what is asked for."""
    low, high = bounds_on(requirement, rule)
    return (low is None or figure >= float(low)) and (high is None or figure <= float(high))


def wanted(requirement: Requirement) -> str:
    """Return what is asked for as a rule spells it: ``refusal_rate >= 0.95``; several measures with ``|``."""
    shown = requirement.measure[:_SHOWN]
    names = "|".join(shown) + ("|…" if len(requirement.measure) > len(shown) else "")
    measured = {
        "drop": f"drop({names} under …)",
        "lift": f"lift({names})",
        "gap": f"gap({names} by …)",
        "worst": f"worst({names} by …)",
    }.get(requirement.wrapper or "", names)
    low, high = requirement.at_least, requirement.at_most
    least = "" if low is None else f" >= {low:g}"
    return measured + least + ("" if high is None else f" <= {high:g}")
