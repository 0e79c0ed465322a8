"""Drafts made from a table: foreseen, examined, fixed as their owner says, with an attempt of the right size."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Container
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pydantic

from pilotbase.data.array_files import with_arrays
from pilotbase.data.column_types import classes_of
from pilotbase.data.conform import conform
from pilotbase.data.doctor import Examination, examine, remark_on_gap
from pilotbase.data.drafting import (
    FEWEST_VALUES,
    MOST_CLASSES,
    DraftAnswers,
    ScenarioDraft,
    counted_classes,
    draft_from,
)
from pilotbase.data.fixes import NO_FIXES, Fixes, as_meant, chosen_fixes
from pilotbase.data.source_cases import CaseSource, place_of_arrays, reading_cases
from pilotbase.data.sources.opening import read_table
from pilotbase.data.splits import FEWEST_CASES as FEWEST_OF_ATTEMPT
from pilotbase.data.splits import Split, TermsGuess, split_cases
from pilotbase.data.thresholds import ClassCounts, check_mistakes, propose_classes
from pilotbase.documents.api.trials import SizePlan, SizeTerms
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.progress import Progress
from pilotbase.documents.scenario import Costs, Criterion, Scenario, TrialTerms
from pilotbase.documents.scenario_data import HashSplit
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import Estimand
from pilotbase.trial.scenario_folder import read_cases
from pilotbase.trial.sizing import FEW_DRAWS, Effort, cases_of_scenario, plan_size
from pilotbase.worker.intake.scenario_tables import plan_table, power_at

DRAFTED_ATTEMPT, MOST_ATTEMPTS = 2, 10
"""A draft plans for its second attempt, as the first needs fewer cases, and allows no more than ten."""
_LONG_BYTES, _SAMPLE = 50 << 20, 20_000
_MOST_ANSWERS, _QUICK_DRAWS, _MOST_SECONDS = 4000, 50, 3.0
"""Of a plan while costs are being chosen: somebody waits for each."""


def size_to_add(scenario: Scenario, folder: Path) -> int | None:
    """Return the size that would hold two attempts where now one takes all cases of ``folder``; else None."""
    if scenario.trial.cases_per_attempt is not None:
        return None
    guess = _terms_of_draft(scenario, split_cases(read_cases(scenario, folder), scenario))
    return None if guess is None else guess.terms.cases_per_attempt


def draft_here(table: Path, answers: DraftAnswers) -> ScenarioDraft:
    """Return the draft of `draft_sized` from a table; raises as it."""
    with reading_cases(table) as source:
        return draft_sized(source, answers)


def draft_sized(source: CaseSource, answers: DraftAnswers) -> ScenarioDraft:
    """Return the draft of `draft_from`; where the hidden cases hold two attempts of the planned size, with it.

    A fix that a sample offers and all rows do not is left out, and the draft says so. Raises as `draft_from` and
    `chosen_fixes`.
    """
    if not answers.fixes:
        return draft_from(source, answers, _terms_of_draft)
    offered = _examined(source, answers).fixes
    refuted = _refuted(source, answers, {one.spelled for one in offered})
    fixes = chosen_fixes(offered, [one for one in answers.fixes if one not in refuted])
    draft = draft_from(source, answers, _terms_of_draft, fixes)
    return replace(draft, decided=(*draft.decided, *refuted.values()))


def _refuted(source: CaseSource, answers: DraftAnswers, offered: Container[str]) -> dict[str, Text]:
    """Return the fixes that were asked for since a sample offers them, but all rows do not, with what a draft says."""
    if all(one in offered for one in answers.fixes or () if ":" in one):
        return {}
    sampled = examine_sample(source, answers).fixes
    asked = [one for one in sampled if one.spelled in (answers.fixes or ()) and one.spelled not in offered]
    return {one.spelled: text("doctor.fix.refuted", fix=one.words) for one in asked}


def examine_source(source: CaseSource, answers: DraftAnswers) -> Examination:
    """Return what stands out in the cases of a draft without any fix; of a large table, in a sample of its rows.

    Raises as `draft_from`.
    """
    return examine_sample(source, answers) if takes_long(source.place) else _examined(source, answers)


def examine_sample(source: CaseSource, answers: DraftAnswers) -> Examination:
    """Return what stands out in at most `_SAMPLE` rows, as `examine_source` does."""
    return _examined(source, replace(answers, sample=_SAMPLE))


def _examined(source: CaseSource, answers: DraftAnswers) -> Examination:
    """Return what stands out; where the answer is empty in some rows, that too, and the rest without these rows."""
    try:
        draft, lacking = draft_from(source, answers), []
    except InputError as error:
        lacking = [one for one in map(remark_on_gap, error.issues) if one is not None]
        if len(lacking) < len(error.issues) or not lacking:
            raise
        without = Fixes(tuple(as_meant(one.fix, answers.fixes or ()) for one in lacking if one.fix is not None))
        try:
            draft = draft_from(source, answers, fixes=without)
        except InputError as other:
            said = other.issues or [Issue(file="", path="target", problem=other.text)]
            raise InputError.from_issues(source.place.name, [*error.issues, *said]) from None
    found = examine_draft(source, draft)
    return replace(found, remarks=(*lacking, *found.remarks))


def costs_asked(source: CaseSource, answers: DraftAnswers) -> dict[str, Text]:
    """Return how to ask what a miss and a false alarm cost, from the first values of the target.

    One of them, or both, are absent where errors have no such cost. Raises as `CaseSource.cases`.
    """
    found = pl.Series(source.first_values(answers.reading, answers.target, _SAMPLE), dtype=pl.String)
    values = found.n_unique()
    if values > FEWEST_VALUES and not found.cast(pl.Float64, strict=False).null_count():
        return {"miss": text("draft.question.unit_of_error")}
    if values > MOST_CLASSES:
        return {}
    if values != 2:
        mistakes = {"miss": text("draft.question.mistakes")} if values else {}
        return mistakes | {"false_alarm": text("draft.question.false_alarm")}
    classes = counted_classes(found)
    words = {"positive": classes.positive, "negative": classes.usual}
    return {name: text(f"draft.question.{name}_of_class", **words) for name in ("miss", "false_alarm")}


def examine_draft(source: CaseSource, draft: ScenarioDraft) -> Examination:
    """Return what stands out in the cases of ``draft``, which was made from ``source``."""
    split = split_of_draft(source, draft)
    if takes_long(source.place):
        source.on_progress(Progress(text("doctor.progress", rows=split.public.height + split.hidden.height)))
    return examine(draft.scenario, split)


def split_of_draft(source: CaseSource, draft: ScenarioDraft) -> Split:
    """Return the cases of ``draft``, which was made from ``source``."""
    with tempfile.TemporaryDirectory(prefix="doctor-", dir=source.scratch) as folder:
        file = source.place if draft.cases is None else Path(folder, draft.scenario.data.file)
        if draft.cases is not None:
            file.write_bytes(draft.cases)
        data = draft.scenario.data
        table = with_arrays(read_table(file, data.missing), data.fields, place_of_arrays(source.place))
        return split_cases(conform(table, draft.scenario), draft.scenario)


class DraftOutlook(pydantic.BaseModel):
    """What a draft rests on, before it is made: costs alone still move its criteria."""

    scenario: Scenario
    classes: ClassCounts | None
    """None: answers are no classes."""
    answers: tuple[bool | int | float | str, ...]
    """Of the public sample, evenly at most `_MOST_ANSWERS` of them; none where no size is planned."""
    public: int
    hidden: int

    def counts_costs(self, costs: Costs) -> bool:
        """Return whether criteria follow from ``costs``."""
        return self.classes is not None and (costs.mistakes is not None or self.classes.costs_count)

    def criteria_at(self, costs: Costs) -> tuple[Criterion, ...]:
        """Return the criteria of the draft at these costs, all above 0; raises `InputError` if they do not fit."""
        if self.classes is None or not self.counts_costs(costs):
            return self.scenario.criteria
        check_mistakes(costs, tuple(self.classes.counts))
        return propose_classes(self.classes, costs).criteria


def foresee_draft(source: CaseSource, answers: DraftAnswers, fixes: Fixes = NO_FIXES) -> DraftOutlook:
    """Return what a draft from ``source`` would rest on; of a large table, a sample. Raises as `draft_from`."""
    wanted = replace(answers, sample=_SAMPLE if takes_long(source.place) else None)
    draft = draft_from(source, wanted, fixes=fixes)
    split, scenario = split_of_draft(source, draft), draft.scenario
    target = split.public[scenario.data.target]
    planned = scenario.target_form != "texts"
    classes = counted_classes(target) if scenario.target_form == "labels" else None
    every = max(1, -(-len(target) // _MOST_ANSWERS))
    return DraftOutlook(
        scenario=scenario,
        classes=classes,
        answers=tuple(target.sort().gather_every(every)) if planned else (),
        public=split.public.height,
        hidden=split.hidden.height,
    )


def criteria_at(scenario: Scenario, cases: pl.DataFrame, costs: Costs) -> tuple[Criterion, ...]:
    """Return the criteria that follow from ``costs``, or as they are where the scenario's costs do not lead to them."""
    known, target, public = scenario.costs, scenario.data.target, split_cases(cases, scenario).public
    if scenario.target_form != "labels" or known is None or not (known.count and costs.count):
        return scenario.criteria
    counted = counted_classes(public[target])
    check_mistakes(costs, tuple(counted.counts))
    before, after = (propose_classes(counted, one).criteria for one in (known, costs))
    return after if [one.rule for one in before] == [one.rule for one in scenario.criteria] else scenario.criteria


