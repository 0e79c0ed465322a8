"""A rule's measure in words, from its declaration: *recall of “late” (from a probability of 0.2)*."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from pilotbase.documents.criteria import Rule
from pilotbase.documents.texts import Text, text
from pilotbase.measures.definition import Parameter
from pilotbase.measures.perturbations import PERTURBATIONS
from pilotbase.measures.registry import measures, resource_measures


def spoken(rule: Rule, unit: str = "") -> Text:
    """Return a rule's measure in words, without the threshold; ``unit`` is the target's.

    Every argument that the rule gives is spoken, in the order in which its measure declares them: two rules with
    different arguments never share their words.
    """
    measure = _measure(rule, unit)
    if rule.under is not None:
        kind = PERTURBATIONS[rule.under.name].title
        return text("report.rule.drop", measure=measure, kind=kind, under=rule.under)
    return text(f"report.rule.{rule.wrapper}", measure=measure, column=rule.by) if rule.wrapper else measure


def _measure(rule: Rule, unit: str) -> Text:
    known = measures().get(rule.measure)
    declared = known or resource_measures().get(rule.measure)
    measure = declared.title if declared else text("measure.added", name=rule.measure)
    if rule.label is not None:
        measure = text("report.rule.of_class", measure=measure, label=rule.label)
    arguments = dict(rule.arguments)
    said = [_argument(one, arguments.pop(one.name), unit) for one in _given(known.parameters if known else (), rule)]
    said += [text("report.rule.unknown_argument", name=name, value=value) for name, value in arguments.items()]
    return text("report.rule.with_arguments", measure=measure, arguments=_listed(said)) if said else measure


def _given(parameters: Sequence[Parameter], rule: Rule) -> list[Parameter]:
    return [parameter for parameter in parameters if parameter.name in rule.arguments]


def _argument(parameter: Parameter, value: Decimal | str, unit: str) -> Text:
    spelled = f"{value:,f}" if isinstance(value, Decimal) and not parameter.of_columns else str(value)
    if unit and parameter.in_target_units:
        spelled = f"{spelled} {unit}"
    return text(parameter.text or f"measure.argument.{parameter.name}", value=spelled)


def _listed(said: Sequence[Text]) -> Text:
    *before, last = said
    return text("report.rule.two_arguments", first=_listed(before), second=last) if before else last
