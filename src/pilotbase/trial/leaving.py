"""Cases that leave: an application that its supplier keeps elsewhere is sent every case that it answers.

That is asked for in words of the scenario and, where its cases are of a dataset, of the dataset's terms: as if the
supplier took so many rows, which it could keep.
"""

from __future__ import annotations

from datetime import datetime

from pilotbase.data.terms.gate import require_permitted
from pilotbase.documents.application import Application
from pilotbase.documents.endpoint import Endpoint
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.moments import format_day
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.terms import Action, Channel, Purpose, Request
from pilotbase.workspace.store import View


def require_leaving(view: View, scenario: Scenario, application: Application, rows: int) -> bool:
    """Return whether cases leave: False for an application that runs in a box, True where they may and do.

    Raises:
        RefusedError: an endpoint answers, and the scenario does not say that cases may leave, the dataset's terms do
            not let the supplier have ``rows`` rows, or today is outside the time for which it is kept as it is.
    """
    endpoint = application.endpoint
    if endpoint is None:
        return False
    if not may_leave(scenario):
        raise RefusedError("trial.data_may_not_leave", scenario=scenario.name, application=application.name)
    require_in_period(endpoint, view.store.clock())
    if scenario.data.dataset is not None:
        require_permitted(view, _taking(scenario.data.dataset, application.supplier.organisation, rows))
    return True


def may_leave(scenario: Scenario) -> bool:
    """Tell whether the scenario says that its cases may leave; what it does not say it does not allow."""
    return scenario.conditions is not None and scenario.conditions.data_may_leave is True


def require_boxed(application: Application) -> None:
    """Return for an application that runs in a box; raises `RefusedError` where every case would leave for good."""
    if application.endpoint is not None:
        raise RefusedError("trial.endpoint_not_here", application=application.name)


def require_in_period(endpoint: Endpoint, now: datetime) -> None:
    """Return if ``now`` is within the days for which the supplier keeps it as it is; raises `RefusedError`."""
    if not endpoint.period.since <= format_day(now) <= endpoint.period.until:
        raise RefusedError("trial.outside_period", since=endpoint.period.since, until=endpoint.period.until)


def _taking(dataset: str, supplier: str, rows: int) -> Request:
    return Request(
        target=dataset,
        action=Action.USE,
        by=supplier,
        purpose=Purpose.VERIFICATION,
        recipient=supplier,
        channel=Channel.DOWNLOAD,
        rows=rows,
    )