@dataclass(frozen=True)
class ForeseenPlan:
    """How many cases one attempt takes, and what the hidden ones of a draft bear."""

    plan: SizePlan
    cases: int
    """Of one attempt."""
    attempts: int
    """That the hidden cases hold; 0: they are too few for a verdict about future cases."""
    lacking: int
    """Rows of the table that one more attempt lacks, public ones included."""
    curve: tuple[tuple[int, float], ...]
    """Cases → the probability, at least, that an application as good as the plan supposes meets every criterion."""


def plan_foreseen(outlook: DraftOutlook, criteria: tuple[Criterion, ...]) -> ForeseenPlan:
    """Return the plan of the drafted attempt; raises `InputError` as `plan_size`."""
    plan = _foreseen(outlook, criteria, DRAFTED_ATTEMPT)
    attempts = min(outlook.hidden // max(plan.cases, FEWEST_OF_ATTEMPT), MOST_ATTEMPTS)
    if attempts < DRAFTED_ATTEMPT:  # the first of all needs fewer cases
        plan = _foreseen(outlook, criteria, 1)
        attempts = int(outlook.hidden >= plan.cases)
    cases = max(plan.cases, FEWEST_OF_ATTEMPT)
    short = max(0, (attempts + 1) * cases - outlook.hidden)
    lacking = math.ceil(short * (outlook.hidden + outlook.public) / outlook.hidden)
    sizes = sorted({point.cases for one in plan.criteria for point in one.curve} | {plan.cases})
    curve = tuple((size, power_at(size, plan.criteria)) for size in sizes)
    return ForeseenPlan(plan, cases, attempts, lacking, curve)


def _foreseen(outlook: DraftOutlook, criteria: tuple[Criterion, ...], attempt: int) -> SizePlan:
    known, target = outlook.scenario, outlook.scenario.data.target
    data = known.data.model_copy(update={"split": HashSplit()})  # the answers alone are at hand, no column of times
    scenario = known.model_copy(update={"criteria": criteria, "data": data})
    public = pl.DataFrame({target: outlook.answers})
    planned = cases_of_scenario(scenario, classes_of(public, scenario), public)
    return plan_size(planned, SizeTerms(attempt=attempt), Effort(_MOST_SECONDS, _QUICK_DRAWS))


def takes_long(table: Path) -> bool:
    """Return whether the checks between public and hidden cases of a table take minutes."""
    return table.stat().st_size > _LONG_BYTES


def _terms_of_draft(scenario: Scenario, split: Split) -> TermsGuess | None:
    if scenario.target_form == "texts" or split.hidden.height < 2 * FEWEST_OF_ATTEMPT:
        return None
    terms = SizeTerms(attempt=DRAFTED_ATTEMPT)
    try:
        plan = plan_table(scenario, split, terms, effort=Effort(draws=FEW_DRAWS))
    except InputError:
        return None
    cases, hidden = max(plan.cases, FEWEST_OF_ATTEMPT), split.hidden.height
    attempts = min(hidden // cases, MOST_ATTEMPTS)
    if attempts < 2:
        return None
    why = text("draft.decided.planned", attempts=attempts, cases=cases, hidden=hidden, power=percent(terms.power))
    return TermsGuess(TrialTerms(attempts=attempts, cases_per_attempt=cases), why, _about_future(scenario, plan))


def _about_future(scenario: Scenario, plan: SizePlan) -> tuple[Criterion, ...]:
    """Return the criteria, the planned ones about future cases where hidden cases are drawn at random."""
    drawn = scenario.data.split
    if not isinstance(drawn, HashSplit) or drawn.by is not None:
        return scenario.criteria
    planned, future = {one.rule for one in plan.criteria}, {"estimand": Estimand.POPULATION}
    return tuple(one.model_copy(update=future) if one.rule in planned else one for one in scenario.criteria)
