"""Checks of criteria before anything runs: whether they can be measured, and whether they can ever be decided.

A constant answer has a drop of zero under any perturbation. So every drop needs an absolute criterion on the same
measure beside it; `pilotbase.trial.blind_baselines` ensures that no constant answer meets all criteria together.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.data.baselines import as_answered, baseline_answers
from pilotbase.data.batches import truth_codes
from pilotbase.documents.answer_texts import right_answer
from pilotbase.documents.criteria import Rule
from pilotbase.documents.errors import BarredError, InputError, Issue, RefusedError
from pilotbase.documents.judge import panel_judge_problems
from pilotbase.documents.probes import MODEL, PANEL
from pilotbase.documents.scenario import Criterion, Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Estimand
from pilotbase.evidence import (
    CriterionPlan,
    Design,
    Levels,
    attempt_levels,
    draw_order,
    exact,
    feasibility_of,
    verdict_of,
)
from pilotbase.measures import (
    MeasurePart,
    Observation,
    RuleContext,
    RunMeasurements,
    coded,
    is_resource,
    measures,
    mistake_problems,
    observe,
    problems_among,
    problems_of,
    resource_measures,
)
from pilotbase.measures.cases import JUDGED_GOOD
from pilotbase.measures.perturbations import perturbation_of
from pilotbase.measures.resources import LoadMeasurements
from pilotbase.measures.rules import block_of, given_columns, range_of
from pilotbase.trial.accept_floor import floor_problems
from pilotbase.trial.carried import margin_problems
from pilotbase.trial.repeating import repeat_problems
from pilotbase.trial.scenario_folder import MANIFEST
from pilotbase.trial.scoring import (
    Ints,
    build_cases,
    error_level,
    first_units,
    perturbations_of,
    plan_criterion,
    plan_run,
    settle_criteria,
    unit_codes,
    unit_of,
    unit_problems,
)

if TYPE_CHECKING:
    from pilotbase.vault.attempts import Remaining
    from pilotbase.vault.sealing import HiddenSet

MAXIMUM_GROUPS: Mapping[str, int] = MappingProxyType({"gap": 200, "worst": 1_000})
"""A gap compares every ordered pair of groups: 200 are 39,800 tests, about a minute; a worst group is one test each."""
FLOOR = "trial.accept_from"
"""The path of what an accept needs at least."""
_SHOWN = 80
MOST_CAP = 1e6
"""Largest cap on errors, in usual errors of the baseline: bounds count errors from a billionth of the cap on."""
MOST_CASES = 4_000_000
"""How far cases are multiplied to find how many a drop would need."""
_TOO_FEW = {
    "cases": "trial.too_few_cases",
    "entries": "trial.too_few_entries",
    "scarcest": "trial.too_few_of_class",
    "others": "trial.too_few_others",
}
"""By what `Feasibility.of` counts."""


def check_criteria(
    scenario: Scenario, classes: tuple[str, ...], public: pl.DataFrame, cases: int, level: float
) -> None:
    """Return if every criterion can be measured and decided with ``cases`` cases at error ``level``.

    The public sample represents the hidden cases: it is resampled to their number, with every answer right. A criterion
    that isn't confirmed even then never will be.

    Raises:
        InputError: lists every criterion that can't be decided, and how many cases it would need.
    """
    problems = [*_rule_problems(scenario, classes), *panel_judge_problems(scenario, cases)]
    wrong = {index for index, _ in problems if not isinstance(index, str)}
    problems += _too_many_groups(scenario, public, wrong)
    problems += _absurd_caps(scenario, classes, public, wrong)
    if not problems:
        problems = list(drop_problems(scenario))
    _refuse(problems)
    check_decidable(scenario, classes, public, cases, level)


def check_decidable(
    scenario: Scenario, classes: tuple[str, ...], public: pl.DataFrame, cases: int, level: float
) -> None:
    """Return if every criterion can be decided, as `check_criteria`, which also checks what they are.

    The floor of an accept must be within reach too.
    """
    floor = [(FLOOR, problem) for problem in _below_floor(scenario, classes, public, cases)]
    _refuse([*floor, *undecidable(scenario, classes, public, cases, level), *_too_few_blocks(scenario, cases, level)])


def _below_floor(scenario: Scenario, classes: tuple[str, ...], public: pl.DataFrame, cases: int) -> Iterator[Text]:
    if scenario.trial.accept_from is not None and public.height:
        seen = build_cases(scenario, classes, public, right_answers(scenario, classes, public))
        yield from floor_problems(scenario, seen, cases)


def check_rules(scenario: Scenario) -> None:
    """Check everything about the criteria that needs no table; raises as `check_criteria`."""
    _refuse([*_rule_problems(scenario, None), *panel_judge_problems(scenario)])


def check_truths(scenario: Scenario, classes: tuple[str, ...], frame: pl.DataFrame) -> None:
    """Check that the measures can read the truth of every case, and the data given with it, where these are texts.

    A rule that is itself wrong is skipped, because its measure may be for another kind of answer: `check_rules` reports
    it.

    Raises:
        InputError: lists each criterion whose measure can't, and the first such case.
    """
    if scenario.target_form == "texts":
        wrong = {index for index, _ in _rule_problems(scenario, classes)}
        asked = [index for index in range(len(scenario.criteria)) if index not in wrong]
        unread = [(index, _unread(scenario, classes, frame, index)) for index in asked]
        _refuse([(index, problem) for index, problem in unread if problem is not None])


def undecidable(
    scenario: Scenario, classes: tuple[str, ...], public: pl.DataFrame, cases: int, level: float
) -> Iterator[tuple[int, Text]]:
    """Yield claims that right answers do not confirm: of a population, or by fewer cases than the whole hidden set.

    Each with its number, in a sentence that says how many eligible cases are ``found`` and how many are ``needed``.
    """
    drawn = public[np.random.default_rng(0).integers(0, public.height, cases)]
    yield from _undecidable(scenario, classes, drawn, level)


def require_enough(scenario: Scenario, classes: tuple[str, ...], hidden: pl.DataFrame, level: float) -> None:
    """Check that the ``hidden`` cases of an attempt suffice in every class, for criteria that aren't a mean of cases.

    Freezing checks this with the public sample; here the classes are counted, before anything is spent.

    Raises:
        RefusedError: names the first criterion that they can't decide, and how many cases it would need; not how many
            there are, because that would reveal labels.
    """
    for _, problem in _undecidable(scenario, classes, hidden, level):
        if problem.code in (_TOO_FEW["entries"], _TOO_FEW["scarcest"], _TOO_FEW["others"]):
            raise RefusedError("trial.too_few_hidden", rule=problem.params["rule"], needed=problem.params["needed"])
    floor, missed = scenario.trial.accept_from, list(_below_floor(scenario, classes, hidden, hidden.height))
    if floor is not None and missed:
        raise RefusedError("trial.floor_hidden", floor=floor.in_words, needed=missed[0].params["needed"])


def drop_problems(scenario: Scenario) -> Iterator[tuple[int, Text]]:
    """Yield the problems with drops among the criteria, as (index, sentence)."""
    criteria = settle_criteria(scenario)
    rules = [criterion.parsed() for criterion in criteria]
    drops = [index for index, rule in enumerate(rules) if rule.wrapper == "drop"]
    for index in drops:
        if not any(_is_floor(rule, rules[index], scenario.positive) for rule in rules):
            alone = replace(rules[index].plain, unit=None)
            example = f"{alone.key} {'<=' if measures()[alone.measure].better == 'lower' else '>='} …"
            yield index, text("trial.drop_without_floor", rule=criteria[index].rule, example=example)
        under, of_population = rules[index].under, criteria[index].estimand is Estimand.POPULATION
        if under is not None and of_population and perturbation_of(under).across_cases:
            yield index, text("trial.drop_across_cases", rule=criteria[index].rule, under=str(under))


def cases_for_drop(plan: CriterionPlan, order: Ints, levels: Levels, design: Design) -> tuple[int, int | None]:
    """Return how many eligible cases there are, and how many would confirm a drop if nothing drops at all.

    The second number is found by multiplying the cases, so it equals the first if these suffice; None if no number
    does.
    """
    there = int(np.count_nonzero(plan.observation.parts[0].weight))
    size = 1
    while size * len(order) <= MOST_CASES:
        many = np.concatenate([order + copy * len(order) for copy in range(size)])
        scaled = design if design.cases is None else replace(design, cases=design.cases * size)
        if verdict_of([_multiplied(plan, size)], many, levels, scaled)[0] == "accept":
            return there, size * there
        size *= 2
    return there, None


def next_level(scenario: Scenario, left: Remaining) -> float:
    """Return the error level for the next attempt: the hidden set's, or the scenario's if stricter."""
    suppliers = len(scenario.trial.suppliers or ())
    own = attempt_levels(exact(error_level(scenario.criteria)), left.next_number, suppliers).accept
    return min(left.next_alpha, float(own))


def why_no_attempt(scenario: Scenario, hidden: HiddenSet, left: Remaining) -> BarredError | None:
    """Return why no further attempt may be made on a hidden set: all that set or scenario allow are used; or None."""
    allowed = min(scenario.trial.attempts, hidden.attempts)
    used = hidden.attempts - left.attempts
    return BarredError("trial.no_attempts_left", allowed=allowed) if used >= allowed else None


def _unread(scenario: Scenario, classes: tuple[str, ...], frame: pl.DataFrame, index: int) -> Text | None:
    """Return why the measure of a criterion can't read the truths of ``frame``; None if it can."""
    rule = scenario.criteria[index].parsed()
    if is_resource(rule):
        return None

    def problem_in(part: pl.DataFrame) -> Text | None:
        right = right_answers(scenario, classes, part)
        try:
            observe(
                rule.plain,
                coded(build_cases(scenario, classes, part, right, {"baseline": right})),
                np.arange(part.height),
            )
        except InputError as error:
            return error.text
        return None

    if problem_in(frame) is None:
        return None
    for row in range(frame.height):
        found = problem_in(frame[row : row + 1])
        if found is not None:
            return text("trial.truth_unread", rule=str(rule), row=row + 1, problem=found)
    return None


