"""Trials as they go."""

from __future__ import annotations

from pilotbase.catalogue.records import record_of
from pilotbase.documents.api.comparison import Budget
from pilotbase.documents.api.trials import EstimateTold, QueuedWork
from pilotbase.documents.subjects import commission_subject, scenario_subject
from pilotbase.operations import trials as declared
from pilotbase.operations.operation import NoInput
from pilotbase.worker.bound.binding import Caller, does
from pilotbase.worker.computing.told_estimates import estimate_told
from pilotbase.worker.jobs.waiting_line import waiting_line
from pilotbase.worker.trials.comparing import compare
from pilotbase.worker.trials.hidden_budgets import budget_of_scenario
from pilotbase.workspace.failures import NotFoundError

does(declared.COMPARISON)(lambda caller, asked: compare(caller.view, scenario_subject(asked.owner, asked.name)))


@does(declared.QUEUE)
def queue(caller: Caller, asked: NoInput) -> list[QueuedWork]:
    """Tell what runs and waits, in the order in which it is taken."""
    return [
        QueuedWork(
            subject=line.subject,
            work=line.progress.kind,
            state=line.progress.state,
            position=line.progress.position,
            stage=line.progress.stage.render(caller.language) if line.progress.stage else None,
            percent=line.progress.share,
            reason=line.progress.reason.render(caller.language) if line.progress.reason else None,
            organisation=line.organisation,
            since=line.since,
        )
        for line in waiting_line(caller.view)
    ]


@does(declared.ESTIMATE)
def estimate(caller: Caller, asked: declared.OfTrial) -> EstimateTold:
    """Tell what a trial takes and costs in all."""
    record = record_of(caller.view, commission_subject(asked.name))
    found = estimate_told(caller.view, record) if record is not None else None
    if found is None:
        raise NotFoundError("hub.not_found")
    return found


@does(declared.BUDGET)
def budget(caller: Caller, asked: declared.OfScenario) -> Budget:
    """Tell what the hidden data of a scenario still hold."""
    found = budget_of_scenario(caller.base, caller.view, scenario_subject(asked.owner, asked.name))
    if found is None:
        raise NotFoundError("hub.not_found")
    return found
