"""From a criterion's rule to its observations, and every problem with a rule before anything runs.

``drop(measure under perturbation)``   how much worse the measure is under the perturbation
``lift(measure)``                      how much better it is than the baseline's

Both are Σ (ahead - behind) / Σ weight over integers, with the sign reversed for measures where lower is better. An
abstention harms the criterion on either side. Without an answer in the clean arm, a case counts as right there, so that
failing on purpose in the clean arm gains nothing; without one under the perturbation, it counts as wrong. If the
baseline has no answer, the baseline counts as right (corrections of the evidence engine, last bullets).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.contract import Field
from pilotbase.documents.criteria import ANY_CLASS, PAIRED, UNITS, Rule, cost_of, mistake_of
from pilotbase.documents.errors import MOST_LISTED, InputError, offer
from pilotbase.documents.texts import Text, text
from pilotbase.measures.cases import Cases, Ints, Kind
from pilotbase.measures.definition import CLASSIFYING, MOST_COST, Measure
from pilotbase.measures.observation import (
    ALL_CLASSES,
    Comparison,
    Estimand,
    MeasureInput,
    MeasurePart,
    Observation,
    Reals,
)
from pilotbase.measures.perturbations import perturbation_problems
from pilotbase.measures.registry import known_names, measure_named, measures, resource_measures
from pilotbase.measures.resources import ResourceMeasure, RunMeasurements


@dataclass(frozen=True)
class RuleContext:
    """What a scenario provides for its criteria."""

    kind: Kind
    classes: tuple[str, ...] = ()
    positive: str | None = None
    columns: frozenset[str] = frozenset()
    """Columns that cases can be grouped by."""
    has_baseline: bool = False
    features: tuple[Field, ...] = ()
    """Columns that applications see: what can be perturbed."""
    estimand: Estimand = "hidden_set"
    knows_classes: bool = True
    """False if no table has provided the classes: then none is refused."""


def is_resource(rule: Rule) -> bool:
    """Return whether ``rule`` is judged on a measured run instead of on answers."""
    return rule.measure in resource_measures()


def measures_the_run(rule: Rule) -> bool:
    """Return whether ``rule`` is judged on how the cases were answered: latency, memory, throughput, cost."""
    measure = resource_measures().get(rule.measure)
    return measure is not None and not (measure.of_matrix or measure.of_load_test or measure.of_exchanges)


def given_columns(rule: Rule) -> tuple[str, ...]:
    """Return the columns that ``rule`` names for its measure to read: they must stand in `Cases.given`."""
    measure = measures().get(rule.measure)
    return () if measure is None else tuple(_columns(measure, rule).values())


def observe(rule: Rule, cases: Cases, order: Ints, estimand: Estimand = "hidden_set") -> Observation:
    """Return the per-case observation of ``rule``; arrays have the shape of ``cases``, whatever ``order`` is.

    ``order`` only matters to entries of several cases (AUC for a population).

    Raises:
        InputError: a problem that `problems_of` reports, or a class or column that ``cases`` doesn't have.
    """
    measure = measure_named(rule.measure)
    if not isinstance(measure, Measure):
        raise InputError("measure.needs_run", found=rule.measure)
    census_only = measure.pooled and estimand != "population"
    # A gap has no worst answer of its own: there an abstention gets the worst value for the measure.
    natural: Comparison = "<=" if measure.better == "lower" else ">="
    towards = natural if rule.wrapper == "gap" else rule.comparison
    question = _question(measure, rule, cases, towards, order, estimand)
    if rule.under is not None and rule.wrapper != "drop":
        question = replace(question, cases=replace(cases, answers=_second_answers(rule, question)))
    if rule.wrapper == "drop" or rule.wrapper == "lift":
        return Observation("single", (_observe_pair(measure, rule, question),))
    problems = _population_problems(measure, rule, estimand)
    if problems:
        raise InputError("measure.rule_problem", rule=str(rule), problem=problems[0])
    if rule.wrapper is None or rule.by is None:
        return _observe_whole(measure, question, census_only)
    if rule.by not in cases.groups:
        raise InputError("measure.unknown_column", found=rule.by, allowed=offer(rule.by, cases.groups))
    groups = _groups(cases.groups[rule.by])
    parts = tuple(_in_group(measure, question, name, chosen) for name, chosen in groups.items())
    return Observation(rule.wrapper, parts, census_only)


def _observe_whole(measure: Measure, question: MeasureInput, census_only: bool) -> Observation:
    """Return the observation of all cases together: of several parts where one ratio is not the measure."""
    several = "exact_anytime" in measure.guarantees.of("hidden_set") or question.estimand == "population"
    if measure.compose is not None and several:
        return measure.compose(question)
    if census_only and 0 < len(question.order) < len(question.cases):
        # What only all cases together have is a figure of those that are scored.
        return Observation("single", (_in_group(measure, question, None, np.sort(question.order)),), census_only)
    part = measure.observe(question)
    return Observation("single", (part,), census_only, plain=_plainly(measure, question) if part.joined else None)


def _plainly(measure: Measure, question: MeasureInput) -> Callable[[Ints], float | None]:
    """Return the measure over some of the cases that enter as a set of their own, beside bounds from entries."""

    def plain(chosen: Ints) -> float | None:
        chosen = chosen[np.isin(chosen, question.order)]
        order = np.arange(len(chosen), dtype=np.int64)
        whole = replace(question, cases=question.cases.among(chosen), order=order, estimand="hidden_set")
        return measure.observe(whole).value()

    return plain


def observe_run(rule: Rule, run: RunMeasurements) -> Observation:
    """Return the observation of ``rule`` on a measured run; raises `InputError` if the rule is about answers."""
    measure = measure_named(rule.measure)
    if not isinstance(measure, ResourceMeasure):
        raise InputError("measure.needs_cases", found=rule.measure)
    return measure.observe(run, block_of(rule), Fraction(rule.threshold))


def block_of(rule: Rule) -> int | None:
    """Return how many requests a block of ``rule`` has; None where it isn't judged by blocks."""
    measure = resource_measures().get(rule.measure)
    given = [rule.arguments.get(one.name) for one in measure.parameters] if measure is not None else []
    return next((int(length) for length in given if isinstance(length, Decimal)), None)