def _rule_problems(scenario: Scenario, classes: tuple[str, ...] | None) -> list[tuple[int | str | None, Text]]:
    """Return the problems with the rules themselves, as (index, sentence); no index if it concerns all of them."""
    columns = frozenset(field.name for field in scenario.data.fields)
    columns |= {PANEL, MODEL} if scenario.trial.panel is not None else {PANEL}
    kind = scenario.answer
    has_baseline, features = scenario.baseline is not None, scenario.feature_fields
    setting = RuleContext(kind, classes or (), scenario.positive, columns, has_baseline, features)
    setting = replace(setting, knows_classes=classes is not None)
    settings = [replace(setting, estimand=criterion.estimand.value) for criterion in scenario.criteria]
    rules = [criterion.parsed() for criterion in scenario.criteria]
    found: list[tuple[int | str | None, Text]] = [
        (index, problem)
        for index, (rule, own) in enumerate(zip(rules, settings, strict=True))
        for problem in problems_of(rule, own)
    ]
    if scenario.costs is not None and scenario.costs.rule is not None:
        found += [("costs.mistakes", problem) for problem in mistake_problems(scenario.costs.rule, classes)]
    found += problems_among(rules)
    found += margin_problems(scenario.criteria)
    found += repeat_problems(scenario)
    found += _without_setup(scenario, rules)
    found += unit_problems(scenario.criteria)
    return found


