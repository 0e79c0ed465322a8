"""Drafts made from a table: examined, fixed as their owner says, with an attempt of the right size."""

from __future__ import annotations

import tempfile
from collections.abc import Container
from dataclasses import replace
from pathlib import Path

from pilotbase.data.array_files import with_arrays
from pilotbase.data.conform import conform
from pilotbase.data.doctor import Examination, examine
from pilotbase.data.drafting import DraftAnswers, ScenarioDraft, draft_scenario
from pilotbase.data.fixes import chosen_fixes
from pilotbase.data.sources.opening import read_table
from pilotbase.data.split_guesses import FEWEST_CASES as FEWEST_OF_ATTEMPT
from pilotbase.data.split_guesses import TermsGuess
from pilotbase.data.splits import Split, split_cases
from pilotbase.documents.api.trials import SizeTerms
from pilotbase.documents.errors import InputError
from pilotbase.documents.progress import OnProgress, ignore_progress
from pilotbase.documents.scenario import Scenario, TrialTerms
from pilotbase.documents.texts import Text, text
from pilotbase.trial.scenario_folder import read_cases
from pilotbase.trial.sizing import FEW_DRAWS, Effort
from pilotbase.worker.intake.scenario_tables import plan_table

DRAFTED_ATTEMPT, MOST_ATTEMPTS = 2, 10
"""A draft plans for its second attempt, as the first needs fewer cases, and allows no more than ten."""
_LONG_BYTES, _SAMPLE = 50 << 20, 20_000


def size_to_add(scenario: Scenario, folder: Path) -> int | None:
    """Return the size that would hold two attempts where now one takes all cases of ``folder``; else None."""
    if scenario.trial.cases_per_attempt is not None:
        return None
    guess = _terms_of_draft(scenario, split_cases(read_cases(scenario, folder), scenario))
    return None if guess is None else guess.terms.cases_per_attempt


def draft_sized(
    source: Path, answers: DraftAnswers, scratch: Path | None = None, on_progress: OnProgress = ignore_progress
) -> ScenarioDraft:
    """Return the draft of `draft_scenario`; where the hidden cases hold two attempts of the planned size, with it.

    A fix that a sample offers and all rows do not is left out, and the draft says so. Raises as `draft_scenario` and
    `chosen_fixes`.
    """
    if not answers.fixes:
        return draft_scenario(source, answers, scratch, _terms_of_draft, on_progress=on_progress)
    offered = examine_draft(source, draft_scenario(source, answers, scratch, on_progress=on_progress), scratch).fixes
    refuted = _refuted(source, answers, {one.spelled for one in offered}, scratch)
    fixes = chosen_fixes(offered, [one for one in answers.fixes if one not in refuted])
    draft = draft_scenario(source, answers, scratch, _terms_of_draft, fixes, on_progress)
    return replace(draft, decided=(*draft.decided, *refuted.values()))


def _refuted(source: Path, answers: DraftAnswers, offered: Container[str], scratch: Path | None) -> dict[str, Text]:
    """Return the fixes that were asked for since a sample offers them, but all rows do not, with what a draft says."""
    if not takes_long(source) or all(one in offered for one in answers.fixes or () if ":" in one):
        return {}
    sampled = examine_source(source, answers, scratch).fixes
    asked = [one for one in sampled if one.spelled in (answers.fixes or ()) and one.spelled not in offered]
    return {one.spelled: text("doctor.fix.refuted", fix=one.words) for one in asked}


def examine_source(source: Path, answers: DraftAnswers, scratch: Path | None = None) -> Examination:
    """Return what stands out in the cases of a draft without any fix; of a large table, in a sample of its rows.

    Raises as `draft_scenario`.
    """
    looked_at = replace(answers, sample=_SAMPLE if takes_long(source) else None)
    return examine_draft(source, draft_scenario(source, looked_at, scratch), scratch)


def examine_draft(source: Path, draft: ScenarioDraft, scratch: Path | None = None) -> Examination:
    """Return what stands out in the cases of ``draft``, which was made from ``source``."""
    with tempfile.TemporaryDirectory(prefix="pilotbase-doctor-", dir=scratch) as folder:
        file = source if draft.cases is None else Path(folder, draft.scenario.data.file)
        if draft.cases is not None:
            file.write_bytes(draft.cases)
        data = draft.scenario.data
        table = with_arrays(read_table(file, data.missing), data.fields, source.parent)
        return examine(draft.scenario, split_cases(conform(table, draft.scenario), draft.scenario))


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
    why = text("draft.decided.planned", attempts=attempts, cases=cases, hidden=hidden, power=f"{terms.power:.0%}")
    return TermsGuess(TrialTerms(attempts=attempts, cases_per_attempt=cases), why)