def score(rule: Rule, cases: Cases) -> float | None:
    """Return the measure of ``rule`` over all cases; None when it is 0/0, which is *not measured*."""
    order = np.arange(len(cases), dtype=np.int64)
    return observe(rule, cases, order).value(rule.comparison)


def pair_scores(rule: Rule, cases: Cases) -> tuple[float | None, float | None]:
    """Return the measure of a drop (clean, perturbed) or of a lift (ours, the baseline's); raises as `observe`."""
    first, second = observe_arms(rule, cases, np.arange(len(cases), dtype=np.int64))
    return first.value(rule.comparison), second.value(rule.comparison)


def observe_arms(rule: Rule, cases: Cases, order: Ints) -> tuple[Observation, Observation]:
    """Return the observations whose difference a drop or a lift is, as `pair_scores`; raises as `observe`."""
    measure = measure_named(rule.measure)
    if not isinstance(measure, Measure):
        raise InputError("measure.needs_run", found=rule.measure)
    first, second = _arms_of(measure, rule, _question(measure, rule, cases, rule.comparison, order))
    return Observation("single", (first,)), Observation("single", (second,))


def problems_of(rule: Rule, setting: RuleContext) -> tuple[Text, ...]:
    """Return everything that is wrong with ``rule`` in ``setting``, in sentences; empty when it can be used."""
    resource = resource_measures().get(rule.measure)
    if resource is not None:
        return _resource_problems(rule, resource)
    measure = measures().get(rule.measure)
    if measure is None:
        return (text("measure.unknown", found=rule.measure, allowed=offer(rule.measure, known_names())),)
    return (
        *_setting_problems(measure, rule, setting),
        *_argument_problems(measure, rule),
        *(_mistake_problems(rule, setting) if measure.of_mistakes else ()),
        *_population_problems(measure, rule, setting.estimand),
        *_column_problems(measure, rule, setting),
        *_threshold_problems(measure, rule, setting.classes),
        *_direction_problems(measure, rule),
        *_pair_problems(rule, measure, setting.features, setting.has_baseline),
    )