def _without_setup(scenario: Scenario, rules: Sequence[Rule]) -> Iterator[tuple[int, Text]]:
    """Yield (index, sentence) of rules on a load test, a matrix or exchanges that the scenario does not ask for."""
    test, panel = scenario.trial.load_test, scenario.trial.panel
    for index, rule in enumerate(rules):
        resource = resource_measures().get(rule.measure)
        whole = scenario.criteria[index].estimand is not Estimand.POPULATION
        if whole and panel is not None and panel.cases is not None and PANEL in given_columns(rule):
            yield index, text("trial.panel_sample", rule=str(rule))
        if resource is not None and resource.of_matrix and scenario.trial.matrix is None:
            yield index, text("trial.no_matrix", rule=str(rule))
        if resource is not None and resource.of_load_test and test is None:
            yield index, text("trial.no_load_test", rule=str(rule))
        elif resource is not None and resource.name == "load.held" and (test is None or test.target is None):
            yield index, text("trial.no_load_target", rule=str(rule))
        if resource is not None and resource.of_exchanges and scenario.trial.exchanges is None:
            yield index, text("trial.no_exchanges", rule=str(rule))


def _absurd_caps(
    scenario: Scenario, classes: tuple[str, ...], public: pl.DataFrame, wrong: Collection[int | None]
) -> Iterator[tuple[int, Text]]:
    """Yield criteria in units of the baseline's errors whose cap is so large that bounds could not count them.

    ``wrong``: indices of criteria that already have another problem. A reference application is not asked.
    """
    rules = [(index, item.parsed()) for index, item in enumerate(scenario.criteria) if index not in wrong]
    capped = [(index, rule) for index, rule in rules if not is_resource(rule) and _in_errors_of_baseline(rule)]
    answers = baseline_answers(scenario, public, classes) if capped and scenario.baseline is not None else None
    if answers is None:
        return
    right = right_answers(scenario, classes, public)
    cases = build_cases(scenario, classes, public, right, {"baseline": answers})
    errors = np.abs(answers.astype(np.float64) - cases.truth.astype(np.float64))
    usual = float(np.median(errors[errors > 0])) if (errors > 0).any() else 0.0
    for index, rule in capped:
        if 0 < MOST_CAP * usual < float(rule.arguments["cap"]):
            most = f"{MOST_CAP * usual:.2g}"
            yield index, text("trial.absurd_cap", rule=str(rule), usual=f"{usual:.2g}", most=most)


