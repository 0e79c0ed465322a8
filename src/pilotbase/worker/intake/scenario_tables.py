"""What only a scenario's table can tell: whether a trial would take its cases, and its public sample.

On a hub both run in a box (`boxed_tables`); on the owner's own command line they run as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pilotbase.data.baselines import baseline_answers
from pilotbase.data.labels import classes_of
from pilotbase.data.leakage import check_leakage
from pilotbase.data.splits import Split, split_cases
from pilotbase.documents.contract import Contract
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Outcome
from pilotbase.trial.board_measure import check_board
from pilotbase.trial.criteria_check import check_criteria
from pilotbase.trial.scenario_folder import MANIFEST, read_cases
from pilotbase.trial.verdict_rules import error_level
from pilotbase.vault.board import FEWEST_CASES


@dataclass(frozen=True)
class CaseCounts:
    """How the cases of a scenario fall apart: shown, hidden for trials, hidden for the board, scored in one attempt."""

    public: int
    hidden: int
    board: int
    attempt: int


@dataclass(frozen=True)
class PublicSample:
    """What a supplier builds on: what goes into the box and comes out, and the public cases with their labels."""

    contract: Contract
    csv: bytes


def check_cases(scenario: Scenario, folder: Path) -> CaseCounts:
    """Return the counts of the cases in ``folder``, which fit the scenario and can decide its criteria.

    Raises:
        InputError: every problem at once.
    """
    split = split_cases(read_cases(scenario, folder), scenario)
    classes = classes_of(split.public, scenario)
    baseline_answers(scenario, split.public, classes)
    check_board(scenario, classes)
    board = _board_cases(scenario, split.hidden.height)
    hidden = split.hidden.height - board
    cases = scenario.trial.cases_per_attempt or max(hidden, 1)
    _refuse_data(scenario, split, cases, hidden)
    first_share = error_level(scenario.criteria) / 2
    check_criteria(scenario, classes, split.public, cases, first_share)
    return CaseCounts(split.public.height, hidden, board, cases)


def read_sample(scenario: Scenario, folder: Path) -> PublicSample:
    """Return the public sample of the cases in ``folder``; raises `InputError`."""
    public = split_cases(read_cases(scenario, folder), scenario).public
    contract = scenario.contract(classes_of(public, scenario))
    names = [field.name for field in contract.features]
    return PublicSample(contract, public.select([*names, scenario.data.target]).write_csv().encode())


def _board_cases(scenario: Scenario, hidden: int) -> int:
    """Return about how many hidden cases the scenario's board takes: whole clusters may be a few more."""
    terms = scenario.trial.board
    return 0 if terms is None else max(round(terms.share * hidden), FEWEST_CASES)


def _refuse_data(scenario: Scenario, split: Split, cases: int, hidden: int) -> None:
    """Raise `InputError` for what a trial would refuse of these data, before anybody has tried."""
    problems = [
        ("data.split", check.sentence)
        for check in check_leakage(split.public, split.hidden, scenario).checks
        if check.outcome is Outcome.FAIL
    ]
    if cases > hidden:
        wanted = text("worker.too_many_cases", wanted=cases, hidden=hidden)
        problems.append(("trial.cases_per_attempt", wanted))
    if problems:
        issues = [Issue(file=MANIFEST, path=path, problem=problem) for path, problem in problems]
        raise InputError.from_issues(MANIFEST, issues)
