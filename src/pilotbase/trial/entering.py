"""Whom a trial, a rehearsal or a sample may reach: the terms gate for it, and cases that leave for an endpoint.

Cases that leave: an application that its supplier keeps elsewhere is sent every case that it answers. That is asked for
in words of the scenario and, where its cases are of a dataset, of the dataset's terms: as if the supplier took so many
rows, which it could keep.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime

from pilotbase.data.terms.gate import judge, permit, permits_everyone, require_permitted
from pilotbase.documents.application import Application
from pilotbase.documents.door import KEYS_OF, ModelDoor
from pilotbase.documents.endpoint import Endpoint
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest, digest_json
from pilotbase.documents.moments import format_day
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.site import Release
from pilotbase.documents.subjects import Subject
from pilotbase.documents.terms import AccessGrant, Action, Channel, LegalBasis, Purpose, Request
from pilotbase.documents.vocabularies import Opening
from pilotbase.protocols.guarded_http import NoAnswerError
from pilotbase.sandbox.endpoints.operator import EndpointSettings
from pilotbase.vault.opening import require_still
from pilotbase.vault.place import Vault
from pilotbase.workspace.store import View
from pilotbase.workspace.terms_rows import dataset_row


@dataclass(frozen=True)
class AccessMode:
    """How results leave, how many cases are answered, and the least number of cases behind any figure."""

    channel: Channel
    rows: int
    cell_size: int | None = None
    """None: no smallest size is kept to."""

    @classmethod
    def of_trial(cls, cases: int, release: Release | None = None) -> AccessMode:
        """Return the mode of a trial: a report; at a site, only what the owner releases."""
        if release is None:
            return cls(Channel.REPORT, cases)
        return cls(Channel.SITE_PACK, cases, release.smallest_cell)


def enter(view: View, scenario: Scenario, supplier: str, paper: Digest, mode: AccessMode) -> AccessGrant:
    """Return permission for the application of ``supplier`` to answer hidden cases under ``paper``, counted once.

    ``paper``: the frozen plan, the submission to the board, or the digest of a pack for a site.

    Raises:
        RefusedError: no agreement on the scenario's dataset permits it; nothing was opened, and no attempt is spent.
    """
    return permit(view, _request(scenario, supplier, scenario.data.dataset or paper, mode), paper)


def enter_tender(view: View, scenario: Scenario, supplier: str, paper: Digest, cases: int) -> AccessGrant:
    """Return permission for one entrant of the tender whose plan is ``paper``; raises as `enter`."""
    request = _request(scenario, supplier, scenario.data.dataset or paper, AccessMode.of_trial(cases))
    return permit(view, request, digest_json([paper, supplier]))


def require_terms(view: View, scenario: Scenario, supplier: str, mode: AccessMode) -> None:
    """Return if the terms of the scenario's dataset permit a trial now; without a dataset the plan is agreed on alone.

    Raises:
        RefusedError: they do not, with every reason.
    """
    if scenario.data.dataset is not None:
        require_permitted(view, _request(scenario, supplier, scenario.data.dataset, mode))


def enter_rehearsal(
    view: View, scenario: Scenario, supplier: str, rehearsal: Digest, mode: AccessMode
) -> AccessGrant | None:
    """Return permission for the application of ``supplier`` to answer the public sample, counted once a day.

    None if nothing is counted: the cases belong to no dataset or to an open one; or the rehearsal is part of a pack for
    a site, which is one use and releases nothing of it. ``rehearsal`` names the application version and the sample.

    Raises:
        RefusedError: no agreement on the scenario's dataset permits it; lists every reason.
    """
    dataset = scenario.data.dataset
    if dataset is None or mode.channel is Channel.SITE_PACK or is_open(view, dataset):
        require_terms(view, scenario, supplier, mode)
        return None
    key = digest_json(["rehearsal", rehearsal, mode.channel, format_day(view.store.clock())])
    return permit(view, _request(scenario, supplier, dataset, mode), key)


def while_it_stands(vault: Vault, leave: AccessGrant | None, on_progress: OnProgress) -> OnProgress:
    """Return ``on_progress`` that stops before the next batch if the terms no longer permit it; a paper's always do."""
    if leave is None or leave.ground is LegalBasis.PAPER:
        return on_progress

    def tell(progress: Progress) -> None:
        require_still(vault, leave)
        on_progress(progress)

    return tell


def take_sample(view: View, scenario: Scenario, supplier: str) -> None:
    """Count once that ``supplier`` takes the public sample of a scenario version, if it belongs to a dataset.

    Raises:
        RefusedError: the dataset's terms don't permit the supplier to hold its rows.
    """
    request = _sample(scenario, supplier)
    if request is not None:
        permit(view, request, digest_json([scenario.digest(), supplier]))


