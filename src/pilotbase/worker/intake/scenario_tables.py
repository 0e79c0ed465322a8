"""What only a scenario's table can show: whether a trial would accept its cases, and its public sample.

On a hub both run in a box (`boxed_tables`); on the owner's own command line they run directly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from pilotbase.data.baselines import baseline_answers, check_baseline, people_answers
from pilotbase.data.column_types import classes_of
from pilotbase.data.doctor import examine
from pilotbase.data.leakage import check_leakage
from pilotbase.data.splits import Split, split_cases
from pilotbase.documents.api.trials import Budget, PlannedCriterion, SizePlan, SizeTerms
from pilotbase.documents.contract import Contract
from pilotbase.documents.errors import Findings, InputError, Issue
from pilotbase.documents.plan import CaseProspect, UnitDraw, units_for
from pilotbase.documents.report import BlindFindings
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import Outcome
from pilotbase.evidence import attempt_of
from pilotbase.evidence.ladder import slice_size
from pilotbase.trial.blind_baselines.judging import blind_issues, judge_blind
from pilotbase.trial.board_measure import check_board
from pilotbase.trial.criteria_check import check_criteria, check_rules, check_truths
from pilotbase.trial.recorded_exchanges.recorded import keep_to_contract
from pilotbase.trial.scenario_folder import MANIFEST, read_cases
from pilotbase.trial.scoring import codes_of, error_level, unit_of
from pilotbase.trial.sizing import FULL_EFFORT, Effort, cases_of_scenario, plan_size
from pilotbase.trial.standards import check_packaged_standards

_DRAWS = Effort(draws=50)
"""Of a plan that tells likely from unlikely."""
_LIKELY = 0.5
_TELLING = 5
"""Cases of a class: of fewer, one in 16 who toss a coin gets all right."""


@dataclass(frozen=True)
class CaseCounts:
    """How the cases of a scenario are divided: shown, hidden for trials, hidden for the board, scored in an attempt."""

    public: int
    hidden: int
    board: int
    attempt: int
    """Of whole units: how many an attempt has on average."""
    draw: UnitDraw | None = None
    """The whole units that an attempt draws, if the criteria count units; as if the board took average ones."""
    blind: BlindFindings | None = None
    """The scores of blind baselines on the hidden cases."""

    @property
    def attempts(self) -> int:
        """Return how many attempts the hidden cases hold."""
        return self.hidden // self.attempt if self.draw is None else self.draw.hidden // self.draw.units

    def largest_of(self, attempts: int) -> int:
        """Return how many cases an attempt may have so that the hidden cases hold so many ``attempts``."""
        if self.draw is None:
            return self.hidden // attempts
        return self.draw.hidden // attempts * self.hidden // self.draw.hidden


@dataclass(frozen=True)
class PublicSample:
    """What a supplier builds on: the box's inputs and outputs, and the public cases with their labels."""

    contract: Contract
    csv: bytes


def check_cases(scenario: Scenario, folder: Path) -> CaseCounts:
    """Return the counts of the cases in ``folder``, which fit the scenario and can decide its criteria.

    Raises:
        InputError: every problem at once.
    """
    findings = Findings()
    with findings.about("baseline.rule"):
        check_baseline(scenario)
    split = _split(scenario, folder, findings)
    if split is None:
        with findings.about("criteria"):
            check_rules(scenario)
        raise InputError.from_issues(MANIFEST, findings.issues)
    counts = _counts(scenario, split)
    classes = classes_of(split.public, scenario)
    if not findings.issues:
        with findings.about("baseline"):
            baseline_answers(scenario, split.public, classes)
        with findings.about("people"):
            people_answers(scenario, split.public, classes)
    with findings.about("trial.board"):
        check_board(scenario, classes, split.hidden)
    with findings.about("trial.exchanges"):
        keep_to_contract(scenario, folder, classes, split)
    with findings.about("standards"):
        check_packaged_standards(scenario)
    findings.issues += _refused_data(scenario, split, counts)
    with findings.about("criteria"):
        check_truths(scenario, classes, pl.concat([split.public, split.hidden]))
        check_criteria(scenario, classes, split.public, counts.attempt, error_level(scenario.criteria) / 2)
    if not findings.issues:
        counts = replace(counts, blind=judge_blind(scenario, classes, split.public, split.hidden))
        findings.issues += blind_issues(counts.blind)
    findings.require_none(MANIFEST)
    return counts