def problems_among(rules: Sequence[Rule]) -> tuple[tuple[int, Text], ...]:
    """Return the problems of rules as a set, as (index, sentence): a measure that requires another beside it, and
    figures of one run alone, which have no stated error."""
    named = {rule.measure for rule in rules}
    found = []
    if rules and all(is_resource(rule) and block_of(rule) is None for rule in rules):
        found.append((0, text("measure.run_alone")))
    for index, rule in enumerate(rules):
        measure = measures().get(rule.measure)
        if measure is not None and measure.beside and not named & set(measure.beside):
            allowed = ", ".join(measure.beside)
            found.append((index, text("measure.stands_alone", measure=measure.name, allowed=allowed)))
    return tuple(found)


def _population_problems(measure: Measure, rule: Rule, estimand: Estimand) -> list[Text]:
    """Refuse claims about a population that have no bound."""
    if estimand != "population":
        return []
    if "descriptive" in measure.guarantees.of(estimand) or not measure.guarantees.of(estimand):
        if measure.instead:
            return [text("measure.descriptive_instead", measure=measure.name, instead=measure.instead)]
        return [text("measure.descriptive_only", measure=measure.name)]
    if rule.by is not None and measure.compose is not None:
        return [text("measure.groups_census_only", measure=measure.name)]
    return []


def _setting_problems(measure: Measure, rule: Rule, setting: RuleContext) -> list[Text]:
    found = []
    if setting.kind not in measure.kinds:
        allowed = ", ".join(sorted(measure.kinds))
        found.append(text("measure.wrong_kind", measure=measure.name, found=setting.kind, allowed=allowed))
    if rule.label is not None and setting.knows_classes and rule.label not in setting.classes:
        found.append(text("measure.unknown_class", found=rule.label, allowed=offer(rule.label, setting.classes)))
    if rule.label is not None and not measure.of_class:
        found.append(text("measure.takes_no_class", measure=measure.name))
    asks_class = measure.of_class and not _is_of_all(measure, setting.kind, rule) and setting.kind in measure.kinds
    if rule.label is None and asks_class and setting.positive is None:
        classes = setting.classes if setting.knows_classes else ("…",)
        found.append(text("measure.class_missing", measure=measure.name, allowed=", ".join(classes)))
    if measure.needs_baseline and not setting.has_baseline:
        found.append(text("measure.baseline_missing", measure=measure.name))
    return found


def _argument_problems(measure: Measure | ResourceMeasure, rule: Rule) -> list[Text]:
    known = {parameter.name: parameter for parameter in measure.parameters}
    mistakes = rule.mistakes if isinstance(measure, Measure) and measure.of_mistakes else {}
    found = [
        text("measure.unknown_argument", measure=measure.name, found=name, allowed=offer(name, known))
        for name in rule.arguments
        if name not in known and name not in mistakes
    ]
    for name, parameter in known.items():
        value = rule.arguments.get(name, parameter.default)
        if mistakes and parameter.default is None:
            if value is not None:
                found.append(text("measure.mistakes_alone", measure=measure.name, name=name))
        elif value is None and parameter.needed and isinstance(measure, Measure):
            found.append(text("measure.argument_missing", measure=measure.name, name=name))
        elif value is not None and not parameter.admits(value):
            low, high = parameter.low, parameter.high
            about = {"measure": measure.name, "name": name, "found": value, "low": low, "high": high}
            of_whole = text("measure.argument_whole", **about)
            found.append(of_whole if parameter.whole else text("measure.argument_range", **about))
    return found