def may_show_sample(view: View, scenario: Scenario, supplier: str) -> bool:
    """Return whether ``supplier`` may see its application's answers to the public sample, and so the sample."""
    request = _sample(scenario, supplier)
    return request is None or judge(view, request).permitted


def may_publish_sample(view: View, scenario: Scenario) -> bool:
    """Return whether anybody at all may hold the public sample: its cases are of no dataset, or the terms give them."""
    request = _sample(scenario, scenario.owner.organisation)
    return request is None or permits_everyone(view, request)


def require_leaving(view: View, scenario: Scenario, application: Application, rows: int) -> bool:
    """Return whether cases leave: False for an application that runs in a box, True if they may and do.

    Raises:
        RefusedError: an endpoint answers, and the scenario doesn't state that cases may leave, the dataset's terms
            don't permit the supplier to have ``rows`` rows, or today is outside the period for which it stays
            unchanged; or a model that the application may use is refused for one of these reasons, or has no key.
    """
    endpoint = application.endpoint
    if endpoint is None:
        _require_door(view, scenario)
        return False
    if not may_leave(scenario):
        raise RefusedError("trial.data_may_not_leave", scenario=scenario.name, application=application.name)
    _require_in_period(endpoint, view.store.clock())
    if scenario.data.dataset is not None:
        require_permitted(view, _taking(scenario.data.dataset, application.supplier.organisation, rows))
    return True


def may_leave(scenario: Scenario) -> bool:
    """Return whether the scenario states that its cases may leave; without a statement they may not."""
    return scenario.conditions is not None and scenario.conditions.data_may_leave is True


def may_be_asked(scenario: Scenario, endpoint: Endpoint, keys_of: str) -> bool:
    """Return whether this machine may send what applications do to a model of the base's, before anything is spent.

    False: the scenario's cases may not leave, and the operator does not list the address.

    Raises:
        RefusedError: there is no key for it.
        InputError: the file of keys cannot be read.
    """
    operator, url = EndpointSettings.from_environment(), endpoint.url
    operator.key_for(keys_of, endpoint)
    with contextlib.suppress(NoAnswerError):  # a name that leads nowhere is reported when the model is asked
        operator.guard.check(url)
        return may_leave(scenario) or operator.guard.lists(url)
    return True


def _require_door(view: View, scenario: Scenario) -> None:
    if scenario.door is None:
        return
    model, today = scenario.door.model, format_day(view.store.clock())
    if not model.period.since <= today <= model.period.until:
        days = {"since": model.period.since, "until": model.period.until}
        raise RefusedError("trial.model_outside_period", model=model.model, **days)
    require_may_be_asked(scenario, scenario.door)


def require_may_be_asked(scenario: Scenario, door: ModelDoor) -> None:
    """Return if this machine may ask the model behind ``door``; raises `RefusedError`, and as `may_be_asked`."""
    if not may_be_asked(scenario, door.endpoint, KEYS_OF):
        raise RefusedError("trial.model_leaves", url=door.model.url)


def require_boxed(application: Application) -> None:
    """Return for an application that runs in a box; raises `RefusedError` where every case would leave for good."""
    if application.endpoint is not None:
        raise RefusedError("trial.endpoint_not_here", application=application.name)


def _require_in_period(endpoint: Endpoint, now: datetime) -> None:
    """Return if ``now`` is within the days for which the supplier keeps it as it is; raises `RefusedError`."""
    if not endpoint.period.since <= format_day(now) <= endpoint.period.until:
        raise RefusedError("trial.outside_period", since=endpoint.period.since, until=endpoint.period.until)


def is_open(view: View, dataset: Subject) -> bool:
    """Return whether the dataset is open to everyone."""
    with view.reading() as connection:
        row = dataset_row(connection, dataset)
    return row is not None and row.opening == Opening.OPEN


def _sample(scenario: Scenario, supplier: str) -> Request | None:
    dataset = scenario.data.dataset
    if dataset is None:
        return None
    return Request(
        target=dataset,
        action=Action.USE,
        by=supplier,
        purpose=Purpose.TRAINING,
        recipient=supplier,
        channel=Channel.DOWNLOAD,
        consent=_consent(scenario),
    )


def _request(scenario: Scenario, supplier: str, target: str, mode: AccessMode) -> Request:
    return Request(
        target=target,
        action=Action.COMPUTE_ON,
        by=supplier,
        purpose=Purpose.VERIFICATION,
        recipient=supplier,
        channel=mode.channel,
        rows=mode.rows,
        cell_size=mode.cell_size,
        consent=_consent(scenario),
    )


def _consent(scenario: Scenario) -> str | None:
    """Return where the consent is recorded that terms may ask for: the scenario's approval of that kind."""
    found = (one.reference for one in scenario.trial.approvals if one.kind == "consent")
    return next((reference for reference in found if reference), None)


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