def _in_errors_of_baseline(rule: Rule) -> bool:
    return measures()[rule.measure].needs_baseline and "cap" in rule.arguments


def _refuse(problems: Sequence[tuple[int | str | None, Text]]) -> None:
    if problems:
        raise InputError.from_issues(MANIFEST, [_issue(index, problem) for index, problem in problems])


def _undecidable(
    scenario: Scenario, classes: tuple[str, ...], drawn: pl.DataFrame, level: float
) -> Iterator[tuple[int, Text]]:
    cases, criteria = drawn.height, settle_criteria(scenario)
    if (panel := scenario.trial.panel) is not None:
        codes, rows = unit_codes(criteria, drawn), np.arange(cases)
        rows = rows if codes is None else np.argsort(codes, kind="stable")
        judged = set(rows[: first_units(rows, codes, panel.cases)].tolist())
        said = [JUDGED_GOOD if case in judged else "" for case in range(cases)]
        drawn = drawn.with_columns(pl.Series(PANEL, said, pl.String), pl.lit("0").alias(MODEL))
    whole = unit_of(criteria) is not None
    design = Design(scenario.trial.stop, cases if whole and scenario.trial.cases else scenario.trial.cases)
    asked = [(index, item) for index, item in enumerate(criteria) if _is_asked(item)]
    if not asked:
        return
    right = right_answers(scenario, classes, drawn)
    perturbed = {str(under): right for under in perturbations_of(criteria)}
    ideal = coded(build_cases(scenario, classes, drawn, right, {"baseline": right}, perturbed))
    order = draw_order(cases, b"feasibility", ideal.units)
    levels = Levels(exact(level), Fraction(1, 2))
    for index, criterion in asked:
        plan = plan_criterion(criterion, ideal, order)
        if plan.observation.census_only:
            yield index, text("trial.too_few_cases", rule=criterion.rule, found=design.cases, needed=cases)
            continue
        if criterion.parsed().wrapper == "drop":
            there, enough = cases_for_drop(plan, order, levels, design)
            if enough is None or enough > there:
                yield index, text("trial.too_few_cases", rule=criterion.rule, found=there, needed=enough or "∞")
            continue
        found = feasibility_of(plan, order, levels, design)
        if not found.feasible:
            needed = "∞" if found.needed is None else found.needed
            yield index, text(_TOO_FEW[found.of], rule=criterion.rule, found=found.available, needed=needed)


