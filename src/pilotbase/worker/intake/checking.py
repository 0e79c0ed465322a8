"""Checks of a scenario with its data, and of an application, that change nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pilotbase.catalogue.applications import read_application
from pilotbase.data.doctor import Examination, examine
from pilotbase.data.doctor.page import render_examination
from pilotbase.data.splits import split_cases
from pilotbase.documents.application import Application, form_in_words
from pilotbase.documents.base import Step, missing_for
from pilotbase.documents.errors import Findings, InputError, offer
from pilotbase.documents.files import write_whole
from pilotbase.documents.loading import LoadedDocument
from pilotbase.documents.plan import attempts_held
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Language, Text, text
from pilotbase.sandbox.box.locks import parse_lock
from pilotbase.sandbox.box.probe import probe_host
from pilotbase.trial.blind_baselines.judging import told_blind
from pilotbase.trial.scenario_folder import load_scenario, naming_places, place_problems, read_cases, read_scenario
from pilotbase.worker.base import Base
from pilotbase.worker.intake.boxed_tables import check_in_box
from pilotbase.worker.intake.kept_files import require_dataset_named
from pilotbase.worker.intake.scenario_tables import CaseCounts, check_cases, what_they_prove
from pilotbase.worker.intake.table_drafts import size_to_add
from pilotbase.worker.intake.world_checks import check_world_cases
from pilotbase.worker.trials.hidden_budgets import budget_here, budget_lines

PAGE = "doctor.html"


def check_draft(path: Path) -> Scenario:
    """Return the scenario of anyone's folder; if it is complete for a trial, a box has read its cases.

    Raises:
        InputError: every problem at once.
        RefusedError: this host gives no box.
    """
    reading, folder = read_scenario(path, Step.DRAFT)
    if reading.document is None or missing_for(reading.document, Step.FREEZE):
        return reading.require()
    _count_cases(reading, folder, check_in_box)
    return reading.require()


def check_scenario(path: Path, step: str = "freeze", base: Base | None = None) -> tuple[Scenario, Sequence[Text]]:
    """Return a scenario that is complete for ``step``, whose data fit and whose criteria can be measured; and findings.

    If ``base`` has sealed it, the findings include what is left of its hidden set, and when fresh cases are due.

    Raises:
        InputError: every problem at once.
    """
    if step.upper() not in Step.__members__:
        known = [name.lower() for name in Step.__members__]
        raise InputError("worker.unknown_step", found=step, allowed=offer(step, known))
    reading, folder = read_scenario(path, Step[step.upper()])
    cases = _count_cases(reading, folder, check_cases)
    scenario = reading.require()
    budget = None
    if base is not None:
        require_dataset_named(base.lab.vault, scenario, folder)
        budget = budget_here(base.lab, scenario, folder)
    lines = (
        text("worker.scenario_holds", scenario=scenario.name, digest=scenario.digest()),
        text("worker.scenario_cases", public=cases.public, hidden=cases.hidden, attempt=cases.attempt),
        attempts_held(scenario.trial.attempts, cases.attempt, cases.hidden, cases.draw),
        *([text("worker.scenario_board", cases=cases.board)] if cases.board else []),
        *told_blind(cases.blind),
        *([text("worker.scenario_in_time", column=scenario.delivered_by)] if scenario.delivered_by else []),
        *_reminders(scenario, cases, None if scenario.world is not None else size_to_add(scenario, folder)),
        *([] if scenario.world is not None else _prospect(scenario, folder)),
        *(budget_lines(budget) if budget is not None else []),
    )
    return scenario, lines


def _count_cases(
    reading: LoadedDocument[Scenario], folder: Path, count: Callable[[Scenario, Path], CaseCounts]
) -> CaseCounts:
    """Return the counts of ``count``; raises `InputError` with the problems of form, criteria and data together."""
    findings, counts = Findings(), None
    if reading.document is not None:
        in_world = reading.document.world is not None
        with findings.about("world" if in_world else "data.file"):
            counts = (check_world_cases if in_world else count)(reading.document, folder)
    issues = place_problems(reading, findings.issues)
    if issues or counts is None:
        raise InputError.from_issues(reading.source.file, issues)
    return counts


def _prospect(scenario: Scenario, folder: Path) -> Iterator[Text]:
    """Yield what one attempt can prove; if that is nothing, this first."""
    proves, against = what_they_prove(scenario, split_cases(read_cases(scenario, folder), scenario))
    if against:
        yield text("prospect.nothing")
    yield from (*against, *proves)


def _reminders(scenario: Scenario, cases: CaseCounts, size: int | None) -> Iterator[Text]:
    """Yield what a trial will need that no scenario can contain: approvals, a host that isolates, fresh cases."""
    if size is not None:
        yield text("worker.remind_size", size=f"cases_per_attempt: {size}")
    elif cases.attempts < (allowed := scenario.trial.attempts):
        largest = max(1, cases.largest_of(allowed))
        yield text("worker.remind_attempts", allowed=allowed, possible=cases.attempts, largest=largest)
    for approval in scenario.trial.approvals:
        if not approval.reference:
            yield text("worker.remind_approval", kind=approval.kind)
    if not probe_host().gives(scenario.trial.isolation):
        yield text("worker.remind_isolation", level=scenario.trial.isolation)


def check_application(folder: Path) -> tuple[Application, Sequence[Text]]:
    """Return an application whose folder, manifest and lock hold, and findings.

    Raises:
        InputError: every problem at once.
    """
    submission = read_application(folder)
    requirements = parse_lock(submission.lock, submission.application.requirements)
    application = submission.application
    holds = text("worker.application_holds", application=application.name, digest=submission.digest)
    count = text("worker.application_requirements", count=len(requirements), files=len(submission.tree.files))
    return application, (holds, form_in_words(application.form), count)


def examine_in(path: Path, file: Path | None = None, language: Language = "en") -> tuple[Examination, Path]:
    """Return what stands out in the cases of a scenario, and where the page of it was written: by default beside them.

    Raises:
        InputError: the scenario or its data cannot be read, with every problem at once.
    """
    scenario, folder = load_scenario(path, Step.DRAFT)
    with naming_places(path):
        found = examine(scenario, split_cases(read_cases(scenario, folder), scenario))
    file = file or folder / PAGE
    write_whole(file, render_examination(scenario, found, language))
    return found, file