def read_sample(scenario: Scenario, folder: Path) -> PublicSample:
    """Return the public sample of the cases in ``folder``; raises `InputError`."""
    public = split_cases(read_cases(scenario, folder), scenario).public
    return public_sample(scenario, scenario.contract(classes_of(public, scenario)), public)


def public_sample(scenario: Scenario, contract: Contract, cases: pl.DataFrame) -> PublicSample:
    """Return what an application is built on: features and answers of public ``cases``."""
    names = [field.name for field in contract.features]
    return PublicSample(contract, cases.select([*names, scenario.data.target]).write_csv().encode())


def foretell(scenario: Scenario, folder: Path) -> CaseProspect:
    """Return what the cases in ``folder`` can prove and what stands out in them; raises `InputError`."""
    split = split_cases(read_cases(scenario, folder), scenario)
    proves, against = what_they_prove(scenario, split)
    found = examine(scenario, split).grouped
    remarks = tuple(text("doctor.line", sentence=one.sentence, remedy=one.remedy) for one in found)
    return CaseProspect(scenario=scenario.digest(), proves=proves, against=against, remarks=remarks)


def what_they_prove(scenario: Scenario, split: Split) -> tuple[tuple[Text, ...], tuple[Text, ...]]:
    """Return what one attempt on the cases can prove, and why that is nothing, in sentences."""
    few = tuple(_too_few_to_tell(scenario, split))
    try:
        plan = plan_table(scenario, split, SizeTerms(attempt=1), effort=_DRAWS)
    except InputError as error:
        never = error.code in ("trial.too_large_to_plan", "trial.never_confirmed")
        return ((), (*few, error.text)) if never else ((error.text,), few)
    cases, wanted = (
        scenario.trial.cases_per_attempt or split.hidden.height,
        {"needed": plan.cases, "power": percent(plan.power)},
    )
    future = [one for one in plan.criteria if not one.of_hidden_set]
    if not future:
        return (text("prospect.of_hidden_set", cases=cases, **wanted),), few
    chance = power_at(cases, future)
    told = [text("prospect.accepts", cases=cases, chance=percent(chance))]
    if plan.cases > cases:
        told.append(text("prospect.takes", **wanted))
    return ((), (*few, *told)) if chance < _LIKELY else (tuple(told), few)


def power_at(cases: int, criteria: Iterable[PlannedCriterion]) -> float:
    """Return the probability, at least, that so many cases confirm every criterion: their misses add up at most."""
    missed = 0.0
    for one in criteria:
        sizes, powers = [0, *(point.cases for point in one.curve)], [0.0, *(point.power for point in one.curve)]
        missed += 1 - float(np.interp(cases, sizes, powers))
    return max(0.0, 1 - missed)


def _too_few_to_tell(scenario: Scenario, split: Split) -> Iterator[Text]:
    """Yield the classes that criteria are about and that guessing gets right by chance, so few are hidden."""
    if scenario.target_form != "labels":
        return
    hidden = Counter(split.hidden[scenario.data.target].to_list())
    for label in {scenario.positive: 1, **{one.parsed().label: 1 for one in scenario.criteria}}:
        if label is not None and hidden[label] < _TELLING:
            yield text("prospect.too_few_of_class", count=hidden[label], label=label)