def _mistake_problems(rule: Rule, setting: RuleContext) -> list[Text]:
    if rule.mistakes and (rule.label is not None or setting.kind not in CLASSIFYING):
        return [text("measure.mistakes_of_classes", measure=rule.measure)]
    return mistake_problems(rule, setting.classes if setting.knows_classes else None)


def mistake_problems(rule: Rule, classes: Sequence[str] | None) -> list[Text]:
    """Return the problems of what mistakes cost: classes must be known, and no mistake may be left without a cost.

    ``classes``: None if no table has provided them.
    """
    mistakes, found = rule.mistakes, list[Text]()
    pairs = {name: mistake_of(name) or ("", "") for name in mistakes}
    same = (name for name, (true, answered) in pairs.items() if true == answered != ANY_CLASS)
    found += [text("measure.no_mistake", name=name) for name in same]
    found += [
        text("measure.mistake_cost", name=name, found=cost, high=MOST_COST)
        for name, cost in mistakes.items()
        if not 0 <= cost <= MOST_COST
    ]
    if classes is None or not mistakes:
        return found
    named = dict.fromkeys(one for pair in pairs.values() for one in pair if one not in (ANY_CLASS, *classes))
    found += [text("measure.unknown_class", found=one, allowed=offer(one, classes)) for one in named]
    unsaid = [f"{one} as {two}" for one in classes for two in classes if cost_of(mistakes, one, two) is None]
    if unsaid and not found:
        return [text("measure.mistakes_open", count=len(unsaid), names=", ".join(unsaid[:MOST_LISTED]))]
    return found


def _column_problems(measure: Measure, rule: Rule, setting: RuleContext) -> list[Text]:
    """Return the problems of the columns that rules group by or read."""
    found = [
        text("measure.no_such_column", measure=measure.name, name=name, found=column, allowed=offer(column, allowed))
        for name, column in _columns(measure, rule).items()
        if column not in setting.columns
        for allowed in [sorted(setting.columns)]
    ]
    if rule.by is not None and rule.by not in setting.columns:
        found.append(text("measure.unknown_column", found=rule.by, allowed=offer(rule.by, sorted(setting.columns))))
    if rule.wrapper == "gap" and rule.comparison != "<=":
        found.append(text("measure.gap_direction", rule=str(rule)))
    return found


def range_of(rule: Rule, classes: Sequence[str]) -> tuple[Decimal, Decimal]:
    """Return the smallest and the largest value of the measure of ``rule`` where answers are of ``classes``."""
    given = {name: value for name, value in rule.arguments.items() if isinstance(value, Decimal)}
    return measures()[rule.measure].range(given, 2 if rule.label is not None else max(len(classes), 2))


def _is_of_all(measure: Measure, kind: Kind, rule: Rule) -> bool:
    """Return whether the measure is about all classes where a rule names none: one probability is of one class."""
    return bool(rule.mistakes) or (measure.or_of_all and kind != "probability")


def _threshold_problems(measure: Measure, rule: Rule, classes: Sequence[str]) -> list[Text]:
    if _argument_problems(measure, rule):
        return []
    low, high = range_of(rule, classes)
    if rule.wrapper in ("gap", "drop"):
        low, high = Decimal(0), high - low
    if rule.wrapper == "lift":
        low, high = low - high, high - low
    found = []
    if rule.unit is not None and UNITS[rule.unit][0] != "":
        found.append(text("measure.wrong_unit", measure=measure.name, found=rule.unit, allowed="-"))
    if not low <= rule.threshold <= high:
        found.append(text("measure.threshold_range", measure=measure.name, found=rule.threshold, low=low, high=high))
    return found


def _direction_problems(measure: Measure, rule: Rule) -> list[Text]:
    """Refuse a criterion that a worse application meets more easily, ``accuracy <= 0.8``: it is a typing error."""
    if rule.wrapper == "gap" or rule.wrapper in PAIRED or measure.better == "neither":
        return []
    if (rule.comparison == "<=") == (measure.better == "lower"):
        return []
    return [text("measure.direction", rule=str(rule))]


