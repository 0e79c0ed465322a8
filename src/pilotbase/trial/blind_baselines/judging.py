"""Every blind baseline, scored by the scenario's own criteria on its hidden cases.

A criterion on the run (latency, memory, cost) counts as met. Perturbed arms are answered again. A criterion that needs
second answers which don't exist (a lift over a baseline that is an application) counts as missed: a missing measure is
no pass. A program that looks features up blocks the trial only if its hits are copies: there are more twins than chance
explains, and without them the program no longer meets the criteria.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import polars as pl

from pilotbase.data.baselines import as_answered, baseline_answers
from pilotbase.data.batches import feature_columns, truth_codes
from pilotbase.data.leakage import FEW_TIMES
from pilotbase.data.twins import exact_twins, have_twins, near_twins
from pilotbase.documents.contract import AnswerKind
from pilotbase.documents.criteria import Rule
from pilotbase.documents.errors import Issue, RefusedError
from pilotbase.documents.report import BlindFindings, BlindMeets, BlindScore
from pilotbase.documents.scenario import Criterion, Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.measures import Cases, coded, is_resource, measures
from pilotbase.measures.perturbations import perturbation_of
from pilotbase.trial.blind_baselines.program import BlindInput, BlindProgram, ProgramOutput
from pilotbase.trial.blind_baselines.programs import PROGRAMS
from pilotbase.trial.delivering import Ints, cut_as_stated
from pilotbase.trial.scenario_folder import MANIFEST
from pilotbase.trial.scoring import ScoredCases, build_cases, perturbations_of, settle_criteria

MOST_PUBLIC, MOST_HIDDEN = 50_000, 10_000
"""Of more cases as many are taken, evenly spread over their order."""
_MOST_OF_KIND: Mapping[AnswerKind, int] = MappingProxyType(
    {"text": 500, "labels": 2_000, "ranking": 1_000, "boxes": 500, "mask": 100}
)
"""Where one case takes long to score."""
_FEWEST_WITHOUT_TWINS = 20
_SEED = b"pilotbase blind baselines"
"""What perturbations draw from: of no consequence."""
Scores = tuple[tuple[str, float | None], ...]
_OWNERS_DIGITS, _SUPPLIERS_DIGITS = 3, 2
REFUSED = "trial.blind_passes"


@dataclass(frozen=True, eq=False)
class _Bench:
    """What programs are asked, and what scores them."""

    scenario: Scenario
    criteria: tuple[Criterion, ...]
    """Those on answers."""
    frames: tuple[pl.DataFrame, pl.DataFrame]
    """Public and hidden cases, as they are asked."""
    asked: BlindInput
    arms: Mapping[str, BlindInput]
    """The same cases under each perturbation that the criteria name."""
    cases: Cases

    def scores(self, attempt: ProgramOutput, chosen: Ints | None = None) -> Scores:
        """Return (rule, score) of each criterion on answers, over all cases or over ``chosen`` ones."""
        return _scores(self.criteria, self.cases, attempt, chosen)

    def met_by(self, scores: Scores) -> bool:
        return _are_met(self.criteria, scores)


def judge_blind(
    scenario: Scenario, classes: tuple[str, ...], public: pl.DataFrame, hidden: pl.DataFrame
) -> BlindFindings | None:
    """Return the scores of blind baselines on ``hidden``; None if the scenario has no criteria yet.

    Both frames as `conform` returns them, in file order. Bounded: at most `MOST_HIDDEN` cases are answered.
    """
    if not scenario.criteria:
        return None
    bench = _bench(scenario, classes, public, hidden)
    best: dict[str, BlindScore] = {}
    meets = easy = None
    for program in PROGRAMS:
        for attempt in _attempts(program, bench):
            scores = bench.scores(attempt)
            if not program.reads:
                _keep_best(best, bench.criteria, scores, attempt.way)
            if not bench.met_by(scores):
                continue
            found = BlindMeets(program=attempt.way, scores=scores)
            if program.reads and not _by_copies(bench, attempt):
                easy = easy or found
            else:
                meets = meets or found
    return BlindFindings(
        cases=len(bench.cases),
        best=tuple(best[item.rule] for item in bench.criteria if item.rule in best),
        meets=meets,
        easy=easy,
    )


def judge_outputs(
    scenario: Scenario, classes: tuple[str, ...], frame: pl.DataFrame, outputs: Iterable[ProgramOutput]
) -> BlindFindings:
    """Return the scores of given answers to the cases of ``frame``, none of which read a case."""
    criteria = tuple(item for item in settle_criteria(scenario) if not is_resource(item.parsed()))
    cases = build_cases(scenario, classes, frame, np.full(frame.height, None, dtype=object))
    best: dict[str, BlindScore] = {}
    meets = None
    for output in outputs:
        scores = _scores(criteria, replace(cases, baseline=output.values), output)
        _keep_best(best, criteria, scores, output.way)
        if meets is None and _are_met(criteria, scores):
            meets = BlindMeets(program=output.way, scores=scores)
    return BlindFindings(
        cases=len(cases), best=tuple(best[item.rule] for item in criteria if item.rule in best), meets=meets
    )


def blind_issues(found: BlindFindings | None) -> Iterator[Issue]:
    """Yield what the owner must fix if a blind baseline meets all criteria together."""
    if found is not None and found.meets is not None:
        problem = text(REFUSED, program=found.meets.program, scores=found.meets.told(_OWNERS_DIGITS))
        yield Issue(file=MANIFEST, path="criteria", problem=problem, hint=text(f"{REFUSED}.hint"))


def require_not_blind(found: BlindFindings | None) -> None:
    """Return unless a blind baseline meets all criteria together; raises `RefusedError`.

    Suppliers read it too: scores are as coarse as in their view of a report.
    """
    if found is not None and found.meets is not None:
        raise RefusedError(REFUSED, program=found.meets.program, scores=found.meets.told(_SUPPLIERS_DIGITS))


def told_blind(found: BlindFindings | None) -> Iterator[Text]:
    """Yield what to report to the owner if no blind baseline meets all criteria."""
    if found is None or found.meets is not None:
        return
    if found.best:
        yield text("trial.blind_best", cases=found.cases)
    for one in found.best:
        yield text("trial.blind_score", rule=one.rule, score=f"{one.score:.{_OWNERS_DIGITS}g}", program=one.program)
    if found.easy is not None:
        yield text("trial.blind_easy", program=found.easy.program, scores=found.easy.told(_OWNERS_DIGITS))


def _bench(scenario: Scenario, classes: tuple[str, ...], public: pl.DataFrame, hidden: pl.DataFrame) -> _Bench:
    rows = _spread(hidden.height, min(MOST_HIDDEN, _MOST_OF_KIND.get(scenario.answer, MOST_HIDDEN)))
    taken = hidden[_delivered(scenario, hidden)[rows]]
    # Who is asked in the order of time counts along it, however the owner's file lies.
    known = public if scenario.delivered_by is None else public[_delivered(scenario, public)]
    shown = known[_spread(public.height, MOST_PUBLIC)]
    contract, criteria = scenario.contract(classes), settle_criteria(scenario)
    asked = BlindInput(
        contract=contract,
        public=feature_columns(shown, contract),
        truths=truth_codes(shown, scenario, classes),
        hidden=feature_columns(taken, contract),
        rows=rows,
        total=hidden.height,
        batch_rows=scenario.trial.batch_rows,
    )
    arms = {
        str(under): replace(
            asked, hidden=perturbation_of(under).apply(asked.hidden, contract.features, _SEED, asked.public)
        )
        for under in perturbations_of(criteria)
    }
    baseline = baseline_answers(scenario, taken, classes)
    others = {} if baseline is None else {"baseline": as_answered(baseline, contract.prediction)}
    cases = build_cases(scenario, classes, taken, asked.picked(np.full(taken.height, -1)), others)
    on_answers = tuple(item for item in criteria if not is_resource(item.parsed()))
    return _Bench(scenario, on_answers, (shown, taken), asked, arms, cases)


def _delivered(scenario: Scenario, hidden: pl.DataFrame) -> Ints:
    """Return the rows of ``hidden`` as a trial would deliver them, by a seed that is no secret."""
    return cut_as_stated(scenario, hidden).order(hidden.height, _SEED)


def _spread(rows: int, most: int) -> Ints:
    """Return at most so many of the rows, rising, evenly spread."""
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).astype(np.int64))


def _attempts(program: BlindProgram, bench: _Bench) -> Iterator[ProgramOutput]:
    """Yield each way of a program, with its answers to the cases as they are and under each perturbation."""
    again = {under: list(program.answer(arm)) for under, arm in bench.arms.items()}
    usual = bench.asked.picked(np.full(bench.asked.size, -1))
    for place, answer in enumerate(program.answer(bench.asked)):
        # A way that a perturbation leaves no ground for falls back on what is usual.
        found = {under: answers[place : place + 1] for under, answers in again.items()}
        perturbed = {
            under: same[0].values if same and same[0].way == answer.way else usual for under, same in found.items()
        }
        yield replace(answer, perturbed=perturbed)


def _scores(criteria: Sequence[Criterion], cases: Cases, attempt: ProgramOutput, chosen: Ints | None = None) -> Scores:
    answered = replace(cases, answers=attempt.values, perturbed=attempt.perturbed)
    whole = ScoredCases.whole(coded(answered if chosen is None else answered.among(chosen)))
    return tuple((item.rule, _score(item, whole)) for item in criteria)


def _are_met(criteria: Sequence[Criterion], scores: Scores) -> bool:
    return all(_is_met(item.parsed(), found) for item, (_, found) in zip(criteria, scores, strict=True))


def _keep_best(best: dict[str, BlindScore], criteria: Sequence[Criterion], scores: Scores, way: Text) -> None:
    for item, (rule, found) in zip(criteria, scores, strict=True):
        known = best.get(rule)
        if found is None:
            continue
        higher = item.parsed().comparison == ">="
        if known is None or (found > known.score if higher else found < known.score):
            best[rule] = BlindScore(rule=rule, score=found, program=way)


def _by_copies(bench: _Bench, attempt: ProgramOutput) -> bool:
    """Return whether a program that looks features up meets the criteria only through copies of public cases."""
    scenario, (public, hidden) = bench.scenario, bench.frames
    features = [field.name for field in scenario.feature_fields]
    kinds = (exact_twins(public, hidden, features, scenario), near_twins(public, hidden, features, scenario))
    if not any(twins.exceed_chance(FEW_TIMES) for twins in kinds):
        return False
    rest = np.flatnonzero(~have_twins(public, hidden, features).to_numpy()).astype(np.int64)
    return len(rest) < _FEWEST_WITHOUT_TWINS or not bench.met_by(bench.scores(attempt, rest))


def _score(criterion: Criterion, answered: ScoredCases) -> float | None:
    """Return the score; None if there is none, or there are no second answers to compare with."""
    rule = criterion.parsed()
    if answered.cases.baseline is None and (rule.wrapper == "lift" or measures()[rule.measure].needs_baseline):
        return None
    return answered.score(criterion)


def _is_met(rule: Rule, found: float | None) -> bool:
    if found is None:
        return False
    return found >= float(rule.threshold) if rule.comparison == ">=" else found <= float(rule.threshold)