def plan_table(
    scenario: Scenario,
    split: Split,
    terms: SizeTerms,
    budget: Budget | None = None,
    effort: Effort = FULL_EFFORT,
    classes: tuple[str, ...] | None = None,
) -> SizePlan:
    """Return the size of an attempt on the cases of a scenario, by default the next one on what ``budget`` has left.

    ``classes``: by default those in the public sample.

    Raises as `cases_of_scenario` and `plan_size`.
    """
    with_earlier = terms.discordance is not None
    classes = classes_of(split.public, scenario) if classes is None else classes
    planned = cases_of_scenario(scenario, classes, split.public, with_earlier)
    wanted: dict[str, int] = {}
    if terms.hidden is None:
        wanted["hidden"] = split.hidden.height if budget is None else budget.fresh
    if budget is not None:
        suppliers = len(scenario.trial.suppliers or ())
        planned = replace(planned, alpha=min(planned.alpha, budget.alpha / max(1, suppliers)))
        wanted["attempt"] = terms.attempt or attempt_of(budget.next_number, suppliers)
    plan = plan_size(planned, terms.model_copy(update=wanted), effort)
    return plan.model_copy(update={"budget": budget, **_in_units(scenario, split, plan)})


def _in_units(scenario: Scenario, split: Split, plan: SizePlan) -> dict[str, int]:
    """Return how many whole units the cases of a plan are, and how many such attempts those left hold."""
    unit, budget = unit_of(scenario.criteria), plan.budget
    if unit is None or not split.hidden.height:
        return {}
    hidden = split.hidden[unit].n_unique()
    units = units_for(plan.cases, hidden, split.hidden.height)
    left = hidden if budget is None or budget.units is None else budget.units
    return {"units": units} if plan.attempts is None else {"units": units, "attempts": left // units}


def _split(scenario: Scenario, folder: Path, findings: Findings) -> Split | None:
    """Return the cases, split; None if table and scenario do not fit, with each problem added to the findings."""
    with findings.about("data.file"):
        frame = read_cases(scenario, folder)
        try:
            return split_cases(frame, scenario)
        except InputError as error:
            path = _FIELDS.get(error.code, "data.split")
            findings.issues.append(Issue(file=MANIFEST, path=path, problem=error.text, hint=error.hint))
    return None


def _counts(scenario: Scenario, split: Split) -> CaseCounts:
    terms = scenario.trial.board
    board = 0 if terms is None else slice_size(terms.share, split.hidden.height)
    hidden = split.hidden.height - board
    attempt, unit = scenario.trial.cases_per_attempt or max(hidden, 1), unit_of(scenario.criteria)
    if unit is None or not hidden:
        return CaseCounts(split.public.height, hidden, board, attempt)
    sizes = np.sort(np.bincount(codes_of(split.hidden[unit])))[::-1]
    units = units_for(hidden, len(sizes), split.hidden.height)
    drawn = min(units_for(attempt, len(sizes), split.hidden.height), units)
    most, average = int(sizes[:drawn].sum()), max(1, round(drawn * float(sizes.mean())))
    draw = UnitDraw(column=unit, units=drawn, hidden=units, cases=most, average=average)
    return CaseCounts(split.public.height, hidden, board, attempt if attempt > hidden else average, draw)


def _refused_data(scenario: Scenario, split: Split, counts: CaseCounts) -> list[Issue]:
    """Return what a trial would refuse in these data, before anyone has tried."""
    problems = [
        ("data.split", check.sentence)
        for check in check_leakage(split.public, split.hidden, scenario).checks
        if check.outcome is Outcome.FAIL
    ]
    if counts.attempt > counts.hidden:
        wanted = text("worker.too_many_cases", wanted=counts.attempt, hidden=counts.hidden)
        problems.append(("trial.cases_per_attempt", wanted))
    return [Issue(file=MANIFEST, path=path, problem=problem) for path, problem in problems]


_FIELDS = {
    "data.unknown_positive": "positive",
    "data.unknown_group": "data.split.hidden",
    "data.unreadable_moment": "data.split.hidden_from",
    "data.one_class_public": "data.target",
    "data.one_class_hidden": "data.target",
}
"""Problem of the split → the field that it concerns, if that is not the split."""