def _too_few_blocks(scenario: Scenario, cases: int, level: float) -> Iterator[tuple[int, Text]]:
    """Yield criteria by blocks of the run that a run without any slow block doesn't confirm."""
    test, levels = scenario.trial.load_test, Levels(exact(level), Fraction(1, 2))
    for index, criterion in enumerate(scenario.criteria):
        rule = criterion.parsed()
        length = block_of(rule)
        if length is None:
            continue
        requests = -(-cases // scenario.trial.batch_rows)
        if resource_measures()[rule.measure].of_load_test and test is not None:
            requests = int(test.rate * test.seconds)
        least = np.full(length, 1.0)  # one block: what it takes is the same however many there are
        run = RunMeasurements(least, length * scenario.trial.batch_rows, length, loaded=LoadMeasurements(least))
        plan = plan_run(criterion.rule, rule, run)
        needed = feasibility_of(plan, np.arange(len(plan.observation.parts[0].gain)), levels).needed
        if needed is None or needed > requests // length:
            values = {"found": requests // length, "needed": "∞" if needed is None else needed}
            yield index, text("trial.too_few_blocks", rule=criterion.rule, **values)


def _too_many_groups(
    scenario: Scenario, public: pl.DataFrame, wrong: Collection[int | None]
) -> Iterator[tuple[int, Text]]:
    """Yield criteria over so many groups that nothing could be claimed about one, or no pair be compared in time.

    ``wrong``: indices of criteria that already have another problem.
    """
    for index, criterion in enumerate(scenario.criteria):
        rule = criterion.parsed()
        column, allowed = rule.by, MAXIMUM_GROUPS.get(rule.wrapper or "", 0)
        if column is None or index in wrong:
            continue
        found = public[column].n_unique()
        if found > allowed or 1 < found == public.height:
            values = {"rule": criterion.rule, "column": column, "found": found, "cases": public.height}
            yield index, text("trial.too_many_groups", **values, allowed=allowed)


def _is_asked(criterion: Criterion) -> bool:
    """Return whether cases can be too few: all answers decide a claim about the hidden cases."""
    return criterion.estimand is Estimand.POPULATION and not is_resource(criterion.parsed())


def right_answers(scenario: Scenario, classes: Sequence[str], frame: pl.DataFrame) -> NDArray[Any]:
    """Return the right answer of each case in the stored form, shape (cases,); of an interval (cases, 2)."""
    truth, kind = truth_codes(frame, scenario, tuple(classes)), scenario.answer
    if scenario.target_form == "texts":
        return np.array([None if one is None else right_answer(one, kind) for one in truth.tolist()], dtype=object)
    return as_answered(truth, scenario.contract(tuple(classes)).prediction)


def _issue(index: int | str | None, problem: Text) -> Issue:
    """Return the issue with the criterion of that index, with a path, or with all criteria."""
    path = f"criteria[{index}].rule" if isinstance(index, int) else index or "criteria"
    return Issue(file=MANIFEST, path=path, problem=problem)


def _is_floor(rule: Rule, drop: Rule, positive: str | None) -> bool:
    """Return whether ``rule`` requires the drop's own measure to be good, not merely to have any value."""
    if rule.wrapper not in (None, "worst") or rule.measure != drop.measure:
        return False
    if (rule.label or positive) != (drop.label or positive) or dict(rule.arguments) != dict(drop.arguments):
        return False
    low, high = range_of(rule, ())
    return rule.threshold < high if measures()[rule.measure].better == "lower" else rule.threshold > low


def _multiplied(plan: CriterionPlan, size: int) -> CriterionPlan:
    """Return the plan of a drop on so many copies of its cases."""
    (part,) = plan.observation.parts
    copies = MeasurePart(
        np.tile(part.gain, size), np.tile(part.weight, size), tuple(part.outcomes), part.root, part.unit
    )
    units = plan.units
    if units is not None:
        span = int(units.max(initial=0)) + 1
        units = np.concatenate([units + copy * span for copy in range(size)])
    return replace(plan, observation=Observation("single", (copies,)), units=units)


def refresh_advice(
    scenario: Scenario, classes: tuple[str, ...], public: pl.DataFrame, left: Remaining
) -> Iterator[Text]:
    """Yield why fresh cases are due, in sentences for the owner; nothing if the next attempt can decide everything.

    The estimates are for planning: the public sample represents the remaining cases, with every answer right.
    """
    terms = scenario.trial
    if left.attempts < 1:
        yield text("trial.refresh.attempts")
        return
    wanted, units = max(terms.cases_per_attempt or 1, terms.cases or 1), left.units
    if units is None and left.fresh < wanted:
        yield text("trial.refresh.cases", wanted=wanted, left=left.fresh, missing=wanted - left.fresh)
    cases = min(terms.cases_per_attempt or left.fresh, left.fresh)
    if units is not None:
        drawn = units.of.held_by(terms.cases_per_attempt or 1)
        if units.torn:
            yield text("vault.units_torn", unit=units.of.column, torn=units.torn)
        if units.fresh < drawn:
            missing = drawn - units.fresh
            told = {"unit": units.of.column, "wanted": drawn, "left": units.fresh, "missing": missing}
            yield text("trial.refresh.units", **told)
        cases = units.cases(drawn if terms.cases_per_attempt else units.fresh) if units.fresh >= drawn else 0
    if not cases:
        return
    level = next_level(scenario, left)
    for _, found in undecidable(scenario, classes, public, cases, level):
        yield text(
            "trial.refresh.criterion",
            rule=found.params["rule"],
            alpha=f"{level:.2g}",
            needed=_cases(found, cases),
            cases=cases,
            left=left.fresh,
        )


def _cases(found: Text, cases: int) -> str:
    """Return how many cases of the kind there are would hold the needed eligible ones, in two digits rounded up."""
    eligible, needed = found.params["found"], found.params["needed"]
    if not isinstance(needed, int) or not isinstance(eligible, int) or not eligible:
        return "∞"
    count = math.ceil(needed * cases / eligible)
    step = 10 ** max(0, len(str(count)) - 2)
    return str(-(-count // step) * step)
