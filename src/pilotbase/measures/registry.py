"""All known measures by name: ours, and those that installed packages add by the entry point ``pilotbase.measures``.

In the package's pyproject.toml::

    [project.entry-points."pilotbase.measures"]
    my_measure = "my_package:MY_MEASURE"          # a CaseScore
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import metadata
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.criteria import ANY_CLASS, Rule, mistake_of
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.texts import Text, template, text
from pilotbase.documents.world import DecisionRight
from pilotbase.measures.cases import Floats, Kind
from pilotbase.measures.definition import Direction, Measure, Parameter
from pilotbase.measures.formulas import OURS, refusals
from pilotbase.measures.observation import MeasureInput, MeasurePart, mean_of
from pilotbase.measures.perturbations import PERTURBATIONS
from pilotbase.measures.resources import RESOURCES, ResourceMeasure

_REFUSALS = frozenset(measure.name for measure in refusals.MEASURES)
"""Measures for which a case without truth is to be refused."""
_BESIDE_JUDGED = frozenset({"judged", "coverage", "abstention", "supported", "quotes_found"})
"""Measures that read no truth."""
ENTRY_POINTS = "pilotbase.measures"


def may_lack_truth(rules: Iterable[Rule]) -> bool:
    """Return whether cases may lack truth: what lacks it is to be declined, or experts judge and no rule reads it."""
    names = {rule.measure for rule in rules} - resource_measures().keys()
    return bool(names & _REFUSALS) or ("judged" in names and names <= _BESIDE_JUDGED)


@cache
def measures() -> Mapping[str, Measure]:
    """Return every measure of predictions by name; ours win over added ones of the same name."""
    return MappingProxyType({measure.name: measure for measure in (*_added(), *OURS)})


@cache
def resource_measures() -> Mapping[str, ResourceMeasure]:
    """Return every measure of a run by name."""
    return MappingProxyType({measure.name: measure for measure in RESOURCES})


def measure_named(name: str) -> Measure | ResourceMeasure:
    """Return the measure called ``name``.

    Raises:
        InputError: ``measure.unknown``, with the name that was meant.
    """
    found = measures().get(name) or resource_measures().get(name)
    if found is None:
        raise InputError("measure.unknown", found=name, allowed=offer(name, known_names()))
    return found


def known_names() -> tuple[str, ...]:
    """Return the names of all measures."""
    return (*measures(), *resource_measures())


def _added() -> list[Measure]:
    loaded = []
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        score = entry.load()
        if not isinstance(score, MeanScore):
            raise InputError("measure.entry_point", name=entry.name)
        loaded.append(score.measure())
    return loaded


@dataclass(frozen=True)
class MeanScore:
    """The mean of ``score(truth, answers)``, an array of values in [``low``, ``high``]."""

    name: str
    score: Callable[[NDArray[Any], NDArray[Any]], Floats]
    low: Decimal
    high: Decimal
    better: Direction
    kinds: frozenset[Kind]
    formula: str
    source: str

    def measure(self) -> Measure:
        """Return the measure; its scores are checked at each use."""
        if not self.low < self.high:
            raise InputError("measure.score_bounds", name=self.name, low=self.low, high=self.high)
        told = self.name, self.formula, self.source, self.better, self.kinds
        return Measure(*told, self._observe, bounds=(self.low, self.high), paired=True, added=True)

    def _observe(self, question: MeasureInput) -> MeasurePart:
        cases = question.cases
        scores = np.asarray(self.score(cases.truth, cases.answers), dtype=np.float64)
        if scores.shape != (len(cases),):
            raise InputError("measure.score_shape", name=self.name, found=scores.shape, allowed=(len(cases),))
        beyond = (scores < float(self.low)) | (scores > float(self.high))
        if beyond.any():
            found = float(scores[beyond][0])
            raise InputError("measure.score_range", name=self.name, found=found, low=self.low, high=self.high)
        return mean_of(scores, self.high, question, low=self.low)


def spoken(rule: Rule, unit: str = "") -> Text:
    """Return a rule's measure in words, without the threshold; ``unit`` is the target's.

    The words include every argument of the rule, in the order in which its measure declares them: two rules with
    different arguments never have the same words.
    """
    measure = _measure(rule, unit)
    if rule.wrapper is not None and rule.wrapper != "drop":
        measure = text(f"report.rule.{rule.wrapper}", measure=measure, column=rule.by)
    if rule.under is None:
        return measure
    told = "report.rule.drop" if rule.wrapper == "drop" else "report.rule.under"
    return text(told, measure=measure, kind=PERTURBATIONS[rule.under.name].title, under=rule.under)


def is_per_hundred(rule: Rule) -> bool:
    """Return whether the plain sentence of a rule counts how many of a hundred."""
    declared = measures().get(rule.measure) or resource_measures().get(rule.measure)
    return declared is not None and "{hundred}" in template(declared.plain, "en")


def plainly(rule: Rule, found: Text, label: str | None = None, unit: str = "") -> Text:
    """Return what a score of a rule means, for whom statistics are foreign; ``found``: the score, as they read it.

    ``label``: the class that a rule without one is about; ``unit``: the target's.
    """
    declared = measures().get(rule.measure) or resource_measures().get(rule.measure)
    kind = None if rule.under is None else PERTURBATIONS[rule.under.name].title
    if rule.wrapper == "drop":
        return text("report.plain.drop", measure=_measure(rule, unit), kind=kind, found=found)
    if rule.wrapper in ("gap", "lift"):
        return text(f"report.plain.{rule.wrapper}", measure=_measure(rule, unit), column=rule.by, found=found)
    spelled = {one.name: f"{one.default:,f}" for one in declared.parameters if one.default} if declared else {}
    given = {name: value for name, value in rule.arguments.items() if name not in rule.mistakes}
    spelled |= {name: f"{value:,f}" if isinstance(value, Decimal) else value for name, value in given.items()}
    if unit and "tolerance" in spelled:
        spelled["tolerance"] = f"{spelled['tolerance']} {unit}"
    said = text(
        declared.plain if declared else "measure.plain",
        **spelled,
        measure=_measure(rule, unit),
        label=_class_of(rule) or label or text("report.plain.its_class"),
        hundred=found,
        value=found,
    )
    if rule.wrapper == "worst":
        said = text("report.plain.worst", column=rule.by, sentence=said)
    return said if kind is None else text("report.plain.under", kind=kind, sentence=said)


def _class_of(rule: Rule) -> Text | str | None:
    """Return the class that a rule names; of acts, a decision right has a name in words."""
    of_acts = rule.measure in ("tried", "done") and rule.label in set(DecisionRight)
    return text(f"world.right.{rule.label}") if of_acts else rule.label


def _measure(rule: Rule, unit: str) -> Text:
    declared = measures().get(rule.measure) or resource_measures().get(rule.measure)
    measure = declared.title if declared else text("measure.added", name=rule.measure)
    if rule.label is not None:
        measure = text("report.rule.of_class", measure=measure, label=_class_of(rule))
    arguments = dict(rule.arguments)
    given = [one for one in (declared.parameters if declared else ()) if one.name in rule.arguments]
    said = [_argument(one, arguments.pop(one.name), unit) for one in given]
    pairs = [(mistake_of(name), cost) for name, cost in rule.mistakes.items()]
    said += [_mistake(*pair, f"{cost:,f}") for pair, cost in pairs if pair is not None]
    others = ((name, value) for name, value in arguments.items() if name not in rule.mistakes)
    said += [text("report.rule.unknown_argument", name=name, value=value) for name, value in others]
    return text("report.rule.with_arguments", measure=measure, arguments=_listed(said)) if said else measure


def _argument(parameter: Parameter, value: Decimal | str, unit: str) -> Text:
    spelled = f"{value:,f}" if isinstance(value, Decimal) and not parameter.of_columns else str(value)
    if unit and parameter.in_target_units:
        spelled = f"{spelled} {unit}"
    return text(parameter.text or f"measure.argument.{parameter.name}", value=spelled)


def _mistake(true: str, answered: str, cost: str) -> Text:
    kind = f"{'any' if true == ANY_CLASS else 'one'}_as_{'any' if answered == ANY_CLASS else 'one'}"
    return text(f"report.mistake.{kind}", true=true, answered=answered, cost=cost)


def _listed(said: Sequence[Text]) -> Text:
    *before, last = said
    return text("report.rule.two_arguments", first=_listed(before), second=last) if before else last
