"""Running trials."""

from __future__ import annotations

from pilotbase.catalogue.records import record_of
from pilotbase.documents.api.trials import EstimateTold, QueuedWork
from pilotbase.documents.subjects import commission_subject, scenario_subject
from pilotbase.operations import trials as declared
from pilotbase.operations.matches import OfRecord
from pilotbase.operations.operation import NoInput, Out
from pilotbase.worker.bound.binding import Caller, does
from pilotbase.worker.jobs.waiting_line import waiting_line
from pilotbase.worker.trials.boards import board_for
from pilotbase.worker.trials.comparing import compare
from pilotbase.worker.trials.consenting import estimate_told
from pilotbase.worker.trials.hidden_budgets import budget_of_scenario
from pilotbase.workspace.failures import NotFoundError

does(declared.BOARD)(lambda caller, asked: board_for(caller.view, scenario_subject(asked.owner, asked.name)))
does(declared.COMPARISON)(lambda caller, asked: compare(caller.view, _scenario(asked)))
does(declared.BUDGET)(
    lambda caller, asked: _known(
        budget_of_scenario(caller.base, caller.view, scenario_subject(asked.owner, asked.name))
    )
)


@does(declared.QUEUE)
def queue(caller: Caller, asked: NoInput) -> list[QueuedWork]:
    """Return running and waiting work, in the order in which workers take it."""
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
    """Return the estimated time and cost of a trial."""
    record = record_of(caller.view, commission_subject(asked.name))
    return _known(estimate_told(caller.view, record) if record is not None else None)


def _known(found: Out | None) -> Out:
    if found is None:
        raise NotFoundError("hub.not_found")
    return found


def _scenario(asked: OfRecord) -> str:
    return scenario_subject(asked.owner, asked.name)