def _resource_problems(rule: Rule, resource: ResourceMeasure) -> tuple[Text, ...]:
    found = _argument_problems(resource, rule)
    allowed = ", ".join(name for name, (base, _) in UNITS.items() if base == resource.unit)
    if rule.unit is None or UNITS[rule.unit][0] != resource.unit:
        found.append(text("measure.wrong_unit", measure=resource.name, found=rule.unit or "-", allowed=allowed))
    if rule.wrapper in PAIRED:
        found.append(text("measure.not_paired", measure=resource.name, rule=str(rule)))
    elif rule.wrapper is not None:
        found.append(text("measure.no_groups", measure=resource.name))
    if (rule.comparison == "<=") != (resource.better == "lower"):
        found.append(text("measure.direction", rule=str(rule)))
    if rule.threshold <= 0:
        found.append(text("measure.threshold_positive", measure=resource.name, found=rule.threshold))
    return tuple(found)


def _arguments(measure: Measure, rule: Rule) -> dict[str, Decimal]:
    """Return all arguments with defaults filled in; raises `InputError` where they cannot be used."""
    problems = _argument_problems(measure, rule)
    if problems:
        raise InputError("measure.rule_problem", rule=str(rule), problem=problems[0])
    given: Mapping[str, Decimal | str | None] = {
        item.name: rule.arguments.get(item.name, item.default) for item in measure.parameters if not item.of_columns
    }
    return {**{name: value for name, value in given.items() if isinstance(value, Decimal)}, **rule.mistakes}


def _columns(measure: Measure, rule: Rule) -> dict[str, str]:
    """Return the columns that arguments name, by the argument."""
    named = ((item.name, rule.arguments.get(item.name)) for item in measure.parameters if item.of_columns)
    return {name: column if isinstance(column, str) else f"{column:f}" for name, column in named if column is not None}


def _question(
    measure: Measure, rule: Rule, cases: Cases, towards: Comparison, order: Ints, estimand: Estimand = "hidden_set"
) -> MeasureInput:
    """Return what ``rule`` asks of ``cases``; raises `InputError` where it cannot be asked."""
    columns = _columns(measure, rule)
    for name, column in columns.items():
        if column not in cases.given:
            allowed = offer(column, cases.given)
            raise InputError("measure.no_such_column", measure=measure.name, name=name, found=column, allowed=allowed)
    code = _code(measure, rule, cases)
    return MeasureInput(cases, _arguments(measure, rule), code, towards, order, estimand, columns, rule.threshold)


def _code(measure: Measure, rule: Rule, cases: Cases) -> int:
    if rule.label is None and _is_of_all(measure, cases.kind, rule):
        return ALL_CLASSES
    label = rule.label or cases.positive
    if label is None:
        if measure.of_class:
            raise InputError("measure.class_missing", measure=measure.name, allowed=", ".join(cases.classes))
        return len(cases.classes) - 1
    if label not in cases.classes:
        raise InputError("measure.unknown_class", found=label, allowed=offer(label, cases.classes))
    return cases.code(label)


def _groups(values: NDArray[Any]) -> dict[str, Ints]:
    """Return the indices of each group's cases by the group's name; missing values form a separate group."""
    names = values if values.dtype.kind in "iub" else np.array([_name(value) for value in values.tolist()])
    found, codes = np.unique(names, return_inverse=True)
    return {str(name): np.flatnonzero(codes == code).astype(np.int64) for code, name in enumerate(found.tolist())}


def _name(value: object) -> str:
    return "" if value is None or value != value else str(value)


def _in_group(measure: Measure, question: MeasureInput, name: str | None, chosen: Ints) -> MeasurePart:
    """Return the measure's observation among ``chosen`` cases, spread over all cases."""
    size = len(question.cases)
    place = np.full(size, -1, dtype=np.int64)
    place[chosen] = np.arange(len(chosen))
    order = place[question.order]
    part = measure.observe(replace(question, cases=question.cases.among(chosen), order=order[order >= 0]))
    gain, weight = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    gain[chosen], weight[chosen] = part.gain, part.weight
    reals = None if part.reals is None else part.reals.spread(chosen, size)
    return replace(part, gain=gain, weight=weight, name=name, reals=reals)


