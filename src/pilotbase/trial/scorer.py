"""The scorer: a trial from its plan to its one report, phase by phase.

It runs in its own process (`scorer_process`). Killed at any moment and restarted, it continues from the committed
answers; the order of scoring is revealed only after the last answer is committed; the report is stored once.
"""

from __future__ import annotations

from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import OnProgress
from pilotbase.documents.report import Report
from pilotbase.documents.subjects import report_head
from pilotbase.trial.estimating import NO_LIMIT, SpendingLimit, require_consent
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.phases import asking, judging, opening, reporting, reserving
from pilotbase.vault.attempts import AttemptState, attempts_of, close_attempt
from pilotbase.vault.sealing import HiddenSet


def report_of(lab: TrialRuntime, plan: TrialPlan) -> Report | None:
    """Return the report of a plan that has run to its end, or None."""
    return lab.view.load_head(report_head(plan.digest()), Report)


def score_trial(lab: TrialRuntime, plan: TrialPlan, on_progress: OnProgress, limit: SpendingLimit = NO_LIMIT) -> Report:
    """Return the one report of ``plan``; call it only in the scorer process.

    ``limit``: the limit above which the run is held until there is consent.

    Raises:
        RefusedError: the data leak, no fresh cases or attempts are left, another scorer is working on this plan, or it
            is held.
        InvalidProofError: hidden data, application or environment differ from the plan.
    """
    known = report_of(lab, plan)
    if known is not None:
        _close_attempts(lab, plan)
        return known
    require_consent(lab, plan.digest(), limit)
    opened = opening.open_trial(lab, plan, limit, on_progress)
    reserved = reserving.reserve(opened)
    with asking.answering(reserved) as answered:
        committed = asking.commit(answered)
    decided = judging.decide_trial(committed)
    return reporting.publish(decided)


def _close_attempts(lab: TrialRuntime, plan: TrialPlan) -> None:
    """End an attempt whose scorer was killed between storing the report and ending it."""
    hidden = lab.view.load(plan.scenario.hidden_set, HiddenSet)
    for attempt in attempts_of(lab.vault, hidden):
        if attempt.plan == plan.digest() and attempt.state is AttemptState.COMMITTED:
            close_attempt(lab.vault, attempt)
