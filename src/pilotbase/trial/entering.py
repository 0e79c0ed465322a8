"""Passing the gate for a trial: by the terms of the scenario's dataset, or by the paper between owner and supplier."""

from __future__ import annotations

from pilotbase.data.terms.gate import permit, require_permitted
from pilotbase.documents.hashes import Digest
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.terms import Action, Channel, Leave, Purpose, Request
from pilotbase.workspace.store import View


def enter(view: View, scenario: Scenario, supplier: str, paper: Digest, way: tuple[Channel, int]) -> Leave:
    """Return the leave to let the application of ``supplier`` answer hidden cases under ``paper``, counted once.

    ``paper``: the frozen plan, or the submission to the board. ``way``: by which something comes out, and how many
    cases are answered.

    Raises:
        RefusedError: no agreement on the scenario's dataset permits it; nothing was opened, no attempt is spent.
    """
    return permit(view, _request(scenario, supplier, scenario.data.dataset or paper, way), paper)


def require_terms(view: View, scenario: Scenario, supplier: str, way: tuple[Channel, int]) -> None:
    """Return if the terms of the scenario's dataset permit a trial now; without a dataset the plan is agreed on alone.

    Raises:
        RefusedError: they do not, with every reason.
    """
    if scenario.data.dataset is not None:
        require_permitted(view, _request(scenario, supplier, scenario.data.dataset, way))


def _request(scenario: Scenario, supplier: str, target: str, way: tuple[Channel, int]) -> Request:
    channel, rows = way
    consents = [one.reference for one in scenario.trial.approvals if one.kind == _CONSENT]
    return Request(
        target=target,
        action=Action.COMPUTE_ON,
        by=supplier,
        purpose=Purpose.VERIFICATION,
        recipient=supplier,
        channel=channel,
        rows=rows,
        consent=next((reference for reference in consents if reference), None),
    )


_CONSENT = "consent"
"""The approval by which a scenario shows the consent that terms may ask for."""