def _observe_pair(measure: Measure, rule: Rule, question: MeasureInput) -> MeasurePart:
    """Return the paired difference of each case; of positive values the application is worse (drop) or better (lift).

    Raises:
        InputError: ``measure.not_paired``, or the cases have no second answers.
    """
    ahead, behind = _arms_of(measure, rule, question)
    if not measure.paired or not np.array_equal(ahead.weight, behind.weight):
        raise InputError("measure.not_paired", measure=measure.name, rule=str(rule))
    if measure.better == "lower":
        ahead, behind = behind, ahead
    kept = np.int16 if ahead.gain.dtype.itemsize == 1 else np.int64
    gain = np.subtract(ahead.gain, behind.gain, dtype=kept)
    reals, slack = _real_differences(ahead, behind), ahead.slack + behind.slack
    outcomes = _differences(ahead.outcomes, behind.outcomes)
    return replace(ahead, gain=gain, outcomes=outcomes, reals=reals, slack=slack)


def _arms_of(measure: Measure, rule: Rule, question: MeasureInput) -> tuple[MeasurePart, MeasurePart]:
    """Return the observations of (clean, perturbed) answers for a drop, or of (ours, the baseline's) for a lift.

    Raises:
        InputError: ``measure.no_second_answers``.
    """
    second = _second_answers(rule, question)
    harsh: Comparison = ">=" if measure.better == "higher" else "<="
    kind: Comparison = "<=" if measure.better == "higher" else ">="
    first_way, second_way = (kind, harsh) if rule.wrapper == "drop" else (harsh, kind)
    first = measure.observe(replace(question, comparison=first_way))
    cases = replace(question.cases, answers=second)
    return first, measure.observe(replace(question, cases=cases, comparison=second_way))


def _pair_problems(rule: Rule, measure: Measure, features: Sequence[Field], has_baseline: bool) -> list[Text]:
    """Return the problems of a drop or a lift, in sentences; empty for other rules."""
    found = [] if rule.under is None else perturbation_problems(rule.under, features)
    if rule.wrapper not in ("drop", "lift"):
        return found
    if not measure.paired:
        found.append(text("measure.not_paired", measure=measure.name, rule=str(rule)))
    if rule.wrapper == "lift":
        if rule.comparison != ">=":
            found.append(text("measure.lift_direction", rule=str(rule)))
        if not has_baseline and not measure.needs_baseline:
            found.append(text("measure.baseline_missing", measure=f"lift({measure.name})"))
        return found
    if rule.comparison != "<=":
        found.append(text("measure.drop_direction", rule=str(rule)))
    return found


def _second_answers(rule: Rule, question: MeasureInput) -> NDArray[Any]:
    cases = question.cases
    second = cases.baseline if rule.wrapper == "lift" else cases.perturbed.get(str(rule.under))
    if second is None:
        raise InputError("measure.no_second_answers", rule=str(rule))
    return second


def _real_differences(ahead: MeasurePart, behind: MeasurePart) -> Reals | None:
    if ahead.reals is None and behind.reals is None:
        return None
    first, second = (part.reals if isinstance(part.reals, Reals) else _from_lattice(part) for part in (ahead, behind))
    return Reals(first.gains - second.gains, first.weights)


def _from_lattice(part: MeasurePart) -> Reals:
    weight = part.weight.astype(np.float64)
    gain = np.where(weight > 0, part.gain * part.unit / np.where(weight > 0, weight, 1), 0.0)
    return Reals(gain, (weight > 0).astype(np.float64))


def _differences(ahead: Sequence[tuple[int, int]], behind: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return every difference of two outcomes of one weight; for real values the extremes and steps stay among them."""
    pairs = {(first - second, weight) for first, weight in ahead for second, other in behind if weight == other}
    return tuple(sorted(pairs))
